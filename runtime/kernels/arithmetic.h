// The type that kernels form sums and products in.
#pragma once

#include <cstdint>
#include <type_traits>

namespace ingot {

// Integers wrap, which only unsigned types may.
template <class T>
using ArithmeticOf = std::conditional_t<std::is_same_v<T, int64_t>, uint64_t, T>;

}  // namespace ingot

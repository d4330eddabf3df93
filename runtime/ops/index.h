// What index ops share: positions checked against sizes, and combining into memory.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <ingot/tensor.h>

#include "ops/axes.h"

namespace ingot {

// The elements of an integer tensor in row-major order, negative ones counted from `size`
// when `wrap`. Raises if one is outside [0, size).
Positions positions_in(const Tensor& index, int64_t size, bool wrap);

// Coordinates of the elements that are not zero, in row-major order: [count * rank].
Positions nonzero_coordinates(const Tensor& self);

// A Tensor[] of an op's results.
using Tensors = std::vector<Tensor>;

// How the elements at `places` of `to` take in those of `from`, one after the other, in order: a
// place may come more than once.
using Combine = void (*)(std::byte* to, const Axis& places, const std::byte* from);
enum class Reduction { replace, add, multiply, maximum, minimum };
// Raises Error (unsupported) for an order of complex numbers.
Combine combine_of(Reduction reduction, DType dtype);
// "sum", "prod", "amax", "amin"; "mean" adds, too. Raises for others.
Reduction reduction_of(std::string_view name);

}  // namespace ingot

// Numbers of any real dtype as unsigned integers in the same order.
#pragma once

#include <cstdint>
#include <vector>

#include <ingot/tensor.h>

namespace ingot {

// The key of NaN, and of the largest i64.
inline constexpr uint64_t kNanKey = ~uint64_t{0};

// Raises Error (unsupported) if the dtype has no order.
void check_sortable(DType dtype);

// Fills `keys` from elements `step` apart. NaN is above all, -0.0 equals 0.0.
void sort_keys(const std::byte* from, int64_t step, DType dtype, std::vector<uint64_t>& keys);

}  // namespace ingot

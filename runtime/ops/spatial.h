// Arguments of convolutions and pools: one value per spatial dimension.
#pragma once

#include <algorithm>
#include <string_view>

#include <ingot/check.h>
#include <ingot/int_list.h>
#include "kernels/spatial.h"

namespace ingot {

// Spatial sizes and arguments stay below this, so that products of two cannot overflow.
inline constexpr int64_t kSpatialLimit = int64_t{1} << 31;

// `list` for the last `rank` of three dimensions, one value standing for all; the others get
// `missing`. Throws Error (invalid_argument) if it has neither 1 nor `rank` values or one of
// them is below `least` or reaches kSpatialLimit.
inline Spatial spatial_argument(const IntList& list, int rank, int64_t missing, int64_t least,
                                std::string_view name) {
  INGOT_CHECK(list.size() == 1 || list.size() == static_cast<size_t>(rank), name,
              " must have 1 or ", rank, " values, but has ", list.size());
  Spatial result = {missing, missing, missing};
  for (int d = 0; d < rank; ++d) {
    const int64_t value = list[list.size() == 1 ? 0 : static_cast<size_t>(d)];
    INGOT_CHECK(value >= least, name, " must be at least ", least, ", but has ", value);
    INGOT_CHECK(value < kSpatialLimit, name, " is too large: ", value);
    result[static_cast<size_t>(3 - rank + d)] = value;
  }
  return result;
}

// The last `rank` sizes as the last of three dimensions, the others 1. Throws Error
// (invalid_argument) if one reaches kSpatialLimit.
inline Spatial spatial_sizes(std::span<const int64_t> sizes, int rank) {
  Spatial result = {1, 1, 1};
  std::copy(sizes.end() - rank, sizes.end(), result.end() - rank);
  for (const int64_t size : result)
    INGOT_CHECK(size < kSpatialLimit, "a spatial size is too large: ", size);
  return result;
}

}  // namespace ingot

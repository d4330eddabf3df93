// Windows sliding over up to three spatial dimensions. Fewer are the last ones of three: the
// first have size 1 and a kernel of 1.
#pragma once

#include <array>
#include <cstdint>

namespace ingot {

using Spatial = std::array<int64_t, 3>;

constexpr int64_t volume_of(const Spatial& sizes) { return sizes[0] * sizes[1] * sizes[2]; }

// The outputs `position` for which position · stride - offset lies in [0, size).
struct SpatialRange {
  int64_t begin;
  int64_t end;
};
constexpr SpatialRange positions_inside(int64_t size, int64_t stride, int64_t offset,
                                        int64_t positions) {
  // First position with position · stride >= offset, first with ... >= offset + size.
  const auto first_at_least = [&](int64_t target) {
    return target <= 0 ? 0 : (target + stride - 1) / stride;
  };
  const int64_t begin = first_at_least(offset);
  const int64_t end = first_at_least(offset + size);
  return {begin < positions ? begin : positions, end < positions ? end : positions};
}

}  // namespace ingot

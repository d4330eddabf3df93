// Which elements the windows of pooling cover.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "kernels/pool.h"

namespace ingot {

// The elements begin, begin + step, ... below end of one dimension.
struct Window {
  int64_t begin;
  int64_t end;
  int64_t step;
  int64_t count() const { return end > begin ? (end - begin + step - 1) / step : 0; }
};

using Windows = std::array<Window, 3>;

// The window of output `i` along dimension `d`, without padding.
inline Window max_window(const PoolGeometry& g, size_t d, int64_t i) {
  int64_t begin = i * g.stride[d] - g.pad[d];
  const int64_t end = std::min(begin + (g.kernel[d] - 1) * g.dilation[d] + 1, g.in[d]);
  if (begin < 0) begin += (-begin + g.dilation[d] - 1) / g.dilation[d] * g.dilation[d];
  return {begin, end, g.dilation[d]};
}

// With padding, but not beyond it.
inline Window padded_window(const PoolGeometry& g, size_t d, int64_t i) {
  const int64_t begin = i * g.stride[d] - g.pad[d];
  return {begin, std::min(begin + g.kernel[d], g.in[d] + g.pad[d]), 1};
}

inline Window adaptive_window(int64_t in, int64_t out, int64_t i) {
  return {i * in / out, ((i + 1) * in + out - 1) / out, 1};
}

inline Windows inside(const Windows& padded, const Spatial& in) {
  Windows w = padded;
  for (size_t d = 0; d < 3; ++d) {
    w[d].begin = std::max<int64_t>(w[d].begin, 0);
    w[d].end = std::max(std::min(w[d].end, in[d]), w[d].begin);
  }
  return w;
}

inline int64_t elements_of(const Windows& w) { return w[0].count() * w[1].count() * w[2].count(); }

// What average_pool divides by; 0 where the result is 0.
inline int64_t average_divisor(const Windows& padded, const Windows& w, bool count_padding,
                               int64_t divisor) {
  const int64_t size = elements_of(w);
  if (size == 0) return 0;
  return divisor != 0 ? divisor : count_padding ? elements_of(padded) : size;
}

}  // namespace ingot

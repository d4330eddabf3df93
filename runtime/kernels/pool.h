// Reductions over sliding and adaptive windows of row-major planes.
#pragma once

#include <cstdint>

#include "kernels/spatial.h"

namespace ingot {

// `planes` images of size `in`, each reduced to `out`.
struct PoolGeometry {
  int64_t planes;
  Spatial in;
  Spatial out;
  Spatial kernel;
  Spatial stride;
  Spatial pad;
  Spatial dilation;  // max_pool only
};

// The greatest element of every window, NaN counting as greatest, and (unless null) its
// index in the image. T: float, double, int64_t.
template <class T>
void max_pool(const PoolGeometry& geometry, const T* input, T* out, int64_t* indices);

// The mean of every window. It divides by `divisor` if not 0, else by the window's size, in
// which padding counts if `count_padding`. Integers round towards zero.
template <class T>
void average_pool(const PoolGeometry& geometry, const T* input, T* out, bool count_padding,
                  int64_t divisor);

// The same over windows that divide the image into `out` parts: output i covers
// [floor(i · in / out), ceil((i + 1) · in / out)).
template <class T>
void adaptive_average_pool(int64_t planes, const Spatial& in, const Spatial& out_sizes,
                           const T* input, T* out);
template <class T>
void adaptive_max_pool(int64_t planes, const Spatial& in, const Spatial& out_sizes, const T* input,
                       T* out, int64_t* indices);

// --- channels-last: f32[planes, in sizes, channels] ------------------------------------------
// `input_stride` and `out_stride` elements lie between adjacent pixels; pixels of all images
// are evenly spaced.

struct ChannelsLast {
  int64_t channels;
  int64_t input_stride;
  int64_t out_stride;
};

void max_pool_channels_last(const PoolGeometry& geometry, const ChannelsLast& memory,
                            const float* input, float* out);
void average_pool_channels_last(const PoolGeometry& geometry, const ChannelsLast& memory,
                                const float* input, float* out, bool count_padding,
                                int64_t divisor);
void adaptive_average_pool_channels_last(int64_t images, const Spatial& in,
                                         const Spatial& out_sizes, const ChannelsLast& memory,
                                         const float* input, float* out);

}  // namespace ingot

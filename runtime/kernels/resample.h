// Interpolation of row-major planes to another size.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/spatial.h"

namespace ingot {

// The input elements that make one output element along one dimension: `taps` of them per
// output, each with a weight. T: float or double.
template <class T>
struct ResampleAxis {
  int64_t in;
  int64_t out;
  int64_t taps;
  std::vector<int64_t> index;  // [out, taps]
  std::vector<T> weight;       // [out, taps]
};

enum class Interpolation { nearest, nearest_exact, linear, cubic };

// `scale` is output size by input size as the caller gave it, 0 if unknown. `align_corners`
// maps the centres of the corner elements onto each other; without it their outer edges.
template <class T>
ResampleAxis<T> resample_axis(Interpolation interpolation, int64_t in, int64_t out,
                              bool align_corners, double scale);

// out[planes, out sizes] from input[planes, in sizes], as the axes say.
template <class T>
void resample(int64_t planes, const std::array<ResampleAxis<T>, 3>& axes, const T* input, T* out);

// The same for f32[images, in sizes, channels] in channels-last memory; `input_stride` and
// `out_stride` elements lie between adjacent pixels, pixels of all images being evenly spaced.
void resample_channels_last(int64_t images, const std::array<ResampleAxis<float>, 3>& axes,
                            int64_t channels, const float* input, int64_t input_stride, float* out,
                            int64_t out_stride);

}  // namespace ingot

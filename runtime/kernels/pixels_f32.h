// Reductions of f32 pixels to one pixel, channel by channel, in channels-last memory: a pixel's
// channels are adjacent. Built per instruction set.
#pragma once

#include <cstdint>

#include "kernels/spatial.h"

namespace ingot::f32 {

// counts[0] x counts[1] x counts[2] pixels, strides[d] elements apart along dimension d.
struct PixelWindow {
  const float* first;
  Spatial counts;
  Spatial strides;
};

// out[c] = the greatest of the window, NaN counting as greatest, -infinity for no pixels.
void greatest_of_window(const PixelWindow& window, int64_t channels, float* out);
// out[c] = the window's sum / divisor.
void mean_of_window(const PixelWindow& window, float divisor, int64_t channels, float* out);
// One row of interpolated pixels: out pixel w is the sum over lines i and taps k of
// line_weights[i] · weights[w · taps + k] · pixel index[w · taps + k] of lines[i].
struct PixelLines {
  int64_t count;
  const float* const* lines;
  const float* line_weights;
};
void interpolate_row(const PixelLines& lines, int64_t width, int64_t taps, const int64_t* index,
                     const float* weights, int64_t channels, int64_t input_stride, float* out,
                     int64_t out_stride);

}  // namespace ingot::f32

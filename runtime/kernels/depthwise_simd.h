// The vector half of depthwise convolution: one table per instruction set.
#pragma once

#include <cstdint>
#include <span>

namespace ingot {

// Groups of neighbouring output pixels of one line, the channels [channel, channel_end). Groups
// after the first read and write a step further.
struct DepthwiseCall {
  int64_t groups;
  int64_t input_step;
  int64_t out_step;
  int64_t residual_step;
  // [rows][columns]: the inputs that meet each kernel row, first channel. Pixel p meets kernel
  // column x in column p * stride + x of a dense kernel and in p * width + x of any other.
  const float* const* inputs;
  int rows;
  int columns;
  int width;                   // of the kernel
  const int64_t* row_weights;  // [rows]: first weight of the kernel row, in vectors
  const float* weights;        // [channels / lanes][taps][lanes]
  int64_t taps;
  int64_t channel;  // a multiple of the lanes
  int64_t channel_end;
  float* out;  // first channel of the first pixel
  int64_t out_stride;
  const float* bias;      // at channel 0; null: none
  const float* residual;  // at channel 0 of the first pixel; null: none
  int64_t residual_stride;
  float low;
  float high;
};

struct DepthwiseKernels {
  static constexpr int kMostPixels = 8;
  using Function = void (*)(const DepthwiseCall& call);

  struct Dense {
    int width;
    int stride;
    Function pixels[kMostPixels];  // [pixels - 1]
  };

  int lanes;
  std::span<const Dense> dense;  // kernels without dilation of these widths and strides
  Function any[kMostPixels];
};

// The kernels for the SimdLevel in use.
const DepthwiseKernels& depthwise_kernels();

}  // namespace ingot

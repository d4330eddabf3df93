// The transforms of Winograd convolution: one table per instruction set.
#pragma once

#include <cstdint>

namespace ingot {

// One input tile: B^T d B of every channel.
struct WinogradInput {
  const float* const* pixels;  // [side * side], first channel of each
  int64_t channels;
  float* to;     // first channel of product 0
  int64_t step;  // floats from product to product
};

// One output tile: A^T m A of every channel, then the epilogue.
struct WinogradOutput {
  const float* from;  // first channel of product 0
  int64_t step;
  int64_t channels;
  int rows;  // of the tile inside the image
  int columns;
  float* out;  // the tile's first pixel, first channel
  int64_t out_row;
  int64_t out_pixel;
  const float* bias;      // null: none
  const float* residual;  // at the tile's first pixel; null: none
  int64_t residual_row;
  int64_t residual_pixel;
  float low;
  float high;
};

// Kernels of several output channels of one input channel: G w G^T of each.
struct WinogradWeights {
  int side;
  const float (*g)[3];   // [side]: the rows of G
  const float* weights;  // [9][columns]
  int64_t columns;       // a multiple of the lanes
  float* to;             // [side * side], each `step` floats further
  int64_t step;
};

struct WinogradKernels {
  struct Transforms {
    void (*input)(const WinogradInput& tile);
    void (*output)(const WinogradOutput& tile);
  };
  void (*weights)(const WinogradWeights& weights);
  Transforms of_2;  // F(2x2, 3x3)
  Transforms of_4;  // F(4x4, 3x3)
  // Transformed tiles that stay in the second-level cache, in bytes.
  int64_t cache_bytes;
};

// The kernels for the SimdLevel in use.
const WinogradKernels& winograd_kernels();

}  // namespace ingot

// Convolutions and their transposes over row-major tensors.
#pragma once

#include <cstdint>

#include "kernels/spatial.h"

namespace ingot {

// `pad` is the padding before the first element; what follows the last is implied by `out`.
// All sizes of `kernel`, `stride` and `dilation` are at least 1.
struct ConvGeometry {
  int64_t batch;
  int64_t groups;
  int64_t in_channels;   // of all groups
  int64_t out_channels;  // of all groups
  Spatial in;
  Spatial out;
  Spatial kernel;
  Spatial stride;
  Spatial pad;
  Spatial dilation;
};

// out[N, Co, Do, Ho, Wo] = input[N, Ci, D, H, W] convolved with weight[Co, Ci / groups, ...],
// plus bias[Co] (may be null). T: a compute type that gemm knows.
template <class T>
void convolve(const ConvGeometry& geometry, const T* input, const T* weight, const T* bias, T* out);

// The transpose: every element of `input` adds weight[Ci, Co / groups, ...] to `out` around
// its place. `stride`, `pad`, `dilation` are those of the convolution that it transposes.
template <class T>
void convolve_transposed(const ConvGeometry& geometry, const T* input, const T* weight,
                         const T* bias, T* out);

}  // namespace ingot

// Convolutions with constant weights in channels-last memory.
#pragma once

#include "kernels/conv.h"
#include "ops/plan/recorder.h"

namespace ingot::plan {

// Records the convolution, or its transpose, of `input` [N, C, spatial...] with a constant f32
// `weight` and `bias` [Co], which may be undefined; `sizes` are the output's. Undefined if the
// operands are not of that kind.
Tensor record_convolution(Recorder& recorder, const ConvGeometry& geometry, bool transposed,
                          const Tensor& input, const Tensor& weight, const Tensor& bias,
                          const Dims& sizes);

}  // namespace ingot::plan

// Products with constant right operands.
#pragma once

#include "ops/plan/recorder.h"

namespace ingot::plan {

// Records out[..., N] = input[..., K] · weight + bias with a constant f32 matrix `weight` [K, N]
// of any strides and a constant `bias` [N], which may be undefined. Undefined if the operands are
// not of that kind.
Tensor record_product(Recorder& recorder, const Tensor& input, const Tensor& weight,
                      const Tensor& bias);

}  // namespace ingot::plan

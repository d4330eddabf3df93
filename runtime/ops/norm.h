// What the normalisation ops share.
#pragma once

#include <ingot/op.h>

namespace ingot {

// Throws Error (invalid_argument) unless `input` is floating and weight and bias (if given)
// have its dtype or f32.
void check_norm_dtypes(const Tensor& input, const Tensor* weight, const Tensor* bias);

// The dtype of saved statistics: the input's, or f32 if the parameters are f32 beside it.
DType statistics_dtype(const Tensor& input, const Tensor* weight, const Tensor* bias);

}  // namespace ingot

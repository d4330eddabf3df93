// Products of tensors whose last two dimensions are matrices.
#pragma once

#include <ingot/tensor.h>

#include <ingot/op.h>

namespace ingot {

// out[..., M, N] = alpha · a[..., M, K] · b[..., K, N] + beta · out, where all have the same
// leading sizes (stride 0 for broadcast ones). `a` and `b` have any strides and one compute
// dtype, `out` is row-major and has it too. `bias` ([N], row-major, that dtype) may be
// undefined. Throws Error (unsupported) for bool.
void multiply_matrices(const Tensor& a, const Tensor& b, Tensor& out, const Scalar& alpha = 1.0,
                       const Scalar& beta = 0.0, const Tensor& bias = Tensor());

// The same dtype of both operands of a product, or an Error (invalid_argument).
DType product_dtype(const Tensor& a, const Tensor& b);

}  // namespace ingot

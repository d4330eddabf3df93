// Tensors on their way into and out of kernels that know compute dtypes (tensor/convert.h) and
// row-major memory only.
#pragma once

#include <ingot/tensor.h>

#include "tensor/convert.h"

namespace ingot {

// In its compute dtype, strides as they are or row-major.
inline Tensor in_compute_dtype(const Tensor& tensor) {
  return tensor.to(compute_dtype(tensor.dtype()));
}

// In `compute` and row-major.
inline Tensor as_dense(const Tensor& tensor, DType compute) {
  return tensor.to(compute).contiguous();
}

// The same for an optional argument; None becomes an undefined tensor.
inline Tensor as_dense(const Tensor* tensor, DType compute) {
  return tensor ? as_dense(*tensor, compute) : Tensor();
}

// The elements, or null for an undefined tensor.
template <class T>
const T* data_or_null(const Tensor& tensor) {
  return tensor.defined() ? tensor.data<T>() : nullptr;
}

// A row-major output in the dtype that the kernel computes in: the output itself, or a
// tensor that store() converts back.
class ComputeOutput {
 public:
  ComputeOutput(Tensor& out, DType compute)
      : out_(out), wide_(out.dtype() == compute ? out : Tensor::empty(compute, out.sizes())) {}
  explicit ComputeOutput(Tensor& out) : ComputeOutput(out, compute_dtype(out.dtype())) {}
  Tensor& tensor() { return wide_; }
  template <class T>
  T* data() {
    return wide_.data<T>();
  }
  void store() {
    if (wide_.dtype() != out_.dtype()) copy_into(wide_, out_);
  }

 private:
  Tensor& out_;
  Tensor wide_;
};

}  // namespace ingot

// Element-wise copies between any two layouts and dtypes.
#pragma once

#include <cstdint>

#include <ingot/tensor.h>

namespace ingot {

// Writes `from`, converted to `to`'s dtype as PyTorch's copy_ converts, into `to`. `from` is
// broadcast to `to`'s sizes; any strides; the two must not overlap.
INGOT_API void copy_into(const Tensor& from, Tensor& to);

// The dtype in which kernels compute on elements of `dtype`; it represents all of them
// exactly. Integers and bool: i64; 16-bit floats: f32; others themselves.
constexpr DType compute_dtype(DType dtype) {
  if (is_integral(dtype)) return DType::i64;
  return dtype == DType::f16 || dtype == DType::bf16 ? DType::f32 : dtype;
}

// Converts `count` adjacent elements. Out-of-range floats become integers as on x86.
void convert(const void* from, DType from_dtype, void* to, DType to_dtype, int64_t count);

}  // namespace ingot

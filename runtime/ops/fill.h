// Numbers as elements of tensors.
#pragma once

#include <ingot/tensor.h>

#include <ingot/op.h>

namespace ingot {

// Writes `number`, converted to `dtype` as a tensor holding it would be, to `element` (at most
// 16 bytes). Integers wrap.
void store_number(const Scalar& number, DType dtype, void* element);

// The number without its fraction; what an i64 cannot hold becomes the nearest that it can.
int64_t saturated_int(const Scalar& number);

// Sets all elements of `out`, of any strides. Throws Error (invalid_argument) if `number` is
// outside the range of out's dtype, or complex for a real one.
void fill(Tensor& out, const Scalar& number);

}  // namespace ingot

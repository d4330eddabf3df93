// Numbers out of tensors and into them.
#pragma once

#include <ingot/tensor.h>
#include <ingot/value.h>

#include <ingot/op.h>

namespace ingot {

// The one element of `self` as bool, int, float or complex. Raises if there are more or none.
Value item(const Tensor& self);

// A tensor without dimensions that holds `number` exactly: bool, i64, f64 or c128.
Tensor number_tensor(const Scalar& number);

}  // namespace ingot

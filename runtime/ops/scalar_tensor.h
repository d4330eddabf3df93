// Numbers out of tensors.
#pragma once

#include <ingot/tensor.h>
#include <ingot/value.h>

namespace ingot {

// The one element of `self` as bool, int, float or complex. Raises if there are more or none.
Value item(const Tensor& self);

}  // namespace ingot

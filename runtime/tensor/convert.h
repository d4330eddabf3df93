// Element-wise copies between any two layouts and dtypes.
#pragma once

#include <ingot/tensor.h>

namespace ingot {

// Writes `from`, converted to `to`'s dtype as PyTorch's copy_ converts, into `to`. Sizes must
// be equal; any strides; the two must not overlap.
INGOT_API void copy_into(const Tensor& from, Tensor& to);

}  // namespace ingot

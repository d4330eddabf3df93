// Other memory for a tensor that is there already.
#pragma once

#include <ingot/tensor.h>

namespace ingot {

// Gives `tensor` the first bytes of `memory`, of which nothing else may know; sizes and strides
// stay. Nothing else may hold what it had before.
INGOT_API void replace_memory(const Tensor& tensor, Tensor memory);

}  // namespace ingot

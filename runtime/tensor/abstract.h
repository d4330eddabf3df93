// Tensors that have sizes, strides and a storage of their own but no bytes, for code that is run
// to see what it would do. Views of them work as always. Copies (Tensor::clone, contiguous, to)
// are handed to their AbstractMemory, which notes them; reading elements throws.
#pragma once

#include <ingot/tensor.h>

namespace ingot::detail {

class AbstractMemory {
 public:
  // A row-major tensor of `dtype` that stands for the converted copy of `from`.
  virtual Tensor copy(const Tensor& from, DType dtype) = 0;

 protected:
  ~AbstractMemory() = default;
};

inline AbstractMemory* abstract_memory(const Tensor& tensor) {
  return tensor.storage() ? tensor.storage()->abstract : nullptr;
}

}  // namespace ingot::detail

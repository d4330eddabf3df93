// PyTorch's rules for the dtype of a result (torch.result_type, torch.can_cast).
#pragma once

#include <optional>

#include <ingot/dtype.h>
#include <ingot/tensor.h>

#include <ingot/op.h>

namespace ingot {

// Collects the operands of one op. Tensors with dimensions decide first, then 0-d tensors,
// then Python numbers; a lower group counts only where it is of a higher kind (bool, integer,
// floating, complex).
class ResultType {
 public:
  void add(const Tensor& tensor);
  void add(const Scalar& number);
  // At least one operand must have been added.
  DType get() const;

 private:
  std::optional<DType> dimensioned_;
  std::optional<DType> zero_dim_;
  std::optional<DType> number_;
};

// True if PyTorch lets a result of dtype `from` be stored in place into `to`.
INGOT_API bool can_cast(DType from, DType to);

// `dtype` for floating and complex ones, else the default dtype f32.
constexpr DType floating_result(DType dtype) { return is_integral(dtype) ? DType::f32 : dtype; }

// Of a complex number's parts.
constexpr DType real_of(DType complex) { return complex == DType::c64 ? DType::f32 : DType::f64; }

}  // namespace ingot

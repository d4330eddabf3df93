// The order in which the dimensions of a tensor without gaps lie in memory.
#pragma once

#include <optional>

#include <ingot/tensor.h>

#include "tensor/iterate.h"

namespace ingot::plan {

// True if the elements fill their memory without gaps or overlaps.
bool is_dense(const Tensor& tensor);

// The elements of `operand`, broadcast to out's sizes, in the memory order of `out`, which is
// dense. Throws Error (invalid_argument) if it does not broadcast.
StridedRange range_in_order_of(const Tensor& out, const Tensor& operand);

// Strides of memory without gaps for `sizes` in the order of `like`, which is dense and of the
// same rank.
Dims strides_in_order_of(const Tensor& like, std::span<const int64_t> sizes);

}  // namespace ingot::plan

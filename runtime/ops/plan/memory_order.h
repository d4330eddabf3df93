// The order in which the dimensions of a tensor without gaps lie in memory.
#pragma once

#include <optional>

#include <ingot/tensor.h>

#include "tensor/iterate.h"

namespace ingot::plan {

// True if the elements fill their memory without gaps or overlaps.
bool is_dense(const Tensor& tensor);

// False if its strides show that no two elements lie at one place.
bool may_overlap(const Tensor& tensor);

// The elements of `operand`, broadcast to out's sizes, in the memory order of `out`, which is
// dense. Throws Error (invalid_argument) if it does not broadcast.
StridedRange range_in_order_of(const Tensor& out, const Tensor& operand);

// Strides of memory without gaps for `sizes` in the order of `like`, which is dense and of the
// same rank.
Dims strides_in_order_of(const Tensor& like, std::span<const int64_t> sizes);

// `view` lies in the memory of `whole` as if that had the strides `from`: the same elements where
// it has the strides `to`. Both fill the memory of whole's sizes. Nothing where no strides say it.
std::optional<Tensor> view_in_order(const Tensor& view, const Tensor& whole, const Dims& from,
                                    const Dims& to);

}  // namespace ingot::plan

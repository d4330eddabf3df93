// Index ops along one dimension: index_select, embedding, index_add, index_copy, index_fill.
#include <algorithm>

#include <ingot/op.h>
#include "ops/axes.h"
#include "ops/index.h"
#include "ops/on_copy.h"
#include "ops/scalar_tensor.h"
#include "ops/shape.h"
#include "ops/view.h"
#include "tensor/convert.h"

namespace ingot {
namespace {

void check_line(const Tensor& index) {
  INGOT_CHECK(index.rank() <= 1, "the index must have one dimension, got ", index);
  INGOT_CHECK(index.dtype() == DType::i64 || index.dtype() == DType::i32,
              "the index must have dtype i32 or i64, got ", index);
}

TensorInfo index_select_meta(const Tensor& self, int64_t dim, const Tensor& index) {
  check_line(index);
  const int d = wrap_dim(dim, self.rank());
  TensorInfo info = self.info();
  if (self.rank() > 0) info.sizes[d] = index.numel();
  INGOT_CHECK(self.rank() > 0 || index.numel() == 1,
              "a tensor without dimensions takes one index, "
              "got ",
              index);
  return info;
}
void index_select(const Tensor& self, int64_t dim, const Tensor& index, Tensor& out) {
  const int d = wrap_dim(dim, self.rank());
  Positions positions = positions_in(index, self.rank() == 0 ? 1 : self.size(d), false);
  if (out.numel() == 0) return;
  PositionLists lists(self.rank());
  if (self.rank() > 0) lists[d] = std::move(positions);
  take_positions(self, std::move(lists), out);
}

TensorInfo embedding_meta(const Tensor& weight, const Tensor& indices, int64_t, bool, bool) {
  INGOT_CHECK(weight.rank() == 2, "the weight of an embedding must be a matrix, got ", weight);
  INGOT_CHECK(indices.dtype() == DType::i64 || indices.dtype() == DType::i32,
              "the indices of an embedding must have dtype i32 or i64, got ", indices);
  Dims sizes = indices.sizes();
  sizes.push_back(weight.size(1));
  return {weight.dtype(), sizes};
}
void embedding(const Tensor& weight, const Tensor& indices, int64_t, bool, bool, Tensor& out) {
  PositionLists lists(2);
  lists[0] = positions_in(indices, weight.size(0), false);
  if (out.numel() == 0) return;
  Tensor rows = view(out, Dims{indices.numel(), weight.size(1)});
  take_positions(weight, std::move(lists), rows);
}

// `self` with the dimension `dim` in front, at least one dimension.
Tensor front(const Tensor& self, int dim) {
  if (self.rank() == 0) return unsqueeze(self, 0);
  Dims order{dim};
  for (int d = 0; d < self.rank(); ++d)
    if (d != dim) order.push_back(d);
  return permute(self, order);
}

// Combines each slice of `source` along `dim` into the slice of `self` that `index` names.
Tensor combine_slices(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                      Reduction reduction) {
  check_writable(self);
  check_line(index);
  INGOT_CHECK(source.dtype() == self.dtype(), "the source ", source, " must have the dtype of ",
              self);
  const int d = wrap_dim(dim, self.rank());
  const Tensor to = front(self, d);
  const Tensor from = front(source, source.rank() == 0 ? 0 : wrap_dim(dim, source.rank()));
  INGOT_CHECK(from.rank() == to.rank() && from.size(0) == index.numel(), "the source ", source,
              " must have one slice for each of the ", index.numel(), " indices along dimension ",
              d);
  for (int k = 1; k < to.rank(); ++k)
    INGOT_CHECK(from.size(k) == to.size(k), "the source ", source, " does not fit ", self,
                " outside dimension ", d);
  Positions positions = positions_in(index, to.size(0), false);
  if (from.numel() == 0) return self;
  for (int64_t& position : positions) position *= to.stride(0);
  std::vector<Axis> axes = axes_of(to);
  axes[0] = {static_cast<int64_t>(positions.size()), 0, positions.data()};
  const Tensor packed = source.shares_storage(self) ? from.clone() : from.contiguous();
  const auto* data = static_cast<const std::byte*>(packed.data());
  auto* base = static_cast<std::byte*>(self.data());
  const auto item = static_cast<int64_t>(size_of(self.dtype()));
  if (reduction == Reduction::replace) {
    scatter_axes(base, axes, static_cast<size_t>(item), data);
    return self;
  }
  const Combine combine = combine_of(reduction, self.dtype());
  const Axis& inner = axes.back();
  for_each_row(axes, [&](int64_t offset, int64_t position) {
    combine(base + offset * item, inner, data + position * item);
  });
  return self;
}

// source * alpha, in the source's dtype.
Tensor scaled(const Tensor& source, Scalar alpha) {
  if (alpha.to_double() == 1 && alpha.to_complex().imag() == 0) return source;
  const Tensor factor = number_tensor(alpha).to(source.dtype());
  Tensor product = source.clone();
  const Combine multiply = combine_of(Reduction::multiply, source.dtype());
  const auto item = static_cast<int64_t>(size_of(source.dtype()));
  for (int64_t i = 0; i < product.numel(); ++i)
    multiply(static_cast<std::byte*>(product.data()) + i * item, Axis{},
             static_cast<const std::byte*>(factor.data()));
  return product;
}

Tensor index_add_(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                  Scalar alpha) {
  return combine_slices(self, dim, index, scaled(source, alpha), Reduction::add);
}

Tensor index_copy_(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source) {
  return combine_slices(self, dim, index, source, Reduction::replace);
}

Tensor index_fill_tensor_(const Tensor& self, int64_t dim, const Tensor& index,
                          const Tensor& value) {
  check_writable(self);
  check_line(index);
  INGOT_CHECK(value.rank() == 0, "the value must have no dimensions, got ", value);
  const Tensor to = front(self, wrap_dim(dim, self.rank()));
  for (const int64_t position : positions_in(index, to.size(0), true)) {
    Tensor part = select(to, 0, position);
    copy_into(value, part);
  }
  return self;
}
Tensor index_fill_(const Tensor& self, int64_t dim, const Tensor& index, Scalar value) {
  return index_fill_tensor_(self, dim, index, number_tensor(value));
}

INGOT_OP("aten::index_select(Tensor self, int dim, Tensor index) -> Tensor",
         Structured<index_select_meta, index_select>);
INGOT_OP(
    "aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool "
    "scale_grad_by_freq=False, bool sparse=False) -> Tensor",
    Structured<embedding_meta, embedding>);
INGOT_OP(
    "aten::index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> "
    "Tensor",
    OnCopy<index_add_>);
INGOT_OP(
    "aten::index_add_(Tensor(a!) self, int dim, Tensor index, Tensor source, *, Scalar "
    "alpha=1) -> Tensor(a!)",
    Function<index_add_>);
INGOT_OP("aten::index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor",
         OnCopy<index_copy_>);
INGOT_OP("aten::index_copy_(Tensor(a!) self, int dim, Tensor index, Tensor source) -> Tensor(a!)",
         Function<index_copy_>);
INGOT_OP("aten::index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor",
         OnCopy<index_fill_>);
INGOT_OP(
    "aten::index_fill_.int_Scalar(Tensor(a!) self, int dim, Tensor index, Scalar value) -> "
    "Tensor(a!)",
    Function<index_fill_>);
INGOT_OP("aten::index_fill.int_Tensor(Tensor self, int dim, Tensor index, Tensor value) -> Tensor",
         OnCopy<index_fill_tensor_>);
INGOT_OP(
    "aten::index_fill_.int_Tensor(Tensor(a!) self, int dim, Tensor index, Tensor value) -> "
    "Tensor(a!)",
    Function<index_fill_tensor_>);

}  // namespace
}  // namespace ingot

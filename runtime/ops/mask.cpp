// Where a mask is true, or a tensor not zero: nonzero, masked_select, masked_scatter, one_hot;
// and functional writes to a part of a tensor.
#include <algorithm>

#include <ingot/op.h>
#include "ops/axes.h"
#include "ops/index.h"
#include "ops/shape.h"
#include "ops/view.h"
#include "tensor/convert.h"
#include "tensor/iterate.h"

namespace ingot {
namespace {

Tensor nonzero(const Tensor& self) {
  const Positions coordinates = nonzero_coordinates(self);
  if (self.rank() > 0)
    return Tensor::from<int64_t>(
        coordinates, Dims{static_cast<int64_t>(coordinates.size()) / self.rank(), self.rank()});
  const Tensor truth = self.to(DType::boolean);
  return Tensor::empty(DType::i64, Dims{*truth.data<uint8_t>() != 0, 0});
}

// The first `size` coordinates; rows without one hold `fill_value`.
TensorInfo nonzero_static_meta(const Tensor& self, int64_t size, int64_t) {
  INGOT_CHECK(size >= 0, "size must not be negative, but is ", size);
  return {DType::i64, Dims{size, self.rank()}};
}
void nonzero_static(const Tensor& self, int64_t, int64_t fill_value, Tensor& out) {
  const Positions coordinates = nonzero_coordinates(self);
  const int64_t taken = std::min(out.numel(), static_cast<int64_t>(coordinates.size()));
  auto* to = out.data<int64_t>();
  std::copy_n(coordinates.begin(), taken, to);
  std::fill(to + taken, to + out.numel(), fill_value);
}

// One tensor of coordinates per dimension.
Tensors nonzero_numpy(const Tensor& self) {
  const Tensor table = nonzero(self.rank() == 0 ? unsqueeze(self, 0) : self);
  Tensors columns;
  for (int64_t d = 0; d < table.size(1); ++d) columns.push_back(select(table, 1, d).contiguous());
  return columns;
}

void check_mask(const Tensor& mask) {
  INGOT_CHECK(mask.dtype() == DType::boolean, "the mask must have dtype bool, got ", mask);
}

Tensor masked_select(const Tensor& self, const Tensor& mask) {
  check_mask(mask);
  const Dims sizes = broadcast(self.sizes(), mask.sizes());
  const Tensor chosen = expand(mask, sizes).contiguous();
  const Tensor from = expand(self, sizes);
  const auto* keep = chosen.data<uint8_t>();
  Positions offsets;
  std::vector<Axis> axes = axes_of(from);
  if (axes.empty()) axes.push_back({});
  const Axis& inner = axes.back();
  for_each_row(axes, [&](int64_t offset, int64_t position) {
    for (int64_t i = 0; i < inner.size; ++i)
      if (keep[position + i]) offsets.push_back(offset + inner.at(i));
  });
  const Axis axis{static_cast<int64_t>(offsets.size()), 0, offsets.data()};
  Tensor out = Tensor::empty(self.dtype(), Dims{axis.size});
  gather_axes(static_cast<const std::byte*>(self.data()), std::span(&axis, 1),
              size_of(self.dtype()), static_cast<std::byte*>(out.data()));
  return out;
}

// Writes the first elements of `source`, as many as the mask has true ones.
Tensor masked_scatter_(const Tensor& self, const Tensor& mask, const Tensor& source) {
  check_writable(self);
  check_mask(mask);
  INGOT_CHECK(source.dtype() == self.dtype(), "the source ", source, " must have the dtype of ",
              self);
  const Tensor chosen = expand(mask, self.sizes()).contiguous();
  const auto* keep = chosen.data<uint8_t>();
  Positions offsets;
  std::vector<Axis> axes = axes_of(self);
  if (axes.empty()) axes.push_back({});
  const Axis& inner = axes.back();
  for_each_row(axes, [&](int64_t offset, int64_t position) {
    for (int64_t i = 0; i < inner.size; ++i)
      if (keep[position + i]) offsets.push_back(offset + inner.at(i));
  });
  const auto count = static_cast<int64_t>(offsets.size());
  INGOT_CHECK(source.numel() >= count, "the source ", source, " has fewer elements than the ",
              count, " that the mask takes");
  const Axis axis{count, 0, offsets.data()};
  const Tensor packed = source.shares_storage(self) ? source.clone() : source.contiguous();
  scatter_axes(static_cast<std::byte*>(self.data()), std::span(&axis, 1), size_of(self.dtype()),
               static_cast<const std::byte*>(packed.data()));
  return self;
}
Tensor masked_scatter(const Tensor& self, const Tensor& mask, const Tensor& source) {
  const Tensor target = expand(self, broadcast(self.sizes(), mask.sizes()));
  return masked_scatter_(target.clone(), mask, source);
}

Tensor one_hot(const Tensor& self, int64_t num_classes) {
  INGOT_CHECK(self.dtype() == DType::i64, "one_hot() needs dtype i64, got ", self);
  constexpr int64_t kFromData = -1;
  if (num_classes == kFromData) {
    INGOT_CHECK(self.numel() > 0, "one_hot() of no elements needs num_classes");
    const Tensor packed = self.contiguous();
    const auto* data = packed.data<int64_t>();
    num_classes = *std::max_element(data, data + packed.numel());
    INGOT_CHECK(!__builtin_add_overflow(num_classes, 1, &num_classes), "too many classes");
  }
  INGOT_CHECK(num_classes > 0 || (num_classes == 0 && self.numel() == 0),
              "num_classes must be positive, got ", num_classes);
  const Positions classes = positions_in(self, num_classes, false);
  Dims sizes = self.sizes();
  sizes.push_back(num_classes);
  Tensor out = Tensor::zeros(DType::i64, sizes);
  for (size_t i = 0; i < classes.size(); ++i)
    out.data<int64_t>()[static_cast<int64_t>(i) * num_classes + classes[i]] = 1;
  return out;
}

// A copy of `self` in which `part`, a view of that copy, holds `src`.
template <class View>
void write_part(const Tensor& self, const Tensor& src, Tensor& out, View&& view) {
  copy_into(self, out);
  Tensor part = view(out);
  copy_into(src, part);
}
TensorInfo write_meta(const Tensor& self, const Tensor& src, const Tensor& part) {
  INGOT_CHECK(src.sizes() == part.sizes(), "the source ", src, " does not have the sizes ",
              part.sizes(), " of the part it replaces");
  return self.info();
}

using Bound = std::optional<int64_t>;
TensorInfo slice_scatter_meta(const Tensor& self, const Tensor& src, int64_t dim, Bound start,
                              Bound end, int64_t step) {
  return write_meta(self, src, slice(Tensor::meta(self.info()), dim, start, end, step));
}
void slice_scatter(const Tensor& self, const Tensor& src, int64_t dim, Bound start, Bound end,
                   int64_t step, Tensor& out) {
  write_part(self, src, out, [&](const Tensor& t) { return slice(t, dim, start, end, step); });
}

TensorInfo select_scatter_meta(const Tensor& self, const Tensor& src, int64_t dim, int64_t index) {
  return write_meta(self, src, select(Tensor::meta(self.info()), dim, index));
}
void select_scatter(const Tensor& self, const Tensor& src, int64_t dim, int64_t index,
                    Tensor& out) {
  write_part(self, src, out, [&](const Tensor& t) { return select(t, dim, index); });
}

TensorInfo diagonal_scatter_meta(const Tensor& self, const Tensor& src, int64_t offset,
                                 int64_t dim1, int64_t dim2) {
  return write_meta(self, src, diagonal(Tensor::meta(self.info()), offset, dim1, dim2));
}
void diagonal_scatter(const Tensor& self, const Tensor& src, int64_t offset, int64_t dim1,
                      int64_t dim2, Tensor& out) {
  write_part(self, src, out, [&](const Tensor& t) { return diagonal(t, offset, dim1, dim2); });
}

// Writes to the memory of a copy that is laid out as `self` is.
TensorInfo as_strided_scatter_meta(const Tensor& self, const Tensor& src, const IntList& size,
                                   const IntList& stride, Bound storage_offset) {
  INGOT_CHECK(size.size() == stride.size(), "there are ", size.size(), " sizes, but ",
              stride.size(), " strides");
  for (const int64_t s : stride) INGOT_CHECK(s >= 0, "stride ", s, " is negative");
  INGOT_CHECK(storage_offset.value_or(0) >= 0, "storage_offset must not be negative, but is ",
              storage_offset.value_or(0));
  return write_meta(self, src, Tensor::meta({self.dtype(), Dims(std::span<const int64_t>(size))}));
}
void as_strided_scatter(const Tensor& self, const Tensor& src, const IntList& size,
                        const IntList& stride, Bound storage_offset, Tensor& out) {
  int64_t last = 0;
  for (int d = 0; d < self.rank(); ++d) last += (self.size(d) - 1) * self.stride(d);
  if (self.numel() == 0) last = -1;
  const Tensor memory = self.as_strided(Dims{last + 1}, Dims{1}, 0).clone();
  Tensor part = memory.as_strided(size, stride, storage_offset.value_or(0));
  copy_into(src, part);
  copy_into(memory.as_strided(self.sizes(), self.strides(), 0), out);
}

INGOT_OP("aten::nonzero(Tensor self) -> Tensor", Function<nonzero>);
INGOT_OP("aten::argwhere(Tensor self) -> Tensor", Function<nonzero>);
INGOT_OP("aten::nonzero_static(Tensor self, *, SymInt size, int fill_value=-1) -> Tensor",
         Structured<nonzero_static_meta, nonzero_static>);
INGOT_OP("aten::nonzero_numpy(Tensor self) -> Tensor[]", Function<nonzero_numpy>);
INGOT_OP("aten::where(Tensor condition) -> Tensor[]", Function<nonzero_numpy>);
INGOT_OP("aten::masked_select(Tensor self, Tensor mask) -> Tensor", Function<masked_select>);
INGOT_OP("aten::masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor",
         Function<masked_scatter>);
INGOT_OP("aten::masked_scatter_(Tensor(a!) self, Tensor mask, Tensor source) -> Tensor(a!)",
         Function<masked_scatter_>);
INGOT_OP("aten::one_hot(Tensor self, int num_classes=-1) -> Tensor", Function<one_hot>);
INGOT_OP(
    "aten::slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? "
    "end=None, SymInt step=1) -> Tensor",
    Structured<slice_scatter_meta, slice_scatter>);
INGOT_OP("aten::select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor",
         Structured<select_scatter_meta, select_scatter>);
INGOT_OP(
    "aten::diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> "
    "Tensor",
    Structured<diagonal_scatter_meta, diagonal_scatter>);
INGOT_OP(
    "aten::as_strided_scatter(Tensor self, Tensor src, SymInt[] size, SymInt[] stride, SymInt? "
    "storage_offset=None) -> Tensor",
    Structured<as_strided_scatter_meta, as_strided_scatter>);

}  // namespace
}  // namespace ingot

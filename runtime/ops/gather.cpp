// An index per element: gather, scatter and its reductions, index_reduce, take, put,
// take_along_dim.
#include <algorithm>

#include <ingot/op.h>
#include "ops/axes.h"
#include "ops/index.h"
#include "ops/on_copy.h"
#include "ops/scalar_tensor.h"
#include "ops/shape.h"
#include "ops/view.h"
#include "tensor/convert.h"
#include "tensor/iterate.h"

namespace ingot {
namespace {

void check_index(const Tensor& index) {
  INGOT_CHECK(index.dtype() == DType::i64 || index.dtype() == DType::i32 || index.numel() == 0,
              "the index must have dtype i64, got ", index);
}

// Where each element of `index` points in `self`: its own place, except along `dim`.
Positions offsets_of(const Tensor& self, int dim, const Tensor& index, bool wrap) {
  if (index.numel() == 0) return {};
  Positions offsets = positions_in(index, self.rank() == 0 ? 1 : self.size(dim), wrap);
  const int64_t step = self.rank() == 0 ? 0 : self.stride(dim);
  if (self.rank() == 1 && step == 1) return offsets;
  std::vector<Axis> axes;
  for (int d = 0; d < index.rank(); ++d)
    axes.push_back({index.size(d), d == dim || self.rank() == 0 ? 0 : self.stride(d)});
  if (axes.empty()) axes.push_back({});
  const Axis inner = axes.back();
  for_each_row(axes, [&](int64_t offset, int64_t position) {
    for (int64_t i = 0; i < inner.size; ++i)
      offsets[position + i] = offsets[position + i] * step + offset + i * inner.stride;
  });
  return offsets;
}

// The index may be smaller than `self` in every dimension but `dim`.
void check_fits(const Tensor& self, int dim, const Tensor& index, const char* name,
                const Tensor& other) {
  const int rank = std::max(other.rank(), 1);
  INGOT_CHECK(rank == std::max(index.rank(), 1), "the index ", index,
              " must have as many dimensions "
              "as ",
              name, " ", other);
  for (int d = 0; d < index.rank() && d < other.rank(); ++d)
    INGOT_CHECK((&self == &other && d == dim) || index.size(d) <= other.size(d), "the index ",
                index, " is larger than ", name, " ", other, " in dimension ", d);
}

TensorInfo gather_meta(const Tensor& self, int64_t dim, const Tensor& index, bool) {
  check_index(index);
  const int d = wrap_dim(dim, self.rank());
  if (index.numel() > 0) check_fits(self, d, index, "the tensor", self);
  return {self.dtype(), index.sizes()};
}
void gather(const Tensor& self, int64_t dim, const Tensor& index, bool, Tensor& out) {
  const Positions offsets = offsets_of(self, wrap_dim(dim, self.rank()), index, true);
  const Axis axis{static_cast<int64_t>(offsets.size()), 0, offsets.data()};
  gather_axes(static_cast<const std::byte*>(self.data()), std::span(&axis, 1),
              size_of(self.dtype()), static_cast<std::byte*>(out.data()));
}

// The first elements of `src`, as many along each dimension as `index` has, row-major.
Tensor source_part(const Tensor& src, const Tensor& index) {
  Tensor part = src;
  for (int d = 0; d < std::min(src.rank(), index.rank()); ++d)
    if (src.size(d) != index.size(d)) part = slice(part, d, 0, index.size(d), 1);
  return part.contiguous();
}

// Combines src into self where the index points; with include_self what is there counts, too.
Tensor scatter_combine(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                       Reduction reduction, bool include_self, bool mean) {
  check_writable(self);
  check_index(index);
  INGOT_CHECK(src.dtype() == self.dtype(), "the source ", src, " must have the dtype of ", self);
  INGOT_CHECK(!mean || self.dtype() != DType::boolean, "bools have no mean");
  if (index.numel() == 0) return self;
  const int d = wrap_dim(dim, self.rank());
  check_fits(self, d, index, "the tensor", self);
  check_fits(self, d, index, "the source", src);
  const Positions offsets = offsets_of(self, d, index, true);
  Tensor packed = source_part(src, index);
  if (packed.shares_storage(self)) packed = packed.clone();
  const auto item = static_cast<int64_t>(size_of(self.dtype()));
  auto* to = static_cast<std::byte*>(self.data());
  const auto* from = static_cast<const std::byte*>(packed.data());
  const Combine combine = combine_of(reduction, self.dtype());
  const auto count = static_cast<int64_t>(offsets.size());
  if (include_self && !mean) {
    combine(to, {count, 0, offsets.data()}, from);
    return self;
  }
  // Per place: how many values it has taken.
  std::vector<std::pair<int64_t, int64_t>> places;
  places.reserve(offsets.size());
  for (int64_t i = 0; i < count; ++i) places.emplace_back(offsets[i], i);
  std::stable_sort(places.begin(), places.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const Combine replace = combine_of(Reduction::replace, self.dtype());
  for (size_t i = 0; i < places.size();) {
    std::byte* const place = to + places[i].first * item;
    int64_t taken = include_self;
    for (const int64_t offset = places[i].first; i < places.size() && places[i].first == offset;
         ++i, ++taken)
      (taken == 0 ? replace : combine)(place, {}, from + places[i].second * item);
    if (!mean || taken == 1) continue;
    // Integers round down, as PyTorch divides them here.
    Tensor sum = Tensor::from_blob(place, self.dtype(), {});
    if (is_integral(self.dtype())) {
      const int64_t total = sum.item_int();
      int64_t quotient = total / taken - (total % taken < 0);
      copy_into(Tensor::from_blob(&quotient, DType::i64, {}), sum);
    } else {
      Tensor wide = sum.to(DType::c128);
      auto* parts = wide.data<double>();
      parts[0] /= static_cast<double>(taken);
      parts[1] /= static_cast<double>(taken);
      copy_into(wide, sum);
    }
  }
  return self;
}

Tensor scatter_src_(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
  return scatter_combine(self, dim, index, src, Reduction::replace, true, false);
}
// A number as a tensor of self's dtype with the index's sizes.
Tensor spread(Scalar value, const Tensor& self, const Tensor& index) {
  Tensor all = Tensor::empty(self.dtype(), index.sizes());
  copy_into(number_tensor(value), all);
  return all;
}
Tensor scatter_value_(const Tensor& self, int64_t dim, const Tensor& index, Scalar value) {
  return scatter_src_(self, dim, index, spread(value, self, index));
}
Tensor scatter_add_(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
  return scatter_combine(self, dim, index, src, Reduction::add, true, false);
}

Reduction scatter_reduction(std::string_view reduce) {
  INGOT_CHECK(reduce == "add" || reduce == "multiply", "reduction '", reduce,
              "' is unknown: use add or multiply");
  return reduction_of(reduce);
}
Tensor scatter_reduce_src_(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                           std::string_view reduce) {
  return scatter_combine(self, dim, index, src, scatter_reduction(reduce), true, false);
}
Tensor scatter_reduce_value_(const Tensor& self, int64_t dim, const Tensor& index, Scalar value,
                             std::string_view reduce) {
  return scatter_reduce_src_(self, dim, index, spread(value, self, index), reduce);
}
Tensor scatter_reduce_(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                       std::string_view reduce, bool include_self) {
  INGOT_CHECK(reduce != "add" && reduce != "multiply", "reduction '", reduce,
              "' is unknown: use sum, prod, mean, amax or amin");
  return scatter_combine(self, dim, index, src, reduction_of(reduce), include_self,
                         reduce == "mean");
}

// One index per slice along `dim`.
Tensor index_reduce_(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                     std::string_view reduce, bool include_self) {
  INGOT_CHECK(reduce == "prod" || reduce == "mean" || reduce == "amax" || reduce == "amin",
              "reduction '", reduce, "' is unknown: use prod, mean, amax or amin");
  INGOT_CHECK(index.rank() <= 1, "the index must have one dimension, got ", index);
  check_index(index);
  const int d = wrap_dim(dim, self.rank());
  Dims slices = self.sizes();
  Dims line = Dims::filled(self.rank(), 1);
  if (self.rank() > 0) slices[d] = line[d] = index.numel();
  INGOT_CHECK(source.sizes() == slices && (self.rank() > 0 || index.numel() == 1), "the source ",
              source, " must have one slice for each of the ", index.numel(),
              " indices along dimension ", d, " of ", self);
  positions_in(index, self.rank() == 0 ? 1 : self.size(d), false);
  return scatter_combine(self, d, expand(reshape(index, line), slices), source,
                         reduction_of(reduce), include_self, reduce == "mean");
}

// Offsets in `self` of positions counted over all its elements.
Positions flat_offsets(const Tensor& self, const Tensor& index) {
  check_index(index);
  Positions offsets = positions_in(index, self.numel(), true);
  if (self.is_contiguous()) return offsets;
  for (int64_t& offset : offsets) {
    int64_t rest = offset;
    offset = 0;
    for (int d = self.rank() - 1; d >= 0; --d) {
      offset += rest % self.size(d) * self.stride(d);
      rest /= self.size(d);
    }
  }
  return offsets;
}

TensorInfo take_meta(const Tensor& self, const Tensor& index) {
  check_index(index);
  return {self.dtype(), index.sizes()};
}
void take(const Tensor& self, const Tensor& index, Tensor& out) {
  const Positions offsets = flat_offsets(self, index);
  const Axis axis{static_cast<int64_t>(offsets.size()), 0, offsets.data()};
  gather_axes(static_cast<const std::byte*>(self.data()), std::span(&axis, 1),
              size_of(self.dtype()), static_cast<std::byte*>(out.data()));
}

Tensor put_(const Tensor& self, const Tensor& index, const Tensor& source, bool accumulate) {
  check_writable(self);
  INGOT_CHECK(source.dtype() == self.dtype(), "the source ", source, " must have the dtype of ",
              self);
  INGOT_CHECK(source.numel() == index.numel(), "the source ", source,
              " must have an element for each of the index ", index);
  const Positions offsets = flat_offsets(self, index);
  const Tensor packed = source.shares_storage(self) ? source.clone() : source.contiguous();
  const Combine combine =
      combine_of(accumulate ? Reduction::add : Reduction::replace, self.dtype());
  combine(static_cast<std::byte*>(self.data()),
          {static_cast<int64_t>(offsets.size()), 0, offsets.data()},
          static_cast<const std::byte*>(packed.data()));
  return self;
}

// Both broadcast to each other, except along the dimension.
struct Aligned {
  Aligned(const Tensor& self, const Tensor& indices, std::optional<int64_t> dim) {
    check_index(indices);
    if (!dim) {
      from = reshape(self, Dims{self.numel()});
      index = reshape(indices, Dims{indices.numel()});
      return;
    }
    INGOT_CHECK(self.rank() == indices.rank(), "the indices ", indices,
                " must have as many dimensions as ", self);
    at = wrap_dim(*dim, self.rank());
    Dims from_sizes = self.sizes();
    Dims index_sizes = indices.sizes();
    if (self.rank() > 0) from_sizes[at] = index_sizes[at] = 1;
    from_sizes = index_sizes = broadcast(from_sizes, index_sizes);
    if (self.rank() > 0) {
      from_sizes[at] = self.size(at);
      index_sizes[at] = indices.size(at);
    }
    from = expand(self, from_sizes);
    index = expand(indices, index_sizes);
  }
  Tensor from;
  Tensor index;
  int at = 0;
};
TensorInfo take_along_dim_meta(const Tensor& self, const Tensor& indices,
                               std::optional<int64_t> dim) {
  return {self.dtype(), Aligned(self, indices, dim).index.sizes()};
}
void take_along_dim(const Tensor& self, const Tensor& indices, std::optional<int64_t> dim,
                    Tensor& out) {
  const Aligned aligned(self, indices, dim);
  gather(aligned.from, aligned.at, aligned.index, false, out);
}

#define INGOT_SCATTER(overload, parameters, function_)                                       \
  INGOT_OP("aten::scatter." overload "(Tensor self, int dim, Tensor index, " parameters      \
           ") -> Tensor",                                                                    \
           OnCopy<function_>);                                                               \
  INGOT_OP("aten::scatter_." overload "(Tensor(a!) self, int dim, Tensor index, " parameters \
           ") -> Tensor(a!)",                                                                \
           Function<function_>)

INGOT_OP("aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor",
         Structured<gather_meta, gather>);
INGOT_SCATTER("src", "Tensor src", scatter_src_);
INGOT_SCATTER("value", "Scalar value", scatter_value_);
INGOT_SCATTER("reduce", "Tensor src, *, str reduce", scatter_reduce_src_);
INGOT_SCATTER("value_reduce", "Scalar value, *, str reduce", scatter_reduce_value_);
INGOT_OP("aten::scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
         OnCopy<scatter_add_>);
INGOT_OP("aten::scatter_add_(Tensor(a!) self, int dim, Tensor index, Tensor src) -> Tensor(a!)",
         Function<scatter_add_>);
INGOT_OP(
    "aten::scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, "
    "bool include_self=True) -> Tensor",
    OnCopy<scatter_reduce_>);
INGOT_OP(
    "aten::scatter_reduce_.two(Tensor(a!) self, int dim, Tensor index, Tensor src, str "
    "reduce, *, bool include_self=True) -> Tensor(a!)",
    Function<scatter_reduce_>);
INGOT_OP(
    "aten::index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, bool "
    "include_self=True) -> Tensor",
    OnCopy<index_reduce_>);
INGOT_OP(
    "aten::index_reduce_(Tensor(a!) self, int dim, Tensor index, Tensor source, str reduce, *, "
    "bool include_self=True) -> Tensor(a!)",
    Function<index_reduce_>);
INGOT_OP("aten::take(Tensor self, Tensor index) -> Tensor", Structured<take_meta, take>);
INGOT_OP("aten::put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor",
         OnCopy<put_>);
INGOT_OP(
    "aten::put_(Tensor(a!) self, Tensor index, Tensor source, bool accumulate=False) -> "
    "Tensor(a!)",
    Function<put_>);
INGOT_OP("aten::take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor",
         Structured<take_along_dim_meta, take_along_dim>);

}  // namespace
}  // namespace ingot

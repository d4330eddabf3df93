// sort, argsort, topk and kthvalue along a dimension. Elements are compared as 64-bit keys,
// so that one kernel serves every dtype.
#include <algorithm>

#include "ops/axes.h"
#include "ops/op.h"
#include "ops/shape.h"
#include "ops/sort_keys.h"
#include "ops/view.h"

namespace ingot {
namespace {

struct Entry {
  uint64_t key;
  int64_t index;
};

// Calls body(entries) for each line of `self` along `dim`, which may reorder the entries, then
// writes the first out.size(dim) of them to `values` and `indices` (either may be null).
template <class Body>
void for_each_line(const Tensor& self, int dim, bool descending, Tensor* values, Tensor* indices,
                   Body&& body) {
  const int64_t length = self.rank() == 0 ? 1 : self.size(dim);
  const Tensor& shape = values ? *values : *indices;
  const int64_t kept = self.rank() == 0 ? 1 : shape.size(dim);
  if (shape.numel() == 0) return;
  const int64_t step = self.rank() == 0 ? 0 : self.stride(dim);
  const auto item = static_cast<int64_t>(size_of(self.dtype()));
  std::vector<Axis> axes = axes_of(self);
  std::vector<Axis> out_axes = axes_of(shape);
  int64_t out_step = 1;
  if (self.rank() > 0) {
    out_step = shape.stride(dim);
    axes.erase(axes.begin() + dim);
    out_axes.erase(out_axes.begin() + dim);
  }
  axes.push_back({});
  out_axes.push_back({});
  std::vector<int64_t> starts;
  for_each_row(out_axes, [&](int64_t offset, int64_t) { starts.push_back(offset); });
  std::vector<uint64_t> keys(static_cast<size_t>(length));
  std::vector<Entry> entries(static_cast<size_t>(length));
  const auto* data = static_cast<const std::byte*>(self.data());
  for_each_row(axes, [&](int64_t offset, int64_t line) {
    const std::byte* from = data + offset * item;
    sort_keys(from, step, self.dtype(), keys);
    for (int64_t i = 0; i < length; ++i) entries[i] = {descending ? ~keys[i] : keys[i], i};
    body(entries);
    for (int64_t i = 0; indices && i < kept; ++i)
      indices->data<int64_t>()[starts[line] + i * out_step] = entries[i].index;
    if (!values) return;
    std::vector<int64_t> places(static_cast<size_t>(kept));
    std::vector<std::byte> taken(static_cast<size_t>(kept * item));
    for (int64_t i = 0; i < kept; ++i) places[i] = entries[i].index * step;
    const Axis gather{kept, 0, places.data()};
    gather_axes(from, std::span(&gather, 1), static_cast<size_t>(item), taken.data());
    const Axis scatter{kept, out_step};
    scatter_axes(static_cast<std::byte*>(values->data()) + starts[line] * item,
                 std::span(&scatter, 1), static_cast<size_t>(item), taken.data());
  });
}

bool in_order(const Entry& a, const Entry& b) {
  return a.key < b.key || (a.key == b.key && a.index < b.index);
}
void sort_all(std::vector<Entry>& entries) { std::sort(entries.begin(), entries.end(), in_order); }

using Pair = std::array<TensorInfo, 2>;

// Always stable: `stable` is a promise, not a choice.
Pair sort_meta(const Tensor& self, int64_t dim, bool) {
  wrap_dim(dim, self.rank());
  check_sortable(self.dtype());
  return {self.info(), TensorInfo{DType::i64, self.sizes()}};
}
void sort(const Tensor& self, int64_t dim, bool descending, Tensor& values, Tensor& indices) {
  for_each_line(self, wrap_dim(dim, self.rank()), descending, &values, &indices, sort_all);
}
Pair sort_stable_meta(const Tensor& self, std::optional<bool>, int64_t dim, bool descending) {
  return sort_meta(self, dim, descending);
}
void sort_stable(const Tensor& self, std::optional<bool>, int64_t dim, bool descending,
                 Tensor& values, Tensor& indices) {
  sort(self, dim, descending, values, indices);
}

TensorInfo argsort_meta(const Tensor& self, int64_t dim, bool descending) {
  return sort_meta(self, dim, descending)[1];
}
void argsort(const Tensor& self, int64_t dim, bool descending, Tensor& indices) {
  for_each_line(self, wrap_dim(dim, self.rank()), descending, nullptr, &indices, sort_all);
}
TensorInfo argsort_stable_meta(const Tensor& self, bool, int64_t dim, bool descending) {
  return argsort_meta(self, dim, descending);
}
void argsort_stable(const Tensor& self, bool, int64_t dim, bool descending, Tensor& indices) {
  argsort(self, dim, descending, indices);
}
TensorInfo msort_meta(const Tensor& self) { return sort_meta(self, 0, false)[0]; }
void msort(const Tensor& self, Tensor& values) {
  for_each_line(self, 0, false, &values, nullptr, sort_all);
}

Pair topk_meta(const Tensor& self, int64_t k, int64_t dim, bool, bool) {
  const int d = wrap_dim(dim, self.rank());
  check_sortable(self.dtype());
  const int64_t length = self.rank() == 0 ? 1 : self.size(d);
  INGOT_CHECK(k >= 0 && k <= length, "k is ", k, ", but dimension ", d, " has size ", length);
  Dims sizes = self.sizes();
  if (self.rank() > 0) sizes[d] = k;
  return {TensorInfo{self.dtype(), sizes}, TensorInfo{DType::i64, sizes}};
}
// Sorted whether asked or not.
void topk(const Tensor& self, int64_t k, int64_t dim, bool largest, bool, Tensor& values,
          Tensor& indices) {
  for_each_line(self, wrap_dim(dim, self.rank()), largest, &values, &indices,
                [k](std::vector<Entry>& entries) {
                  const auto end = entries.begin() + k;
                  if (k > 0 && end != entries.end())
                    std::nth_element(entries.begin(), end - 1, entries.end(), in_order);
                  std::sort(entries.begin(), end, in_order);
                });
}

Pair kthvalue_meta(const Tensor& self, int64_t k, int64_t dim, bool keepdim) {
  const int d = wrap_dim(dim, self.rank());
  check_sortable(self.dtype());
  const int64_t length = self.rank() == 0 ? 1 : self.size(d);
  INGOT_CHECK(k >= 1 && k <= length, "k is ", k, ", it must be in [1, ", length,
              "], the size of dimension ", d);
  Dims sizes = self.sizes();
  if (self.rank() > 0) {
    sizes[d] = 1;
    if (!keepdim) sizes.erase(d);
  }
  return {TensorInfo{self.dtype(), sizes}, TensorInfo{DType::i64, sizes}};
}
void kthvalue(const Tensor& self, int64_t k, int64_t dim, bool keepdim, Tensor& values,
              Tensor& indices) {
  const int d = wrap_dim(dim, self.rank());
  const bool insert = self.rank() > 0 && !keepdim;
  Tensor value_lines = insert ? unsqueeze(values, d) : values;
  Tensor index_lines = insert ? unsqueeze(indices, d) : indices;
  for_each_line(self, d, false, &value_lines, &index_lines, [k](std::vector<Entry>& entries) {
    const auto place = entries.begin() + (k - 1);
    std::nth_element(entries.begin(), place, entries.end(), in_order);
    std::iter_swap(entries.begin(), place);
  });
}

INGOT_OP(
    "aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor "
    "indices)",
    Structured<sort_meta, sort>);
INGOT_OP(
    "aten::sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> "
    "(Tensor values, Tensor indices)",
    Structured<sort_stable_meta, sort_stable>);
INGOT_OP("aten::argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor",
         Structured<argsort_meta, argsort>);
INGOT_OP(
    "aten::argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> "
    "Tensor",
    Structured<argsort_stable_meta, argsort_stable>);
INGOT_OP("aten::msort(Tensor self) -> Tensor", Structured<msort_meta, msort>);
INGOT_OP(
    "aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> "
    "(Tensor values, Tensor indices)",
    Structured<topk_meta, topk>);
INGOT_OP(
    "aten::kthvalue(Tensor self, SymInt k, int dim=-1, bool keepdim=False) -> (Tensor values, "
    "Tensor indices)",
    Structured<kthvalue_meta, kthvalue>);

}  // namespace
}  // namespace ingot

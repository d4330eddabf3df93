// sort, argsort and topk along a dimension. Elements are compared as 64-bit keys, so that one
// kernel serves every dtype.
#include <algorithm>

#include <ingot/op.h>
#include "ops/shape.h"
#include "ops/sort_keys.h"
#include "ops/sort_lines.h"

namespace ingot {
namespace {

void sort_stable_order(SortEntries& entries) {
  std::sort(entries.begin(), entries.end(), by_key_and_place);
}
// The order of equal elements is left to the standard library, as PyTorch's CPU kernel leaves it:
// the same function called alike gives the same order.
void sort_any_order(SortEntries& entries) { std::sort(entries.begin(), entries.end(), by_key); }

// PyTorch's kernel for long lines of integers is stable without being asked.
bool is_stable(const Tensor& self, bool asked, bool descending) {
  constexpr int64_t kRadixLength = 32768;
  return asked || (self.rank() == 1 && !descending && is_integral(self.dtype()) &&
                   self.dtype() != DType::boolean && self.numel() >= kRadixLength);
}

using Pair = std::array<TensorInfo, 2>;

Pair sort_meta(const Tensor& self, int64_t dim, bool) {
  wrap_dim(dim, self.rank());
  check_sortable(self.dtype());
  return {self.info(), TensorInfo{DType::i64, self.sizes()}};
}
void sort_lines(const Tensor& self, bool stable, int64_t dim, bool descending, Tensor* values,
                Tensor* indices) {
  for_each_line(self, wrap_dim(dim, self.rank()), descending, values, indices,
                is_stable(self, stable, descending) ? sort_stable_order : sort_any_order);
}
void sort(const Tensor& self, int64_t dim, bool descending, Tensor& values, Tensor& indices) {
  sort_lines(self, false, dim, descending, &values, &indices);
}
Pair sort_stable_meta(const Tensor& self, std::optional<bool>, int64_t dim, bool descending) {
  return sort_meta(self, dim, descending);
}
void sort_stable(const Tensor& self, std::optional<bool> stable, int64_t dim, bool descending,
                 Tensor& values, Tensor& indices) {
  sort_lines(self, stable.value_or(false), dim, descending, &values, &indices);
}

TensorInfo argsort_meta(const Tensor& self, int64_t dim, bool descending) {
  return sort_meta(self, dim, descending)[1];
}
void argsort(const Tensor& self, int64_t dim, bool descending, Tensor& indices) {
  sort_lines(self, false, dim, descending, nullptr, &indices);
}
TensorInfo argsort_stable_meta(const Tensor& self, bool, int64_t dim, bool descending) {
  return argsort_meta(self, dim, descending);
}
void argsort_stable(const Tensor& self, bool stable, int64_t dim, bool descending,
                    Tensor& indices) {
  sort_lines(self, stable, dim, descending, nullptr, &indices);
}
TensorInfo msort_meta(const Tensor& self) { return sort_meta(self, 0, false)[0]; }
void msort(const Tensor& self, Tensor& values) {
  for_each_line(self, 0, false, &values, nullptr, sort_any_order);
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
// Which of equal elements are taken, and in which order they stand, is left to the standard
// library: the same functions called alike give what PyTorch's CPU kernel gives.
void topk(const Tensor& self, int64_t k, int64_t dim, bool largest, bool sorted, Tensor& values,
          Tensor& indices) {
  constexpr int64_t kPartialSortRatio = 64;
  for_each_line(self, wrap_dim(dim, self.rank()), largest, &values, &indices,
                [k, sorted](SortEntries& entries) {
                  if (k == 0) return;
                  const auto last = entries.begin() + (k - 1);
                  if (k * kPartialSortRatio <= static_cast<int64_t>(entries.size()))
                    return std::partial_sort(entries.begin(), last + 1, entries.end(), by_key);
                  std::nth_element(entries.begin(), last, entries.end(), by_key);
                  if (sorted) std::sort(entries.begin(), last, by_key);
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

}  // namespace
}  // namespace ingot

// One element of each line by its rank or frequency: kthvalue, median, nanmedian, mode. Among
// equal elements the index follows from the algorithm, which is therefore PyTorch's.
#include <algorithm>
#include <limits>

#include <ingot/op.h>
#include "ops/shape.h"
#include "ops/sort_keys.h"
#include "ops/sort_lines.h"
#include "ops/view.h"
#include "tensor/convert.h"

namespace ingot {
namespace {

using Pair = std::array<TensorInfo, 2>;

// Puts the element of rank k at place k, smaller ones before it: partition around the median of
// three (Sedgewick; Numerical Recipes, "selecting the Mth largest").
void select_rank(SortEntries& entries, int64_t k) {
  const auto above = [&](int64_t a, int64_t b) { return by_key(entries[b], entries[a]); };
  const auto exchange = [&](int64_t a, int64_t b) { std::swap(entries[a], entries[b]); };
  int64_t low = 0;
  int64_t high = static_cast<int64_t>(entries.size()) - 1;
  while (high > low + 1) {
    exchange(low + (high - low) / 2, low + 1);
    if (above(low + 1, high)) exchange(low + 1, high);
    if (above(low, high)) exchange(low, high);
    if (above(low + 1, low)) exchange(low + 1, low);
    // entries[low + 1] <= pivot <= entries[high] stop the two scans.
    const int64_t pivot = low;
    int64_t up = low + 1;
    int64_t down = high;
    for (;;) {
      do ++up;
      while (above(pivot, up));
      do --down;
      while (above(down, pivot));
      if (down < up) break;
      exchange(up, down);
    }
    exchange(low, down);
    if (down <= k) low = up;
    if (down >= k) high = down - 1;
  }
  if (high == low + 1 && above(low, high)) exchange(low, high);
}

Pair kthvalue_meta(const Tensor& self, int64_t k, int64_t dim, bool keepdim) {
  const Pair infos = element_of_line_meta(self, dim, keepdim);
  const int64_t length = self.rank() == 0 ? 1 : self.size(wrap_dim(dim, self.rank()));
  INGOT_CHECK(k >= 1 && k <= length, "k is ", k, ", it must be in [1, ", length,
              "], the size of dimension ", dim);
  return infos;
}
void kthvalue(const Tensor& self, int64_t k, int64_t dim, bool keepdim, Tensor& values,
              Tensor& indices) {
  element_of_line(self, dim, keepdim, values, indices, [k](SortEntries& entries) {
    select_rank(entries, k - 1);
    std::swap(entries[0], entries[k - 1]);
  });
}

// The lower of the two in the middle of an even number, equal ones in their order (but NaNs). NaN,
// if there is one, or, ignoring them, only if there is nothing else.
template <bool kIgnoreNan>
void median_dim(const Tensor& self, int64_t dim, bool keepdim, Tensor& values, Tensor& indices) {
  const bool may_be_nan = is_floating(self.dtype());
  element_of_line(self, dim, keepdim, values, indices, [may_be_nan](SortEntries& entries) {
    const auto is_nan = [](const SortEntry& entry) { return entry.key == kNanKey; };
    auto count = static_cast<int64_t>(entries.size());
    if (may_be_nan && kIgnoreNan) count -= std::count_if(entries.begin(), entries.end(), is_nan);
    if (may_be_nan && !kIgnoreNan) {
      const auto nan = std::find_if(entries.begin(), entries.end(), is_nan);
      if (nan != entries.end()) return std::iter_swap(entries.begin(), nan);
    }
    const auto middle = entries.begin() + std::max<int64_t>(count - 1, 0) / 2;
    std::nth_element(entries.begin(), middle, entries.end(), count > 0 ? by_key_and_place : by_key);
    std::iter_swap(entries.begin(), middle);
  });
}
Pair median_dim_meta(const Tensor& self, int64_t dim, bool keepdim) {
  return element_of_line_meta(self, dim, keepdim);
}

TensorInfo median_meta(const Tensor& self) {
  check_sortable(self.dtype());
  return {self.dtype(), {}};
}
template <bool kIgnoreNan>
void median(const Tensor& self, Tensor& out) {
  if (self.numel() == 0) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    return copy_into(Tensor::from(std::span(&nan, 1), Dims{}), out);
  }
  Tensor index = Tensor::empty(DType::i64, {});
  median_dim<kIgnoreNan>(reshape(self, Dims{self.numel()}), 0, false, out, index);
}

// The most frequent element, the smallest of several.
void mode(const Tensor& self, int64_t dim, bool keepdim, Tensor& values, Tensor& indices) {
  element_of_line(self, dim, keepdim, values, indices, [](SortEntries& entries) {
    std::sort(entries.begin(), entries.end(), by_key);
    size_t best = 0;
    size_t most = 0;
    for (size_t first = 0, i = 0; i < entries.size(); ++i) {
      if (i + 1 < entries.size() && entries[i + 1].key == entries[first].key) continue;
      if (i + 1 - first > most) {
        most = i + 1 - first;
        best = i;
      }
      first = i + 1;
    }
    entries[0] = entries[best];
  });
}

INGOT_OP(
    "aten::kthvalue(Tensor self, SymInt k, int dim=-1, bool keepdim=False) -> (Tensor values, "
    "Tensor indices)",
    Structured<kthvalue_meta, kthvalue>);
INGOT_OP("aten::median(Tensor self) -> Tensor", Structured<median_meta, median<false>>);
INGOT_OP("aten::nanmedian(Tensor self) -> Tensor", Structured<median_meta, median<true>>);
INGOT_OP(
    "aten::median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor "
    "indices)",
    Structured<median_dim_meta, median_dim<false>>);
INGOT_OP(
    "aten::nanmedian.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor "
    "indices)",
    Structured<median_dim_meta, median_dim<true>>);
INGOT_OP(
    "aten::mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)",
    Structured<median_dim_meta, mode>);

}  // namespace
}  // namespace ingot

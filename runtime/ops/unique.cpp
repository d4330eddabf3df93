// Distinct elements or slices, with the places they came from and their counts.
#include <algorithm>
#include <numeric>

#include <ingot/op.h>
#include "ops/axes.h"
#include "ops/shape.h"
#include "ops/sort_keys.h"
#include "ops/view.h"

namespace ingot {
namespace {

// The rows of a table as runs of equal ones.
struct Runs {
  Positions order;   // row numbers, equal ones together
  Positions starts;  // where each run begins in `order`
};

// Rows of `width` keys each; sorted, or as they stand.
Runs find_runs(const std::vector<uint64_t>& keys, int64_t rows, int64_t width, bool sorted) {
  Runs runs;
  runs.order.resize(static_cast<size_t>(rows));
  std::iota(runs.order.begin(), runs.order.end(), 0);
  const auto row = [&](int64_t i) { return keys.begin() + i * width; };
  if (sorted)
    std::stable_sort(runs.order.begin(), runs.order.end(), [&](int64_t a, int64_t b) {
      return std::lexicographical_compare(row(a), row(a) + width, row(b), row(b) + width);
    });
  for (int64_t i = 0; i < rows; ++i)
    if (i == 0 ||
        !std::equal(row(runs.order[i - 1]), row(runs.order[i - 1]) + width, row(runs.order[i])))
      runs.starts.push_back(i);
  return runs;
}

// `self` with dimension `from` in place `to`, the others in order: slices are compared element by
// element as they lie in that.
Tensor moved_dim(const Tensor& self, int64_t from, int64_t to) {
  if (self.rank() == 0) return self;
  Dims sizes = self.sizes();
  Dims strides = self.strides();
  const int64_t size = sizes[static_cast<int>(from)], stride = strides[static_cast<int>(from)];
  sizes.erase(static_cast<int>(from));
  strides.erase(static_cast<int>(from));
  sizes.insert(static_cast<int>(to), size);
  strides.insert(static_cast<int>(to), stride);
  return self.as_strided(sizes, strides, 0);
}

using Three = std::tuple<Tensor, Tensor, Tensor>;

// Slices of `self` along its first dimension; `shape` is that of the inverse.
Three unique_rows(const Tensor& self, const Dims& shape, int64_t dim, bool sorted,
                  bool return_inverse, bool return_counts) {
  check_sortable(self.dtype());
  const Tensor table = moved_dim(self, dim, 0).contiguous();
  const int64_t rows = table.size(0);
  INGOT_CHECK(rows == 0 || table.numel() > 0, "there are no elements to compare in ", self);
  std::vector<uint64_t> keys(static_cast<size_t>(table.numel()));
  sort_keys(static_cast<const std::byte*>(table.data()), 1, table.dtype(), keys);
  const Runs runs = find_runs(keys, rows, rows == 0 ? 0 : table.numel() / rows, sorted);
  const auto count = static_cast<int64_t>(runs.starts.size());

  Tensor inverse = Tensor::empty(DType::i64, return_inverse ? shape : Dims{0});
  Tensor counts = Tensor::empty(DType::i64, Dims{return_counts ? count : 0});
  PositionLists first(static_cast<size_t>(table.rank()));
  for (int64_t k = 0; k < count; ++k) {
    const int64_t end = k + 1 < count ? runs.starts[k + 1] : rows;
    first[0].push_back(runs.order[runs.starts[k]]);
    if (return_counts) counts.data<int64_t>()[k] = end - runs.starts[k];
    for (int64_t i = runs.starts[k]; return_inverse && i < end; ++i)
      inverse.data<int64_t>()[runs.order[i]] = k;
  }
  Dims sizes = table.sizes();
  sizes[0] = count;
  Tensor values = Tensor::empty(self.dtype(), sizes);
  take_positions(table, std::move(first), values);
  return {moved_dim(values, 0, dim).contiguous(), inverse, counts};
}

Three unique_elements(const Tensor& self, bool sorted, bool return_inverse, bool return_counts) {
  return unique_rows(reshape(self, Dims{self.numel()}), self.sizes(), 0, sorted, return_inverse,
                     return_counts);
}

// Sorted whether asked or not.
Three unique2(const Tensor& self, bool, bool return_inverse, bool return_counts) {
  return unique_elements(self, true, return_inverse, return_counts);
}
std::tuple<Tensor, Tensor> unique(const Tensor& self, bool, bool return_inverse) {
  auto [values, inverse, counts] = unique_elements(self, true, return_inverse, false);
  return {values, inverse};
}
Three unique_along(const Tensor& self, int64_t dim, bool sorted, bool return_inverse,
                   bool return_counts) {
  INGOT_CHECK(self.rank() > 0, "a tensor without dimensions has no slices");
  const int d = wrap_dim(dim, self.rank());
  return unique_rows(self, Dims{self.size(d)}, d, sorted, return_inverse, return_counts);
}
Three unique_dim(const Tensor& self, int64_t dim, bool, bool return_inverse, bool return_counts) {
  return unique_along(self, dim, true, return_inverse, return_counts);
}
Three unique_consecutive(const Tensor& self, bool return_inverse, bool return_counts,
                         std::optional<int64_t> dim) {
  if (!dim) return unique_elements(self, false, return_inverse, return_counts);
  return unique_along(self, *dim, false, return_inverse, return_counts);
}

INGOT_OP(
    "aten::_unique(Tensor self, bool sorted=True, bool return_inverse=False) -> (Tensor, "
    "Tensor)",
    Function<unique>);
INGOT_OP(
    "aten::_unique2(Tensor self, bool sorted=True, bool return_inverse=False, bool "
    "return_counts=False) -> (Tensor, Tensor, Tensor)",
    Function<unique2>);
INGOT_OP(
    "aten::unique_dim(Tensor self, int dim, bool sorted=True, bool return_inverse=False, bool "
    "return_counts=False) -> (Tensor, Tensor, Tensor)",
    Function<unique_dim>);
INGOT_OP(
    "aten::unique_consecutive(Tensor self, bool return_inverse=False, bool "
    "return_counts=False, int? dim=None) -> (Tensor, Tensor, Tensor)",
    Function<unique_consecutive>);

}  // namespace
}  // namespace ingot

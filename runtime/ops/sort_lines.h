// Lines of a tensor along one dimension, put in order: what sort, topk, kthvalue, median and mode
// have in common.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include <ingot/tensor.h>

namespace ingot {

// One element of a line: its sort key (ops/sort_keys.h) and its place in the line.
struct SortEntry {
  uint64_t key;
  int64_t index;
};
using SortEntries = std::vector<SortEntry>;

// Smaller keys first.
inline bool by_key(const SortEntry& a, const SortEntry& b) { return a.key < b.key; }
// The same, equal keys in the order in which they stand.
inline bool by_key_and_place(const SortEntry& a, const SortEntry& b) {
  return a.key < b.key || (a.key == b.key && a.index < b.index);
}

// Calls order(entries) for each line of `self` along `dim`, which may reorder the entries, then
// writes the first of them, as many as the outputs hold along `dim`, to `values` and `indices`
// (either may be null). `descending` inverts the keys.
void for_each_line(const Tensor& self, int dim, bool descending, Tensor* values, Tensor* indices,
                   const std::function<void(SortEntries&)>& order);

// Values and indices of an op that takes one element of each line.
std::array<TensorInfo, 2> element_of_line_meta(const Tensor& self, int64_t dim, bool keepdim);
// for_each_line for such an op: `order` puts the element first.
void element_of_line(const Tensor& self, int64_t dim, bool keepdim, Tensor& values, Tensor& indices,
                     const std::function<void(SortEntries&)>& order);

}  // namespace ingot

// Copies along the axes of a tensor where every axis steps evenly or follows a table: what
// flips, rolls, paddings, repeats and index ops have in common.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ingot/tensor.h>

#include "base/blocks.h"

namespace ingot {

// As many as a tensor has elements.
using Positions = std::vector<int64_t, BlockAllocator<int64_t>>;

// One axis of a walk over memory: position i lies at i * stride, or at table[i] if there is a
// table. Offsets are in elements.
struct Axis {
  int64_t size = 1;
  int64_t stride = 0;
  const int64_t* table = nullptr;

  int64_t at(int64_t i) const { return table ? table[i] : i * stride; }
};

// At most this many axes in one walk.
inline constexpr int kMaxAxes = kMaxRank + 1;

// Calls body(offset, position) for each row: `offset` of the outer axes' place, `position` of
// the row's first element counted in row-major order. The last axis is the row, left to the body.
template <class Body>
void for_each_row(std::span<const Axis> axes, Body&& body) {
  const int outer = static_cast<int>(axes.size()) - 1;
  for (const Axis& axis : axes)
    if (axis.size == 0) return;
  int64_t index[kMaxAxes] = {};
  int64_t offset = 0;
  for (int d = 0; d < outer; ++d) offset += axes[d].at(0);
  const int64_t row = axes[outer].size;
  for (int64_t position = 0;; position += row) {
    body(offset, position);
    int d = outer - 1;
    for (; d >= 0; --d) {
      offset -= axes[d].at(index[d]);
      if (++index[d] < axes[d].size) {
        offset += axes[d].at(index[d]);
        break;
      }
      index[d] = 0;
      offset += axes[d].at(0);
    }
    if (d < 0) return;
  }
}

// Reads the elements (of `item` bytes: 1, 2, 4, 8 or 16) that `axes` visit from `from`, and
// writes them one after the other to `to`.
void gather_axes(const std::byte* from, std::span<const Axis> axes, size_t item, std::byte* to);
// The reverse: reads one after the other, writes where `axes` lead.
void scatter_axes(std::byte* to, std::span<const Axis> axes, size_t item, const std::byte* from);

// The axes of a tensor as its strides lead.
std::vector<Axis> axes_of(const Tensor& tensor);

// For each dimension a list of positions in `self`, or none to take all in order: `out`,
// row-major, gets self[lists[0][i], lists[1][j], ...]. Positions must be inside `self`.
using PositionLists = std::vector<Positions>;
void take_positions(const Tensor& self, PositionLists lists, Tensor& out);

}  // namespace ingot

#include "ops/axes.h"

#include <algorithm>
#include <cstring>

#include <ingot/check.h>
#include "base/thread_pool.h"

namespace ingot {
namespace {

struct Element16 {
  uint64_t low;
  uint64_t high;
};

// Trailing axes that together are one line of memory become one axis of longer elements.
// Gives the bytes of such an element.
size_t merge_lines(std::vector<Axis>& axes, size_t item) {
  int64_t line = 1;
  while (!axes.empty() && !axes.back().table &&
         (axes.back().size == 1 || axes.back().stride == line)) {
    line *= axes.back().size;
    axes.pop_back();
  }
  if (axes.empty()) axes.push_back({});
  return static_cast<size_t>(line) * item;
}

template <class T, bool kGather>
void move_elements(std::byte* strided, const std::span<const Axis> axes, std::byte* packed) {
  auto* base = reinterpret_cast<T*>(strided);
  auto* line = reinterpret_cast<T*>(packed);
  const Axis& inner = axes.back();
  for_each_row(axes, [&](int64_t offset, int64_t position) {
    T* there = base + offset;
    T* here = line + position;
    const auto move = [](T& a, T& b) {
      if constexpr (kGather)
        b = a;
      else
        a = b;
    };
    if (inner.table)
      for (int64_t i = 0; i < inner.size; ++i) move(there[inner.table[i]], here[i]);
    else
      for (int64_t i = 0; i < inner.size; ++i) move(there[i * inner.stride], here[i]);
  });
}

template <bool kGather>
void move_blocks(std::byte* strided, std::span<const Axis> axes, size_t item, size_t block,
                 std::byte* packed) {
  const Axis& inner = axes.back();
  for_each_row(axes, [&](int64_t offset, int64_t position) {
    for (int64_t i = 0; i < inner.size; ++i) {
      std::byte* there = strided + (offset + inner.at(i)) * static_cast<int64_t>(item);
      std::byte* here = packed + (position + i) * static_cast<int64_t>(block);
      std::memcpy(kGather ? here : there, kGather ? there : here, block);
    }
  });
}

template <bool kGather>
void move_axes(std::byte* strided, std::span<const Axis> given, size_t item, std::byte* packed) {
  for (const Axis& axis : given)
    if (axis.size == 0) return;
  std::vector<Axis> axes(given.begin(), given.end());
  const size_t block = merge_lines(axes, item);
  if (block > item) return move_blocks<kGather>(strided, axes, item, block, packed);
  switch (item) {
    case 1: return move_elements<uint8_t, kGather>(strided, axes, packed);
    case 2: return move_elements<uint16_t, kGather>(strided, axes, packed);
    case 4: return move_elements<uint32_t, kGather>(strided, axes, packed);
    case 8: return move_elements<uint64_t, kGather>(strided, axes, packed);
    default: return move_elements<Element16, kGather>(strided, axes, packed);
  }
}

}  // namespace

void gather_axes(const std::byte* from, std::span<const Axis> axes, size_t item, std::byte* to) {
  move_axes<true>(const_cast<std::byte*>(from), axes, item, to);
}

void scatter_axes(std::byte* to, std::span<const Axis> axes, size_t item, const std::byte* from) {
  move_axes<false>(to, axes, item, const_cast<std::byte*>(from));
}

std::vector<Axis> axes_of(const Tensor& tensor) {
  std::vector<Axis> axes;
  for (int d = 0; d < tensor.rank(); ++d) axes.push_back({tensor.size(d), tensor.stride(d)});
  return axes;
}

void take_positions(const Tensor& self, PositionLists lists, Tensor& out) {
  std::vector<Axis> axes = axes_of(self);
  for (int d = 0; d < self.rank(); ++d) {
    Positions& list = lists[d];
    if (list.empty() && out.size(d) == self.size(d)) continue;
    for (int64_t& position : list) position *= self.stride(d);
    axes[d] = {static_cast<int64_t>(list.size()), 0, list.data()};
  }
  const auto item = size_of(self.dtype());
  auto* from = static_cast<const std::byte*>(self.data());
  auto* to = static_cast<std::byte*>(out.data());
  if (axes.empty() || axes[0].size == 0) return gather_axes(from, axes, item, to);
  // Slices of the first axis are independent.
  const int64_t slice = out.numel() / axes[0].size;
  parallel_for(0, axes[0].size, 1 + (1 << 15) / std::max<int64_t>(slice, 1),
               [&](int64_t begin, int64_t end) {
                 std::vector<Axis> part = axes;
                 part[0].size = end - begin;
                 int64_t start = 0;
                 if (part[0].table)
                   part[0].table += begin;
                 else
                   start = begin * part[0].stride;
                 gather_axes(from + start * static_cast<int64_t>(item), part, item,
                             to + begin * slice * static_cast<int64_t>(item));
               });
}

}  // namespace ingot

#include "kernels/reorder.h"

#include <algorithm>
#include <cstring>

#include "base/thread_pool.h"

namespace ingot {
namespace {

struct Bytes16 {
  uint64_t low, high;
};

// Elements that are worth a thread of their own.
constexpr int64_t kGrain = 1 << 15;
// Side of the square that a transposition moves at a time: its lines stay in the first cache.
constexpr int64_t kSide = 16;

// Rows [begin, end) of one block; `from` and `to` point at its first element.
template <class T>
void copy_rows(int64_t begin, int64_t end, int64_t columns, const T* from, int64_t from_row,
               int64_t from_column, T* to, int64_t to_row, int64_t to_column) {
  if (from_column == 1 && to_column == 1) {
    for (int64_t r = begin; r < end; ++r)
      std::memcpy(to + r * to_row, from + r * from_row, static_cast<size_t>(columns) * sizeof(T));
    return;
  }
  for (int64_t r0 = begin; r0 < end; r0 += kSide) {
    const int64_t r1 = std::min(r0 + kSide, end);
    for (int64_t c0 = 0; c0 < columns; c0 += kSide) {
      const int64_t c1 = std::min(c0 + kSide, columns);
      for (int64_t r = r0; r < r1; ++r)
        for (int64_t c = c0; c < c1; ++c)
          to[r * to_row + c * to_column] = from[r * from_row + c * from_column];
    }
  }
}

}  // namespace

Reorder::Reorder(std::span<const int64_t> sizes, std::span<const int64_t> from_strides,
                 std::span<const int64_t> to_strides, size_t item)
    : item_(item) {
  std::vector<Dim> dims;
  for (size_t d = 0; d < sizes.size(); ++d) {
    numel_ *= sizes[d];
    if (sizes[d] != 1) dims.push_back({sizes[d], from_strides[d], to_strides[d]});
  }
  if (numel_ == 0 || dims.empty()) return;
  // Outermost first in the order of `to`; neighbours that are one run on both sides merge.
  std::stable_sort(dims.begin(), dims.end(),
                   [](const Dim& a, const Dim& b) { return a.to > b.to; });
  std::vector<Dim> merged;
  for (const Dim& dim : dims) {
    if (!merged.empty() && merged.back().from == dim.from * dim.size &&
        merged.back().to == dim.to * dim.size)
      merged.back() = {merged.back().size * dim.size, dim.from, dim.to};
    else
      merged.push_back(dim);
  }
  columns_ = merged.back();
  merged.pop_back();
  if (!merged.empty()) {
    // The rows: the dimension along which `from` is adjacent, or else the next one outwards.
    auto rows = merged.end() - 1;
    if (columns_.from != 1)
      for (auto at = merged.begin(); at != merged.end(); ++at)
        if (at->from < rows->from) rows = at;
    rows_ = *rows;
    merged.erase(rows);
  }
  outer_ = std::move(merged);
}

namespace {

template <class T, class Dim>
void copy_blocks(const std::vector<Dim>& outer, const Dim& rows, const Dim& columns, const T* from,
                 T* to) {
  int64_t blocks = 1;
  for (const Dim& dim : outer) blocks *= dim.size;
  const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(columns.size, 1));
  parallel_for(0, blocks * rows.size, grain, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t block = begin / rows.size;
      const int64_t first = begin % rows.size;
      const int64_t last = std::min(rows.size, first + (end - begin));
      const T* source = from;
      T* target = to;
      int64_t rest = block;
      for (auto dim = outer.rbegin(); dim != outer.rend(); ++dim) {
        source += rest % dim->size * dim->from;
        target += rest % dim->size * dim->to;
        rest /= dim->size;
      }
      copy_rows(first, last, columns.size, source, rows.from, columns.from, target, rows.to,
                columns.to);
      begin += last - first;
    }
  });
}

}  // namespace

void Reorder::run(const std::byte* from, std::byte* to) const {
  if (numel_ == 0) return;
  const auto copy = [&]<class T>(T) {
    copy_blocks(outer_, rows_, columns_, reinterpret_cast<const T*>(from),
                reinterpret_cast<T*>(to));
  };
  switch (item_) {
    case 1: return copy(uint8_t{});
    case 2: return copy(uint16_t{});
    case 4: return copy(uint32_t{});
    case 8: return copy(uint64_t{});
    default: return copy(Bytes16{});
  }
}

}  // namespace ingot

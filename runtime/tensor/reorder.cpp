#include "tensor/reorder.h"

#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

#include "base/thread_pool.h"

namespace ingot {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

struct Bytes16 {
  uint64_t low, high;
};

// Elements that are worth a thread of their own.
constexpr int64_t kGrain = 1 << 15;
constexpr size_t kCacheLine = 64;

#if HWY_TARGET == HWY_SCALAR
template <class T>
constexpr int64_t kSquare = 1;

template <class T>
void transpose_square(const T* from, int64_t, T* to, int64_t) {
  *to = *from;
}
#else
// Side of the square that vectors of 16 bytes transpose.
template <class T>
constexpr int64_t kSquare = 16 / sizeof(T);

template <class T>
void transpose_square(const T* from, int64_t from_stride, T* to, int64_t to_stride) {
  constexpr int kSide = kSquare<T>;
  const hn::Full128<T> d;
  hn::Vec<hn::Full128<T>> lines[kSide], next[kSide];
  for (int i = 0; i < kSide; ++i) lines[i] = hn::LoadU(d, from + i * from_stride);
  // Each round halves the distance between elements that belong side by side.
  for (int done = 1; done < kSide; done *= 2) {
    for (int i = 0; i < kSide / 2; ++i) {
      next[2 * i] = hn::InterleaveLower(d, lines[i], lines[i + kSide / 2]);
      next[2 * i + 1] = hn::InterleaveUpper(d, lines[i], lines[i + kSide / 2]);
    }
    std::copy(next, next + kSide, lines);
  }
  for (int i = 0; i < kSide; ++i) hn::Store(lines[i], d, to + i * to_stride);
}

template <>
[[maybe_unused]] constexpr int64_t kSquare<Bytes16> = 1;

template <>
void transpose_square(const Bytes16* from, int64_t, Bytes16* to, int64_t) {
  *to = *from;
}
#endif

// to[r * to_row + c] = from[r + c * from_column], for at most a cache line of both sides, by way of
// a buffer: lines that lie a power of two apart would put each other out of the cache.
template <class T>
void transpose_block(int64_t rows, int64_t columns, const T* from, int64_t from_column, T* to,
                     int64_t to_row) {
  constexpr int64_t kSide = kCacheLine / sizeof(T);
  constexpr int64_t kStep = kSquare<T>;
  alignas(kCacheLine) T block[kSide * kSide];
  int64_t c = 0;
  for (; c + kStep <= columns; c += kStep) {
    const T* lines = from + c * from_column;
    int64_t r = 0;
    for (; r + kStep <= rows; r += kStep)
      transpose_square(lines + r, from_column, block + r * kSide + c, kSide);
    for (; r < rows; ++r)
      for (int64_t i = 0; i < kStep; ++i) block[r * kSide + c + i] = lines[r + i * from_column];
  }
  for (; c < columns; ++c)
    for (int64_t r = 0; r < rows; ++r) block[r * kSide + c] = from[r + c * from_column];
  for (int64_t r = 0; r < rows; ++r)
    std::memcpy(to + r * to_row, block + r * kSide,
                columns == kSide ? kCacheLine : static_cast<size_t>(columns) * sizeof(T));
}

template <class T>
void transpose(int64_t rows, int64_t columns, const T* from, int64_t from_column, T* to,
               int64_t to_row) {
  constexpr int64_t kSide = kCacheLine / sizeof(T);
  // Neighbouring lines, of which a page brings several at once.
  constexpr int64_t kTall = 4 * kSide;
  for (int64_t first = 0; first < rows; first += kTall) {
    const int64_t last = std::min(first + kTall, rows);
    for (int64_t c = 0; c < columns; c += kSide)
      for (int64_t r = first; r < last; r += kSide)
        transpose_block(std::min(kSide, last - r), std::min(kSide, columns - c),
                        from + r + c * from_column, from_column, to + r * to_row + c, to_row);
  }
}

// The same of few columns, or of few rows.
constexpr int64_t kFew = 4;

template <int kColumns, class T>
void interleave(int64_t rows, const T* from, int64_t from_column, T* to, int64_t to_row) {
  for (int64_t r = 0; r < rows; ++r)
    for (int c = 0; c < kColumns; ++c) to[r * to_row + c] = from[r + c * from_column];
}

template <int kRows, class T>
void separate(int64_t columns, const T* from, int64_t from_column, T* to, int64_t to_row) {
  for (int64_t c = 0; c < columns; ++c)
    for (int r = 0; r < kRows; ++r) to[r * to_row + c] = from[r + c * from_column];
}

template <class T>
void copy_block(int64_t rows, int64_t columns, const T* from, int64_t from_row, int64_t from_column,
                T* to, int64_t to_row, int64_t to_column) {
  if (from_column == 1 && to_column == 1) {
    for (int64_t r = 0; r < rows; ++r)
      std::memcpy(to + r * to_row, from + r * from_row, static_cast<size_t>(columns) * sizeof(T));
    return;
  }
  if (from_column == 0 && to_column == 1) {
    for (int64_t r = 0; r < rows; ++r) std::fill_n(to + r * to_row, columns, from[r * from_row]);
    return;
  }
  if (from_row == 1 && to_column == 1) {
    switch (columns) {
      case 2: return interleave<2>(rows, from, from_column, to, to_row);
      case 3: return interleave<3>(rows, from, from_column, to, to_row);
      case 4: return interleave<4>(rows, from, from_column, to, to_row);
      default: break;
    }
    switch (rows) {
      case 1: return separate<1>(columns, from, from_column, to, to_row);
      case 2: return separate<2>(columns, from, from_column, to, to_row);
      case 3: return separate<3>(columns, from, from_column, to, to_row);
      case 4: return separate<4>(columns, from, from_column, to, to_row);
      default: return transpose(rows, columns, from, from_column, to, to_row);
    }
  }
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      to[r * to_row + c * to_column] = from[r * from_row + c * from_column];
}

}  // namespace

Reorder::Reorder(std::span<const int64_t> sizes, std::span<const int64_t> from_strides,
                 std::span<const int64_t> to_strides, size_t item)
    : item_(item) {
  Dim dims[kMaxRank];
  int rank = 0;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] == 0) empty_ = true;
    if (sizes[d] == 1) continue;
    // Outermost first in the order of `to`.
    const Dim dim{sizes[d], from_strides[d], to_strides[d]};
    int at = rank++;
    for (; at > 0 && dims[at - 1].to < dim.to; --at) dims[at] = dims[at - 1];
    dims[at] = dim;
  }
  if (empty_ || rank == 0) return;
  // Neighbours that are one run on both sides merge.
  int merged = 0;
  for (int d = 1; d < rank; ++d) {
    const Dim& dim = dims[d];
    Dim& last = dims[merged];
    if (last.from == dim.from * dim.size && last.to == dim.to * dim.size)
      last = {last.size * dim.size, dim.from, dim.to};
    else
      dims[++merged] = dim;
  }
  columns_ = dims[merged];
  if (merged > 0) {
    // The rows: the dimension along which `from` is adjacent, or else the next one outwards.
    int rows = merged - 1;
    if (columns_.from != 1)
      for (int d = 0; d < merged; ++d)
        if (dims[d].from == 1) rows = d;
    rows_ = dims[rows];
    for (int d = 0; d < merged; ++d)
      if (d != rows) outer_[outer_rank_++] = dims[d];
  }
}

template <class T>
void Reorder::copy(const T* from, T* to) const {
  int64_t blocks = 1;
  for (int d = 0; d < outer_rank_; ++d) blocks *= outer_[d].size;
  // Threads share the rows, or the columns where there are few rows.
  const bool by_columns = rows_.size <= kFew;
  const Dim& along = by_columns ? columns_ : rows_;
  const int64_t grain = std::max<int64_t>(1, kGrain / (by_columns ? rows_ : columns_).size);
  parallel_for(0, blocks * along.size, grain, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t first = begin % along.size;
      const int64_t count = std::min(along.size - first, end - begin);
      const T* source = from + first * along.from;
      T* target = to + first * along.to;
      int64_t rest = begin / along.size;
      for (int d = outer_rank_ - 1; d >= 0; --d) {
        source += rest % outer_[d].size * outer_[d].from;
        target += rest % outer_[d].size * outer_[d].to;
        rest /= outer_[d].size;
      }
      copy_block(by_columns ? rows_.size : count, by_columns ? count : columns_.size, source,
                 rows_.from, columns_.from, target, rows_.to, columns_.to);
      begin += count;
    }
  });
}

void Reorder::run(const std::byte* from, std::byte* to) const {
  if (empty_) return;
  const auto copy = [&]<class T>(T) {
    this->copy(reinterpret_cast<const T*>(from), reinterpret_cast<T*>(to));
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

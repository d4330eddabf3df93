// Walks tensors of any strides in tiles: adjacent elements, of the dtype that a kernel wants,
// small enough to stay in the first-level cache.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <ingot/tensor.h>

namespace ingot {

// Bytes of a tile.
inline constexpr int64_t kTileBytes = 4096;

// Elements of a tile when the largest element involved has `size` bytes. Integers are widened
// to 8 bytes on their way, so a tile never has more than that allows.
constexpr int64_t tile_elements(size_t size) {
  return kTileBytes / static_cast<int64_t>(std::max<size_t>(size, 8));
}

// The sizes that all of `a` and `b` broadcast to. Throws Error (invalid_argument).
INGOT_API Dims broadcast(std::span<const int64_t> a, std::span<const int64_t> b);

// One stride per size of a tensor broadcast to `sizes`: 0 where one element stands for all. Throws
// Error (invalid_argument) if it does not broadcast.
Dims broadcast_strides(const Tensor& tensor, std::span<const int64_t> sizes);

// The elements of a tensor broadcast to `sizes`, in row-major order of `sizes`, with adjacent
// dimensions merged wherever the strides allow.
class StridedRange {
 public:
  // A single element.
  StridedRange() : rank_(1) {
    sizes_[0] = 1;
    strides_[0] = 0;
  }
  // Throws Error (invalid_argument) if the tensor does not broadcast to `sizes`.
  StridedRange(const Tensor& tensor, std::span<const int64_t> sizes);
  // One stride per size; 0 where one element stands for all.
  StridedRange(std::span<const int64_t> sizes, std::span<const int64_t> strides);

  // One run of adjacent memory holds everything.
  bool contiguous() const { return rank_ == 1 && (strides_[0] == 1 || sizes_[0] == 1); }
  // One element stands for all.
  bool constant() const { return rank_ == 1 && (strides_[0] == 0 || sizes_[0] == 1); }

  int64_t innermost_stride() const { return strides_[rank_ - 1]; }
  // The same `columns` adjacent elements over and over.
  bool repeats_row(int64_t columns) const {
    return rank_ == 2 && strides_[0] == 0 && strides_[1] == 1 && sizes_[1] == columns;
  }

  // Calls body(offset, stride, position, length) for each run of equally spaced elements that
  // [begin, begin + count) crosses: element offset of the run's first, distance between its
  // elements, and the run's place counted from `begin`. No size may be 0.
  template <class Body>
  void for_each_run(int64_t begin, int64_t count, Body&& body) const {
    int64_t index[kMaxRank];
    int64_t offset = 0;
    for (int d = rank_ - 1; d >= 0; --d) {
      index[d] = begin % sizes_[d];
      begin /= sizes_[d];
      offset += index[d] * strides_[d];
    }
    const int inner = rank_ - 1;
    for (int64_t position = 0; position < count;) {
      const int64_t length = std::min(sizes_[inner] - index[inner], count - position);
      body(offset, strides_[inner], position, length);
      position += length;
      index[inner] += length;
      offset += length * strides_[inner];
      for (int d = inner; d > 0 && index[d] == sizes_[d]; --d) {
        offset += strides_[d - 1] - sizes_[d] * strides_[d];
        index[d] = 0;
        ++index[d - 1];
      }
    }
  }

 private:
  void add_dim(int64_t size, int64_t stride);

  int rank_;  // at least 1
  int64_t sizes_[kMaxRank];
  int64_t strides_[kMaxRank];
};

// Copies `count` elements of `size` bytes (1, 2, 4, 8 or 16) between any two spacings, which are
// in elements.
void move_elements(size_t size, const std::byte* from, int64_t from_stride, std::byte* to,
                   int64_t to_stride, int64_t count);

// Reads a tensor, broadcast to `sizes`, as tiles of dtype `wanted`.
class TileReader {
 public:
  // Must be opened before it is read. (The tiles stay uninitialised: clearing them would cost
  // more than a small op.)
  TileReader() {}
  TileReader(const Tensor& tensor, std::span<const int64_t> sizes, DType wanted) {
    open(tensor, sizes, wanted);
  }
  // Throws Error (invalid_argument) if the tensor does not broadcast to `sizes`.
  void open(const Tensor& tensor, std::span<const int64_t> sizes, DType wanted);
  // One element of dtype `wanted` that stands for all.
  void open(const void* element, DType wanted);

  // read() gives the tensor's own memory, and `count` has no limit.
  bool direct() const { return direct_; }
  // Elements [begin, begin + count); `count` at most a tile. Valid until the next read.
  const void* read(int64_t begin, int64_t count);

 private:
  const void* read_constant(int64_t count);

  StridedRange range_;
  const std::byte* data_;
  DType dtype_;
  DType wanted_;
  bool direct_;
  bool constant_;
  int64_t filled_;  // constant: elements of `tile_` that hold it
  std::byte element_[16];
  alignas(64) std::byte raw_[kTileBytes];
  alignas(64) std::byte tile_[kTileBytes];
};

// Writes tiles of dtype `produced` into a tensor of any strides and dtype.
class TileWriter {
 public:
  TileWriter(const Tensor& tensor, DType produced);

  // target() gives the tensor's own memory, and `count` has no limit.
  bool direct() const { return direct_; }
  // Where the kernel puts elements [begin, begin + count); commit() then stores them.
  void* target(int64_t begin);
  void commit(int64_t begin, int64_t count) {
    if (!direct_) store(tile_, begin, count);
  }
  // Stores elements that lie elsewhere.
  void write(const void* from, int64_t begin, int64_t count) { store(from, begin, count); }

 private:
  void store(const void* from, int64_t begin, int64_t count);

  StridedRange range_;
  std::byte* data_;
  DType dtype_;
  DType produced_;
  bool direct_;
  alignas(64) std::byte raw_[kTileBytes];
  alignas(64) std::byte tile_[kTileBytes];
};

}  // namespace ingot

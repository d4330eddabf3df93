// Copies of strided elements into another order, such as NCHW to NHWC.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <ingot/tensor.h>

namespace ingot {

// to[i...] = from[i...] for all indices below `sizes`. Strides in elements, 0 where one element of
// `from` stands for all; item: bytes of an element (1, 2, 4, 8 or 16).
class Reorder {
 public:
  Reorder(std::span<const int64_t> sizes, std::span<const int64_t> from_strides,
          std::span<const int64_t> to_strides, size_t item);
  // Uses the thread pool for large copies. The two may not overlap.
  void run(const std::byte* from, std::byte* to) const;

 private:
  struct Dim {
    int64_t size;
    int64_t from;
    int64_t to;
  };

  template <class T>
  void copy(const T* from, T* to) const;

  size_t item_;
  bool empty_ = false;
  // Outer dimensions, then the two of the inner block: [rows, columns], where `to` runs along
  // the columns and `from` along the rows if it does not along the columns.
  int outer_rank_ = 0;
  Dim outer_[kMaxRank];
  Dim rows_{1, 0, 0};
  Dim columns_{1, 0, 0};
};

}  // namespace ingot

// Checks on dimensions that many ops share.
#pragma once

#include <ingot/tensor.h>

#include <ingot/check.h>

namespace ingot {

// A dimension number as an index in [0, rank); a tensor without dimensions takes 0 and -1.
inline int wrap_dim(int64_t dim, int rank) {
  const int64_t count = rank == 0 ? 1 : rank;
  if (dim < -count || dim >= count) [[unlikely]]
    fail_as("IndexError", "dimension ", dim, " is out of range: it must be in [", -count, ", ",
            count - 1, "]");
  return static_cast<int>(dim < 0 ? dim + count : dim);
}

// wrap_dim for each; raises if one is named twice.
inline Dims wrap_dims(std::span<const int64_t> dims, int rank) {
  Dims wrapped;
  uint32_t seen = 0;
  for (const int64_t dim : dims) {
    const int d = wrap_dim(dim, rank);
    INGOT_CHECK(!(seen >> d & 1), "dimension ", d, " appears twice in ", dims);
    seen |= uint32_t{1} << d;
    wrapped.push_back(d);
  }
  return wrapped;
}

// True if one element of memory stands for several of the tensor, as in views that expand makes.
inline bool has_repeated_elements(const Tensor& tensor) {
  for (int d = 0; d < tensor.rank(); ++d)
    if (tensor.stride(d) == 0 && tensor.size(d) > 1) return tensor.numel() > 0;
  return false;
}

// Raises if `self` is a weight of the file.
inline void check_not_read_only(const Tensor& self) {
  INGOT_CHECK(self.writable(), "the tensor ", self,
              " cannot be changed in place: its memory is read-only");
}

// Raises if an op may not write different elements to `self` in place: a weight of the file, or
// a tensor with repeated elements.
inline void check_writable(const Tensor& self) {
  check_not_read_only(self);
  INGOT_CHECK(!has_repeated_elements(self), "the tensor ", self,
              " cannot be changed in place: several of its elements share one place in memory; "
              "clone() it first");
}

}  // namespace ingot

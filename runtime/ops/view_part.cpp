// Views of a part of a tensor: select, slice, split and their kin.
#include <algorithm>

#include <ingot/op.h>
#include "ops/shape.h"
#include "ops/view.h"

namespace ingot {

Tensor select(const Tensor& self, int64_t dim, int64_t index) {
  INGOT_CHECK(self.rank() > 0, "select() cannot be applied to a tensor without dimensions");
  const int d = wrap_dim(dim, self.rank());
  const int64_t size = self.size(d);
  if (index < -size || index >= size) [[unlikely]]
    fail_as("IndexError", "index ", index, " is out of range for dimension ", d, " of size ", size);
  Dims sizes = self.sizes();
  Dims strides = self.strides();
  const int64_t offset = (index < 0 ? index + size : index) * strides[d];
  sizes.erase(d);
  strides.erase(d);
  return self.as_strided(sizes, strides, offset);
}

Tensor slice(const Tensor& self, int64_t dim, std::optional<int64_t> start,
             std::optional<int64_t> end, int64_t step) {
  INGOT_CHECK(self.rank() > 0, "a tensor without dimensions cannot be sliced");
  INGOT_CHECK(step > 0, "slice step must be positive, got ", step);
  const int d = wrap_dim(dim, self.rank());
  const int64_t size = self.size(d);
  const auto clamp = [size](int64_t position, int64_t least) {
    return std::clamp(position < 0 ? position + size : position, least, size);
  };
  const int64_t first = clamp(start.value_or(0), 0);
  const int64_t last = clamp(end.value_or(size), first);
  Dims sizes = self.sizes();
  Dims strides = self.strides();
  const int64_t count = last - first;
  sizes[d] = count / step + (count % step != 0);
  const int64_t offset = count > 0 ? first * strides[d] : 0;
  // A step past the end leaves one element, whose stride is never used.
  if (sizes[d] > 1)
    strides[d] *= step;
  else if (__builtin_mul_overflow(strides[d], step, &strides[d]))
    strides[d] = 1;
  return self.as_strided(sizes, strides, offset);
}

Tensor narrow(const Tensor& self, int64_t dim, int64_t start, int64_t length) {
  INGOT_CHECK(self.rank() > 0, "narrow() cannot be applied to a tensor without dimensions");
  const int d = wrap_dim(dim, self.rank());
  const int64_t size = self.size(d);
  INGOT_CHECK(length >= 0, "length ", length, " is negative");
  INGOT_CHECK(start >= -size && start <= size, "start ", start, " is out of range for dimension ",
              d, " of size ", size);
  if (start < 0) start += size;
  INGOT_CHECK(length <= size - start, "start ", start, " and length ", length, " exceed dimension ",
              d, " of size ", size);
  return slice(self, d, start, start + length, 1);
}

namespace {

std::vector<Tensor> split_with_sizes(const Tensor& self, const IntList& split_sizes, int64_t dim) {
  INGOT_CHECK(self.rank() > 0, "a tensor without dimensions cannot be split");
  const int d = wrap_dim(dim, self.rank());
  int64_t left = self.size(d);
  for (const int64_t size : split_sizes) {
    INGOT_CHECK(size >= 0 && size <= left, "split sizes ", std::span<const int64_t>(split_sizes),
                " do not add up to size ", self.size(d), " of dimension ", d);
    left -= size;
  }
  INGOT_CHECK(left == 0, "split sizes ", std::span<const int64_t>(split_sizes),
              " do not add up to size ", self.size(d), " of dimension ", d);
  std::vector<Tensor> parts;
  parts.reserve(split_sizes.size());
  int64_t start = 0;
  for (const int64_t size : split_sizes) {
    parts.push_back(slice(self, d, start, start + size, 1));
    start += size;
  }
  return parts;
}

std::vector<Tensor> split(const Tensor& self, int64_t split_size, int64_t dim) {
  INGOT_CHECK(self.rank() > 0, "a tensor without dimensions cannot be split");
  const int d = wrap_dim(dim, self.rank());
  const int64_t size = self.size(d);
  INGOT_CHECK(split_size > 0 || (split_size == 0 && size == 0), "split size ", split_size,
              " does not fit dimension ", d, " of size ", size);
  if (size == 0) return {self};
  std::vector<Tensor> parts;
  for (int64_t start = 0; start < size; start += std::min(split_size, size - start))
    parts.push_back(slice(self, d, start, start + std::min(split_size, size - start), 1));
  return parts;
}

std::vector<Tensor> chunk(const Tensor& self, int64_t chunks, int64_t dim) {
  INGOT_CHECK(self.rank() > 0, "a tensor without dimensions cannot be split into chunks");
  INGOT_CHECK(chunks > 0, "chunks must be positive, got ", chunks);
  const int d = wrap_dim(dim, self.rank());
  const int64_t size = self.size(d);
  if (size == 0) {
    INGOT_CHECK(chunks < (1 << 20), "too many chunks: ", chunks);
    return std::vector<Tensor>(static_cast<size_t>(chunks), self);
  }
  return split(self, size / chunks + (size % chunks != 0), d);
}

std::vector<Tensor> tensor_split_indices(const Tensor& self, const IntList& indices, int64_t dim) {
  INGOT_CHECK(self.rank() > 0, "a tensor without dimensions cannot be split");
  std::vector<Tensor> parts;
  int64_t start = 0;
  for (const int64_t end : indices) {
    parts.push_back(slice(self, dim, start, end, 1));
    start = end;
  }
  parts.push_back(slice(self, dim, start, std::nullopt, 1));
  return parts;
}

std::vector<Tensor> tensor_split(const Tensor& self, int64_t sections, int64_t dim) {
  INGOT_CHECK(self.rank() > 0, "a tensor without dimensions cannot be split");
  INGOT_CHECK(sections > 0 && sections < (1 << 20), "sections must be positive, got ", sections);
  const int d = wrap_dim(dim, self.rank());
  const int64_t least = self.size(d) / sections;
  const int64_t larger = self.size(d) % sections;
  std::vector<Tensor> parts;
  int64_t start = 0;
  for (int64_t i = 0; i < sections; ++i) {
    const int64_t end = start + least + (i < larger);
    parts.push_back(slice(self, d, start, end, 1));
    start = end;
  }
  return parts;
}

std::vector<Tensor> unbind(const Tensor& self, int64_t dim) {
  INGOT_CHECK(self.rank() > 0, "a tensor without dimensions cannot be unbound");
  const int d = wrap_dim(dim, self.rank());
  std::vector<Tensor> parts;
  parts.reserve(static_cast<size_t>(self.size(d)));
  for (int64_t i = 0; i < self.size(d); ++i) parts.push_back(select(self, d, i));
  return parts;
}

Tensor narrow_tensor(const Tensor& self, int64_t dim, const Tensor& start, int64_t length) {
  INGOT_CHECK(start.rank() == 0 && is_integral(start.dtype()) && start.dtype() != DType::boolean,
              "start must be an integer tensor without dimensions, got ", start);
  return narrow(self, dim, start.item_int(), length);
}

Tensor unfold(const Tensor& self, int64_t dimension, int64_t size, int64_t step) {
  const int d = wrap_dim(dimension, self.rank());
  const int64_t length = self.rank() == 0 ? 1 : self.size(d);
  INGOT_CHECK(size >= 0 && size <= length, "window size ", size, " must be in [0, ", length,
              "], the size of dimension ", d);
  INGOT_CHECK(step > 0, "step must be positive, got ", step);
  Dims sizes = self.sizes();
  Dims strides = self.strides();
  sizes.push_back(size);
  strides.push_back(self.rank() == 0 ? 1 : strides[d]);
  if (self.rank() > 0) {
    sizes[d] = (length - size) / step + 1;
    if (__builtin_mul_overflow(strides[d], step, &strides[d])) strides[d] = 1;
  }
  return self.as_strided(sizes, strides, 0);
}

INGOT_OP("aten::select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)", Symbolic<select>);
INGOT_OP(
    "aten::slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, "
    "SymInt step=1) -> Tensor(a)",
    Symbolic<slice>);
INGOT_OP("aten::narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)",
         Symbolic<narrow>);
INGOT_OP("aten::narrow.Tensor(Tensor(a) self, int dim, Tensor start, SymInt length) -> Tensor(a)",
         Function<narrow_tensor>);
INGOT_OP("aten::split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]",
         Symbolic<split>);
INGOT_OP("aten::split.sizes(Tensor(a -> *) self, SymInt[] split_size, int dim=0) -> Tensor(a)[]",
         Symbolic<split_with_sizes>);
INGOT_OP("aten::split(Tensor(a -> *) self, int[] split_sizes, int dim=0) -> Tensor(a)[]",
         Symbolic<split_with_sizes>);
INGOT_OP(
    "aten::split_with_sizes(Tensor(a -> *) self, SymInt[] split_sizes, int dim=0) -> "
    "Tensor(a)[]",
    Symbolic<split_with_sizes>);
INGOT_OP("aten::chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]", Symbolic<chunk>);
INGOT_OP(
    "aten::tensor_split.indices(Tensor(a -> *) self, SymInt[] indices, int dim=0) -> "
    "Tensor(a)[]",
    Symbolic<tensor_split_indices>);
INGOT_OP(
    "aten::tensor_split.sections(Tensor(a -> *) self, SymInt sections, int dim=0) -> "
    "Tensor(a)[]",
    Symbolic<tensor_split>);
INGOT_OP("aten::unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]", Symbolic<unbind>);
INGOT_OP("aten::unfold(Tensor(a) self, int dimension, int size, int step) -> Tensor(a)",
         Symbolic<unfold>);

}  // namespace
}  // namespace ingot

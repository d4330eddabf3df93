// Views that reorder, add or remove dimensions.
#include <algorithm>

#include <ingot/op.h>
#include "ops/shape.h"
#include "ops/view.h"

namespace ingot {

Tensor permute(const Tensor& self, std::span<const int64_t> dims) {
  INGOT_CHECK(static_cast<int>(dims.size()) == self.rank(), "permutation ", dims, " must name all ",
              self.rank(), " dimensions");
  Dims sizes;
  Dims strides;
  for (const int64_t d : wrap_dims(dims, self.rank())) {
    sizes.push_back(self.size(static_cast<int>(d)));
    strides.push_back(self.stride(static_cast<int>(d)));
  }
  return self.as_strided(sizes, strides, 0);
}

Tensor transpose(const Tensor& self, int64_t dim0, int64_t dim1) {
  const int a = wrap_dim(dim0, self.rank());
  const int b = wrap_dim(dim1, self.rank());
  Dims sizes = self.sizes();
  Dims strides = self.strides();
  if (self.rank() > 0) {
    std::swap(sizes[a], sizes[b]);
    std::swap(strides[a], strides[b]);
  }
  return self.as_strided(sizes, strides, 0);
}

Tensor unsqueeze(const Tensor& self, int64_t dim) {
  const int at = wrap_dim(dim, self.rank() + 1);
  Dims sizes = self.sizes();
  Dims strides = self.strides();
  const int64_t stride = at < self.rank() ? sizes[at] * strides[at] : 1;
  sizes.insert(at, 1);
  strides.insert(at, stride);
  return self.as_strided(sizes, strides, 0);
}

Tensor diagonal(const Tensor& self, int64_t offset, int64_t dim1, int64_t dim2) {
  const int a = wrap_dim(dim1, self.rank());
  const int b = wrap_dim(dim2, self.rank());
  INGOT_CHECK(self.rank() >= 2 && a != b, "a diagonal needs two different dimensions: got ", dim1,
              " and ", dim2, " of ", self);
  // Saturating: an offset beyond the matrix leaves an empty diagonal.
  const int64_t rows = self.size(a);
  const int64_t columns = self.size(b);
  const int64_t down = offset < 0 ? (offset < -rows ? rows : -offset) : 0;
  const int64_t right = offset > 0 ? (offset > columns ? columns : offset) : 0;
  const int64_t length = std::max<int64_t>(std::min(rows - down, columns - right), 0);
  Dims sizes = self.sizes();
  Dims strides = self.strides();
  const int64_t step = strides[a] + strides[b];
  const int64_t start = length > 0 ? down * strides[a] + right * strides[b] : 0;
  sizes.erase(std::max(a, b));
  sizes.erase(std::min(a, b));
  strides.erase(std::max(a, b));
  strides.erase(std::min(a, b));
  sizes.push_back(length);
  strides.push_back(step);
  return self.as_strided(sizes, strides, start);
}

Tensor become(const Tensor& self, Tensor view) {
  check_not_read_only(self);
  detail::TensorImpl* impl = self.impl();
  detail::TensorImpl* other = view.impl();
  impl->info.sizes = other->info.sizes;
  impl->strides = other->strides;
  impl->contiguous = other->contiguous;
  impl->numel = other->numel;
  std::swap(impl->storage, other->storage);
  std::swap(impl->data, other->data);
  return self;
}

namespace {

Tensor permute_op(const Tensor& self, const IntList& dims) { return permute(self, dims); }

Tensor t(const Tensor& self) {
  INGOT_CHECK(self.rank() <= 2, "t() needs at most 2 dimensions: got ", self);
  return self.rank() < 2 ? self : transpose(self, 0, 1);
}
Tensor numpy_T(const Tensor& self) {
  Dims dims;
  for (int d = self.rank() - 1; d >= 0; --d) dims.push_back(d);
  return permute(self, dims);
}
Tensor mT(const Tensor& self) {
  INGOT_CHECK(self.rank() >= 2, "mT needs a matrix or a batch of matrices: got ", self);
  return transpose(self, -2, -1);
}

// Removes those of `dims` (a bit each) that have size 1.
Tensor squeeze_bits(const Tensor& self, uint32_t bits) {
  Dims sizes;
  Dims strides;
  for (int d = 0; d < self.rank(); ++d) {
    if ((bits >> d & 1) && self.size(d) == 1) continue;
    sizes.push_back(self.size(d));
    strides.push_back(self.stride(d));
  }
  return self.as_strided(sizes, strides, 0);
}
Tensor squeeze(const Tensor& self) { return squeeze_bits(self, ~uint32_t{0}); }
Tensor squeeze_dim(const Tensor& self, int64_t dim) {
  return squeeze_bits(self, uint32_t{1} << wrap_dim(dim, self.rank()));
}
Tensor squeeze_dims(const Tensor& self, const IntList& dims) {
  uint32_t bits = 0;
  for (const int64_t d : wrap_dims(dims, self.rank())) bits |= uint32_t{1} << d;
  return squeeze_bits(self, bits);
}

Tensor movedim(const Tensor& self, const IntList& source, const IntList& destination) {
  INGOT_CHECK(source.size() == destination.size(), "source ", std::span<const int64_t>(source),
              " and destination ", std::span<const int64_t>(destination), " differ in length");
  const Dims from = wrap_dims(source, self.rank());
  const Dims to = wrap_dims(destination, self.rank());
  if (self.rank() == 0) return self;
  Dims order = Dims::filled(self.rank(), -1);
  uint32_t moved = 0;
  for (int i = 0; i < from.size(); ++i) {
    order[static_cast<int>(to[i])] = from[i];
    moved |= uint32_t{1} << from[i];
  }
  int next = 0;
  for (int64_t& d : order) {
    if (d >= 0) continue;
    while (moved >> next & 1) ++next;
    d = next++;
  }
  return permute(self, order);
}
Tensor movedim_int(const Tensor& self, int64_t source, int64_t destination) {
  const auto one = [](const int64_t& value) { return IntList(std::span(&value, 1)); };
  return movedim(self, one(source), one(destination));
}

Tensor squeeze_(const Tensor& self) { return become(self, squeeze(self)); }
Tensor squeeze_dim_(const Tensor& self, int64_t dim) {
  return become(self, squeeze_dim(self, dim));
}
Tensor squeeze_dims_(const Tensor& self, const IntList& dims) {
  return become(self, squeeze_dims(self, dims));
}
Tensor unsqueeze_(const Tensor& self, int64_t dim) { return become(self, unsqueeze(self, dim)); }
Tensor transpose_(const Tensor& self, int64_t dim0, int64_t dim1) {
  return become(self, transpose(self, dim0, dim1));
}
Tensor t_(const Tensor& self) { return become(self, t(self)); }

INGOT_OP("aten::permute(Tensor(a) self, int[] dims) -> Tensor(a)", Symbolic<permute_op>);
INGOT_OP("aten::transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)",
         Symbolic<transpose>);
INGOT_OP("aten::swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)", Symbolic<transpose>);
INGOT_OP("aten::swapdims(Tensor(a) self, int dim0, int dim1) -> Tensor(a)", Symbolic<transpose>);
INGOT_OP("aten::transpose_(Tensor(a!) self, int dim0, int dim1) -> Tensor(a!)",
         Function<transpose_>);
INGOT_OP("aten::swapaxes_(Tensor(a!) self, int axis0, int axis1) -> Tensor(a!)",
         Function<transpose_>);
INGOT_OP("aten::swapdims_(Tensor(a!) self, int dim0, int dim1) -> Tensor(a!)",
         Function<transpose_>);
INGOT_OP("aten::t(Tensor(a) self) -> Tensor(a)", Symbolic<t>);
INGOT_OP("aten::t_(Tensor(a!) self) -> Tensor(a!)", Function<t_>);
INGOT_OP("aten::numpy_T(Tensor(a) self) -> Tensor(a)", Symbolic<numpy_T>);
INGOT_OP("aten::mT(Tensor(a) self) -> Tensor(a)", Symbolic<mT>);
INGOT_OP("aten::movedim.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)",
         Symbolic<movedim>);
INGOT_OP("aten::movedim.int(Tensor(a) self, int source, int destination) -> Tensor(a)",
         Symbolic<movedim_int>);
INGOT_OP("aten::moveaxis.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)",
         Symbolic<movedim>);
INGOT_OP("aten::moveaxis.int(Tensor(a) self, int source, int destination) -> Tensor(a)",
         Symbolic<movedim_int>);
INGOT_OP("aten::squeeze(Tensor(a) self) -> Tensor(a)", Symbolic<squeeze>);
INGOT_OP("aten::squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)", Symbolic<squeeze_dim>);
INGOT_OP("aten::squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)", Symbolic<squeeze_dims>);
INGOT_OP("aten::squeeze_(Tensor(a!) self) -> Tensor(a!)", Function<squeeze_>);
INGOT_OP("aten::squeeze_.dim(Tensor(a!) self, int dim) -> Tensor(a!)", Function<squeeze_dim_>);
INGOT_OP("aten::squeeze_.dims(Tensor(a!) self, int[] dim) -> Tensor(a!)", Function<squeeze_dims_>);
INGOT_OP("aten::unsqueeze(Tensor(a) self, int dim) -> Tensor(a)", Symbolic<unsqueeze>);
INGOT_OP("aten::unsqueeze_(Tensor(a!) self, int dim) -> Tensor(a!)", Function<unsqueeze_>);
INGOT_OP("aten::diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)",
         Symbolic<diagonal>);

}  // namespace
}  // namespace ingot

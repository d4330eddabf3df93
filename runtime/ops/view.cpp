// Views that regroup dimensions: view, reshape, flatten, expand, and copies of whole tensors.
#include "ops/view.h"

#include <algorithm>

#include <ingot/op.h>
#include "ops/shape.h"

namespace ingot {

Dims infer_size(std::span<const int64_t> sizes, int64_t numel) {
  Dims result(sizes);
  int unknown = -1;
  int64_t known = 1;
  for (int d = 0; d < result.size(); ++d) {
    if (result[d] == -1) {
      INGOT_CHECK(unknown < 0, "only one size of ", sizes, " can be -1");
      unknown = d;
    } else {
      INGOT_CHECK(result[d] >= 0, "size ", result[d], " in ", sizes, " is negative");
      INGOT_CHECK(!__builtin_mul_overflow(known, result[d], &known), "shape ", sizes,
                  " has too many elements");
    }
  }
  if (unknown >= 0) {
    INGOT_CHECK(known != 0, "the -1 in shape ", sizes, " could be any size: the others make 0");
    result[unknown] = numel / known;
    known *= result[unknown];
  }
  INGOT_CHECK(known == numel, "shape ", sizes, " is invalid for a tensor of ", numel, " elements");
  return result;
}

Dims row_major_strides(std::span<const int64_t> sizes) {
  Dims strides = Dims::filled(static_cast<int>(sizes.size()), 1);
  for (int d = strides.size() - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * std::max<int64_t>(sizes[d + 1], 1);
  return strides;
}

std::optional<Dims> view_strides(const Tensor& self, const Dims& sizes) {
  if (self.is_contiguous() || self.rank() == 0) return row_major_strides(sizes);
  Dims strides = Dims::filled(sizes.size(), 1);
  int d = sizes.size() - 1;
  // Runs of old dimensions that are one line of memory must split into whole new dimensions.
  for (int last = self.rank() - 1; last >= 0;) {
    int first = last;
    int64_t run = self.size(last);
    const int64_t step = self.stride(last);
    while (first > 0 && (self.size(first - 1) == 1 || self.stride(first - 1) == run * step)) {
      --first;
      run *= self.size(first);
    }
    int64_t covered = 1;
    for (; d >= 0 && (covered < run || sizes[d] == 1); --d) {
      strides[d] = covered * step;
      covered *= sizes[d];
    }
    if (covered != run) return std::nullopt;
    last = first - 1;
  }
  return d < 0 ? std::optional(strides) : std::nullopt;
}

Tensor view(const Tensor& self, std::span<const int64_t> sizes) {
  const Dims target = infer_size(sizes, self.numel());
  const std::optional<Dims> strides = view_strides(self, target);
  INGOT_CHECK(strides, "a tensor of sizes ", self.sizes(), " and strides ", self.strides(),
              " cannot be viewed as ", target, " without copying: use reshape");
  return self.as_strided(target, *strides, 0);
}

Tensor reshape(const Tensor& self, std::span<const int64_t> sizes) {
  const Dims target = infer_size(sizes, self.numel());
  if (const std::optional<Dims> strides = view_strides(self, target))
    return self.as_strided(target, *strides, 0);
  return self.contiguous().as_strided(target, row_major_strides(target), 0);
}

Tensor expand(const Tensor& self, std::span<const int64_t> sizes) {
  const int added = static_cast<int>(sizes.size()) - self.rank();
  INGOT_CHECK(added >= 0, "a tensor of sizes ", self.sizes(),
              " cannot be expanded to the fewer sizes ", sizes);
  Dims target(sizes);
  Dims strides = Dims::filled(target.size(), 0);
  for (int d = 0; d < target.size(); ++d) {
    if (d < added) {
      INGOT_CHECK(target[d] >= 0, "size ", target[d], " at ", d, " of ", sizes,
                  " is not allowed for a new dimension");
      continue;
    }
    const int64_t size = self.size(d - added);
    if (target[d] == -1) target[d] = size;
    INGOT_CHECK(target[d] >= 0, "size ", target[d], " in ", sizes, " is negative");
    if (size == target[d]) {
      strides[d] = self.stride(d - added);
    } else {
      INGOT_CHECK(size == 1, "a tensor of sizes ", self.sizes(), " cannot be expanded to ", sizes,
                  ": dimension ", d, " has size ", size, ", not 1");
    }
  }
  return self.as_strided(target, strides, 0);
}

namespace {

Tensor view_op(const Tensor& self, const IntList& size) { return view(self, size); }
Tensor view_as(const Tensor& self, const Tensor& other) { return view(self, other.sizes()); }
Tensor reshape_op(const Tensor& self, const IntList& shape) { return reshape(self, shape); }
Tensor reshape_as(const Tensor& self, const Tensor& other) { return reshape(self, other.sizes()); }
Tensor reshape_alias(const Tensor& self, const IntList& size, const IntList& stride) {
  return self.as_strided(size, stride, 0);
}
Tensor expand_op(const Tensor& self, const IntList& size, bool) { return expand(self, size); }
Tensor expand_as(const Tensor& self, const Tensor& other) { return expand(self, other.sizes()); }
Tensor broadcast_to(const Tensor& self, const IntList& size) { return expand(self, size); }

Tensor flatten(const Tensor& self, int64_t start_dim, int64_t end_dim) {
  const int start = wrap_dim(start_dim, self.rank());
  const int end = wrap_dim(end_dim, self.rank());
  INGOT_CHECK(start <= end, "start_dim ", start_dim, " comes after end_dim ", end_dim);
  if (self.rank() == 0) return reshape(self, Dims{1});
  if (start == end) return self;
  Dims sizes;
  for (int d = 0; d < self.rank(); ++d) {
    if (d > start && d <= end)
      sizes.back() *= self.size(d);
    else
      sizes.push_back(self.size(d));
  }
  return reshape(self, sizes);
}
Tensor ravel(const Tensor& self) { return view(self.contiguous(), Dims{self.numel()}); }

Tensor unflatten(const Tensor& self, int64_t dim, const IntList& sizes) {
  const int at = wrap_dim(dim, self.rank());
  INGOT_CHECK(self.rank() > 0, "a tensor without dimensions cannot be unflattened");
  INGOT_CHECK(!sizes.empty(), "sizes must not be empty");
  const Dims inner = infer_size(sizes, self.size(at));
  Dims target;
  for (int d = 0; d < self.rank(); ++d) {
    if (d != at) {
      target.push_back(self.size(d));
      continue;
    }
    for (const int64_t size : inner) target.push_back(size);
  }
  return view(self, target);
}

Tensor as_strided(const Tensor& self, const IntList& size, const IntList& stride,
                  std::optional<int64_t> storage_offset) {
  for (const int64_t s : stride) INGOT_CHECK(s >= 0, "stride ", s, " is negative");
  if (!storage_offset || !self.has_data()) return self.as_strided(size, stride, 0);
  const auto* base = self.storage()->data;
  const auto here = (static_cast<const std::byte*>(self.data()) - base) /
                    static_cast<int64_t>(size_of(self.dtype()));
  INGOT_CHECK(*storage_offset >= 0, "storage_offset ", *storage_offset, " is negative");
  return self.as_strided(size, stride, *storage_offset - here);
}

Tensor as_strided_(const Tensor& self, const IntList& size, const IntList& stride,
                   std::optional<int64_t> storage_offset) {
  return become(self, as_strided(self, size, stride, storage_offset));
}

Tensor alias(const Tensor& self) { return self.as_strided(self.sizes(), self.strides(), 0); }
Tensor same(const Tensor& self) { return self; }
Tensor clone(const Tensor& self, std::optional<int64_t>) { return self.clone(); }
Tensor copy(const Tensor& self) { return self.clone(); }
Tensor contiguous(const Tensor& self, int64_t) { return self.contiguous(); }

INGOT_OP("aten::view(Tensor(a) self, SymInt[] size) -> Tensor(a)", Symbolic<view_op>);
INGOT_OP("aten::_unsafe_view(Tensor self, SymInt[] size) -> Tensor", Symbolic<view_op>);
INGOT_OP("aten::view_as(Tensor(a) self, Tensor other) -> Tensor(a)", Symbolic<view_as>);
INGOT_OP("aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)", Symbolic<reshape_op>);
INGOT_OP("aten::reshape_as(Tensor(a) self, Tensor other) -> Tensor(a)", Symbolic<reshape_as>);
INGOT_OP("aten::_reshape_alias(Tensor(a) self, SymInt[] size, SymInt[] stride) -> Tensor(a)",
         Symbolic<reshape_alias>);
INGOT_OP("aten::expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)",
         Symbolic<expand_op>);
INGOT_OP("aten::expand_as(Tensor(a) self, Tensor other) -> Tensor(a)", Symbolic<expand_as>);
INGOT_OP("aten::broadcast_to(Tensor(a) self, SymInt[] size) -> Tensor(a)", Symbolic<broadcast_to>);
INGOT_OP("aten::flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)",
         Symbolic<flatten>);
INGOT_OP("aten::ravel(Tensor(a) self) -> Tensor(a)", Symbolic<ravel>);
INGOT_OP("aten::unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)",
         Symbolic<unflatten>);
INGOT_OP(
    "aten::as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, SymInt? "
    "storage_offset=None) -> Tensor(a)",
    Symbolic<as_strided>);
INGOT_OP(
    "aten::as_strided_(Tensor(a!) self, SymInt[] size, SymInt[] stride, SymInt? "
    "storage_offset=None) -> Tensor(a!)",
    Function<as_strided_>);
INGOT_OP("aten::alias(Tensor(a) self) -> Tensor(a)", Symbolic<alias>);
INGOT_OP("aten::detach(Tensor(a) self) -> Tensor(a)", Symbolic<alias>);
INGOT_OP("aten::detach_(Tensor(a!) self) -> Tensor(a!)", Function<same>);
INGOT_OP("aten::lift_fresh(Tensor(a) self) -> Tensor(a)", Symbolic<same>);
INGOT_OP("aten::lift_fresh_copy(Tensor self) -> Tensor", Symbolic<copy>);
INGOT_OP("aten::resolve_conj(Tensor(a) self) -> Tensor(a)", Symbolic<same>);
INGOT_OP("aten::resolve_neg(Tensor(a) self) -> Tensor(a)", Symbolic<same>);
INGOT_OP("aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor",
         Symbolic<clone>);
INGOT_OP("aten::contiguous(Tensor(a) self, *, MemoryFormat memory_format=0) -> Tensor(a)",
         Symbolic<contiguous>);

}  // namespace
}  // namespace ingot

// Differences of neighbours along a dimension.
#include <algorithm>

#include "ops/elementwise.h"
#include "ops/functions.h"
#include "ops/shape.h"
#include "tensor/convert.h"

namespace ingot {
namespace {

constexpr Elementwise kDifference =
    elementwise<2, 0, kBool | kReal | kComplexWide>(Promotion::common, [](auto a, auto b) {
      if constexpr (std::is_same_v<decltype(a), bool>)
        return a != b;
      else
        return fn::sub(a, b);
    });

// `length` elements of dimension `dim` from `start`.
Tensor part(const Tensor& self, int dim, int64_t start, int64_t length) {
  Dims sizes = self.sizes();
  sizes[dim] = length;
  return self.as_strided(sizes, self.strides(), start * self.stride(dim));
}

void check_extension(const Tensor& self, const Tensor* extension, int dim, std::string_view name) {
  if (!extension) return;
  INGOT_CHECK(extension->rank() == self.rank(), name, " must have the dimensions of ", self,
              ", got ", *extension);
  for (int d = 0; d < self.rank(); ++d)
    INGOT_CHECK(d == dim || extension->size(d) == self.size(d), name, " must have the sizes of ",
                self, " but in dimension ", dim, ", got ", *extension);
}

TensorInfo diff_meta(const Tensor& self, int64_t n, int64_t dim, const Tensor* prepend,
                     const Tensor* append) {
  INGOT_CHECK(self.rank() > 0, "a tensor with at least one dimension is needed, got ", self);
  INGOT_CHECK(n >= 0, "n must not be negative, got ", n);
  const int at = wrap_dim(dim, self.rank());
  check_extension(self, prepend, at, "prepend");
  check_extension(self, append, at, "append");
  TensorInfo info = self.info();
  if (n == 0) return info;
  for (const Tensor* extension : {prepend, append}) {
    if (!extension) continue;
    info.dtype = promote(info.dtype, extension->dtype());
    info.sizes[at] += extension->size(at);
  }
  info.sizes[at] = std::max<int64_t>(info.sizes[at] - n, 0);
  return info;
}

void diff(const Tensor& self, int64_t n, int64_t dim, const Tensor* prepend, const Tensor* append,
          Tensor& out) {
  if (n == 0) return copy_into(self, out);
  if (out.numel() == 0) return;
  const int at = wrap_dim(dim, self.rank());
  Tensor current = self;
  if (prepend || append) {
    TensorInfo info = out.info();
    info.sizes[at] += n;
    current = Tensor::empty(info);
    int64_t start = 0;
    for (const Tensor* piece : {prepend, &self, append}) {
      if (!piece) continue;
      Tensor target = part(current, at, start, piece->size(at));
      copy_into(*piece, target);
      start += piece->size(at);
    }
  }
  for (; n > 0; --n) {
    const int64_t length = current.size(at) - 1;
    const Tensor low = part(current, at, 0, length);
    const Tensor high = part(current, at, 1, length);
    const Operand operands[] = {{&high}, {&low}};
    if (n == 1)
      compute_elementwise(kDifference, operands, nullptr, out);
    else
      current = elementwise(kDifference, operands);
  }
}
INGOT_OP(
    "aten::diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) "
    "-> Tensor",
    Structured<diff_meta, diff>);

}  // namespace
}  // namespace ingot

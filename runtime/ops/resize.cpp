// aten::resize_ and resize: other sizes over the same memory, row-major (or channels-last) in its
// order. Elements that are new are zero.
#include <algorithm>
#include <cstring>

#include <ingot/op.h>
#include "ops/shape.h"
#include "ops/view.h"
#include "tensor/memory.h"

namespace ingot {
namespace {

// PyTorch's numbers.
enum MemoryFormat : int64_t { kContiguous = 0, kChannelsLast = 2, kChannelsLast3d = 3 };

Dims strides_for(const Dims& sizes, std::optional<int64_t> memory_format) {
  const int64_t format = memory_format.value_or(kContiguous);
  if (format == kContiguous) return row_major_strides(sizes);
  INGOT_CHECK((format == kChannelsLast && sizes.size() == 4) ||
                  (format == kChannelsLast3d && sizes.size() == 5),
              "memory format ", format, " does not fit ", sizes.size(), " dimensions");
  Dims strides = Dims::filled(sizes.size(), 1);
  int64_t step = sizes[1];
  for (int d = sizes.size() - 1; d >= 2; step *= sizes[d--]) strides[d] = step;
  strides[0] = step;
  return strides;
}

// How many elements follow from the tensor's first to the end of its storage.
int64_t room(const Tensor& self) {
  const auto* end = self.storage()->data + self.storage()->bytes;
  return (end - static_cast<const std::byte*>(self.data())) /
         static_cast<int64_t>(size_of(self.dtype()));
}

// A copy of the memory after the tensor's first element, at least `count` elements long.
Tensor grown(const Tensor& self, int64_t count) {
  Tensor memory = Tensor::zeros(self.dtype(), Dims{count});
  const size_t kept = static_cast<size_t>(std::min(count, room(self))) * size_of(self.dtype());
  if (kept > 0) std::memcpy(memory.data(), self.data(), kept);
  return memory;
}

Tensor resize(const Tensor& self, const IntList& size, std::optional<int64_t> memory_format) {
  const Dims sizes{std::span<const int64_t>(size)};
  for (const int64_t s : sizes) INGOT_CHECK(s >= 0, "size ", s, " is negative");
  return grown(self, numel_of(sizes)).as_strided(sizes, strides_for(sizes, memory_format), 0);
}

// Memory that is too small is replaced, so nothing else may see it.
Tensor resize_(const Tensor& self, const IntList& size, std::optional<int64_t> memory_format) {
  const Dims sizes{std::span<const int64_t>(size)};
  for (const int64_t s : sizes) INGOT_CHECK(s >= 0, "size ", s, " is negative");
  if (sizes == self.sizes() && !memory_format) return self;
  check_not_read_only(self);
  const int64_t count = numel_of(sizes);
  if (count > room(self)) {
    INGOT_CHECK(self.storage()->references.load() == 1, "resize_() to ", count,
                " elements needs more memory than ", self,
                " has, which other tensors share; resize a clone()");
    replace_memory(self, grown(self, count));
  }
  return become(self, self.as_strided(sizes, strides_for(sizes, memory_format), 0));
}

Tensor resize_as(const Tensor& self, const Tensor& the_template,
                 std::optional<int64_t> memory_format) {
  return resize(self, IntList(the_template.sizes()), memory_format);
}
Tensor resize_as_(const Tensor& self, const Tensor& the_template,
                  std::optional<int64_t> memory_format) {
  return resize_(self, IntList(the_template.sizes()), memory_format);
}

INGOT_OP("aten::resize(Tensor self, SymInt[] size, *, MemoryFormat? memory_format=None) -> Tensor",
         Function<resize>);
INGOT_OP(
    "aten::resize_(Tensor(a!) self, SymInt[] size, *, MemoryFormat? memory_format=None) -> "
    "Tensor(a!)",
    Function<resize_>);
INGOT_OP(
    "aten::resize_as(Tensor self, Tensor the_template, *, MemoryFormat? memory_format=None) -> "
    "Tensor",
    Function<resize_as>);
INGOT_OP(
    "aten::resize_as_(Tensor(a!) self, Tensor the_template, *, MemoryFormat? memory_format=None) "
    "-> Tensor(a!)",
    Function<resize_as_>);

}  // namespace
}  // namespace ingot

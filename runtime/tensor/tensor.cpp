#include <ingot/tensor.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <tuple>
#include <utility>

#include <ingot/check.h>
#include "base/blocks.h"
#include "tensor/abstract.h"
#include "tensor/convert.h"
#include "tensor/memory.h"

namespace ingot {
namespace {

constexpr size_t kAlignment = 64;

// A tensor that owns its memory is one block: TensorImpl, Storage, bytes. The block lives as
// long as the Storage; `context` points to its TensorImpl, which views may outlive.
constexpr size_t kHead = sizeof(detail::TensorImpl) + sizeof(Storage);

// Kernels may read a whole vector past the end of a row, never write it.
constexpr size_t block_bytes(size_t bytes) { return kHead + bytes + 2 * kAlignment; }

// Small ones are the ordinary allocator's, which is fastest.
void release_owned(Storage* storage) {
  const size_t bytes = block_bytes(storage->bytes);
  if (bytes >= kLeastKept)
    free_block(storage->context, bytes);
  else
    std::free(storage->context);
}

// What a tensor got later in place of the memory in its block. The block is kept for its
// TensorImpl.
struct Replaced {
  const detail::TensorImpl* impl;
  Storage* first;
  Tensor memory;
};

void release_replaced(Storage* storage) {
  auto* replaced = static_cast<Replaced*>(storage->context);
  Storage* const first = replaced->first;
  delete replaced;
  delete storage;
  first->release(first);
}

bool is_in_block(const detail::TensorImpl* impl) {
  const Storage* storage = impl->storage;
  if (!storage) return false;
  if (storage->release == &release_replaced)
    return static_cast<const Replaced*>(storage->context)->impl == impl;
  return storage->context == impl && storage->release == &release_owned;
}

struct Borrowed {
  void (*release)(void*);
  void* context;
};

void release_borrowed(Storage* storage) {
  auto* borrowed = static_cast<Borrowed*>(storage->context);
  if (borrowed->release) borrowed->release(borrowed->context);
  delete borrowed;
  delete storage;
}

void set_row_major_strides(detail::TensorImpl* impl) {
  impl->strides = impl->info.sizes;
  int64_t stride = 1;
  for (int d = impl->strides.size() - 1; d >= 0; --d) {
    impl->strides[d] = stride;
    // Wraps, harmlessly, only for huge sizes beside a size 0.
    stride = static_cast<int64_t>(static_cast<uint64_t>(stride) *
                                  static_cast<uint64_t>(std::max<int64_t>(impl->info.sizes[d], 1)));
  }
}

bool row_major(const Dims& sizes, const Dims& strides) {
  if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) return true;
  int64_t expected = 1;
  for (int d = sizes.size() - 1; d >= 0; --d) {
    if (sizes[d] == 1) continue;
    if (strides[d] != expected) return false;
    expected *= sizes[d];
  }
  return true;
}

// First and one past the last element that the view touches, in elements from its data.
std::pair<int64_t, int64_t> extent(std::span<const int64_t> sizes,
                                   std::span<const int64_t> strides) {
  int64_t low = 0;
  int64_t high = 1;
  bool overflow = false;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] == 0) return {0, 0};
    int64_t reach;
    overflow |= __builtin_mul_overflow(sizes[d] - 1, strides[d], &reach);
    int64_t& end = reach < 0 ? low : high;
    overflow |= __builtin_add_overflow(end, reach, &end);
  }
  INGOT_CHECK(!overflow, "sizes ", sizes, " with strides ", strides,
              " reach past the address space");
  return {low, high};
}

int64_t checked_numel(std::span<const int64_t> sizes) {
  const int64_t numel = numel_of(sizes);
  INGOT_CHECK(numel <= std::numeric_limits<int64_t>::max() / 32, "a tensor of sizes ", sizes,
              " is too large");
  return numel;
}

// Without storage and strides.
detail::TensorImpl* new_impl(DType dtype, std::span<const int64_t> sizes) {
  const int64_t numel = checked_numel(sizes);
  const Dims dims(sizes);
  auto* impl = new detail::TensorImpl;
  impl->info.dtype = dtype;
  impl->info.sizes = dims;
  impl->numel = numel;
  return impl;
}

}  // namespace

void detail::destroy(TensorImpl* impl) {
  Storage* const storage = impl->storage;
  if (!is_in_block(impl)) delete impl;
  if (storage && storage->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
    storage->release(storage);
}

void replace_memory(const Tensor& tensor, Tensor memory) {
  detail::TensorImpl* impl = tensor.impl();
  Storage* const before = impl->storage;
  std::byte* const data = memory.impl()->storage->data;
  if (is_in_block(impl)) {
    auto* storage = new Storage;
    storage->data = data;
    storage->bytes = memory.impl()->storage->bytes;
    storage->release = &release_replaced;
    storage->context = new Replaced{impl, before, std::move(memory)};
    impl->storage = storage;
  } else {
    impl->storage = memory.impl()->storage;
    impl->storage->references.fetch_add(1, std::memory_order_relaxed);
    if (before && before->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
      before->release(before);
  }
  impl->data = data;
}

Tensor Tensor::empty(DType dtype, std::span<const int64_t> sizes) {
  const int64_t numel = checked_numel(sizes);
  const Dims dims(sizes);
  const size_t bytes = static_cast<size_t>(numel) * size_of(dtype);
  static_assert(sizeof(detail::TensorImpl) % alignof(Storage) == 0);
  const size_t needed = block_bytes(bytes);
  auto* block =
      static_cast<std::byte*>(needed >= kLeastKept ? allocate_block(needed) : std::malloc(needed));
  if (!block) fail(ErrorCode::out_of_memory, "out of memory: a tensor needs ", bytes, " bytes");
  auto* impl = new (block) detail::TensorImpl;
  auto* storage = new (block + sizeof(detail::TensorImpl)) Storage;
  const auto start = reinterpret_cast<uintptr_t>(block + kHead);
  storage->data = reinterpret_cast<std::byte*>((start + kAlignment - 1) & ~(kAlignment - 1));
  storage->bytes = bytes;
  storage->release = &release_owned;
  storage->context = impl;
  impl->storage = storage;
  impl->data = storage->data;
  impl->numel = numel;
  impl->info.dtype = dtype;
  impl->info.sizes = dims;
  set_row_major_strides(impl);
  return attach(impl);
}

Tensor Tensor::zeros(DType dtype, std::span<const int64_t> sizes) {
  Tensor tensor = empty(dtype, sizes);
  std::memset(tensor.data(), 0, tensor.nbytes());
  return tensor;
}

Tensor Tensor::meta(const TensorInfo& info) {
  Tensor tensor = attach(new_impl(info.dtype, info.sizes));
  set_row_major_strides(tensor.impl_);
  return tensor;
}

Tensor Tensor::from_blob(void* data, DType dtype, std::span<const int64_t> sizes,
                         std::span<const int64_t> strides, void (*release)(void*), void* context,
                         bool writable) {
  Tensor tensor = attach(new_impl(dtype, sizes));
  detail::TensorImpl* impl = tensor.impl_;
  int64_t low = 0;
  int64_t high = impl->numel;
  if (strides.empty()) {
    set_row_major_strides(impl);
  } else {
    INGOT_CHECK(strides.size() == sizes.size(), "a tensor of sizes ", sizes,
                " cannot have strides ", strides, ": one stride per dimension");
    impl->strides = Dims(strides);
    impl->contiguous = row_major(impl->info.sizes, impl->strides);
    std::tie(low, high) = extent(sizes, strides);
  }
  auto* first = static_cast<std::byte*>(data) + low * static_cast<int64_t>(size_of(dtype));
  impl->storage = new Storage;
  impl->storage->data = first;
  impl->storage->bytes = static_cast<size_t>(high - low) * size_of(dtype);
  impl->storage->writable = writable;
  impl->storage->context = new Borrowed{release, context};
  impl->storage->release = &release_borrowed;
  impl->data = static_cast<std::byte*>(data);
  return tensor;
}

bool Tensor::is_borrowed() const {
  return impl_->storage && impl_->storage->release == &release_borrowed;
}

Tensor Tensor::as_strided(std::span<const int64_t> sizes, std::span<const int64_t> strides,
                          int64_t offset) const {
  INGOT_CHECK(strides.size() == sizes.size(), "sizes ", sizes, " and strides ", strides,
              " differ in length");
  Tensor view = attach(new_impl(dtype(), sizes));
  detail::TensorImpl* impl = view.impl_;
  impl->strides = Dims(strides);
  impl->contiguous = row_major(impl->info.sizes, impl->strides);
  if (!has_data()) return view;
  const auto [low, high] = extent(sizes, strides);
  const auto item = static_cast<int64_t>(size_of(dtype()));
  const int64_t begin = (impl_->data - impl_->storage->data) / item;
  const int64_t end = static_cast<int64_t>(impl_->storage->bytes) / item;
  int64_t first;
  int64_t last;
  const bool overflow = __builtin_add_overflow(begin, offset, &offset) ||
                        __builtin_add_overflow(offset, low, &first) ||
                        __builtin_add_overflow(offset, high, &last);
  if (impl->numel == 0) {
    if (overflow || offset < 0 || offset > end) offset = begin;
  } else {
    INGOT_CHECK(!overflow && first >= 0 && last <= end, "sizes ", sizes, " with strides ", strides,
                " at offset ", offset, " reach outside a storage of ", end, " elements");
  }
  impl->storage = impl_->storage;
  impl->storage->references.fetch_add(1, std::memory_order_relaxed);
  impl->data = impl->storage->data + offset * item;
  return view;
}

Tensor Tensor::contiguous() const { return is_contiguous() ? *this : clone(); }

Tensor Tensor::clone() const {
  if (auto* memory = detail::abstract_memory(*this)) return memory->copy(*this, dtype());
  Tensor copy = empty(info());
  if (numel() == 0) return copy;
  if (is_contiguous())
    std::memcpy(copy.data(), data(), nbytes());
  else
    copy_into(*this, copy);
  return copy;
}

double Tensor::item_double() const {
  INGOT_CHECK(numel() == 1, "a number was asked of ", *this, ": it must have one element");
  double value;
  Tensor out = from_blob(&value, DType::f64, sizes());
  copy_into(*this, out);
  return value;
}

int64_t Tensor::item_int() const {
  INGOT_CHECK(numel() == 1, "a number was asked of ", *this, ": it must have one element");
  int64_t value;
  Tensor out = from_blob(&value, DType::i64, sizes());
  copy_into(*this, out);
  return value;
}

std::string Tensor::describe() const {
  return defined() ? ingot::describe(info()) : std::string("None");
}

std::string describe(const TensorInfo& info) { return concat(info.dtype, info.sizes); }

}  // namespace ingot

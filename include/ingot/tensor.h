// Tensors: a dtype, sizes and strides over shared, reference-counted storage.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>

#include <ingot/dtype.h>

namespace ingot {

// Largest number of dimensions of a tensor.
inline constexpr int kMaxRank = 16;

// A short vector of sizes or strides without heap memory.
class INGOT_API Dims {
 public:
  Dims() = default;
  Dims(const Dims& other) : size_(other.size_) { copy_values(other.values_); }
  Dims& operator=(const Dims& other) {
    if (this == &other) return *this;
    size_ = other.size_;
    copy_values(other.values_);
    return *this;
  }
  Dims(std::initializer_list<int64_t> values);
  explicit Dims(std::span<const int64_t> values);
  // `rank` copies of `value`.
  static Dims filled(int rank, int64_t value);

  int size() const { return size_; }
  bool empty() const { return size_ == 0; }
  int64_t& operator[](int i) { return values_[i]; }
  int64_t operator[](int i) const { return values_[i]; }
  int64_t* begin() { return values_; }
  int64_t* end() { return values_ + size_; }
  const int64_t* begin() const { return values_; }
  const int64_t* end() const { return values_ + size_; }
  int64_t& back() { return values_[size_ - 1]; }
  int64_t back() const { return values_[size_ - 1]; }
  // Throws Error past kMaxRank.
  void push_back(int64_t value);
  void insert(int index, int64_t value);
  void erase(int index);
  operator std::span<const int64_t>() const { return {values_, static_cast<size_t>(size_)}; }
  bool operator==(const Dims& other) const;

 private:
  // Ranks are small: a loop over what is there beats copying the whole array.
  void copy_values(const int64_t* from) {
    for (int i = 0; i < size_; ++i) values_[i] = from[i];
  }

  int size_ = 0;
  int64_t values_[kMaxRank];
};

// Product of `sizes`. Throws Error if it does not fit in int64.
INGOT_API int64_t numel_of(std::span<const int64_t> sizes);

// What is known of a tensor before its data exists: the currency of meta functions.
struct TensorInfo {
  DType dtype = DType::f32;
  Dims sizes;
};

namespace detail {
class AbstractMemory;
}

// Bytes shared by tensors. Immutable storage (memory-mapped weights) refuses in-place writes.
struct Storage {
  std::atomic<int64_t> references{1};
  std::byte* data = nullptr;
  size_t bytes = 0;
  bool writable = true;
  void (*release)(Storage*) = nullptr;  // frees the Storage and what it owns
  void* context = nullptr;              // for `release`
  // Not null: there are no bytes; copies of tensors on this storage are made by it.
  detail::AbstractMemory* abstract = nullptr;
};

namespace detail {

struct TensorImpl {
  std::atomic<int64_t> references{1};
  Storage* storage = nullptr;  // null: a meta tensor, sizes without data
  std::byte* data = nullptr;   // storage->data + offset
  int64_t numel = 0;
  bool contiguous = true;
  TensorInfo info;
  Dims strides;  // in elements
};

INGOT_API void destroy(TensorImpl* impl);

}  // namespace detail

// A handle: copying shares the data. A default-constructed Tensor is undefined.
// Row-major ("contiguous") unless made as a view.
class INGOT_API Tensor {
 public:
  Tensor() = default;
  Tensor(const Tensor& other) : impl_(other.impl_) { retain(); }
  Tensor(Tensor&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
  Tensor& operator=(const Tensor& other) {
    Tensor copy(other);
    std::swap(impl_, copy.impl_);
    return *this;
  }
  Tensor& operator=(Tensor&& other) noexcept {
    std::swap(impl_, other.impl_);
    return *this;
  }
  ~Tensor() { release(); }

  // Uninitialised memory, 64-byte aligned. Throws Error (out_of_memory, invalid_argument).
  static Tensor empty(DType dtype, std::span<const int64_t> sizes);
  static Tensor empty(DType dtype, std::initializer_list<int64_t> sizes) {
    return empty(dtype, std::span<const int64_t>(sizes.begin(), sizes.size()));
  }
  static Tensor empty(const TensorInfo& info) { return empty(info.dtype, info.sizes); }
  static Tensor zeros(DType dtype, std::span<const int64_t> sizes);
  // Copies row-major `values`.
  template <class T>
  static Tensor from(std::span<const T> values, std::span<const int64_t> sizes);
  // Uses the caller's memory in place; `release(context)` runs when the last tensor on it
  // dies (may be null). `strides` are in elements; empty means row-major.
  static Tensor from_blob(void* data, DType dtype, std::span<const int64_t> sizes,
                          std::span<const int64_t> strides = {}, void (*release)(void*) = nullptr,
                          void* context = nullptr, bool writable = true);
  // Sizes and dtype without data, for meta functions.
  static Tensor meta(const TensorInfo& info);

  bool defined() const { return impl_ != nullptr; }
  explicit operator bool() const { return defined(); }
  bool has_data() const { return impl_->storage != nullptr; }
  DType dtype() const { return impl_->info.dtype; }
  int rank() const { return impl_->info.sizes.size(); }
  const Dims& sizes() const { return impl_->info.sizes; }
  int64_t size(int dim) const { return impl_->info.sizes[dim]; }
  const Dims& strides() const { return impl_->strides; }
  int64_t stride(int dim) const { return impl_->strides[dim]; }
  int64_t numel() const { return impl_->numel; }
  const TensorInfo& info() const { return impl_->info; }
  size_t nbytes() const { return static_cast<size_t>(impl_->numel) * size_of(impl_->info.dtype); }
  bool is_contiguous() const { return impl_->contiguous; }
  bool writable() const { return impl_->storage && impl_->storage->writable; }
  // True if the memory is the caller's (from_blob), so that it may change or go.
  bool is_borrowed() const;

  void* data() const { return impl_->data; }
  // The caller answers for T matching dtype().
  template <class T>
  T* data() const {
    return reinterpret_cast<T*>(impl_->data);
  }
  // The single element of a one-element tensor, converted as C++ converts.
  double item_double() const;
  int64_t item_int() const;

  // A view of the same storage; `offset` in elements from this tensor's data. Throws Error
  // if the view would reach outside the storage.
  Tensor as_strided(std::span<const int64_t> sizes, std::span<const int64_t> strides,
                    int64_t offset) const;
  // This tensor if row-major, else a copy.
  Tensor contiguous() const;
  Tensor clone() const;
  // Converts as PyTorch's Tensor.to(dtype). Returns this tensor if the dtype is the same.
  Tensor to(DType dtype) const;
  // True if the storages of both have bytes in common: they are the same, or both were borrowed of
  // overlapping memory.
  bool shares_storage(const Tensor& other) const {
    if (!impl_ || !other.impl_ || !impl_->storage || !other.impl_->storage) return false;
    const Storage& one = *impl_->storage;
    const Storage& two = *other.impl_->storage;
    return &one == &two || (one.data < two.data + two.bytes && two.data < one.data + one.bytes);
  }
  Storage* storage() const { return impl_->storage; }

  // "f32[2, 3]"
  std::string describe() const;

  // Hand the reference to and from C code and Value.
  detail::TensorImpl* detach() { return std::exchange(impl_, nullptr); }
  detail::TensorImpl* impl() const { return impl_; }
  static Tensor attach(detail::TensorImpl* impl) {
    Tensor tensor;
    tensor.impl_ = impl;
    return tensor;
  }

 private:
  void retain() {
    if (impl_) impl_->references.fetch_add(1, std::memory_order_relaxed);
  }
  void release() {
    if (impl_ && impl_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
      detail::destroy(impl_);
  }

  detail::TensorImpl* impl_ = nullptr;
};

// The DType of a C++ element type.
template <class T>
struct dtype_of;
template <>
struct dtype_of<uint8_t> {
  static constexpr DType value = DType::u8;
};
template <>
struct dtype_of<int8_t> {
  static constexpr DType value = DType::i8;
};
template <>
struct dtype_of<int16_t> {
  static constexpr DType value = DType::i16;
};
template <>
struct dtype_of<int32_t> {
  static constexpr DType value = DType::i32;
};
template <>
struct dtype_of<int64_t> {
  static constexpr DType value = DType::i64;
};
template <>
struct dtype_of<Half> {
  static constexpr DType value = DType::f16;
};
template <>
struct dtype_of<BFloat16> {
  static constexpr DType value = DType::bf16;
};
template <>
struct dtype_of<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct dtype_of<double> {
  static constexpr DType value = DType::f64;
};
template <>
struct dtype_of<bool> {
  static constexpr DType value = DType::boolean;
};

template <class T>
Tensor Tensor::from(std::span<const T> values, std::span<const int64_t> sizes) {
  return from_blob(const_cast<T*>(values.data()), dtype_of<T>::value, sizes).clone();
}

// "f32[2, 3]"
INGOT_API std::string describe(const TensorInfo& info);

}  // namespace ingot

// Memory of kernels: packed weights and short-lived buffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace ingot {

namespace detail {

// At least 64-byte aligned. Large blocks ask the system for large pages, which spare products
// over many megabytes most of their address translations. Throws std::bad_alloc.
void* allocate_workspace(size_t bytes);
void free_workspace(void* memory, size_t bytes);

}  // namespace detail

// `count` uninitialised elements, 64-byte aligned, for the lifetime of the object.
template <class T>
class Workspace {
 public:
  explicit Workspace(int64_t count)
      : bytes_(count > 0 ? static_cast<size_t>(count) * sizeof(T) : 0),
        data_(bytes_ ? static_cast<T*>(detail::allocate_workspace(bytes_)) : nullptr) {
    static_assert(std::is_trivially_destructible_v<T>);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() {
    if (data_) detail::free_workspace(data_, bytes_);
  }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](int64_t i) { return data_[i]; }

 private:
  size_t bytes_;
  T* data_;
};

}  // namespace ingot

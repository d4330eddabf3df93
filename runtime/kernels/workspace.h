// Memory of kernels: packed weights and short-lived buffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include "base/blocks.h"

namespace ingot {

// `count` uninitialised elements, 64-byte aligned, for the lifetime of the object. The constructor
// throws std::bad_alloc.
template <class T>
class Workspace {
 public:
  explicit Workspace(int64_t count)
      : bytes_(count > 0 ? static_cast<size_t>(count) * sizeof(T) : 0),
        data_(bytes_ ? static_cast<T*>(allocate_block(bytes_)) : nullptr) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (bytes_ && !data_) throw std::bad_alloc();
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { free_block(data_, bytes_); }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](int64_t i) { return data_[i]; }

 private:
  size_t bytes_;
  T* data_;
};

}  // namespace ingot

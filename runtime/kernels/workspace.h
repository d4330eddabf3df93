// Short-lived memory of kernels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

namespace ingot {

// `count` uninitialised elements, 64-byte aligned, for the lifetime of the object.
template <class T>
class Workspace {
 public:
  explicit Workspace(int64_t count)
      : data_(count > 0 ? static_cast<T*>(
                              ::operator new(static_cast<size_t>(count) * sizeof(T), kAlignment))
                        : nullptr) {
    static_assert(std::is_trivially_destructible_v<T>);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { ::operator delete(data_, kAlignment); }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](int64_t i) { return data_[i]; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  T* data_;
};

}  // namespace ingot

// A vector of integers that keeps short ones inline.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ingot {

// Fixed at construction; up to 8 elements need no heap memory.
class IntList {
 public:
  IntList() = default;
  explicit IntList(size_t size) : size_(size) {
    if (size > kInline) heap_.resize(size);
  }
  IntList(std::span<const int64_t> values) : IntList(values.size()) {
    for (size_t i = 0; i < size_; ++i) data()[i] = values[i];
  }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  int64_t* data() { return size_ > kInline ? heap_.data() : inline_; }
  const int64_t* data() const { return size_ > kInline ? heap_.data() : inline_; }
  int64_t& operator[](size_t i) { return data()[i]; }
  int64_t operator[](size_t i) const { return data()[i]; }
  const int64_t* begin() const { return data(); }
  const int64_t* end() const { return data() + size_; }
  operator std::span<const int64_t>() const { return {data(), size_}; }

 private:
  static constexpr size_t kInline = 8;
  size_t size_ = 0;
  int64_t inline_[kInline];
  std::vector<int64_t> heap_;
};

}  // namespace ingot

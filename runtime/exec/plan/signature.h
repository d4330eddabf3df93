// What a plan was made for: kinds, dtypes, sizes and strides of tensors, values of numbers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ingot/value.h>

namespace ingot {

class Signature {
 public:
  Signature() = default;
  // Of the registers `which`.
  Signature(const Value* registers, std::span<const int32_t> which);

  bool matches(const Value* registers, std::span<const int32_t> which) const;
  uint64_t hash() const;
  // False for values that no signature can tell apart: those with instances in them.
  bool is_complete() const { return complete_; }
  bool operator==(const Signature&) const = default;
  size_t bytes() const { return words_.size() * sizeof(int64_t); }

 private:
  std::vector<int64_t> words_;
  bool complete_ = true;
};

}  // namespace ingot

#include <algorithm>

#include <ingot/tensor.h>

#include <ingot/check.h>

namespace ingot {

Dims::Dims(std::initializer_list<int64_t> values)
    : Dims(std::span<const int64_t>(values.begin(), values.size())) {}

Dims::Dims(std::span<const int64_t> values) {
  INGOT_CHECK(values.size() <= kMaxRank, "a tensor of ", values.size(),
              " dimensions is not supported: at most ", kMaxRank);
  size_ = static_cast<int>(values.size());
  copy_values(values.data());
}

Dims Dims::filled(int rank, int64_t value) {
  INGOT_CHECK(rank >= 0 && rank <= kMaxRank, "a tensor of ", rank,
              " dimensions is not supported: at most ", kMaxRank);
  Dims dims;
  dims.size_ = rank;
  std::fill_n(dims.values_, rank, value);
  return dims;
}

void Dims::push_back(int64_t value) { insert(size_, value); }

void Dims::insert(int index, int64_t value) {
  INGOT_CHECK(size_ < kMaxRank, "a tensor of ", size_ + 1, " dimensions is not supported: at most ",
              kMaxRank);
  std::copy_backward(values_ + index, values_ + size_, values_ + size_ + 1);
  values_[index] = value;
  ++size_;
}

void Dims::erase(int index) {
  std::copy(values_ + index + 1, values_ + size_, values_ + index);
  --size_;
}

bool Dims::operator==(const Dims& other) const {
  return std::equal(begin(), end(), other.begin(), other.end());
}

int64_t numel_of(std::span<const int64_t> sizes) {
  int64_t numel = 1;
  bool overflow = false;
  for (const int64_t size : sizes) {
    INGOT_CHECK(size >= 0, "a tensor cannot have the negative size ", size, " in ", sizes);
    if (size == 0) return 0;
    overflow |= __builtin_mul_overflow(numel, size, &numel);
  }
  INGOT_CHECK(!overflow, "a tensor of sizes ", sizes, " has too many elements");
  return numel;
}

}  // namespace ingot

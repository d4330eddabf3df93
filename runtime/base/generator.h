// The source of random numbers: one generator for the process, as PyTorch has one for the CPU.
// Draws follow ATen's (ATen/core/DistributionsHelper.h, MT19937RNGEngine.h), so that equal seeds
// give equal numbers.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <random>

#include <ingot/random.h>

namespace ingot {

class Generator {
 public:
  explicit Generator(uint64_t seed) { this->seed(seed); }
  void seed(uint64_t seed);

  uint32_t bits32() { return static_cast<uint32_t>(engine_()); }
  // The first draw is the upper half.
  uint64_t bits64() {
    const uint64_t high = bits32();
    return high << 32 | bits32();
  }
  // In [0, 1), with 24 and 53 random bits.
  float uniform_float() { return static_cast<float>(bits32() & 0xffffff) * 0x1p-24f; }
  double uniform() { return static_cast<double>(bits64() & 0x1fffffffffffff) * 0x1p-53; }
  // Standard normal: Box and Muller's two values, one after the other.
  double normal();

 private:
  std::mt19937 engine_;
  std::optional<double> second_normal_;
};

// The process's generator, held for the draws of one op.
class Draws {
 public:
  INGOT_API Draws();
  Generator* operator->() const { return generator_; }
  Generator& operator*() const { return *generator_; }

 private:
  std::unique_lock<std::mutex> lock_;
  Generator* generator_;
};

// The process's generator as it is, and its return to a former state.
INGOT_API Generator random_state();
INGOT_API void set_random_state(const Generator& state);

}  // namespace ingot

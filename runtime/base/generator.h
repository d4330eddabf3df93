// The source of random numbers: one generator for the process, as PyTorch has one for the CPU, and
// those that programs make.
// Draws follow ATen's (ATen/core/DistributionsHelper.h, MT19937RNGEngine.h), so that equal seeds
// give equal numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <type_traits>

#include <ingot/random.h>

namespace ingot {

// MT19937 (Matsumoto and Nishimura, ACM TOMACS 8, 1998). An object's bytes are those of
// torch.Generator.get_state() for the CPU, so that states can be exchanged with PyTorch.
class Generator {
 public:
  explicit Generator(uint64_t seed) { this->seed(seed); }
  // Of bytes that may come from anywhere. Throws Error (invalid_argument) if they are no state.
  INGOT_API static Generator from_bytes(std::span<const std::byte> bytes);
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(this, 1)); }

  // PyTorch's engine takes the lower 32 bits.
  INGOT_API void seed(uint64_t seed);
  uint64_t initial_seed() const { return seed_; }

  uint32_t bits32() {
    if (--left_ == 0) refill();
    auto bits = static_cast<uint32_t>(words_[next_++]);
    bits ^= bits >> 11;
    bits ^= bits << 7 & 0x9d2c5680;
    bits ^= bits << 15 & 0xefc60000;
    return bits ^ bits >> 18;
  }
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
  static constexpr int kWords = 624;
  Generator() = default;
  void refill();

  uint64_t seed_ = 0;
  int32_t left_ = 1;  // draws until the words are made anew, and one
  int32_t seeded_ = 1;
  uint64_t next_ = 0;         // the word of the next draw
  uint64_t words_[kWords]{};  // of 32 bits
  [[maybe_unused]] double no_meaning_ = 0;
  double second_normal_ = 0;
  [[maybe_unused]] double no_meaning_either_ = 0;
  int32_t has_second_normal_ = 0;
  [[maybe_unused]] int32_t of_floats_[3]{};  // PyTorch's for a normal draw that no op makes
};
static_assert(sizeof(Generator) == 5056 && std::is_trivially_copyable_v<Generator>);

// The generator that an op draws from, held for its draws: the process's, or that of the thread's
// GivenGenerator.
class Draws {
 public:
  INGOT_API Draws();
  Generator* operator->() const { return generator_; }
  Generator& operator*() const { return *generator_; }

 private:
  std::unique_lock<std::mutex> lock_;
  Generator* generator_;
};

// While it lives, this thread draws from `generator`.
class GivenGenerator {
 public:
  INGOT_API explicit GivenGenerator(Generator& generator);
  INGOT_API ~GivenGenerator();
  GivenGenerator(const GivenGenerator&) = delete;

 private:
  Generator* const outer_;
};

// The process's generator as it is, and its return to a former state.
INGOT_API Generator random_state();
INGOT_API void set_random_state(const Generator& state);

}  // namespace ingot

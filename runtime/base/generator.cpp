#include "base/generator.h"

#include <cmath>
#include <cstring>
#include <numbers>
#include <random>
#include <utility>

#include <ingot/check.h>

namespace ingot {
namespace {

struct Shared {
  std::mutex mutex;
  Generator generator{std::random_device{}()};
};

Shared& shared() {
  static Shared instance;
  return instance;
}

thread_local Generator* given = nullptr;

}  // namespace

Generator Generator::from_bytes(std::span<const std::byte> bytes) {
  Generator result(0);
  INGOT_CHECK(bytes.size() == sizeof result, "the state of a generator has ", sizeof result,
              " bytes, got ", bytes.size());
  std::memcpy(static_cast<void*>(&result), bytes.data(), sizeof result);
  const bool whole = result.left_ >= 1 && result.left_ <= kWords && result.next_ <= kWords &&
                     result.next_ + static_cast<uint64_t>(result.left_) - 1 <= kWords;
  INGOT_CHECK(whole && result.seeded_ == 1, "these bytes are no state of a generator");
  return result;
}

void Generator::seed(uint64_t seed) {
  *this = Generator();
  seed_ = seed;
  auto word = static_cast<uint32_t>(seed);
  words_[0] = word;
  for (uint32_t i = 1; i < kWords; ++i) words_[i] = word = 1812433253 * (word ^ word >> 30) + i;
}

void Generator::refill() {
  const auto twisted = [this](int at, int after, int from) {
    const auto word =
        static_cast<uint32_t>((words_[at] & 0x80000000) | (words_[after] & 0x7fffffff));
    return (word >> 1) ^ (word & 1 ? 0x9908b0df : 0) ^ static_cast<uint32_t>(words_[from]);
  };
  constexpr int kShift = 397;
  for (int i = 0; i < kWords - kShift; ++i) words_[i] = twisted(i, i + 1, i + kShift);
  for (int i = kWords - kShift; i < kWords - 1; ++i)
    words_[i] = twisted(i, i + 1, i + kShift - kWords);
  words_[kWords - 1] = twisted(kWords - 1, 0, kShift - 1);
  left_ = kWords;
  next_ = 0;
}

double Generator::normal() {
  if (has_second_normal_) {
    has_second_normal_ = 0;
    return std::exchange(second_normal_, 0);
  }
  const double angle = 2 * std::numbers::pi * uniform();
  const double radius = std::sqrt(-2 * std::log1p(-uniform()));
  second_normal_ = radius * std::sin(angle);
  has_second_normal_ = 1;
  return radius * std::cos(angle);
}

Draws::Draws()
    : lock_(shared().mutex, std::defer_lock), generator_(given ? given : &shared().generator) {
  if (!given) lock_.lock();
}

GivenGenerator::GivenGenerator(Generator& generator) : outer_(std::exchange(given, &generator)) {}
GivenGenerator::~GivenGenerator() { given = outer_; }

Generator random_state() { return *Draws(); }
void set_random_state(const Generator& state) { *Draws() = state; }

void manual_seed(uint64_t seed) { Draws()->seed(seed); }

}  // namespace ingot

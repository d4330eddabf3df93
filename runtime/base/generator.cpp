#include "base/generator.h"

#include <cmath>
#include <numbers>

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

}  // namespace

void Generator::seed(uint64_t seed) {
  engine_.seed(static_cast<uint32_t>(seed));
  second_normal_.reset();
}

double Generator::normal() {
  if (second_normal_) {
    const double value = *second_normal_;
    second_normal_.reset();
    return value;
  }
  const double angle = 2 * std::numbers::pi * uniform();
  const double radius = std::sqrt(-2 * std::log1p(-uniform()));
  second_normal_ = radius * std::sin(angle);
  return radius * std::cos(angle);
}

Draws::Draws() : lock_(shared().mutex), generator_(&shared().generator) {}

Generator random_state() { return *Draws(); }
void set_random_state(const Generator& state) { *Draws() = state; }

void manual_seed(uint64_t seed) { Draws()->seed(seed); }

}  // namespace ingot

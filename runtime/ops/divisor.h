// Quotients by one positive integer without divisions, which take some 20 cycles each.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace ingot {

// Granlund and Montgomery, "Division by Invariant Integers using Multiplication", PLDI 1994,
// theorem 4.2 for dividends below 2^63: with 2^(l-1) < d < 2^l and m = ceil(2^(63+l) / d) the
// quotient is m u / 2^(63+l) rounded down.
class Divisor {
 public:
  // d >= 1
  explicit Divisor(int64_t d) : divisor_(d), power_(std::has_single_bit(static_cast<uint64_t>(d))) {
    shift_ = std::bit_width(static_cast<uint64_t>(d)) - 1;
    if (!power_)
      factor_ = static_cast<uint64_t>((static_cast<unsigned __int128>(1) << (64 + shift_)) /
                                      static_cast<uint64_t>(d)) +
                1;
  }
  bool is_power_of_two() const { return power_; }

  // Rounded down, of a divisor that is a power of two and of one that is none. For a < 0 it is
  // -1 - quotient(-1 - a).
  int64_t shifted(int64_t a) const { return a >> shift_; }
  int64_t multiplied(int64_t a) const {
    const int64_t sign = a >> 63;
    const auto u = static_cast<uint64_t>(a ^ sign);
    const auto high = static_cast<uint64_t>((static_cast<unsigned __int128>(factor_) * u) >> 64);
    return static_cast<int64_t>(high >> shift_) ^ sign;
  }
  // The remainder that belongs to a quotient rounded down, with Python's sign. The product may be
  // beyond an int64, the difference is not.
  int64_t rest(int64_t a, int64_t quotient) const {
    return static_cast<int64_t>(static_cast<uint64_t>(a) -
                                static_cast<uint64_t>(quotient) * static_cast<uint64_t>(divisor_));
  }
  int64_t masked(int64_t a) const { return a & (divisor_ - 1); }

 private:
  int64_t divisor_;
  bool power_;
  int shift_;  // l - 1, or the exponent of the power of two
  uint64_t factor_ = 0;
};

// The one positive number that all of b are, or 0.
inline int64_t common_divisor(const int64_t* b, int64_t count) {
  if (count == 0 || b[0] <= 0) return 0;
  int64_t others = 0;
  for (int64_t i = 1; i < count; ++i) others |= b[i] ^ b[0];
  return others == 0 ? b[0] : 0;
}

}  // namespace ingot

#include "ops/divisor.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <vector>

namespace ingot {
namespace {

constexpr int64_t kMost = INT64_MAX;
constexpr int64_t kLeast = INT64_MIN;

int64_t floor_quotient(int64_t a, int64_t d) { return a / d - (a % d < 0 ? 1 : 0); }

TEST(Divisor, AgreesWithDivisionAtTheEndsAndEverywhere) {
  std::mt19937_64 generator(1);
  std::vector<int64_t> divisors = {1, 2, 3, 5, 6, 7, 10, 641, 99'999, 100'000, kMost, kMost - 1};
  for (int shift = 2; shift < 63; ++shift)
    for (const int64_t offset : {-1, 0, 1}) divisors.push_back((int64_t{1} << shift) + offset);
  for (int i = 0; i < 500; ++i)
    divisors.push_back(static_cast<int64_t>(generator() >> (1 + i % 62)) | 1);
  for (const int64_t d : divisors) {
    const Divisor divisor(d);
    std::vector<int64_t> dividends = {0, 1, -1, d, -d, d - 1, 1 - d, kMost, kLeast, kLeast + 1};
    for (const int64_t near : {kMost / d * d, kLeast / d * d})
      for (const int64_t offset : {-1, 0, 1})
        dividends.push_back(
            static_cast<int64_t>(static_cast<uint64_t>(near) + static_cast<uint64_t>(offset)));
    for (int i = 0; i < 100; ++i)
      dividends.push_back(static_cast<int64_t>(generator()) >> (generator() % 64));
    for (const int64_t a : dividends) {
      const int64_t expected = floor_quotient(a, d);
      const int64_t rest = a % d < 0 ? a % d + d : a % d;
      if (divisor.is_power_of_two()) {
        ASSERT_EQ(divisor.shifted(a), expected) << a << " / " << d;
        ASSERT_EQ(divisor.masked(a), rest) << a << " % " << d;
      } else {
        ASSERT_EQ(divisor.multiplied(a), expected) << a << " / " << d;
        ASSERT_EQ(divisor.rest(a, divisor.multiplied(a)), rest) << a << " % " << d;
      }
    }
  }
}

TEST(Divisor, IsCommonOnlyToEqualPositiveNumbers) {
  const std::array<int64_t, 4> equal = {7, 7, 7, 7}, other = {7, 7, 7, 8}, negative = {-7, -7};
  EXPECT_EQ(common_divisor(equal.data(), 4), 7);
  EXPECT_EQ(common_divisor(other.data(), 4), 0);
  EXPECT_EQ(common_divisor(other.data(), 3), 7);
  EXPECT_EQ(common_divisor(negative.data(), 2), 0);
  EXPECT_EQ(common_divisor(equal.data(), 0), 0);
}

}  // namespace
}  // namespace ingot

// The regularized incomplete gamma functions, computed in double.
#include <cmath>
#include <limits>

#include "ops/families.h"
#include "ops/functions.h"

namespace ingot {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// Both expansions take some 6 sqrt(a) terms where x is near a; past this many terms the result
// is exact for every a below 1e9.
constexpr int kMaxTerms = 400000;

// log1p(u) - u without cancellation near 0.
double log1p_minus(double u) {
  if (std::abs(u) > 0.3) return std::log1p(u) - u;
  double power = u;
  double sum = 0;
  for (int k = 2; k < 40; ++k) {
    power *= -u;
    sum += power / k;
  }
  return sum;
}

// x^a exp(-x) / gamma(a + 1).
double leading_factor(double a, double x) {
  if (a < 20) return std::exp(a * std::log(x) - x - fn::log_gamma(a + 1));
  // Stirling's series (DLMF 5.11.1) takes the large parts of the exponent away.
  const double inverse = 1 / (a * a);
  const double stirling =
      (1.0 / 12 - inverse * (1.0 / 360 - inverse * (1.0 / 1260 - inverse / 1680))) / a;
  return std::exp(a * log1p_minus((x - a) / a) - stirling) / std::sqrt(2 * kPi * a);
}

// DLMF 8.7.1.
double lower_series(double a, double x) {
  double term = 1;
  double sum = 1;
  for (int k = 1; k < kMaxTerms && term > sum * 1e-17; ++k) {
    term *= x / (a + k);
    sum += term;
  }
  return sum * leading_factor(a, x);
}

// DLMF 8.9.2, evaluated forward by Lentz's method as modified by Thompson and Barnett (1986).
double upper_fraction(double a, double x) {
  constexpr double kTiny = 1e-300;
  double b = x + 1 - a;
  double c = 1 / kTiny;
  double d = 1 / (b == 0 ? kTiny : b);
  double value = d;
  for (int k = 1; k < kMaxTerms; ++k) {
    const double numerator = k * (a - k);
    b += 2;
    d = numerator * d + b;
    d = 1 / (d == 0 ? kTiny : d);
    c = b + numerator / c;
    if (c == 0) c = kTiny;
    value *= d * c;
    if (std::abs(d * c - 1) < 1e-16) break;
  }
  return value * a * leading_factor(a, x);
}

// For small a and x: 1 - x^a / gamma(a + 1) and the rest of 8.7.1 with 8.7.3, without loss.
double upper_series(double a, double x) {
  double power = 1;
  double sum = 0;
  for (int k = 1; k < 100 && std::abs(power) > 1e-18; ++k) {
    power *= -x / k;
    sum += power / (a + k);
  }
  const double exponent = a * std::log(x) - fn::log_gamma(a + 1);
  return -std::expm1(exponent) - std::exp(exponent) * a * sum;
}

double incomplete_gamma(bool upper, double a, double x) {
  if (x < 0 || a < 0) return kNan;
  if (a == 0) return x > 0 ? (upper ? 0 : 1) : kNan;
  if (x == 0) return upper ? 1 : 0;
  if (std::isinf(a)) return std::isinf(x) ? kNan : upper ? 1 : 0;
  if (std::isinf(x)) return upper ? 0 : 1;
  if (std::isnan(a) || std::isnan(x)) return kNan;
  if (x > 1 && x > a) {
    const double fraction = upper_fraction(a, x);
    return upper ? fraction : 1 - fraction;
  }
  if (upper && x <= 1 && a <= 1) return upper_series(a, x);
  const double series = lower_series(a, x);
  return upper ? 1 - series : series;
}

#define INGOT_INCOMPLETE_GAMMA(name, special_name, upper)                                      \
  static constexpr Elementwise row_##name = elementwise<2, 0, kFloats>(                        \
      Promotion::common,                                                                       \
      [](auto a, auto x) { return static_cast<decltype(a)>(incomplete_gamma(upper, a, x)); }); \
  INGOT_BINARY_PLAIN_NAME(name, row_##name);                                                   \
  INGOT_BINARY_PURE_NAME(special_name, row_##name)
INGOT_INCOMPLETE_GAMMA(igamma, special_gammainc, false);
INGOT_INCOMPLETE_GAMMA(igammac, special_gammaincc, true);

}  // namespace
}  // namespace ingot

#include <cmath>
#include <limits>

#include "ops/functions.h"

namespace ingot::fn {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kSqrtPi = 1.77245385090551602730;
constexpr double kSqrtHalf = 0.70710678118654752440;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Bernoulli numbers B2, B4, ...
constexpr double kBernoulli[] = {1.0 / 6,       -1.0 / 30,      1.0 / 42, -1.0 / 30,
                                 5.0 / 66,      -691.0 / 2730,  7.0 / 6,  -3617.0 / 510,
                                 43867.0 / 798, -174611.0 / 330};

template <size_t N>
double polynomial(const double (&coefficients)[N], double x) {
  double sum = 0;
  for (const double c : coefficients) sum = sum * x + c;
  return sum;
}

// Inverse of erfc on (0, 1]: a first value from M. Giles, "Approximating the erfinv function"
// (2010), or far out from erfc's asymptotic form; then Halley's steps.
double inverse_erfc(double q) {
  constexpr double kCentral[] = {2.81022636e-08,  3.43273939e-07, -3.5233877e-06,
                                 -4.39150654e-06, 0.00021858087,  -0.00125372503,
                                 -0.00417768164,  0.246640727,    1.50140941};
  constexpr double kTail[] = {-0.000200214257, 0.000100950558, 0.00134934322,
                              -0.00367342844,  0.00573950773,  -0.0076224613,
                              0.00943887047,   1.00167406,     2.83297682};
  const double w = -std::log(q * (2 - q));
  double y;
  if (w < 5) {
    y = polynomial(kCentral, w - 2.5) * (1 - q);
  } else if (w < 16) {
    y = polynomial(kTail, std::sqrt(w) - 3) * (1 - q);
  } else {
    y = std::sqrt(w);
    for (int i = 0; i < 3; ++i) y = std::sqrt(-std::log(q * y * kSqrtPi));
  }
  for (int i = 0; i < 3; ++i) {
    const double step = (std::erfc(y) - q) * kSqrtPi / 2 * std::exp(y * y);
    if (!std::isfinite(step)) break;
    y += step / (1 - y * step);
  }
  return y;
}

}  // namespace

double inverse_erf(double x) {
  const double magnitude = std::abs(x);
  if (!(magnitude <= 1)) return kNan;
  if (magnitude == 1) return std::copysign(kInfinity, x);
  if (magnitude > 0.5) return std::copysign(inverse_erfc(1 - magnitude), x);
  double y = x * kSqrtPi / 2;
  for (int i = 0; i < 5; ++i) y -= (std::erf(y) - x) * kSqrtPi / 2 * std::exp(y * y);
  return y;
}

double inverse_normal_cdf(double p) {
  if (!(p >= 0 && p <= 1)) return kNan;
  if (p == 0 || p == 1) return p == 0 ? -kInfinity : kInfinity;
  if (p > 0.25 && p < 0.75) return inverse_erf(2 * p - 1) / kSqrtHalf;
  return p < 0.5 ? -inverse_erfc(2 * p) / kSqrtHalf : inverse_erfc(2 * (1 - p)) / kSqrtHalf;
}

double log_gamma(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}

double digamma(double x) {
  if (x == 0) return std::copysign(kInfinity, -x);
  if (x == -kInfinity) return kNan;
  double sum = 0;
  if (x < 0) {
    if (x == std::trunc(x)) return kNan;
    const double fraction = x - std::trunc(x);  // tan has period 1 here
    sum = -kPi / std::tan(kPi * fraction);
    x = 1 - x;
  }
  for (; x < 10; ++x) sum -= 1 / x;
  if (x == kInfinity) return x;
  double power = 1;
  double series = 0;
  for (int k = 0; k < 8; ++k) {
    power /= x * x;
    series += kBernoulli[k] / (2 * (k + 1)) * power;
  }
  return sum + std::log(x) - 0.5 / x - series;
}

double bessel_i(int order, double x, bool scaled) {
  const double magnitude = std::abs(x);
  double value;
  if (magnitude < 30) {  // power series, Abramowitz and Stegun 9.6.10
    const double quarter = magnitude * magnitude / 4;
    double term = order == 0 ? 1 : magnitude / 2;
    double sum = term;
    for (int k = 1; term > sum * 1e-17; ++k) {
      term *= quarter / (k * static_cast<double>(k + order));
      sum += term;
    }
    value = scaled ? sum * std::exp(-magnitude) : sum;
  } else {  // 9.7.1
    double term = 1;
    double sum = 1;
    const double mu = 4.0 * order * order;
    for (int k = 1; k < 30 && std::abs(term) > 1e-17; ++k) {
      const double odd = 2 * k - 1;
      term *= -(mu - odd * odd) / (k * 8 * magnitude);
      sum += term;
    }
    const double root = std::sqrt(2 * kPi * magnitude);
    // Half of the exponent at a time: exp alone overflows before the quotient does.
    const double half = std::exp(magnitude / 2);
    value = scaled ? sum / root : sum / root * half * half;
    if (magnitude == kInfinity) value = scaled ? 0 : kNan;
  }
  return order == 1 && x < 0 ? -value : value;
}

double scaled_erfc(double x) {
  if (!(x > 10)) return std::exp(x * x) * std::erfc(x);
  double term = 1;
  double sum = 1;
  for (int k = 1; k < 12; ++k) {
    term *= -(2 * k - 1) / (2 * x * x);
    sum += term;
  }
  return sum / (x * kSqrtPi);
}

double log_normal_cdf(double x) {
  if (x < -1) return std::log(scaled_erfc(-x * kSqrtHalf) / 2) - x * x / 2;
  return std::log1p(-std::erfc(x * kSqrtHalf) / 2);
}

double hurwitz_zeta(double x, double q) {
  if (x == 1) return kInfinity;
  if (x < 1) return kNan;
  if (q <= 0) {
    if (q == std::floor(q)) return kInfinity;
    if (x != std::floor(x)) return kNan;
  }
  double sum = 0;
  for (; q < 12; ++q) sum += std::pow(q, -x);
  if (x == kInfinity) return sum > 0 ? sum : kNan;  // as PyTorch
  const double power = std::pow(q, -x);
  sum += power * q / (x - 1) + power / 2;
  double factor = x * power / q / 2;  // x (x + 1) ... (x + 2k - 2) q^(1 - x - 2k) / (2k)!
  for (int k = 1; k <= 10; ++k) {
    sum += kBernoulli[k - 1] * factor;
    factor *= (x + 2 * k - 1) * (x + 2 * k) / (q * q * (2 * k + 1) * (2 * k + 2));
  }
  return sum;
}

// Reflection, recurrence, then the asymptotic series (Abramowitz and Stegun 6.4.7, 6.4.6, 6.4.12).
// As PyTorch's it is finite at negative poles, where pi's rounding keeps the sine from being 0.
template <class T>
T trigamma(T x) {
  if (x < T(0.5)) {
    const T sine = std::sin(static_cast<T>(kPi) * x);
    return static_cast<T>(kPi * kPi) / (sine * sine) - trigamma(1 - x);
  }
  T sum = 0;
  for (int i = 0; i < 6; ++i, ++x) sum += 1 / (x * x);
  const T square = 1 / (x * x);
  return sum + (1 + 1 / (2 * x) + square * (T(1) / 6 - square * (T(1) / 30 - square / 42))) / x;
}

template <class T>
T polygamma(int64_t n, T x) {
  if (n == 0) return static_cast<T>(digamma(x));
  if (n == 1) return trigamma(x);
  const double order = static_cast<double>(n);
  const double value = std::exp(log_gamma(order + 1)) * hurwitz_zeta(order + 1, x);
  return static_cast<T>(n % 2 == 0 ? -value : value);
}
template float polygamma(int64_t, float);
template double polygamma(int64_t, double);

}  // namespace ingot::fn

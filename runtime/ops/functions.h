// Functions of one element, with PyTorch's results on integers, signs, NaN and overflow.
#pragma once

#include <bit>
#include <cmath>
#include <complex>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <ingot/check.h>

namespace ingot::fn {

template <class T>
concept Integer = std::integral<T>;

// Two's complement arithmetic that wraps instead of being undefined.
template <class T>
T add(T a, T b) {
  if constexpr (Integer<T>)
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  else
    return a + b;
}
template <class T>
T sub(T a, T b) {
  if constexpr (Integer<T>)
    return static_cast<T>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
  else
    return a - b;
}
template <class T>
T mul(T a, T b) {
  if constexpr (Integer<T>)
    return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  else
    return a * b;
}
// As PyTorch's: infinities beside NaN are not recovered.
template <class T>
std::complex<T> mul(std::complex<T> a, std::complex<T> b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}
// Smith's method, "Algorithm 116: Complex division" (1962), whose scale keeps squares in range.
template <class T>
std::complex<T> divide(std::complex<T> a, std::complex<T> b) {
  const bool wide = std::abs(b.real()) >= std::abs(b.imag());
  if (b.real() == 0 && b.imag() == 0) return {a.real() / T(0), a.imag() / T(0)};
  const T ratio = wide ? b.imag() / b.real() : b.real() / b.imag();
  const T scale = 1 / (wide ? b.real() + b.imag() * ratio : b.real() * ratio + b.imag());
  return wide ? std::complex<T>{(a.real() + a.imag() * ratio) * scale,
                                (a.imag() - a.real() * ratio) * scale}
              : std::complex<T>{(a.real() * ratio + a.imag()) * scale,
                                (a.imag() * ratio - a.real()) * scale};
}
template <class T>
T divide(T a, T b) {
  return a / b;
}
template <class T>
T negate(T a) {
  if constexpr (Integer<T>)
    return sub(T(0), a);
  else
    return -a;
}

// condition ? a : b without a branch, which random conditions would mislead.
template <class T>
T select(bool condition, T a, T b) {
  if constexpr (sizeof(T) == sizeof(uint64_t)) {
    const auto a_bits = std::bit_cast<uint64_t>(a);
    const auto b_bits = std::bit_cast<uint64_t>(b);
    return std::bit_cast<T>(b_bits ^ ((a_bits ^ b_bits) & -uint64_t{condition}));
  } else {
    return condition ? a : b;
  }
}

template <class T>
bool is_nan(T x) {
  if constexpr (Integer<T>)
    return false;
  else
    return x != x;
}

template <class T>
auto absolute(T x) {
  if constexpr (Integer<T>)
    return x < 0 ? negate(x) : T(x);
  else
    return std::abs(x);
}

// Larger and smaller, NaN if either is; of equal ones (-0 and 0) the first.
template <class T>
T maximum(T a, T b) {
  return is_nan(a) || a >= b ? a : b;
}
template <class T>
T minimum(T a, T b) {
  return is_nan(a) || a <= b ? a : b;
}

inline void check_divisor(int64_t b) {
  if (b == 0) [[unlikely]]
    fail(ErrorCode::runtime, "an integer was divided by zero");
}

// Quotient rounded to zero.
template <class T>
T divide_truncating(T a, T b) {
  if constexpr (Integer<T>) {
    check_divisor(b);
    return b == -1 ? negate(a) : a / b;
  } else {
    return std::trunc(a / b);
  }
}

// Remainder with the dividend's sign.
template <class T>
T remainder_truncating(T a, T b) {
  if constexpr (Integer<T>) {
    check_divisor(b);
    return b == -1 ? T(0) : a % b;
  } else {
    return std::fmod(a, b);
  }
}

// Remainder with the divisor's sign (Python's %).
template <class T>
T remainder(T a, T b) {
  const T rest = remainder_truncating(a, b);
  const bool other_sign = (rest != 0) & ((rest < 0) != (b < 0));
  return select(other_sign, add(rest, b), rest);
}

// Quotient rounded down (Python's //, whose float case is described in CPython's float_divmod).
template <class T>
T divide_floor(T a, T b) {
  if constexpr (Integer<T>) {
    const T quotient = divide_truncating(a, b);
    return b != -1 && a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
  } else {
    if (b == 0) return a / b;
    const T rest = std::fmod(a, b);
    T quotient = (a - rest) / b;
    if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1;
    if (quotient == 0) return std::copysign(T(0), a / b);
    const T down = std::floor(quotient);
    return quotient - down > T(0.5) ? down + 1 : down;
  }
}

template <class T>
T power(T base, T exponent) {
  if constexpr (Integer<T>) {
    if (exponent < 0) {
      if (base == 1) return 1;
      if (base == -1) return exponent % 2 == 0 ? 1 : -1;
      return 0;
    }
    T result = 1;
    for (; exponent != 0; exponent >>= 1) {
      if (exponent & 1) result = mul(result, base);
      base = mul(base, base);
    }
    return result;
  } else {
    return std::pow(base, exponent);
  }
}

inline int64_t shift_left(int64_t a, int64_t b) {
  return b < 0 || b > 63 ? 0 : static_cast<int64_t>(static_cast<uint64_t>(a) << b);
}
inline int64_t shift_right(int64_t a, int64_t b) { return a >> (b < 0 || b > 63 ? 63 : b); }

inline int64_t greatest_common_divisor(int64_t a, int64_t b) {
  while (b != 0) {
    const int64_t rest = remainder_truncating(a, b);
    a = b;
    b = rest;
  }
  return absolute(a);
}
inline int64_t least_common_multiple(int64_t a, int64_t b) {
  const int64_t divisor = greatest_common_divisor(a, b);
  return divisor == 0 ? 0 : absolute(mul(divide_truncating(a, divisor), b));
}

// Complex numbers of length 1 or 0.
template <class T>
std::complex<T> sign(std::complex<T> x) {
  const T length = std::abs(x);
  return length == 0 ? std::complex<T>() : std::complex<T>(x.real() / length, x.imag() / length);
}
// -1, 0 or 1; NaN gives 0.
template <class T>
T sign(T x) {
  return T((x > 0) - (x < 0));
}

template <class T>
T sigmoid(T x) {
  return divide(T(1), T(1) + std::exp(-x));
}

// Functions that std has for real numbers only.
template <class T>
T exp2(T x) {
  return std::exp2(x);
}
template <class T>
T log2(T x) {
  return std::log2(x);
}
template <class T>
T expm1(T x) {
  return std::expm1(x);
}
template <class T>
T log1p(T x) {
  return std::log1p(x);
}
template <class T>
std::complex<T> exp2(std::complex<T> x) {
  return std::exp(x * T(0.69314718055994530942));
}
template <class T>
std::complex<T> log2(std::complex<T> x) {
  return std::log(x) * T(1.44269504088896340736);
}
// exp(x) cos(y) - 1 without cancellation near 0.
template <class T>
std::complex<T> expm1(std::complex<T> z) {
  const T half = std::sin(z.imag() / 2);
  return {std::expm1(z.real()) * std::cos(z.imag()) - 2 * half * half,
          std::exp(z.real()) * std::sin(z.imag())};
}
template <class T>
std::complex<T> log1p(std::complex<T> z) {
  const T x = z.real(), y = z.imag();
  const T length = std::abs(x) < T(0.5) && std::abs(y) < 1 ? std::log1p(x * (2 + x) + y * y) / 2
                                                           : std::log(std::hypot(1 + x, y));
  return {length, std::atan2(y, 1 + x)};
}

// log(1 + exp(beta x)) / beta, linear above `threshold`.
template <class T>
T softplus(T x, T beta, T threshold) {
  return x * beta > threshold ? x : std::log1p(std::exp(x * beta)) / beta;
}

// The neighbour of `a`, which `element` holds exactly, in the direction of `b`.
template <class T, class Element>
Element next_after(T a, T b, Element element) {
  constexpr Element kNan = {0x7fff};
  if (is_nan(a) || is_nan(b)) return kNan;
  if (a == 0 && b != 0)
    element.bits = static_cast<uint16_t>(b < 0 ? 0x8001 : 1);
  else if (a != b)
    element.bits = static_cast<uint16_t>(element.bits + ((a < b) == (a > 0) ? 1 : -1));
  return element;
}

// log(exp(a) + exp(b)) and its twin of base 2.
template <class T>
T log_add_exp(T a, T b) {
  if (std::isinf(a) && a == b) return a;
  const T high = maximum(a, b);
  return high + std::log1p(std::exp(-std::abs(a - b)));
}
template <class T>
T log_add_exp2(T a, T b) {
  if (std::isinf(a) && a == b) return a;
  constexpr T kLog2E = T(1.4426950408889634074);
  return maximum(a, b) + std::log1p(std::exp2(-std::abs(a - b))) * kLog2E;
}

// The number of larger real part is taken out of the sum.
template <class T>
std::complex<T> log_add_exp(std::complex<T> a, std::complex<T> b) {
  if (is_nan(a) || is_nan(b))
    return {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::quiet_NaN()};
  if (a.real() < b.real()) std::swap(a, b);
  if (std::isinf(b.real()) && b.real() < 0) return a;
  if (std::isinf(a.real()) && a == b) return a;
  return a + log1p(std::exp(b - a));
}

// The functions below are in special_functions.cpp, computed in double unless they say otherwise.

// Inverses of erf and of the standard normal distribution function.
double inverse_erf(double x);
double inverse_normal_cdf(double p);
// log(|gamma(x)|), as std::lgamma without its global sign.
double log_gamma(double x);
// Derivative of log_gamma: reflection, recurrence, then the asymptotic series (Abramowitz and
// Stegun 6.3.7, 6.3.5, 6.3.18).
double digamma(double x);
// Modified Bessel function of the first kind and order 0 or 1, times exp(-|x|) if `scaled`;
// otherwise NaN at the infinities, as PyTorch's.
double bessel_i(int order, double x, bool scaled);
// Logarithm of the standard normal distribution function.
double log_normal_cdf(double x);
// exp(x^2) erfc(x).
double scaled_erfc(double x);
// Hurwitz zeta function (Euler and Maclaurin's summation).
double hurwitz_zeta(double x, double q);
// Derivative of order n >= 0 of digamma. The first is computed in T, float or double.
template <class T>
T polygamma(int64_t n, T x);

}  // namespace ingot::fn

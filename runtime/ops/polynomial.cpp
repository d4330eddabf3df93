// Orthogonal polynomials of degree n at x, computed in double. n loses its fraction; polynomials
// of negative degree are 0.
#include <cmath>
#include <limits>

#include "ops/families.h"

namespace ingot {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Degrees beyond i64 have no polynomial.
int64_t degree_of(double n) { return std::abs(n) < 9e18 ? static_cast<int64_t>(n) : -1; }

// p0 = 1, p1 = `first`, and p(k + 1) = next(k, p(k), p(k - 1)).
template <class Next>
double recurrence(int64_t n, double first, Next next) {
  if (n < 0) return 0;
  if (n == 0) return 1;
  double before = 1;
  double last = first;
  for (int64_t k = 1; k < n && !std::isnan(last); ++k) {
    const double value = next(static_cast<double>(k), last, before);
    before = last;
    last = value;
  }
  return last;
}

// The four kinds differ in p1: x, 2x, 2x - 1, 2x + 1. Inside (-1, 1) high degrees follow from
// the angle with cosine x (Abramowitz and Stegun 22.3.15 and 22.3.16, DLMF 18.5.3 and 18.5.4).
double chebyshev(char kind, double x, double n) {
  const int64_t degree = degree_of(n);
  if (degree > 8 && std::abs(x) < 1) {
    const double angle = std::acos(x);
    const double k = static_cast<double>(degree);
    switch (kind) {
      case 't': return std::cos(k * angle);
      case 'u': return std::sin((k + 1) * angle) / std::sin(angle);
      case 'v': return std::cos((k + 0.5) * angle) / std::cos(angle / 2);
      default: return std::sin((k + 0.5) * angle) / std::sin(angle / 2);
    }
  }
  if (degree > 1 && std::abs(x) == 1) {
    const double sign = x > 0 || degree % 2 == 0 ? 1 : -1;
    const double k = static_cast<double>(degree);
    switch (kind) {
      case 't': return sign;
      case 'u': return sign * (k + 1);
      case 'v': return x > 0 ? 1 : sign * (2 * k + 1);
      default: return x > 0 ? 2 * k + 1 : sign;
    }
  }
  const double first = kind == 't' ? x : kind == 'u' ? 2 * x : kind == 'v' ? 2 * x - 1 : 2 * x + 1;
  return recurrence(degree, first, [x](double, double p, double q) { return 2 * x * p - q; });
}

// Hermite's polynomials are refused beyond the degree where PyTorch's dtype refuses them.
template <class T>
constexpr int64_t kHermiteLimit = sizeof(T) == sizeof(double) ? 512 : 128;

double hermite_h(double x, double n, int64_t limit) {
  const int64_t degree = degree_of(n);
  if (degree > limit) return kNan;
  return recurrence(degree, 2 * x,
                    [x](double k, double p, double q) { return 2 * x * p - 2 * k * q; });
}

double hermite_he(double x, double n, int64_t limit) {
  const int64_t degree = degree_of(n);
  if (degree > limit) return kNan;
  return recurrence(degree, x, [x](double k, double p, double q) { return x * p - k * q; });
}

double laguerre_l(double x, double n) {
  const int64_t degree = degree_of(n);
  if (x == 0 && degree > 0) return 1;
  return recurrence(degree, 1 - x, [x](double k, double p, double q) {
    return ((2 * k + 1 - x) * p - k * q) / (k + 1);
  });
}

double legendre_p(double x, double n) {
  const int64_t degree = degree_of(n);
  if (std::abs(x) == 1 && degree > 0) return x > 0 || degree % 2 == 0 ? 1 : -1;
  return recurrence(degree, x, [x](double k, double p, double q) {
    return ((2 * k + 1) * x * p - k * q) / (k + 1);
  });
}

#define INGOT_POLYNOMIAL(name, expression)                                                         \
  static constexpr Elementwise row_##name =                                                        \
      elementwise<2, 0, kFloats>(Promotion::floating, [](auto at, auto degree) {                   \
        using T = decltype(at);                                                                    \
        [[maybe_unused]] constexpr int64_t limit = kHermiteLimit<T>;                               \
        const double x = at;                                                                       \
        const double n = degree;                                                                   \
        return static_cast<T>(expression);                                                         \
      });                                                                                          \
  INGOT_ELEMENTWISE(row_##name, "aten::special_" #name "(Tensor x, Tensor n) -> Tensor");          \
  INGOT_ELEMENTWISE(row_##name, "aten::special_" #name ".x_scalar(Scalar x, Tensor n) -> Tensor"); \
  INGOT_ELEMENTWISE(row_##name, "aten::special_" #name ".n_scalar(Tensor x, Scalar n) -> Tensor")
INGOT_POLYNOMIAL(chebyshev_polynomial_t, chebyshev('t', x, n));
INGOT_POLYNOMIAL(chebyshev_polynomial_u, chebyshev('u', x, n));
INGOT_POLYNOMIAL(chebyshev_polynomial_v, chebyshev('v', x, n));
INGOT_POLYNOMIAL(chebyshev_polynomial_w, chebyshev('w', x, n));
INGOT_POLYNOMIAL(shifted_chebyshev_polynomial_t, chebyshev('t', 2 * x - 1, n));
INGOT_POLYNOMIAL(shifted_chebyshev_polynomial_u, chebyshev('u', 2 * x - 1, n));
INGOT_POLYNOMIAL(shifted_chebyshev_polynomial_v, chebyshev('v', 2 * x - 1, n));
INGOT_POLYNOMIAL(shifted_chebyshev_polynomial_w, chebyshev('w', 2 * x - 1, n));
INGOT_POLYNOMIAL(hermite_polynomial_h, hermite_h(x, n, limit));
INGOT_POLYNOMIAL(hermite_polynomial_he, hermite_he(x, n, limit));
INGOT_POLYNOMIAL(laguerre_polynomial_l, laguerre_l(x, n));
INGOT_POLYNOMIAL(legendre_polynomial_p, legendre_p(x, n));

}  // namespace
}  // namespace ingot

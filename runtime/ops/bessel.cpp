// Bessel's, modified Bessel and Airy functions, computed in double.
#include <cmath>
#include <complex>
#include <limits>

#include "ops/families.h"
#include "ops/functions.h"

namespace ingot {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kEuler = 0.57721566490153286061;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// For x <= 2: Abramowitz and Stegun 9.6.11 and 9.6.13.
double bessel_k_series(int order, double x) {
  const double quarter = x * x / 4;
  const double logarithm = std::log(x / 2);
  double term = 1;      // (x^2 / 4)^k / (k! (k + order)!)
  double harmonic = 0;  // 1 + 1/2 + ... + 1/k
  double sum = 0;
  for (int k = 0; k < 20; ++k) {
    if (k > 0) {
      term *= quarter / (k * (k + order));
      harmonic += 1.0 / k;
    }
    sum += term * (order == 0 ? harmonic - kEuler : 2 * (harmonic - kEuler) + 1.0 / (k + 1));
  }
  const double product = logarithm * fn::bessel_i(order, x, false);
  return order == 0 ? sum - product : 1 / x + product - x / 4 * sum;
}

// exp(x) times the function of the second kind and order 0 or 1. For x > 2 the trapezoidal rule
// on 9.6.24, the integral of exp(-x cosh t) cosh(order t), which is exact to double precision
// at steps that shrink with the width of the integrand.
double scaled_bessel_k(int order, double x) {
  if (!(x > 0)) return x == 0 ? kInfinity : kNan;
  if (x <= 2) return bessel_k_series(order, x) * std::exp(x);
  const double step = std::min(0.25, 0.7 / std::sqrt(x));
  double sum = 0.5;
  for (int i = 1; i < 64; ++i) {
    const double t = i * step;
    const double half = std::sinh(t / 2);
    const double value = std::exp(-2 * x * half * half) * (order == 0 ? 1 : std::cosh(t));
    sum += value;
    if (value < 1e-18) break;
  }
  return x == kInfinity ? 0 : sum * step;
}

double bessel_k(int order, double x) {
  if (x > 0 && x <= 2) return bessel_k_series(order, x);
  return scaled_bessel_k(order, x) * std::exp(-x);
}

// sqrt(z) is given and has a positive real part. DLMF 9.5.7, the integral of
// exp(-sqrt(z) t^2) cos(t^3 / 3), by the trapezoidal rule, without its factor exp(-zeta) / pi.
std::complex<double> airy_integral(std::complex<double> root) {
  const double step = 0.15 / std::sqrt(std::sqrt(std::abs(root)));
  std::complex<double> sum = 0.5;
  for (int i = 1; i < 128; ++i) {
    const double t = i * step;
    const std::complex<double> decay = std::exp(-root * (t * t));
    sum += decay * std::cos(t * t * t / 3);
    if (std::abs(decay.real()) + std::abs(decay.imag()) < 1e-18) break;
  }
  return sum * step;
}

double airy_ai(double x) {
  if (!std::isfinite(x)) return kNan;
  if (std::abs(x) < 2) {  // Maclaurin series, DLMF 9.4.1
    const double cube = x * x * x;
    double f = 1, g = x, sum_f = 1, sum_g = x;
    for (int k = 2; k < 60; k += 3) {
      f *= cube / (k * (k + 1));
      g *= cube / ((k + 1) * (k + 2));
      sum_f += f;
      sum_g += g;
    }
    return 0.35502805388781723926 * sum_f - 0.25881940379280679840 * sum_g;
  }
  const double magnitude = std::abs(x);
  const double zeta = 2 * magnitude * std::sqrt(magnitude) / 3;
  if (x > 0) {
    if (zeta > 800) return 0;
    return std::exp(-zeta) / kPi * airy_integral(std::sqrt(x)).real();
  }
  // 9.2.14: Ai(-x) is the sum of two conjugates, exp(i pi / 3) Ai(x exp(i pi / 3)) and its like.
  const std::complex<double> integral = airy_integral(std::polar(std::sqrt(magnitude), kPi / 6));
  return 2 / kPi * (std::polar(1.0, kPi / 3 - zeta) * integral).real();
}

double spherical_bessel_j0(double x) {
  if (std::isinf(x)) return 0;
  return x == 0 ? 1 : std::sin(x) / x;
}

// PyTorch has NaN for Bessel's functions at the infinities.
#define INGOT_BESSEL(name, schema, expression)                           \
  static constexpr Elementwise row_##name =                              \
      elementwise<1, 0, kFloats>(Promotion::floating, [](auto element) { \
        const double x = element;                                        \
        return static_cast<decltype(element)>(expression);               \
      });                                                                \
  INGOT_ELEMENTWISE(row_##name, "aten::special_" #name "(Tensor " schema ") -> Tensor")
INGOT_BESSEL(bessel_j0, "self", std::isinf(x) ? kNan : ::j0(x));
INGOT_BESSEL(bessel_j1, "self", std::isinf(x) ? kNan : ::j1(x));
INGOT_BESSEL(bessel_y0, "self", x < 0 || std::isinf(x) ? kNan : ::y0(x));
INGOT_BESSEL(bessel_y1, "self", x < 0 || std::isinf(x) ? kNan : ::y1(x));
INGOT_BESSEL(modified_bessel_i0, "self", fn::bessel_i(0, x, false));
INGOT_BESSEL(modified_bessel_i1, "self", fn::bessel_i(1, x, false));
INGOT_BESSEL(modified_bessel_k0, "self", bessel_k(0, x));
INGOT_BESSEL(modified_bessel_k1, "self", bessel_k(1, x));
INGOT_BESSEL(scaled_modified_bessel_k0, "x", scaled_bessel_k(0, x));
INGOT_BESSEL(scaled_modified_bessel_k1, "x", scaled_bessel_k(1, x));
INGOT_BESSEL(spherical_bessel_j0, "x", spherical_bessel_j0(x));
INGOT_BESSEL(airy_ai, "x", airy_ai(x));

}  // namespace
}  // namespace ingot

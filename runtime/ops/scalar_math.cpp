// Python's math and cmath on numbers, with their domain and range errors.
#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include <ingot/op.h>
#include "ops/python_error.h"
#include "ops/scalar_number.h"
#include "ops/step.h"

namespace ingot {
namespace {

using Complex128 = std::complex<double>;

[[noreturn, gnu::cold, gnu::noinline]] void domain_error(double x) {
  raise_python("ValueError", "math domain error: the argument is ", x);
}
[[noreturn, gnu::cold, gnu::noinline]] void range_error(double x) {
  raise_python("OverflowError", "math range error: the argument is ", x);
}

// f(x), where a NaN made from a number is a domain error and an infinity a range error.
template <double (*f)(double)>
double checked(double x) {
  const double y = f(x);
  if (!std::isfinite(y) && !std::isnan(x)) [[unlikely]] {
    if (std::isnan(y)) domain_error(x);
    if (!std::isinf(x)) range_error(x);
  }
  return y;
}
// The same where an infinity is a pole, as of log at 0.
template <double (*f)(double)>
double checked_pole(double x) {
  const double y = f(x);
  if (!std::isfinite(y) && std::isfinite(x)) [[unlikely]]
    domain_error(x);
  if (std::isnan(y) && !std::isnan(x)) [[unlikely]]
    domain_error(x);
  return y;
}

double gamma_of(double x) {
  if (x == 0 || (x < 0 && x == std::floor(x))) domain_error(x);
  return std::tgamma(x);
}
double lgamma_of(double x) {
  if (x <= 0 && x == std::floor(x) && std::isfinite(x)) domain_error(x);
  int sign;  // std::lgamma would write it to a global
  return ::lgamma_r(x, &sign);
}
double degrees_of(double x) { return x * (180 / std::numbers::pi); }
double radians_of(double x) { return x * (std::numbers::pi / 180); }
double round_half_even(double x) { return std::nearbyint(x); }
double angle_of(double x) {
  return std::isnan(x) ? x : std::signbit(x) && x != 0 ? std::numbers::pi : 0;
}
int64_t floor_to_int(double x) { return truncate_to_int(std::floor(x)); }
int64_t ceil_to_int(double x) { return truncate_to_int(std::ceil(x)); }
int64_t same_int(int64_t x) { return x; }

template <auto f>
double of_int(int64_t x) {
  return f(static_cast<double>(x));
}
template <auto f>
double of_scalar(const Value& x) {
  return f(number(x));
}
template <Complex128 (*f)(const Complex128&)>
Value of_complex(const Value& x) {
  return f(x.to_complex());
}
template <auto real, Complex128 (*complex)(const Complex128&)>
Value of_any(const Value& x) {
  if (x.tag() == Tag::complex) return complex(x.to_complex());
  return real(number(x));
}
Value floor_scalar(const Value& x) { return is_whole(x) ? whole(x) : floor_to_int(x.to_double()); }
Value ceil_scalar(const Value& x) { return is_whole(x) ? whole(x) : ceil_to_int(x.to_double()); }
double angle_complex(const Value& x) { return std::arg(x.to_complex()); }
double angle_any(const Value& x) {
  return x.tag() == Tag::complex ? angle_complex(x) : angle_of(number(x));
}

#define INGOT_MATH_OPS(name, f)                              \
  INGOT_OP(name ".int(int a) -> float", Stepped<of_int<f>>); \
  INGOT_OP(name ".float(float a) -> float", Stepped<f>)
#define INGOT_REAL_MATH_OPS(name, f) \
  INGOT_MATH_OPS(name, f);           \
  INGOT_OP(name ".Scalar(Scalar a) -> Scalar", Function<of_scalar<f>>)
#define INGOT_COMPLEX_MATH_OPS(name, f, g)                                  \
  INGOT_MATH_OPS(name, f);                                                  \
  INGOT_OP(name ".complex(complex a) -> complex", Function<of_complex<g>>); \
  INGOT_OP(name ".Scalar(Scalar a) -> Scalar", Function<of_any<f, g>>)

INGOT_COMPLEX_MATH_OPS("aten::sqrt", checked<std::sqrt>, std::sqrt<double>);
INGOT_COMPLEX_MATH_OPS("aten::exp", checked<std::exp>, std::exp<double>);
INGOT_COMPLEX_MATH_OPS("aten::log", checked_pole<std::log>, std::log<double>);
INGOT_COMPLEX_MATH_OPS("aten::log10", checked_pole<std::log10>, std::log10<double>);
INGOT_COMPLEX_MATH_OPS("aten::sin", checked<std::sin>, std::sin<double>);
INGOT_COMPLEX_MATH_OPS("aten::cos", checked<std::cos>, std::cos<double>);
INGOT_COMPLEX_MATH_OPS("aten::tan", checked<std::tan>, std::tan<double>);
INGOT_COMPLEX_MATH_OPS("aten::asin", checked<std::asin>, std::asin<double>);
INGOT_COMPLEX_MATH_OPS("aten::acos", checked<std::acos>, std::acos<double>);
INGOT_COMPLEX_MATH_OPS("aten::atan", checked<std::atan>, std::atan<double>);
INGOT_COMPLEX_MATH_OPS("aten::sinh", checked<std::sinh>, std::sinh<double>);
INGOT_COMPLEX_MATH_OPS("aten::cosh", checked<std::cosh>, std::cosh<double>);
INGOT_COMPLEX_MATH_OPS("aten::tanh", checked<std::tanh>, std::tanh<double>);
INGOT_COMPLEX_MATH_OPS("aten::asinh", checked<std::asinh>, std::asinh<double>);
INGOT_COMPLEX_MATH_OPS("aten::acosh", checked<std::acosh>, std::acosh<double>);
INGOT_COMPLEX_MATH_OPS("aten::atanh", checked_pole<std::atanh>, std::atanh<double>);
INGOT_REAL_MATH_OPS("aten::log1p", checked_pole<std::log1p>);
INGOT_REAL_MATH_OPS("aten::expm1", checked<std::expm1>);
INGOT_REAL_MATH_OPS("aten::erf", checked<std::erf>);
INGOT_REAL_MATH_OPS("aten::erfc", checked<std::erfc>);
INGOT_REAL_MATH_OPS("aten::gamma", checked<gamma_of>);
INGOT_REAL_MATH_OPS("aten::lgamma", checked<lgamma_of>);
INGOT_REAL_MATH_OPS("aten::fabs", checked<std::fabs>);
INGOT_REAL_MATH_OPS("aten::degrees", degrees_of);
INGOT_REAL_MATH_OPS("aten::radians", radians_of);
INGOT_REAL_MATH_OPS("aten::round", round_half_even);
INGOT_MATH_OPS("aten::angle", angle_of);
INGOT_OP("aten::angle.complex(complex a) -> float", Function<angle_complex>);
INGOT_OP("aten::angle.Scalar(Scalar a) -> Scalar", Function<angle_any>);

INGOT_OP("aten::floor.int(int a) -> int", Stepped<same_int>);
INGOT_OP("aten::floor.float(float a) -> int", Stepped<floor_to_int>);
INGOT_OP("aten::floor.Scalar(Scalar a) -> Scalar", Function<floor_scalar>);
INGOT_OP("aten::ceil.int(int a) -> int", Stepped<same_int>);
INGOT_OP("aten::ceil.float(float a) -> int", Stepped<ceil_to_int>);
INGOT_OP("aten::ceil.Scalar(Scalar a) -> Scalar", Function<ceil_scalar>);

double atan2_of(double a, double b) { return std::atan2(a, b); }
double copysign_of(double a, double b) { return std::copysign(a, b); }
// log of x in a base.
double log_base(double x, double base) {
  const double denominator = checked_pole<std::log>(base);
  if (denominator == 0) raise_python("ZeroDivisionError", "float division by zero");
  return checked_pole<std::log>(x) / denominator;
}
Value log_base_complex(const Value& x, const Value& base) {
  return std::log(x.to_complex()) / std::log(base.to_complex());
}
Value polar_of(const Value& radius, const Value& angle) {
  const double r = number(radius);
  const double a = number(angle);
  return Complex128(r * std::cos(a), r * std::sin(a));
}
template <auto f>
double of_scalars(const Value& a, const Value& b) {
  return f(number(a), number(b));
}

#define INGOT_BINARY_MATH_OPS(name, f)                                          \
  INGOT_OP(name ".int(int a, int b) -> float", Stepped<of_scalars<f>>);         \
  INGOT_OP(name ".float(float a, float b) -> float", Stepped<f>);               \
  INGOT_OP(name ".int_float(int a, float b) -> float", Stepped<of_scalars<f>>); \
  INGOT_OP(name ".float_int(float a, int b) -> float", Stepped<of_scalars<f>>)

INGOT_BINARY_MATH_OPS("aten::atan2", atan2_of);
INGOT_OP("aten::atan2.Scalar_Scalar(Scalar a, Scalar b) -> float", Function<of_scalars<atan2_of>>);
INGOT_BINARY_MATH_OPS("aten::copysign", copysign_of);
INGOT_OP("aten::copysign(Scalar a, Scalar b) -> float", Function<of_scalars<copysign_of>>);

INGOT_OP("aten::log.int_int(int a, int b) -> float", Stepped<of_scalars<log_base>>);
INGOT_OP("aten::log.float_float(float a, float b) -> float", Stepped<log_base>);
INGOT_OP("aten::log.int_float(int a, float b) -> float", Stepped<of_scalars<log_base>>);
INGOT_OP("aten::log.float_int(float a, int b) -> float", Stepped<of_scalars<log_base>>);
INGOT_OP("aten::log.Scalar_Scalar(Scalar a, Scalar b) -> float", Function<of_scalars<log_base>>);
INGOT_OP("aten::log.complex_complex(complex a, complex b) -> complex", Function<log_base_complex>);
INGOT_OP("aten::log.int_complex(int a, complex b) -> complex", Function<log_base_complex>);
INGOT_OP("aten::log.complex_int(complex a, int b) -> complex", Function<log_base_complex>);
INGOT_OP("aten::log.float_complex(float a, complex b) -> complex", Function<log_base_complex>);
INGOT_OP("aten::log.complex_float(complex a, float b) -> complex", Function<log_base_complex>);

INGOT_OP("aten::polar.int(int a, int b) -> complex", Function<polar_of>);
INGOT_OP("aten::polar.float(float a, float b) -> complex", Function<polar_of>);
INGOT_OP("aten::polar.int_float(int a, float b) -> complex", Function<polar_of>);
INGOT_OP("aten::polar.float_int(float a, int b) -> complex", Function<polar_of>);
INGOT_OP("aten::polar.Scalar_Scalar(Scalar a, Scalar b) -> Scalar", Function<polar_of>);

double ldexp_of(double x, int64_t exponent) {
  const double y = std::ldexp(x, static_cast<int>(std::clamp<int64_t>(exponent, -5000, 5000)));
  if (std::isinf(y) && std::isfinite(x)) range_error(x);
  return y;
}
std::tuple<double, int64_t> frexp_of(double x) {
  int exponent = 0;
  const double mantissa = std::isfinite(x) ? std::frexp(x, &exponent) : x;
  return {mantissa, exponent};
}
std::tuple<double, double> modf_of(double x) {
  double whole_part;
  const double fraction = std::modf(x, &whole_part);
  return {fraction, whole_part};
}
bool isnan_of(double x) { return std::isnan(x); }
bool isinf_of(double x) { return std::isinf(x); }
bool isfinite_of(double x) { return std::isfinite(x); }
bool isnan_complex(const Value& x) {
  return std::isnan(x.to_complex().real()) || std::isnan(x.to_complex().imag());
}
bool isinf_complex(const Value& x) {
  return std::isinf(x.to_complex().real()) || std::isinf(x.to_complex().imag());
}
bool isfinite_complex(const Value& x) {
  return std::isfinite(x.to_complex().real()) && std::isfinite(x.to_complex().imag());
}

INGOT_OP("aten::ldexp(float x, int i) -> float", Stepped<ldexp_of>);
INGOT_OP("aten::frexp(float a) -> (float, int)", Function<frexp_of>);
INGOT_OP("aten::modf(float a) -> (float, float)", Function<modf_of>);
INGOT_OP("aten::isnan.float(float a) -> bool", Stepped<isnan_of>);
INGOT_OP("aten::isnan.complex(complex a) -> bool", Function<isnan_complex>);
INGOT_OP("aten::isinf.float(float a) -> bool", Stepped<isinf_of>);
INGOT_OP("aten::isinf.complex(complex a) -> bool", Function<isinf_complex>);
INGOT_OP("aten::isfinite.float(float a) -> bool", Stepped<isfinite_of>);
INGOT_OP("aten::isfinite.complex(complex a) -> bool", Function<isfinite_complex>);

}  // namespace
}  // namespace ingot

// + - * / // % ** and their kin on numbers, with Python's results: floor division, the
// divisor's sign on remainders, errors instead of wrapped integers.
#include <cmath>
#include <complex>
#include <numeric>

#include <ingot/op.h>
#include "ops/python_error.h"
#include "ops/scalar_number.h"
#include "ops/step.h"

namespace ingot {
namespace {

using Complex128 = std::complex<double>;

[[noreturn, gnu::cold, gnu::noinline]] void overflow(int64_t a, const char* op, int64_t b) {
  raise_python("OverflowError", a, " ", op, " ", b, " does not fit in 64 bits");
}
[[noreturn, gnu::cold, gnu::noinline]] void zero_division(const char* what) {
  raise_python("ZeroDivisionError", what);
}

struct Add {
  static int64_t apply(int64_t a, int64_t b) {
    int64_t result;
    if (__builtin_add_overflow(a, b, &result)) [[unlikely]]
      overflow(a, "+", b);
    return result;
  }
  static double apply(double a, double b) { return a + b; }
  static Complex128 apply(Complex128 a, Complex128 b) { return a + b; }
};

struct Sub {
  static int64_t apply(int64_t a, int64_t b) {
    int64_t result;
    if (__builtin_sub_overflow(a, b, &result)) [[unlikely]]
      overflow(a, "-", b);
    return result;
  }
  static double apply(double a, double b) { return a - b; }
  static Complex128 apply(Complex128 a, Complex128 b) { return a - b; }
};

struct Mul {
  static int64_t apply(int64_t a, int64_t b) {
    int64_t result;
    if (__builtin_mul_overflow(a, b, &result)) [[unlikely]]
      overflow(a, "*", b);
    return result;
  }
  static double apply(double a, double b) { return a * b; }
  static Complex128 apply(Complex128 a, Complex128 b) { return a * b; }
};

struct Div {
  static double apply(int64_t a, int64_t b) {
    if (b == 0) [[unlikely]]
      zero_division("division by zero");
    constexpr int64_t kExact = int64_t{1} << 53;
    if (a >= -kExact && a <= kExact && b >= -kExact && b <= kExact) [[likely]]
      return static_cast<double>(a) / static_cast<double>(b);
    return static_cast<double>(static_cast<long double>(a) / static_cast<long double>(b));
  }
  static double apply(double a, double b) {
    if (b == 0) [[unlikely]]
      zero_division("float division by zero");
    return a / b;
  }
  static Complex128 apply(Complex128 a, Complex128 b) {
    if (b == Complex128(0)) [[unlikely]]
      zero_division("complex division by zero");
    return a / b;
  }
};

// Quotient and remainder of floats as Python's divmod gives them.
std::pair<double, double> divmod_float(double a, double b) {
  double remainder = std::fmod(a, b);
  double quotient = (a - remainder) / b;
  if (remainder != 0) {
    if ((b < 0) != (remainder < 0)) {
      remainder += b;
      quotient -= 1;
    }
  } else {
    remainder = std::copysign(0.0, b);
  }
  if (quotient == 0) return {std::copysign(0.0, a / b), remainder};
  const double floor = std::floor(quotient);
  return {quotient - floor > 0.5 ? floor + 1 : floor, remainder};
}

struct FloorDiv {
  static int64_t apply(int64_t a, int64_t b) {
    if (b == 0) [[unlikely]]
      zero_division("integer division or modulo by zero");
    if (b == -1) return Sub::apply(0, a);
    const int64_t quotient = a / b;
    return quotient - ((a % b != 0) & ((a < 0) != (b < 0)));
  }
  static double apply(double a, double b) {
    if (b == 0) [[unlikely]]
      zero_division("float floor division by zero");
    return divmod_float(a, b).first;
  }
};

struct Remainder {
  static int64_t apply(int64_t a, int64_t b) {
    if (b == 0) [[unlikely]]
      zero_division("integer modulo by zero");
    if (b == -1) return 0;
    const int64_t remainder = a % b;
    return remainder != 0 && ((remainder < 0) != (b < 0)) ? remainder + b : remainder;
  }
  static double apply(double a, double b) {
    if (b == 0) [[unlikely]]
      zero_division("float modulo by zero");
    return divmod_float(a, b).second;
  }
};

struct Pow {
  static double apply(double a, double b) {
    if (a == 0 && b < 0 && std::isfinite(b)) [[unlikely]]
      zero_division("0.0 cannot be raised to a negative power");
    if (a < 0 && std::isfinite(a) && std::isfinite(b) && b != std::floor(b)) [[unlikely]]
      raise_python("ValueError", "a negative number to a fractional power is no float: ", a, " ** ",
                   b);
    const double result = std::pow(a, b);
    if (std::isinf(result) && std::isfinite(a) && std::isfinite(b)) [[unlikely]]
      raise_python("OverflowError", "the result of ", a, " ** ", b, " is too large for a float");
    return result;
  }
  static double apply(int64_t a, int64_t b) {
    return apply(static_cast<double>(a), static_cast<double>(b));
  }
};

int64_t pow_int(int64_t base, int64_t exponent) {
  if (exponent < 0) [[unlikely]]
    raise_python("ValueError", "an int to the negative power ", exponent,
                 " is no int: convert the base to float");
  const int64_t first_base = base;
  const int64_t first_exponent = exponent;
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) && __builtin_mul_overflow(result, base, &result))
      overflow(first_base, "**", first_exponent);
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base))
      overflow(first_base, "**", first_exponent);
  }
  return result;
}

Value pow_complex(const Value& a, const Value& b) {
  const Complex128 base = a.to_complex();
  const Complex128 exponent = b.to_complex();
  if (base == Complex128(0)) {
    if (exponent.real() < 0 || exponent.imag() != 0)
      zero_division("0.0 to a negative or complex power");
    return Complex128(exponent == Complex128(0) ? 1.0 : 0.0);
  }
  return std::pow(base, exponent);
}

// Op on two ints, two floats or a mix, as Python widens them.
template <class Op, class A, class B>
auto on(A a, B b) {
  if constexpr (std::is_same_v<A, B>)
    return Op::apply(a, b);
  else
    return Op::apply(static_cast<double>(a), static_cast<double>(b));
}
template <class Op>
Value on_complex(const Value& a, const Value& b) {
  return Op::apply(a.to_complex(), b.to_complex());
}
template <class Op>
Value on_scalars(const Value& a, const Value& b) {
  if (is_whole(a) && is_whole(b)) return Op::apply(whole(a), whole(b));
  if constexpr (requires { Op::apply(Complex128(), Complex128()); })
    if (a.tag() == Tag::complex || b.tag() == Tag::complex) return on_complex<Op>(a, b);
  return Op::apply(number(a), number(b));
}
template <class Op>
double on_scalars_to_float(const Value& a, const Value& b) {
  return on_scalars<Op>(a, b).to_double();
}

int64_t neg_int(int64_t a) { return Sub::apply(0, a); }
double neg_float(double a) { return -a; }
Value neg_complex(const Value& a) { return -a.to_complex(); }
Value neg_scalar(const Value& a) {
  if (is_whole(a)) return neg_int(whole(a));
  return a.is_double() ? Value(-a.to_double()) : neg_complex(a);
}

int64_t abs_int(int64_t a) { return a < 0 ? neg_int(a) : a; }
double abs_float(double a) { return std::fabs(a); }
double abs_complex(const Value& a) { return std::abs(a.to_complex()); }
Value abs_scalar(const Value& a) {
  if (is_whole(a)) return abs_int(whole(a));
  return a.is_double() ? std::fabs(a.to_double()) : abs_complex(a);
}

// Python keeps the first of two equals, and the first if either is NaN.
struct Min {
  template <class T>
  requires std::is_arithmetic_v<T>
  static T apply(T a, T b) { return b < a ? b : a; }
};
struct Max {
  template <class T>
  requires std::is_arithmetic_v<T>
  static T apply(T a, T b) { return b > a ? b : a; }
};
// math.fmod and math.remainder.
struct FMod {
  static double apply(double a, double b) {
    if ((b == 0 && !std::isnan(a)) || (std::isinf(a) && !std::isnan(b))) [[unlikely]]
      raise_python("ValueError", "math domain error: fmod(", a, ", ", b, ")");
    return std::fmod(a, b);
  }
  static double apply(int64_t a, int64_t b) {
    return apply(static_cast<double>(a), static_cast<double>(b));
  }
};
struct IeeeRemainder {
  static double apply(double a, double b) {
    if ((b == 0 && !std::isnan(a)) || (std::isinf(a) && !std::isnan(b))) [[unlikely]]
      raise_python("ValueError", "math domain error: remainder(", a, ", ", b, ")");
    return std::remainder(a, b);
  }
  static double apply(int64_t a, int64_t b) {
    return apply(static_cast<double>(a), static_cast<double>(b));
  }
};

std::tuple<int64_t, int64_t> divmod_int(int64_t a, int64_t b) {
  return {FloorDiv::apply(a, b), Remainder::apply(a, b)};
}
template <class A, class B>
std::tuple<double, double> divmod_mixed(A a, B b) {
  if (b == 0) [[unlikely]]
    zero_division("float divmod()");
  return divmod_float(static_cast<double>(a), static_cast<double>(b));
}

int64_t and_int(int64_t a, int64_t b) { return a & b; }
int64_t or_int(int64_t a, int64_t b) { return a | b; }
int64_t xor_int(int64_t a, int64_t b) { return a ^ b; }
int64_t lshift(int64_t a, int64_t b) {
  if (b < 0) [[unlikely]]
    raise_python("ValueError", "negative shift count");
  if (a == 0) return 0;
  const int64_t result = b < 64 ? static_cast<int64_t>(static_cast<uint64_t>(a) << b) : 0;
  if (b >= 64 || (result >> b) != a) [[unlikely]]
    overflow(a, "<<", b);
  return result;
}
int64_t rshift(int64_t a, int64_t b) {
  if (b < 0) [[unlikely]]
    raise_python("ValueError", "negative shift count");
  return a >> (b < 63 ? b : 63);
}

int64_t round_to_zero_floordiv(int64_t a, int64_t b) {
  if (b == 0) [[unlikely]]
    zero_division("integer division or modulo by zero");
  return b == -1 ? Sub::apply(0, a) : a / b;
}

int64_t gcd_int(int64_t a, int64_t b) {
  const auto magnitude = [](int64_t v) {
    return v < 0 ? 0 - static_cast<uint64_t>(v) : static_cast<uint64_t>(v);
  };
  const uint64_t result = std::gcd(magnitude(a), magnitude(b));
  if (result >> 63) [[unlikely]]
    raise_python("OverflowError", "the greatest common divisor of ", a, " and ", b,
                 " does not fit in 64 bits");
  return static_cast<int64_t>(result);
}

int64_t factorial_int(int64_t n) {
  if (n < 0) [[unlikely]]
    raise_python("ValueError", "factorial() not defined for negative values");
  if (n > 20) [[unlikely]]
    raise_python("OverflowError", "the factorial of ", n, " does not fit in 64 bits");
  int64_t result = 1;
  for (int64_t i = 2; i <= n; ++i) result *= i;
  return result;
}

#define INGOT_REAL_OPS(name, Kind, Int)                                                     \
  INGOT_OP(name ".int(int a, int b) -> " Int, Stepped<on<Kind, int64_t, int64_t>>);         \
  INGOT_OP(name ".float(float a, float b) -> float", Stepped<on<Kind, double, double>>);    \
  INGOT_OP(name ".int_float(int a, float b) -> float", Stepped<on<Kind, int64_t, double>>); \
  INGOT_OP(name ".float_int(float a, int b) -> float", Stepped<on<Kind, double, int64_t>>)

#define INGOT_COMPLEX_OPS(name, Kind)                                                         \
  INGOT_OP(name ".complex(complex a, complex b) -> complex", Function<on_complex<Kind>>);     \
  INGOT_OP(name ".int_complex(int a, complex b) -> complex", Function<on_complex<Kind>>);     \
  INGOT_OP(name ".complex_int(complex a, int b) -> complex", Function<on_complex<Kind>>);     \
  INGOT_OP(name ".float_complex(float a, complex b) -> complex", Function<on_complex<Kind>>); \
  INGOT_OP(name ".complex_float(complex a, float b) -> complex", Function<on_complex<Kind>>)

INGOT_REAL_OPS("aten::add", Add, "int");
INGOT_COMPLEX_OPS("aten::add", Add);
INGOT_OP("aten::add(Scalar a, Scalar b) -> Scalar", Function<on_scalars<Add>>);
INGOT_REAL_OPS("aten::sub", Sub, "int");
INGOT_COMPLEX_OPS("aten::sub", Sub);
INGOT_OP("aten::sub(Scalar a, Scalar b) -> Scalar", Function<on_scalars<Sub>>);
INGOT_REAL_OPS("aten::mul", Mul, "int");
INGOT_COMPLEX_OPS("aten::mul", Mul);
INGOT_OP("aten::mul(Scalar a, Scalar b) -> Scalar", Function<on_scalars<Mul>>);
INGOT_REAL_OPS("aten::floordiv", FloorDiv, "int");
INGOT_OP("aten::floordiv(Scalar a, Scalar b) -> Scalar", Function<on_scalars<FloorDiv>>);
INGOT_REAL_OPS("aten::remainder", Remainder, "int");
INGOT_OP("aten::remainder(Scalar a, Scalar b) -> Scalar", Function<on_scalars<Remainder>>);
INGOT_REAL_OPS("aten::fmod", FMod, "float");
INGOT_OP("aten::fmod(Scalar a, Scalar b) -> float", Function<on_scalars_to_float<FMod>>);
INGOT_REAL_OPS("aten::mathremainder", IeeeRemainder, "float");
INGOT_OP("aten::mathremainder(Scalar a, Scalar b) -> float",
         Function<on_scalars_to_float<IeeeRemainder>>);
INGOT_REAL_OPS("aten::pow", Pow, "float");
INGOT_OP("aten::pow.int_to_int(int a, int b) -> int", Stepped<pow_int>);
INGOT_OP("aten::pow.complex(complex a, complex b) -> complex", Function<pow_complex>);
INGOT_OP("aten::pow.complex_float(complex a, float b) -> complex", Function<pow_complex>);
INGOT_OP("aten::pow.float_complex(float a, complex b) -> complex", Function<pow_complex>);
INGOT_OP("aten::pow.Scalar_Scalar(Scalar a, Scalar b) -> float",
         Function<on_scalars_to_float<Pow>>);
INGOT_REAL_OPS("prim::min", Min, "int");
INGOT_OP("prim::min(Scalar a, Scalar b) -> Scalar", Function<on_scalars<Min>>);
INGOT_REAL_OPS("prim::max", Max, "int");
INGOT_OP("prim::max(Scalar a, Scalar b) -> Scalar", Function<on_scalars<Max>>);

INGOT_OP("aten::div.int(int a, int b) -> float", Stepped<on<Div, int64_t, int64_t>>);
INGOT_OP("aten::div.float(float a, float b) -> float", Stepped<on<Div, double, double>>);
INGOT_OP("aten::div.complex(complex a, complex b) -> complex", Function<on_complex<Div>>);
INGOT_OP("aten::div(Scalar a, Scalar b) -> float", Function<on_scalars_to_float<Div>>);

INGOT_OP("aten::neg.int(int a) -> int", Stepped<neg_int>);
INGOT_OP("aten::neg.float(float a) -> float", Stepped<neg_float>);
INGOT_OP("aten::neg.complex(complex a) -> complex", Function<neg_complex>);
INGOT_OP("aten::neg.Scalar(Scalar a) -> Scalar", Function<neg_scalar>);
INGOT_OP("prim::abs.int(int a) -> int", Stepped<abs_int>);
INGOT_OP("prim::abs.float(float a) -> float", Stepped<abs_float>);
INGOT_OP("prim::abs.complex(complex a) -> float", Function<abs_complex>);
INGOT_OP("prim::abs.Scalar(Scalar a) -> Scalar", Function<abs_scalar>);

INGOT_OP("aten::divmod.int(int x, int y) -> (int, int)", Function<divmod_int>);
INGOT_OP("aten::divmod.float(float x, float y) -> (float, float)",
         Function<divmod_mixed<double, double>>);
INGOT_OP("aten::divmod.int_float(int x, float y) -> (float, float)",
         Function<divmod_mixed<int64_t, double>>);
INGOT_OP("aten::divmod.float_int(float x, int y) -> (float, float)",
         Function<divmod_mixed<double, int64_t>>);

INGOT_OP("aten::__and__.int(int a, int b) -> int", Stepped<and_int>);
INGOT_OP("aten::__or__.int(int a, int b) -> int", Stepped<or_int>);
INGOT_OP("aten::__xor__.int(int a, int b) -> int", Stepped<xor_int>);
INGOT_OP("aten::__lshift__.int(int a, int b) -> int", Stepped<lshift>);
INGOT_OP("aten::__rshift__.int(int a, int b) -> int", Stepped<rshift>);
INGOT_OP("aten::__round_to_zero_floordiv.int(int a, int b) -> int",
         Stepped<round_to_zero_floordiv>);
INGOT_OP("aten::gcd.int(int a, int b) -> int", Stepped<gcd_int>);
INGOT_OP("aten::factorial.int(int a) -> int", Stepped<factorial_int>);

}  // namespace
}  // namespace ingot

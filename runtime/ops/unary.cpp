// Functions of one tensor, element by element.
#include <cmath>

#include "ops/compute.h"
#include "ops/families.h"
#include "ops/functions.h"

namespace ingot {
namespace {

template <class T>
constexpr bool kFloating = std::is_floating_point_v<T>;
template <class T>
constexpr bool kComplexNumber = !std::is_arithmetic_v<T>;

constexpr double kPi = 3.14159265358979323846;

// Arithmetic.
INGOT_UNARY(
    abs, common, kReal | kComplex, [](auto x) { return fn::absolute(x); }, vectorized<f32::abs>);
INGOT_UNARY(
    neg, common, kReal | kComplex, [](auto x) { return fn::negate(x); }, vectorized<f32::neg>,
    kNoBoolOperand);
INGOT_UNARY(
    sign, common, kRealAndBool, [](auto x) { return fn::sign(x); }, vectorized<f32::sign>);
INGOT_UNARY(
    sgn, common, kRealAndBool | kComplex, [](auto x) { return fn::sign(x); },
    vectorized<f32::sign>);
INGOT_UNARY(
    square, arithmetic, kReal | kComplex, [](auto x) { return fn::mul(x, x); },
    vectorized<f32::square>);
INGOT_UNARY(
    reciprocal, floating, kFloats | kComplex, [](auto x) { return fn::divide(decltype(x)(1), x); },
    vectorized<f32::reciprocal>);
INGOT_UNARY(
    sqrt, floating, kFloats | kComplexWide, [](auto x) { return std::sqrt(x); },
    vectorized<f32::sqrt>);
INGOT_UNARY(
    rsqrt, floating, kFloats | kComplexWide,
    [](auto x) { return fn::divide(decltype(x)(1), std::sqrt(x)); }, vectorized<f32::rsqrt>);
INGOT_UNARY(deg2rad, floating, kFloats, [](auto x) { return x * decltype(x)(kPi / 180); });
INGOT_UNARY(rad2deg, floating, kFloats, [](auto x) { return x * decltype(x)(180 / kPi); });
INGOT_UNARY_NAME(absolute, row_abs);
INGOT_UNARY_NAME(negative, row_neg);

Tensor positive(const Tensor& self) {
  INGOT_CHECK(self.dtype() != DType::boolean, "is not defined for dtype ", self.dtype());
  return self;
}
INGOT_OP("aten::positive(Tensor(a) self) -> Tensor(a)", Symbolic<positive>);

// Rounding; integers stay as they are.
INGOT_UNARY(
    ceil, common, kReal,
    [](auto x) {
      if constexpr (kFloating<decltype(x)>)
        return std::ceil(x);
      else
        return x;
    },
    vectorized<f32::ceil>);
INGOT_UNARY(
    floor, common, kReal,
    [](auto x) {
      if constexpr (kFloating<decltype(x)>)
        return std::floor(x);
      else
        return x;
    },
    vectorized<f32::floor>);
INGOT_UNARY(
    trunc, common, kReal,
    [](auto x) {
      if constexpr (kFloating<decltype(x)>)
        return std::trunc(x);
      else
        return x;
    },
    vectorized<f32::trunc>);
INGOT_UNARY(
    round, common, kReal,
    [](auto x) {
      if constexpr (kFloating<decltype(x)>)
        return std::nearbyint(x);
      else
        return x;
    },
    vectorized<f32::round>);
INGOT_UNARY(
    frac, common, kFloats, [](auto x) { return x - std::trunc(x); }, vectorized<f32::frac>);
INGOT_UNARY_NAME(fix, row_trunc);

// A number of decimals makes the second row: the number is 10^|decimals|, its sign the
// decimals' sign.
constexpr Elementwise kRoundDecimals =
    elementwise<1, 1, kReal>(Promotion::common, [](auto x, auto scale) {
      if constexpr (kFloating<decltype(x)>)
        return scale > 0 ? std::nearbyint(x * scale) / scale : std::nearbyint(x / -scale) * -scale;
      else
        return x;
    });
const Elementwise& choose_round(const Arguments& in, Scalar* params) {
  const int64_t decimals = in[1].to_int();
  if (decimals == 0) return row_round;
  const double scale = std::pow(10.0, static_cast<double>(std::abs(decimals)));
  params[0] = Scalar(decimals > 0 ? scale : -scale);
  return kRoundDecimals;
}
INGOT_ELEMENTWISE_BY(choose_round, 1,
                     "aten::round.decimals(Tensor self, *, int decimals) -> Tensor");
INGOT_ELEMENTWISE_BY(choose_round, 1,
                     "aten::round_.decimals(Tensor(a!) self, *, int decimals) -> Tensor(a!)");
INGOT_ELEMENTWISE_BY(choose_round, 1,
                     "aten::special_round(Tensor self, *, int decimals=0) -> Tensor");

// Exponentials and logarithms.
INGOT_UNARY(
    exp, floating, kFloats | kComplexWide, [](auto x) { return std::exp(x); },
    vectorized<f32::exp>);
INGOT_UNARY(
    exp2, floating, kFloats | kComplexWide, [](auto x) { return fn::exp2(x); },
    vectorized<f32::exp2>);
INGOT_UNARY(
    expm1, floating, kFloats | kComplexWide, [](auto x) { return fn::expm1(x); },
    vectorized<f32::expm1>);
INGOT_UNARY(
    log, floating, kFloats | kComplexWide, [](auto x) { return std::log(x); },
    vectorized<f32::log>);
INGOT_UNARY(
    log10, floating, kFloats | kComplexWide, [](auto x) { return std::log10(x); },
    vectorized<f32::log10>);
INGOT_UNARY(
    log1p, floating, kFloats | kComplexWide, [](auto x) { return fn::log1p(x); },
    vectorized<f32::log1p>);
INGOT_UNARY(
    log2, floating, kFloats | kComplexWide, [](auto x) { return fn::log2(x); },
    vectorized<f32::log2>);
INGOT_UNARY(
    sigmoid, floating, kFloats | kComplexWide, [](auto x) { return fn::sigmoid(x); },
    vectorized<f32::sigmoid>);
INGOT_UNARY_PURE_NAME(special_exp2, row_exp2);
INGOT_UNARY_PURE_NAME(special_expm1, row_expm1);
INGOT_UNARY_PURE_NAME(special_log1p, row_log1p);
INGOT_UNARY_PURE_NAME(special_expit, row_sigmoid);

// Trigonometry.
INGOT_UNARY(acos, floating, kFloats | kComplexWide, [](auto x) { return std::acos(x); });
INGOT_UNARY(acosh, floating, kFloats | kComplexWide, [](auto x) { return std::acosh(x); });
INGOT_UNARY(asin, floating, kFloats | kComplexWide, [](auto x) { return std::asin(x); });
INGOT_UNARY(asinh, floating, kFloats | kComplexWide, [](auto x) { return std::asinh(x); });
INGOT_UNARY(atan, floating, kFloats | kComplexWide, [](auto x) { return std::atan(x); });
INGOT_UNARY(atanh, floating, kFloats | kComplexWide, [](auto x) { return std::atanh(x); });
INGOT_UNARY(
    cos, floating, kFloats | kComplexWide, [](auto x) { return std::cos(x); },
    vectorized<f32::cos>);
INGOT_UNARY(cosh, floating, kFloats | kComplexWide, [](auto x) { return std::cosh(x); });
INGOT_UNARY(
    sin, floating, kFloats | kComplexWide, [](auto x) { return std::sin(x); },
    vectorized<f32::sin>);
INGOT_UNARY(sinh, floating, kFloats | kComplexWide, [](auto x) { return std::sinh(x); });
INGOT_UNARY(tan, floating, kFloats | kComplexWide, [](auto x) { return std::tan(x); });
INGOT_UNARY(
    tanh, floating, kFloats | kComplexWide, [](auto x) { return std::tanh(x); },
    vectorized<f32::tanh>);
INGOT_UNARY(sinc, floating, kFloats | kComplexWide, [](auto x) {
  const auto angle = x * decltype(x)(kPi);
  return x == decltype(x)(0) ? decltype(x)(1) : fn::divide(std::sin(angle), angle);
});
INGOT_UNARY_NAME(arccos, row_acos);
INGOT_UNARY_NAME(arccosh, row_acosh);
INGOT_UNARY_NAME(arcsin, row_asin);
INGOT_UNARY_NAME(arcsinh, row_asinh);
INGOT_UNARY_NAME(arctan, row_atan);
INGOT_UNARY_NAME(arctanh, row_atanh);
INGOT_UNARY_PURE_NAME(special_sinc, row_sinc);

// Special functions.
INGOT_UNARY(
    erf, floating, kFloats, [](auto x) { return std::erf(x); }, vectorized<f32::erf>);
INGOT_UNARY(erfc, floating, kFloats, [](auto x) { return std::erfc(x); });
INGOT_UNARY(erfinv, floating, kFloats,
            [](auto x) { return static_cast<decltype(x)>(fn::inverse_erf(x)); });
INGOT_UNARY(lgamma, floating, kFloats,
            [](auto x) { return static_cast<decltype(x)>(fn::log_gamma(x)); });
INGOT_UNARY(digamma, floating, kFloats,
            [](auto x) { return static_cast<decltype(x)>(fn::digamma(x)); });
INGOT_UNARY(i0, floating, kFloats,
            [](auto x) { return static_cast<decltype(x)>(fn::bessel_i(0, x, false)); });
INGOT_UNARY_PURE(special_i0e, floating, kFloats,
                 [](auto x) { return static_cast<decltype(x)>(fn::bessel_i(0, x, true)); });
INGOT_UNARY_PURE(special_i1, floating, kFloats,
                 [](auto x) { return static_cast<decltype(x)>(fn::bessel_i(1, x, false)); });
INGOT_UNARY_PURE(special_i1e, floating, kFloats,
                 [](auto x) { return static_cast<decltype(x)>(fn::bessel_i(1, x, true)); });
INGOT_UNARY_PURE(special_entr, floating, kFloats, [](auto x) {
  using T = decltype(x);
  if (x > 0) return -x * std::log(x);
  return x == 0 ? T(0) : x != x ? x : -std::numeric_limits<T>::infinity();
});
INGOT_UNARY_PURE(special_ndtr, floating, kFloats, [](auto x) {
  return decltype(x)(0.5) * std::erfc(-x * decltype(x)(0.70710678118654752440));
});
INGOT_UNARY_PURE(special_log_ndtr, floating, kFloats,
                 [](auto x) { return static_cast<decltype(x)>(fn::log_normal_cdf(x)); });
INGOT_UNARY_PURE(special_ndtri, floating, kFloats,
                 [](auto x) { return static_cast<decltype(x)>(fn::inverse_normal_cdf(x)); });
INGOT_UNARY_PURE(special_erfcx, floating, kFloats,
                 [](auto x) { return static_cast<decltype(x)>(fn::scaled_erfc(x)); });
INGOT_UNARY_PURE_NAME(special_erf, row_erf);
INGOT_UNARY_PURE_NAME(special_erfc, row_erfc);
INGOT_UNARY_PURE_NAME(special_erfinv, row_erfinv);
INGOT_UNARY_PURE_NAME(special_gammaln, row_lgamma);
INGOT_UNARY_PURE_NAME(special_digamma, row_digamma);
INGOT_UNARY_PURE_NAME(special_psi, row_digamma);
INGOT_UNARY_PURE_NAME(special_i0, row_i0);

// Mantissas of magnitude in [0.5, 1) or 0, and exponents of two; infinities and NaN have
// exponent 0.
std::array<TensorInfo, 2> frexp_meta(const Tensor& self) {
  INGOT_CHECK(is_floating(self.dtype()), "a floating dtype is needed, got ", self);
  return {self.info(), TensorInfo{DType::i32, self.sizes()}};
}
void frexp(const Tensor& self, Tensor& mantissa, Tensor& exponent) {
  // Every floating dtype's numbers are doubles.
  const Tensor source = as_dense(self, DType::f64);
  Tensor parts = Tensor::empty(DType::f64, self.sizes());
  for (int64_t i = 0; i < self.numel(); ++i) {
    const double x = source.data<double>()[i];
    int power = 0;
    parts.data<double>()[i] = std::isfinite(x) ? std::frexp(x, &power) : x;
    exponent.data<int32_t>()[i] = power;
  }
  copy_into(parts, mantissa);
}
INGOT_OP("aten::frexp.Tensor(Tensor self) -> (Tensor mantissa, Tensor exponent)",
         Structured<frexp_meta, frexp>);

// The order n is no operand.
constexpr Elementwise kPolygamma = elementwise<1, 1, kFloats>(
    Promotion::floating, [](auto x, auto n) { return fn::polygamma(static_cast<int64_t>(n), x); });
INGOT_ELEMENTWISE(kPolygamma, "aten::polygamma(int n, Tensor self) -> Tensor");
INGOT_ELEMENTWISE(kPolygamma, "aten::polygamma_(Tensor(a!) self, int n) -> Tensor(a!)");

// log(x / (1 - x)), x first moved into [eps, 1 - eps] if there is an eps.
constexpr Elementwise kLogit =
    elementwise<1, 0, kFloats>(Promotion::floating, [](auto x) { return std::log(x / (1 - x)); });
constexpr Elementwise kLogitClamped =
    elementwise<1, 1, kFloats>(Promotion::floating, [](auto x, auto eps) {
      const auto z = x < eps ? eps : x > 1 - eps ? 1 - eps : x;
      return std::log(z / (1 - z));
    });
const Elementwise& choose_logit(const Arguments& in, Scalar* params) {
  if (in[1].is_none()) return kLogit;
  params[0] = Scalar(in[1]);
  return kLogitClamped;
}
INGOT_ELEMENTWISE_BY(choose_logit, 1, "aten::logit(Tensor self, float? eps=None) -> Tensor");
INGOT_ELEMENTWISE_BY(choose_logit, 1,
                     "aten::logit_(Tensor(a!) self, float? eps=None) -> Tensor(a!)");
INGOT_ELEMENTWISE_BY(choose_logit, 1,
                     "aten::special_logit(Tensor self, float? eps=None) -> Tensor");

// Bits and truth.
INGOT_UNARY(bitwise_not, common, kBool | kIntegers, [](auto x) {
  if constexpr (std::is_same_v<decltype(x), bool>)
    return !x;
  else
    return ~x;
});
INGOT_UNARY(
    logical_not, common, kBool | kReal | kComplexWide, [](auto x) { return x == decltype(x)(0); },
    vectorized<f32::logical_not>);
INGOT_UNARY_PURE(
    isnan, common, kRealAndBool | kComplexWide, [](auto x) { return fn::is_nan(x); },
    vectorized<f32::isnan>);
INGOT_UNARY_PURE(isinf, common, kRealAndBool | kComplexWide, [](auto x) {
  if constexpr (kComplexNumber<decltype(x)>)
    return std::isinf(x.real()) || std::isinf(x.imag());
  else if constexpr (kFloating<decltype(x)>)
    return std::isinf(x);
  else
    return false;
});
INGOT_UNARY_PURE(isfinite, common, kRealAndBool | kComplexWide, [](auto x) {
  if constexpr (kComplexNumber<decltype(x)>)
    return std::isfinite(x.real()) && std::isfinite(x.imag());
  else if constexpr (kFloating<decltype(x)>)
    return std::isfinite(x);
  else
    return true;
});
INGOT_UNARY_PURE(isposinf, common, kRealAndBool, [](auto x) {
  if constexpr (kFloating<decltype(x)>)
    return std::isinf(x) && x > 0;
  else
    return false;
});
INGOT_UNARY_PURE(isneginf, common, kRealAndBool, [](auto x) {
  if constexpr (kFloating<decltype(x)>)
    return std::isinf(x) && x < 0;
  else
    return false;
});
INGOT_UNARY_PURE(isreal, common, kRealAndBool | kComplexWide, [](auto x) {
  if constexpr (kComplexNumber<decltype(x)>)
    return x.imag() == 0;
  else
    return true;
});
INGOT_UNARY_PURE(signbit, common, kRealAndBool, [](auto x) {
  if constexpr (kFloating<decltype(x)>)
    return std::signbit(x);
  else
    return x < 0;
});

// The replacements that are None are 0 and the largest and smallest of the dtype; which dtype
// shows only in the tensor.
constexpr Elementwise kNanToNum = elementwise<1, 3, kRealAndBool | kComplexWide>(
    Promotion::common, [](auto x, auto nan, auto high, auto low) {
      const auto finite = [](auto part, auto nan, auto high, auto low) {
        if (part != part) return nan;
        return std::isinf(part) ? (part > 0 ? high : low) : part;
      };
      if constexpr (kComplexNumber<decltype(x)>)
        return decltype(x)(finite(x.real(), nan.real(), high.real(), low.real()),
                           finite(x.imag(), nan.real(), high.real(), low.real()));
      else if constexpr (kFloating<decltype(x)>)
        return finite(x, nan, high, low);
      else
        return x;
    });
const Elementwise& choose_nan_to_num(const Arguments& in, Scalar* params) {
  double largest = std::numeric_limits<double>::max();
  switch (in[0].tensor().dtype()) {
    case DType::c64:
    case DType::f32: largest = std::numeric_limits<float>::max(); break;
    case DType::bf16: largest = 0x1.fep127; break;
    case DType::f16: largest = 65504; break;
    default: break;
  }
  params[0] = in[1].is_none() ? Scalar(0.0) : Scalar(in[1]);
  params[1] = in[2].is_none() ? Scalar(largest) : Scalar(in[2]);
  params[2] = in[3].is_none() ? Scalar(-largest) : Scalar(in[3]);
  return kNanToNum;
}
INGOT_ELEMENTWISE_BY(choose_nan_to_num, 1,
                     "aten::nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? "
                     "neginf=None) -> Tensor");
INGOT_ELEMENTWISE_BY(choose_nan_to_num, 1,
                     "aten::nan_to_num_(Tensor(a!) self, float? nan=None, float? posinf=None, "
                     "float? neginf=None) -> Tensor(a!)");

}  // namespace
}  // namespace ingot

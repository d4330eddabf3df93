// Functions of two tensors, or of a tensor and a number, element by element.
#include <cmath>

#include "base/half.h"
#include "ops/divisor.h"
#include "ops/families.h"
#include "ops/functions.h"

namespace ingot {
namespace {

// Sums and products.
constexpr Elementwise kAdd = elementwise<2, 1, kRealAndBool | kComplex>(
    Promotion::common, [](auto a, auto b, auto alpha) { return fn::add(a, fn::mul(b, alpha)); },
    vectorized<f32::add>, kIntegralParams);
constexpr Elementwise kSub = elementwise<2, 1, kReal | kComplex>(
    Promotion::common, [](auto a, auto b, auto alpha) { return fn::sub(a, fn::mul(b, alpha)); },
    vectorized<f32::sub>, kIntegralParams | kNoBoolOperand);
constexpr Elementwise kReverseSub = elementwise<2, 1, kReal | kComplex>(
    Promotion::common, [](auto a, auto b, auto alpha) { return fn::sub(b, fn::mul(a, alpha)); },
    vectorized<f32::rsub>, kIntegralParams | kNoBoolOperand);
INGOT_BINARY_ALPHA_NAME(add, kAdd);
INGOT_BINARY_ALPHA_NAME(sub, kSub);
INGOT_BINARY_ALPHA_NAME(subtract, kSub);
INGOT_ELEMENTWISE(kReverseSub,
                  "aten::rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor");
INGOT_ELEMENTWISE(kReverseSub,
                  "aten::rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor");
INGOT_BINARY(
    mul, common, kRealAndBool | kComplex, [](auto a, auto b) { return fn::mul(a, b); },
    vectorized<f32::mul>);
INGOT_BINARY_NAME(multiply, row_mul);

// A row for integers whose tiles are mostly divided by one number; `row` has the general loop.
struct FloorQuotient {
  static int64_t by_power(const Divisor& d, int64_t a) { return d.shifted(a); }
  static int64_t by_other(const Divisor& d, int64_t a) { return d.multiplied(a); }
};
struct FloorRemainder {
  static int64_t by_power(const Divisor& d, int64_t a) { return d.masked(a); }
  static int64_t by_other(const Divisor& d, int64_t a) { return d.rest(a, d.multiplied(a)); }
};
template <class Function, const Elementwise& kRow>
void divide_tile(int64_t count, void* out, const void* const* in, const Scalar* params) {
  const auto* a = static_cast<const int64_t*>(in[0]);
  const int64_t number = common_divisor(static_cast<const int64_t*>(in[1]), count);
  if (number == 0) return kRow.i64(count, out, in, params);
  const Divisor divisor(number);
  auto* results = static_cast<int64_t*>(out);
  if (divisor.is_power_of_two())
    for (int64_t i = 0; i < count; ++i) results[i] = Function::by_power(divisor, a[i]);
  else
    for (int64_t i = 0; i < count; ++i) results[i] = Function::by_other(divisor, a[i]);
}
template <class Function, const Elementwise& kRow>
constexpr Elementwise divided() {
  Elementwise row = kRow;
  row.i64 = divide_tile<Function, kRow>;
  return row;
}

// Quotients and remainders.
INGOT_BINARY(
    div, floating, kFloats | kComplex, [](auto a, auto b) { return fn::divide(a, b); },
    vectorized<f32::div>);
INGOT_BINARY_NAME(divide, row_div);
INGOT_BINARY_NAME(true_divide, row_div);
constexpr Elementwise kDivTrunc = elementwise<2, 0, kReal>(
    Promotion::common, [](auto a, auto b) { return fn::divide_truncating(a, b); });
constexpr Elementwise kDivFloorOfAny = elementwise<2, 0, kReal>(
    Promotion::common, [](auto a, auto b) { return fn::divide_floor(a, b); });
constexpr Elementwise kDivFloor = divided<FloorQuotient, kDivFloorOfAny>();
const Elementwise& choose_div(const Arguments& in, Scalar*) {
  if (in[2].is_none()) return row_div;
  const std::string_view mode = in[2].to_string();
  INGOT_CHECK(mode == "trunc" || mode == "floor",
              "rounding_mode must be None, 'trunc' or 'floor', got '", mode, "'");
  return mode == "trunc" ? kDivTrunc : kDivFloor;
}
#define INGOT_DIV_MODE(name)                                           \
  INGOT_ELEMENTWISE_BY(choose_div, 2,                                  \
                       "aten::" name                                   \
                       ".Tensor_mode(Tensor self, Tensor other, *, "   \
                       "str? rounding_mode) -> Tensor");               \
  INGOT_ELEMENTWISE_BY(choose_div, 2,                                  \
                       "aten::" name                                   \
                       ".Scalar_mode(Tensor self, Scalar other, *, "   \
                       "str? rounding_mode) -> Tensor");               \
  INGOT_ELEMENTWISE_BY(choose_div, 2,                                  \
                       "aten::" name                                   \
                       "_.Tensor_mode(Tensor(a!) self, Tensor "        \
                       "other, *, str? rounding_mode) -> Tensor(a!)"); \
  INGOT_ELEMENTWISE_BY(choose_div, 2,                                  \
                       "aten::" name                                   \
                       "_.Scalar_mode(Tensor(a!) self, Scalar "        \
                       "other, *, str? rounding_mode) -> Tensor(a!)")
INGOT_DIV_MODE("div");
INGOT_DIV_MODE("divide");
INGOT_BINARY_PURE_NAME(floor_divide, kDivFloor);
INGOT_ELEMENTWISE(kDivFloor, "aten::floor_divide.Scalar(Tensor self, Scalar other) -> Tensor");
INGOT_ELEMENTWISE(kDivFloor,
                  "aten::floor_divide_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)");
INGOT_ELEMENTWISE(kDivFloor,
                  "aten::floor_divide_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)");
INGOT_BINARY(
    fmod, common, kReal, [](auto a, auto b) { return fn::remainder_truncating(a, b); },
    vectorized<f32::fmod>);
constexpr Elementwise kRemainderOfAny = elementwise<2, 0, kReal>(
    Promotion::common, [](auto a, auto b) { return fn::remainder(a, b); },
    vectorized<f32::remainder>);
constexpr Elementwise kRemainder = divided<FloorRemainder, kRemainderOfAny>();
INGOT_BINARY_NAME(remainder, kRemainder);
INGOT_ELEMENTWISE(kRemainder, "aten::remainder.Scalar_Tensor(Scalar self, Tensor other) -> Tensor");
INGOT_BINARY_PLAIN(gcd, common, kIntegers,
                   [](auto a, auto b) { return fn::greatest_common_divisor(a, b); });
INGOT_BINARY_PLAIN(lcm, common, kIntegers,
                   [](auto a, auto b) { return fn::least_common_multiple(a, b); });

// Powers. PyTorch computes the exponents of this list as other functions do.
constexpr Elementwise kPow = elementwise<2, 0, kReal | kComplexWide>(
    Promotion::common, [](auto a, auto b) { return fn::power(a, b); }, vectorized<f32::pow>);
constexpr Elementwise kPowHalf = elementwise<2, 0, kFloats | kComplexWide>(
    Promotion::common, [](auto a, auto) { return std::sqrt(a); }, vectorized<f32::sqrt>);
constexpr Elementwise kPowSquare = elementwise<2, 0, kReal | kComplexWide>(
    Promotion::common, [](auto a, auto) { return fn::mul(a, a); }, vectorized<f32::square>);
constexpr Elementwise kPowCube = elementwise<2, 0, kReal | kComplexWide>(
    Promotion::common, [](auto a, auto) { return fn::mul(fn::mul(a, a), a); },
    vectorized<f32::cube>);
constexpr Elementwise kPowMinusOne = elementwise<2, 0, kFloats | kComplexWide>(
    Promotion::common, [](auto a, auto) { return fn::divide(decltype(a)(1), a); },
    vectorized<f32::reciprocal>);
constexpr Elementwise kPowMinusHalf = elementwise<2, 0, kFloats | kComplexWide>(
    Promotion::common, [](auto a, auto) { return fn::divide(decltype(a)(1), std::sqrt(a)); },
    vectorized<f32::rsqrt>);
const Elementwise& choose_pow(const Arguments& in, Scalar*) {
  const Scalar exponent(in[1]);
  const double value = exponent.to_double();
  INGOT_CHECK(value >= 0 || exponent.is_double() || !is_integral(in[0].tensor().dtype()),
              "integers to negative integer powers are not integers: convert to a floating dtype");
  if (exponent.is_complex()) return kPow;
  if (value == 2) return kPowSquare;
  if (value == 3) return kPowCube;
  if (value == 0.5) return kPowHalf;
  if (value == -0.5) return kPowMinusHalf;
  return value == -1 ? kPowMinusOne : kPow;
}
INGOT_ELEMENTWISE(kPow, "aten::pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor");
INGOT_ELEMENTWISE(kPow, "aten::pow.Scalar(Scalar self, Tensor exponent) -> Tensor");
INGOT_ELEMENTWISE(kPow, "aten::pow_.Tensor(Tensor(a!) self, Tensor exponent) -> Tensor(a!)");
INGOT_ELEMENTWISE_BY(choose_pow, 2,
                     "aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor");
INGOT_ELEMENTWISE_BY(choose_pow, 2,
                     "aten::pow_.Scalar(Tensor(a!) self, Scalar exponent) -> Tensor(a!)");
INGOT_BINARY_PLAIN(hypot, common, kFloats, [](auto a, auto b) { return std::hypot(a, b); });

constexpr Elementwise kFloatPower = elementwise<2, 0, kFloats | kComplexWide>(
    Promotion::f64, [](auto a, auto b) { return std::pow(a, b); });
INGOT_ELEMENTWISE(kFloatPower,
                  "aten::float_power.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor");
INGOT_ELEMENTWISE(kFloatPower,
                  "aten::float_power.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor");
INGOT_ELEMENTWISE(kFloatPower, "aten::float_power.Scalar(Scalar self, Tensor exponent) -> Tensor");
INGOT_ELEMENTWISE(kFloatPower,
                  "aten::float_power_.Tensor(Tensor(a!) self, Tensor exponent) -> Tensor(a!)");
INGOT_ELEMENTWISE(kFloatPower,
                  "aten::float_power_.Scalar(Tensor(a!) self, Scalar exponent) -> Tensor(a!)");

// self times 2^other, the power in f32 where other is an integer.
TensorInfo ldexp_meta(const Tensor& self, const Tensor& other) {
  const Operand power[] = {{nullptr, 2.0}, {&other}};
  const Tensor scale = Tensor::meta(infer_elementwise(kPow, power));
  const Operand product[] = {{&self}, {&scale}};
  return infer_elementwise(row_mul, product);
}
void ldexp(const Tensor& self, const Tensor& other, Tensor& out) {
  const Operand power[] = {{nullptr, 2.0}, {&other}};
  const Tensor scale = elementwise(kPow, power);
  const Operand product[] = {{&self}, {&scale}};
  compute_elementwise(row_mul, product, nullptr, out);
}
Tensor ldexp_in_place(const Tensor& self, const Tensor& other) {
  const Operand power[] = {{nullptr, 2.0}, {&other}};
  const Tensor scale = elementwise(kPow, power);
  const Operand product[] = {{&self}, {&scale}};
  elementwise_in_place(row_mul, product, nullptr);
  return self;
}
INGOT_OP("aten::ldexp.Tensor(Tensor self, Tensor other) -> Tensor", Structured<ldexp_meta, ldexp>);
INGOT_OP("aten::ldexp_(Tensor(a!) self, Tensor other) -> Tensor(a!)", Function<ldexp_in_place>);

// Larger and smaller.
INGOT_BINARY_PURE(
    maximum, common, kRealAndBool, [](auto a, auto b) { return fn::maximum(a, b); },
    vectorized<f32::maximum>);
INGOT_BINARY_PURE(
    minimum, common, kRealAndBool, [](auto a, auto b) { return fn::minimum(a, b); },
    vectorized<f32::minimum>);
INGOT_ELEMENTWISE(row_maximum, "aten::max.other(Tensor self, Tensor other) -> Tensor");
INGOT_ELEMENTWISE(row_minimum, "aten::min.other(Tensor self, Tensor other) -> Tensor");
INGOT_BINARY_PURE(fmax, common, kRealAndBool,
                  [](auto a, auto b) { return fn::is_nan(b) || a >= b ? a : b; });
INGOT_BINARY_PURE(fmin, common, kRealAndBool,
                  [](auto a, auto b) { return fn::is_nan(b) || a <= b ? a : b; });
INGOT_BINARY_PLAIN(heaviside, common, kRealAndBool, [](auto x, auto at_zero) {
  using T = decltype(x);
  return x == 0 ? at_zero : T(x > 0);
});

// Angles, signs and neighbours.
INGOT_BINARY_PLAIN(atan2, floating, kFloats, [](auto a, auto b) { return std::atan2(a, b); });
INGOT_BINARY_PLAIN_NAME(arctan2, row_atan2);
INGOT_BINARY(copysign, floating, kFloats, [](auto a, auto b) { return std::copysign(a, b); });

// The next number of the dtype; 16-bit floats, computed in f32, need rows of their own.
constexpr Elementwise kNextAfter = elementwise<2, 0, kFloats>(
    Promotion::common, [](auto a, auto b) { return std::nextafter(a, b); });
constexpr Elementwise kNextHalf = elementwise<2, 0, kFloats>(Promotion::common, [](auto a, auto b) {
  return static_cast<decltype(a)>(to_float(fn::next_after(a, b, to_half(static_cast<float>(a)))));
});
constexpr Elementwise kNextBFloat16 =
    elementwise<2, 0, kFloats>(Promotion::common, [](auto a, auto b) {
      return static_cast<decltype(a)>(
          to_float(fn::next_after(a, b, to_bfloat16(static_cast<float>(a)))));
    });
const Elementwise& choose_next_after(const Arguments& in, Scalar*) {
  const DType common = promote(in[0].tensor().dtype(), in[1].tensor().dtype());
  return common == DType::f16 ? kNextHalf : common == DType::bf16 ? kNextBFloat16 : kNextAfter;
}
INGOT_ELEMENTWISE_BY(choose_next_after, 2, "aten::nextafter(Tensor self, Tensor other) -> Tensor");
INGOT_ELEMENTWISE_BY(choose_next_after, 2,
                     "aten::nextafter_(Tensor(a!) self, Tensor other) -> Tensor(a!)");

// Exponentials and logarithms.
INGOT_BINARY_PURE(logaddexp, common, kFloats | kComplexWide,
                  [](auto a, auto b) { return fn::log_add_exp(a, b); });
INGOT_BINARY_PURE(logaddexp2, common, kFloats,
                  [](auto a, auto b) { return fn::log_add_exp2(a, b); });
constexpr Elementwise kXlogy = elementwise<2, 0, kFloats>(Promotion::floating, [](auto x, auto y) {
  return fn::is_nan(y) ? y : x == 0 ? decltype(x)(0) : x * std::log(y);
});
INGOT_ELEMENTWISE(kXlogy, "aten::xlogy.Tensor(Tensor self, Tensor other) -> Tensor");
INGOT_ELEMENTWISE(kXlogy, "aten::xlogy.Scalar_Other(Tensor self, Scalar other) -> Tensor");
INGOT_ELEMENTWISE(kXlogy, "aten::xlogy.Scalar_Self(Scalar self, Tensor other) -> Tensor");
INGOT_ELEMENTWISE(kXlogy, "aten::xlogy_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)");
INGOT_ELEMENTWISE(kXlogy, "aten::xlogy_.Scalar_Other(Tensor(a!) self, Scalar other) -> Tensor(a!)");

// name(Tensor, Tensor), name.self_scalar and name.other_scalar.
#define INGOT_SPECIAL_BINARY(name, row)                                                       \
  INGOT_BINARY_PURE_NAME(name, row);                                                          \
  INGOT_ELEMENTWISE(row, "aten::" #name ".self_scalar(Scalar self, Tensor other) -> Tensor"); \
  INGOT_ELEMENTWISE(row, "aten::" #name ".other_scalar(Tensor self, Scalar other) -> Tensor")
constexpr Elementwise kXlog1py =
    elementwise<2, 0, kFloats>(Promotion::floating, [](auto x, auto y) {
      return fn::is_nan(y) ? y : x == 0 ? decltype(x)(0) : x * std::log1p(y);
    });
constexpr Elementwise kZeta = elementwise<2, 0, kFloats>(Promotion::floating, [](auto x, auto q) {
  return static_cast<decltype(x)>(fn::hurwitz_zeta(x, q));
});
INGOT_SPECIAL_BINARY(special_xlogy, kXlogy);
INGOT_SPECIAL_BINARY(special_xlog1py, kXlog1py);
INGOT_SPECIAL_BINARY(special_zeta, kZeta);

// Bits.
#define INGOT_BITWISE(name, python_name, ...)                                                 \
  INGOT_BINARY(name, common, kBool | kIntegers, __VA_ARGS__);                                 \
  INGOT_ELEMENTWISE(row_##name,                                                               \
                    "aten::" #name ".Scalar_Tensor(Scalar self, Tensor other) -> Tensor");    \
  INGOT_ELEMENTWISE(row_##name,                                                               \
                    "aten::__" python_name "__.Tensor(Tensor self, Tensor other) -> Tensor"); \
  INGOT_ELEMENTWISE(row_##name,                                                               \
                    "aten::__" python_name "__.Scalar(Tensor self, Scalar other) -> Tensor"); \
  INGOT_ELEMENTWISE(row_##name, "aten::__i" python_name                                       \
                                "__.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)");    \
  INGOT_ELEMENTWISE(row_##name, "aten::__i" python_name                                       \
                                "__.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)")
INGOT_BITWISE(bitwise_and, "and", [](auto a, auto b) { return static_cast<decltype(a)>(a & b); });
INGOT_BITWISE(bitwise_or, "or", [](auto a, auto b) { return static_cast<decltype(a)>(a | b); });
INGOT_BITWISE(bitwise_xor, "xor", [](auto a, auto b) { return static_cast<decltype(a)>(a ^ b); });

// Shifts. __lshift__ and its kind also scale floats by powers of two.
#define INGOT_SHIFT(name, row)                                                                    \
  INGOT_BINARY_PURE_NAME(name.Tensor, row);                                                       \
  INGOT_ELEMENTWISE(row, "aten::" #name ".Tensor_Scalar(Tensor self, Scalar other) -> Tensor");   \
  INGOT_ELEMENTWISE(row, "aten::" #name ".Scalar_Tensor(Scalar self, Tensor other) -> Tensor");   \
  INGOT_ELEMENTWISE(row, "aten::" #name "_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"); \
  INGOT_ELEMENTWISE(row,                                                                          \
                    "aten::" #name "_.Tensor_Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)")
#define INGOT_PYTHON_SHIFT(name, row)                                                       \
  INGOT_ELEMENTWISE(row, "aten::__" name "__.Tensor(Tensor self, Tensor other) -> Tensor"); \
  INGOT_ELEMENTWISE(row, "aten::__" name "__.Scalar(Tensor self, Scalar other) -> Tensor")
constexpr Elementwise kShiftLeft = elementwise<2, 0, kReal>(Promotion::common, [](auto a, auto b) {
  if constexpr (std::is_integral_v<decltype(a)>)
    return fn::shift_left(a, b);
  else
    return a * std::exp2(b);
});
constexpr Elementwise kShiftRight = elementwise<2, 0, kReal>(Promotion::common, [](auto a, auto b) {
  if constexpr (std::is_integral_v<decltype(a)>)
    return fn::shift_right(a, b);
  else
    return a / std::exp2(b);
});
INGOT_SHIFT(bitwise_left_shift, kShiftLeft);
INGOT_SHIFT(bitwise_right_shift, kShiftRight);
INGOT_PYTHON_SHIFT("lshift", kShiftLeft);
INGOT_PYTHON_SHIFT("rshift", kShiftRight);

}  // namespace
}  // namespace ingot

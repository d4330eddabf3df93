// Functions of f32 vectors. Polynomials are minimax fits of the functions named beside them.
// Errors are against the exact result, in units of its last place, on targets with fused
// multiply-add; tests/cpp/vector_math_test.cpp holds the bounds. NaN, infinities and signed
// zeros give what C's functions give unless said otherwise.
#if defined(INGOT_KERNELS_VECTOR_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_VECTOR_MATH_INL_H_
#undef INGOT_KERNELS_VECTOR_MATH_INL_H_
#else
#define INGOT_KERNELS_VECTOR_MATH_INL_H_
#endif

#include <math.h>

#include <limits>

#include "kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLog2E = 1.44269504f;
constexpr float kLog2ELow = 1.92596303e-08f;  // what rounding took from it
// ln 2 in two parts; products of the first with small integers are exact.
constexpr float kLn2High = 0x1.62e4p-1f;
constexpr float kLn2Low = 1.42860677e-06f;
// Adding it rounds to an integer, which the low bits then hold.
constexpr float kRounder = 0x1.8p23f;

// (exp(r) - 1 - r) / r² in powers of r
constexpr float kExpTerms[] = {0.49999994f, 0.166665152f, 0.041668456f, 0.00836941879f,
                               0.00138131424f};

// x = n ln 2 + r with |r| <= ln(2) / 2; |x| < 2^20. `expm1_r` is exp(r) - 1.
struct ExpParts {
  V expm1_r;
  V n;
  VI rounded;  // n in the low bits

  explicit HWY_INLINE ExpParts(V x) {
    const V shifted = hn::MulAdd(x, set(kLog2E), set(kRounder));
    n = hn::Sub(shifted, set(kRounder));
    rounded = hn::BitCast(DI(), shifted);
    const V r = hn::NegMulAdd(n, set(kLn2Low), hn::NegMulAdd(n, set(kLn2High), x));
    const V q = polynomial(r, kExpTerms[0], kExpTerms[1], kExpTerms[2], kExpTerms[3], kExpTerms[4]);
    expm1_r = hn::MulAdd(hn::Mul(r, r), q, r);
  }
  // 2^n for n from -126 to 127.
  HWY_INLINE V power() const {
    return hn::BitCast(D(), hn::Add(hn::ShiftLeft<23>(rounded), hn::Set(DI(), 0x3f800000)));
  }
  // y 2^n, rounded once; |n| <= 250.
  HWY_INLINE V scale(V y) const {
#if HWY_TARGET == HWY_AVX3
    return V{_mm512_scalef_ps(y.raw, n.raw)};
#else
    const DI di;
    const VI whole = hn::Sub(rounded, hn::Set(di, 0x4b400000));
    const VI half = hn::ShiftRight<1>(whole);
    const VI one = hn::Set(di, 0x3f800000);
    const V a = hn::BitCast(D(), hn::Add(hn::ShiftLeft<23>(half), one));
    const V b = hn::BitCast(D(), hn::Add(hn::ShiftLeft<23>(hn::Sub(whole, half)), one));
    return hn::Mul(hn::Mul(y, a), b);
#endif
  }
};

// 1 ulp.
HWY_INLINE V exp(V x) {
  const ExpParts parts(at_least(at_most(x, set(89.0f)), set(-104.0f)));
  return parts.scale(hn::Add(parts.expm1_r, set(1.0f)));
}

// Where exp_to_zero ends: the power is 2^-127, whose bits are 0.
constexpr float kZeroExponent = -88.0f;

// exp(x) for x <= 88 where results below the smallest normal number may be 0. 1 ulp.
HWY_INLINE V exp_to_zero(V x) {
  const ExpParts parts(at_least(x, set(kZeroExponent)));
  const V power = parts.power();
  return hn::MulAdd(parts.expm1_r, power, power);
}

// The same of several vectors step by step: the steps of one wait for each other, and processors
// look too few instructions ahead to find another's.
template <int kCount>
HWY_INLINE void exp_to_zero(V (&x)[kCount]) {
  V power[kCount], q[kCount];
  for (int i = 0; i < kCount; ++i) x[i] = at_least(x[i], set(kZeroExponent));
  for (int i = 0; i < kCount; ++i) power[i] = hn::MulAdd(x[i], set(kLog2E), set(kRounder));
  for (int i = 0; i < kCount; ++i) q[i] = hn::Sub(power[i], set(kRounder));
  for (int i = 0; i < kCount; ++i) x[i] = hn::NegMulAdd(q[i], set(kLn2High), x[i]);
  for (int i = 0; i < kCount; ++i) x[i] = hn::NegMulAdd(q[i], set(kLn2Low), x[i]);
  for (int i = 0; i < kCount; ++i)
    power[i] = hn::BitCast(
        D(), hn::Add(hn::ShiftLeft<23>(hn::BitCast(DI(), power[i])), hn::Set(DI(), 0x3f800000)));
  for (int i = 0; i < kCount; ++i) q[i] = set(kExpTerms[4]);
  for (int k = 3; k >= 0; --k)
    for (int i = 0; i < kCount; ++i) q[i] = hn::MulAdd(q[i], x[i], set(kExpTerms[k]));
  for (int i = 0; i < kCount; ++i) q[i] = hn::MulAdd(hn::Mul(x[i], x[i]), q[i], x[i]);
  for (int i = 0; i < kCount; ++i) x[i] = hn::MulAdd(q[i], power[i], power[i]);
}

// 2^x. 1 ulp.
HWY_INLINE V exp2(V x) {
  const V bounded = at_least(at_most(x, set(129.0f)), set(-151.0f));
  const V shifted = hn::Add(bounded, set(kRounder));
  const V whole = hn::Sub(shifted, set(kRounder));
  // |r| <= ln(2) / 2 needs no further reduction.
  ExpParts parts(hn::Mul(hn::Sub(bounded, whole), set(0.693147181f)));
  parts.n = whole;
  parts.rounded = hn::BitCast(DI(), shifted);
  return parts.scale(hn::Add(parts.expm1_r, set(1.0f)));
}

// 2 ulp.
HWY_INLINE V expm1(V x) {
  const ExpParts parts(at_least(at_most(x, set(89.0f)), set(-18.0f)));
  // Half of the power: 2^128 is beyond range.
  const V power =
      hn::BitCast(D(), hn::Add(hn::ShiftLeft<23>(parts.rounded), hn::Set(DI(), 0x3f000000)));
  const V half = hn::MulAdd(parts.expm1_r, power, hn::Sub(power, set(0.5f)));
  return hn::IfThenElse(hn::Lt(hn::Abs(x), set(0x1p-24f)), x, hn::Add(half, half));
}

// log(1 + f) for f from sqrt(1/2) - 1 to sqrt(2) - 1.
HWY_INLINE V log1p_reduced(V f, V n) {
  // (log(1 + f) - f + f² / 2) / f³
  const V p = polynomial(f, 0.333333313f, -0.250008225f, 0.200012267f, -0.166233569f, 0.142017618f,
                         -0.131601945f, 0.127615497f, -0.0763442963f);
  const V square = hn::Mul(f, f);
  V y = hn::MulAdd(hn::Mul(square, f), p, hn::Mul(n, set(kLn2Low)));
  y = hn::MulAdd(square, set(-0.5f), y);
  return hn::MulAdd(n, set(kLn2High), hn::Add(y, f));
}

// x = 2^n m with m from sqrt(1/2) to sqrt(2); x positive, normal and finite.
struct LogParts {
  V n;
  V m;
  VI exponent;  // n 2^23

  explicit HWY_INLINE LogParts(V x) {
    const DI di;
    const VI bits = hn::BitCast(di, x);
    const VI whole = hn::ShiftRight<23>(hn::Sub(bits, hn::Set(di, 0x3f3504f3)));
    exponent = hn::ShiftLeft<23>(whole);
    m = hn::BitCast(D(), hn::Sub(bits, exponent));
    n = hn::ConvertTo(D(), whole);
  }
};

// The lanes that are no positive normal finite numbers.
HWY_INLINE M outside_of_log(V x) {
  return hn::Not(hn::And(hn::Ge(x, set(0x1p-126f)), hn::Lt(x, set(kInfinity))));
}

// What log gives for zeros, negative numbers, infinity and NaN.
HWY_INLINE V log_at_ends(V x, V y) {
  const V nan = set(std::numeric_limits<float>::quiet_NaN());
  y = hn::IfThenElse(hn::Lt(x, hn::Zero(D())), nan, y);
  y = hn::IfThenElse(hn::Eq(x, hn::Zero(D())), set(-kInfinity), y);
  return hn::IfThenElse(hn::Lt(x, set(kInfinity)), y, x);
}

// finish(n, m) for x = 2^n m, and the ends of a logarithm.
template <class Finish>
HWY_INLINE V log_with(V x, Finish finish) {
  const M outside = outside_of_log(x);
  if (HWY_LIKELY(hn::AllFalse(D(), outside))) {
    const LogParts parts(x);
    return finish(parts.n, parts.m);
  }
  const V scaled = hn::IfThenElse(hn::Lt(x, set(0x1p-126f)), hn::Mul(x, set(0x1p24f)), x);
  const V shift = hn::IfThenElseZero(hn::Lt(x, set(0x1p-126f)), set(24.0f));
  const LogParts parts(scaled);
  return log_at_ends(x, finish(hn::Sub(parts.n, shift), parts.m));
}

// 1 ulp.
HWY_INLINE V log(V x) {
  return log_with(x, [](V n, V m) INGOT_LAMBDA { return log1p_reduced(hn::Sub(m, set(1.0f)), n); });
}

// 2 ulp.
HWY_INLINE V log2(V x) {
  return log_with(x, [](V n, V m) INGOT_LAMBDA {
    const V y = log1p_reduced(hn::Sub(m, set(1.0f)), hn::Zero(D()));
    return hn::MulAdd(y, set(kLog2E), hn::MulAdd(y, set(kLog2ELow), n));
  });
}

// 2 ulp.
HWY_INLINE V log10(V x) {
  return log_with(x, [](V n, V m) INGOT_LAMBDA {
    const V y = log1p_reduced(hn::Sub(m, set(1.0f)), hn::Zero(D()));
    // log10(2) in two parts, products of the first exact.
    const V low = hn::MulAdd(n, set(4.60503907e-06f), hn::Mul(y, set(0.434294482f)));
    return hn::MulAdd(n, set(0x1.344p-2f), low);
  });
}

// 2 ulp.
HWY_INLINE V log1p(V x) {
  const V one = set(1.0f);
  const V u = hn::Add(one, x);
  // What rounding lost of 1 + x (Knuth's two-sum).
  const V back = hn::Sub(u, one);
  const V lost = hn::Add(hn::Sub(one, hn::Sub(u, back)), hn::Sub(x, back));
  const LogParts parts(u);
  const V rest =
      hn::Mul(lost, hn::BitCast(D(), hn::Sub(hn::Set(DI(), 0x3f800000), parts.exponent)));
  V y = log1p_reduced(hn::Add(hn::Sub(parts.m, one), rest), parts.n);
  const M outside = hn::Not(hn::And(hn::Gt(x, set(-1.0f)), hn::Lt(x, set(kInfinity))));
  if (HWY_UNLIKELY(!hn::AllFalse(D(), outside))) y = log_at_ends(u, y);
  return hn::IfThenElse(hn::Lt(hn::Abs(x), set(0x1p-24f)), x, y);
}

// 3 ulp. tanh(x) = -e / (e + 2) with e = expm1(-2 |x|).
HWY_INLINE V tanh(V x) {
  const V magnitude = at_most(hn::Abs(x), set(10.0f));
  const ExpParts parts(hn::Mul(magnitude, set(-2.0f)));
  const V power = parts.power();
  const V e = hn::MulAdd(parts.expm1_r, power, hn::Sub(power, set(1.0f)));
  return hn::CopySign(hn::Div(e, hn::Add(e, set(2.0f))), x);
}

// 1 + exp(-x), infinite from 2^127.5 on. The exponential is within 1.5 ulp, or, if not kFine and in
// fewer steps, within (2 + |x| / 3) ulp.
template <bool kFine>
HWY_INLINE V one_plus_exp_of_minus(V x) {
  // At the lower bound the power is 2^128, whose bits are those of infinity.
  const V bounded = at_least(at_most(x, set(87.0f)), set(-88.8f));
  const V shifted = hn::MulAdd(bounded, set(-kLog2E), set(kRounder));
  const V n = hn::Sub(shifted, set(kRounder));
  // -x log2(e) = n + r
#if HWY_NATIVE_FMA
  V r = hn::MulSub(bounded, set(-kLog2E), n);
  if constexpr (kFine) r = hn::MulAdd(bounded, set(-kLog2ELow), r);
#else
  const V rest = hn::MulAdd(n, set(kLn2Low), hn::MulAdd(n, set(kLn2High), bounded));
  const V r = hn::Mul(rest, set(-kLog2E));
#endif
  // 2^r
  const V q =
      kFine ? polynomial(r, 1.0f, 0.693147203f, 0.240226479f, 0.0555033247f, 0.00961843736f,
                         0.00133988744f, 0.000153533623f)
            : polynomial(r, 1.0f, 0.69314698f, 0.24022242f, 0.05550734f, 0.00967151f, 0.00132647f);
  const V power = hn::BitCast(
      D(), hn::Add(hn::ShiftLeft<23>(hn::BitCast(DI(), shifted)), hn::Set(DI(), 0x3f800000)));
  return hn::MulAdd(q, power, set(1.0f));
}

// 1 / (1 + exp(-x)), 0 below the smallest normal number. 2.5 ulp.
HWY_INLINE V sigmoid(V x) { return hn::Div(set(1.0f), one_plus_exp_of_minus<true>(x)); }

// x sigmoid(x), within 2e-7 |x|.
HWY_INLINE V silu(V x) { return hn::Div(x, one_plus_exp_of_minus<false>(x)); }

// 2 ulp.
HWY_INLINE V erf(V x) {
  const V magnitude = hn::Abs(x);
  // erf(x) / x - 1 in powers of x², and -log(erfc(x)).
  const V q = polynomial(hn::Mul(x, x), 0.128379151f, -0.376125246f, 0.112821408f, -0.0267789084f,
                         0.00501196226f, -0.000609035778f);
  const V near = hn::MulAdd(x, q, x);
  const V p = polynomial(at_most(magnitude, set(3.95f)), 0.000166439335f, 1.12779725f, 0.636976004f,
                         0.104113743f, -0.022315247f, 0.00306549948f, -0.000198220674f);
  const V far = hn::CopySign(hn::Sub(set(1.0f), exp_to_zero(hn::Neg(p))), x);
  return hn::IfThenElse(hn::Lt(magnitude, set(0.9f)), near, far);
}

// x times the normal distribution function, within 4e-8 |x|.
HWY_INLINE V gelu(V x) {
  constexpr float kEnd = 5.8f;
  const V magnitude = hn::Abs(x);
  const V m = at_most(magnitude, set(kEnd));
  // (1 + log2 of the distribution function at -m) / m
  const V p = polynomial(m, -1.151106f, -0.459201902f, -0.0525143705f, 0.00708899833f,
                         -0.000156204114f, -0.000178276488f, 3.77223951e-05f, -2.69702764e-06f);
  const V exponent = hn::MulAdd(m, p, set(-1.0f));
  const V shifted = hn::Add(exponent, set(kRounder));
  const V r = hn::Sub(exponent, hn::Sub(shifted, set(kRounder)));
  const V power = hn::BitCast(
      D(), hn::Add(hn::ShiftLeft<23>(hn::BitCast(DI(), shifted)), hn::Set(DI(), 0x3f800000)));
  // (2^r - 1) / r
  const V q = polynomial(r, 0.693147182f, 0.240226477f, 0.0555033237f, 0.00961843692f,
                         0.0013398875f, 0.000153533605f);
  const V tail =
      hn::IfThenZeroElse(hn::Gt(magnitude, set(kEnd)), hn::MulAdd(hn::Mul(r, q), power, power));
  return hn::Mul(x, hn::IfThenElse(hn::Lt(x, hn::Zero(D())), tail, hn::Sub(set(1.0f), tail)));
}

// The same through tanh: x (1 + tanh(u)) / 2 = x sigmoid(2u), within 2e-7 |x|.
HWY_INLINE V gelu_tanh(V x) {
  constexpr float kTwiceRoot = 1.59576912f;
  const V inner = hn::MulAdd(hn::Mul(x, x), set(kTwiceRoot * 0.044715f), set(kTwiceRoot));
  return hn::Div(x, one_plus_exp_of_minus<false>(hn::Mul(x, inner)));
}

// sin(n pi + r), where the low bit of `rounded` is that of n; |r| <= pi / 2.
HWY_INLINE V sin_of_parts(V r, VI rounded) {
  const V square = hn::Mul(r, r);
  // (sin(r) / r - 1) / r²
  const V p = polynomial(square, -0.166666597f, 0.00833306555f, -0.000198095382f, 2.6056307e-06f);
  const V y = hn::MulAdd(hn::Mul(square, r), p, r);
  return hn::Xor(y, hn::BitCast(D(), hn::ShiftLeft<31>(rounded)));
}

// x - n pi; pi in parts whose products with n are exact for |n| < 2^13.
HWY_INLINE V minus_pi(V x, V n) {
  V r = hn::NegMulAdd(n, set(0x1.92p1f), x);
  r = hn::NegMulAdd(n, set(0x1.fbp-11f), r);
  r = hn::NegMulAdd(n, set(0x1.51p-21f), r);
  return hn::NegMulAdd(n, set(0x1.0b4612p-33f), r);
}

constexpr float kTrigonometricLimit = 20000.0f;

// `y`, but kScalar(x) where |x| is beyond the limit.
template <float (*kScalar)(float)>
HWY_INLINE V with_far_lanes(V x, V y) {
  const D d;
  if (HWY_LIKELY(hn::AllTrue(d, hn::Lt(hn::Abs(x), set(kTrigonometricLimit))))) return y;
  HWY_ALIGN float from[kLanes];
  HWY_ALIGN float to[kLanes];
  hn::Store(x, d, from);
  hn::Store(y, d, to);
  for (int i = 0; i < kLanes; ++i)
    if (!(::fabsf(from[i]) < kTrigonometricLimit)) to[i] = kScalar(from[i]);
  return hn::Load(d, to);
}

// 2.5 ulp; beyond the limit the C library computes.
HWY_INLINE V sin(V x) {
  const V shifted = hn::MulAdd(x, set(0.318309886f), set(kRounder));
  const V n = hn::Sub(shifted, set(kRounder));
  const V y = sin_of_parts(minus_pi(x, n), hn::BitCast(DI(), shifted));
  return with_far_lanes<::sinf>(x, hn::IfThenElse(hn::Eq(x, hn::Zero(D())), x, y));
}

// 2.5 ulp; cos(x) = sin(x + pi / 2).
HWY_INLINE V cos(V x) {
  const V shifted = hn::Add(hn::MulAdd(x, set(0.318309886f), set(0.5f)), set(kRounder));
  const V n = hn::Sub(shifted, set(kRounder));
  const V y = sin_of_parts(minus_pi(x, hn::Sub(n, set(0.5f))), hn::BitCast(DI(), shifted));
  return with_far_lanes<::cosf>(x, y);
}

// |x|^y for doubles that floats widen to, accurate to 1e-9; y finite or not.
template <class DD, class VD = hn::Vec<DD>>
HWY_INLINE VD power_of_magnitude(DD d, VD x, VD y) {
  const hn::RebindToSigned<DD> di;
  const auto bits = hn::BitCast(di, x);
  // As in LogParts; the exponent becomes a double through the low bits of 1.5 · 2^52.
  const auto whole = hn::Sub(
      hn::BitCast(di, hn::ShiftRight<52>(hn::BitCast(
                          hn::RebindToUnsigned<DD>(),
                          hn::Sub(bits, hn::Set(di, 0x3fe6a09e667f3bcd - 0x3ff0000000000000))))),
      hn::Set(di, 1023));
  const VD m = hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<52>(whole)));
  const VD rounder = hn::Set(d, 0x1.8p52);
  const VD n = hn::Sub(hn::BitCast(d, hn::Add(hn::BitCast(di, rounder), whole)), rounder);
  const VD s = hn::Div(hn::Sub(m, hn::Set(d, 1.0)), hn::Add(m, hn::Set(d, 1.0)));
  const VD z = hn::Mul(s, s);
  // log2((1 + s) / (1 - s)) / s
  VD p = hn::Set(d, 0x1.21b76c5eafbf0p-2);
  for (const double c : {0x1.4794e457b7c9bp-2, 0x1.a61a317ed7fffp-2, 0x1.2776c28feaee4p-1,
                         0x1.ec709dc53f375p-1, 0x1.71547652b824fp+1})
    p = hn::MulAdd(p, z, hn::Set(d, c));
  VD log2 = hn::MulAdd(s, p, n);
  // Ends of the range, which any exponent but 0 takes out of it.
  log2 = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Set(d, -1e300), log2);
  log2 = hn::IfThenElse(hn::Eq(x, hn::Set(d, static_cast<double>(kInfinity))), hn::Set(d, 1e300),
                        log2);
  VD t = hn::IfThenZeroElse(hn::Eq(log2, hn::Zero(d)), hn::Mul(log2, y));
  t = hn::IfThenElse(hn::Lt(t, hn::Set(d, -400.0)), hn::Set(d, -400.0), t);
  t = hn::IfThenElse(hn::Gt(t, hn::Set(d, 400.0)), hn::Set(d, 400.0), t);
  const VD shifted = hn::Add(t, rounder);
  const VD r = hn::Sub(t, hn::Sub(shifted, rounder));
  // 2^r
  VD q = hn::Set(d, 0x1.fe177cc753052p-17);
  for (const double c : {0x1.446a1fd626a40p-13, 0x1.5d8a708ea6a71p-10, 0x1.3b29dc40dd8d6p-7,
                         0x1.c6b08aaf28416p-5, 0x1.ebfbe0a4be715p-3, 0x1.62e42ff1162c1p-1, 1.0})
    q = hn::MulAdd(q, r, hn::Set(d, c));
  return hn::BitCast(d, hn::Add(hn::BitCast(di, q), hn::ShiftLeft<52>(hn::BitCast(di, shifted))));
}

// 1 ulp.
HWY_INLINE V pow(V x, V y) {
  const D d;
  const V one = set(1.0f);
  const V magnitude = hn::Abs(x);
#if HWY_TARGET == HWY_SCALAR
  const hn::Rebind<double, D> dd;
  const V power =
      hn::DemoteTo(d, power_of_magnitude(dd, hn::PromoteTo(dd, magnitude), hn::PromoteTo(dd, y)));
#else
  const hn::Half<D> half;
  const hn::Rebind<double, hn::Half<D>> dd;
  const auto part = [half, dd](auto a, auto b) INGOT_LAMBDA {
    return hn::DemoteTo(half, power_of_magnitude(dd, hn::PromoteTo(dd, a), hn::PromoteTo(dd, b)));
  };
  const V power = hn::Combine(d, part(hn::UpperHalf(half, magnitude), hn::UpperHalf(half, y)),
                              part(hn::LowerHalf(half, magnitude), hn::LowerHalf(half, y)));
#endif
  // Of negative bases only whole exponents make real numbers, and odd ones keep the sign.
  const V exponent = at_most(hn::Abs(y), set(0x1p25f));
  const V halved = hn::Mul(exponent, set(0.5f));
  const M whole = hn::Eq(hn::Trunc(exponent), exponent);
  const M odd = hn::And(whole, hn::Ne(hn::Trunc(halved), halved));
  const V nan = set(std::numeric_limits<float>::quiet_NaN());
  V result = hn::IfThenElse(odd, hn::CopySign(power, x), power);
  const M imaginary =
      hn::AndNot(whole, hn::And(hn::Lt(x, hn::Zero(d)), hn::Gt(x, set(-kInfinity))));
  result = hn::IfThenElse(hn::Or(imaginary, hn::Or(hn::IsNaN(x), hn::IsNaN(y))), nan, result);
  return hn::IfThenElse(hn::Or(hn::Eq(x, one), hn::Eq(y, hn::Zero(d))), one, result);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#endif  // include guard of this target

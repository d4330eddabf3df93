#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/f32_arithmetic_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/foreach_target.h>

#include "kernels/f32_loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

// a + alpha b; the product is rounded on its own, as PyTorch rounds it where alpha is 1 or -1.
HWY_INLINE void add_multiple(int64_t count, void* out, const void* a, const void* b, float alpha) {
  if (alpha == 1) {
    map<4>(
        count, out, [](V x, V y) INGOT_LAMBDA { return hn::Add(x, y); }, a, b);
  } else if (alpha == -1) {
    map<4>(
        count, out, [](V x, V y) INGOT_LAMBDA { return hn::Sub(x, y); }, a, b);
  } else {
    const V factor = set(alpha);
    map<4>(
        count, out, [factor](V x, V y) INGOT_LAMBDA { return hn::MulAdd(y, factor, x); }, a, b);
  }
}
INGOT_F32_DEFINE(add) { add_multiple(count, out, in[0], in[1], params[0]); }
INGOT_F32_DEFINE(sub) { add_multiple(count, out, in[0], in[1], -params[0]); }
INGOT_F32_DEFINE(rsub) { add_multiple(count, out, in[1], in[0], -params[0]); }
INGOT_F32_BINARY(mul, 4, hn::Mul(a, b))
INGOT_F32_BINARY(div, 2, hn::Div(a, b))

INGOT_F32_UNARY(abs, 4, hn::Abs(x))
INGOT_F32_UNARY(neg, 4, hn::Neg(x))
INGOT_F32_UNARY(sign, 2,
                hn::Sub(hn::IfThenElseZero(hn::Gt(x, hn::Zero(D())), set(1.0f)),
                        hn::IfThenElseZero(hn::Lt(x, hn::Zero(D())), set(1.0f))))
INGOT_F32_UNARY(square, 4, hn::Mul(x, x))
INGOT_F32_UNARY(cube, 4, hn::Mul(hn::Mul(x, x), x))
INGOT_F32_UNARY(reciprocal, 2, hn::Div(set(1.0f), x))
INGOT_F32_UNARY(sqrt, 2, hn::Sqrt(x))
INGOT_F32_UNARY(rsqrt, 2, hn::Div(set(1.0f), hn::Sqrt(x)))

// Highway's emulations for SSE2 lose the sign of zero.
INGOT_F32_UNARY(ceil, 4, hn::CopySign(hn::Ceil(x), x))
INGOT_F32_UNARY(floor, 4, hn::CopySign(hn::Floor(x), x))
INGOT_F32_UNARY(trunc, 4, hn::Trunc(x))
INGOT_F32_UNARY(round, 4, hn::Round(x))
INGOT_F32_UNARY(frac, 4, hn::Sub(x, hn::Trunc(x)))

// NaN if either is; the first of equal ones.
HWY_INLINE V maximum(V a, V b) { return hn::IfThenElse(hn::IsNaN(b), b, at_least(a, b)); }
HWY_INLINE V minimum(V a, V b) { return hn::IfThenElse(hn::IsNaN(b), b, at_most(a, b)); }
INGOT_F32_BINARY(maximum, 4, maximum(a, b))
INGOT_F32_BINARY(minimum, 4, minimum(a, b))
INGOT_F32_DEFINE(clamp) {
  map<2>(
      count, out, [](V x, V low, V high) INGOT_LAMBDA { return minimum(maximum(x, low), high); },
      in[0], in[1], in[2]);
}
INGOT_F32_DEFINE(clamp_only_max) {
  map<4>(
      count, out, [](V x, V high) INGOT_LAMBDA { return minimum(x, high); }, in[0], in[2]);
}

// From the nearer end.
INGOT_F32_DEFINE(lerp) {
  map<2>(
      count, out,
      [](V start, V end, V weight) INGOT_LAMBDA {
        const V difference = hn::Sub(end, start);
        return hn::IfThenElse(hn::Lt(hn::Abs(weight), set(0.5f)),
                              hn::MulAdd(weight, difference, start),
                              hn::NegMulAdd(difference, hn::Sub(set(1.0f), weight), end));
      },
      in[0], in[1], in[2]);
}
INGOT_F32_DEFINE(addcmul) {
  const V value = set(params[0]);
  map<2>(
      count, out,
      [value](V x, V a, V b) INGOT_LAMBDA { return hn::MulAdd(hn::Mul(value, a), b, x); }, in[0],
      in[1], in[2]);
}
INGOT_F32_DEFINE(addcdiv) {
  const V value = set(params[0]);
  map<2>(
      count, out,
      [value](V x, V a, V b) INGOT_LAMBDA { return hn::MulAdd(value, hn::Div(a, b), x); }, in[0],
      in[1], in[2]);
}

// a - trunc(a / b) b, exact: in double the quotient's whole part is right and its product with
// b exact while it is below 2^29; beyond, the C library computes.
template <class DD, class VD = hn::Vec<DD>>
HWY_INLINE VD exact_rest(DD, VD a, VD b) {
  return hn::NegMulAdd(hn::Trunc(hn::Div(a, b)), b, a);
}
HWY_INLINE V rest_of_division(V a, V b) {
  const D d;
  const M simple =
      hn::And(hn::Lt(hn::Abs(hn::Div(a, b)), set(0x1p28f)), hn::Lt(hn::Abs(b), set(kInfinity)));
  if (HWY_UNLIKELY(!hn::AllTrue(d, simple))) {
    HWY_ALIGN float x[kLanes];
    HWY_ALIGN float y[kLanes];
    hn::Store(a, d, x);
    hn::Store(b, d, y);
    for (int i = 0; i < kLanes; ++i) x[i] = ::fmodf(x[i], y[i]);
    return hn::Load(d, x);
  }
#if HWY_TARGET == HWY_SCALAR
  const hn::Rebind<double, D> dd;
  const V rest = hn::DemoteTo(d, exact_rest(dd, hn::PromoteTo(dd, a), hn::PromoteTo(dd, b)));
#else
  const hn::Half<D> half;
  const hn::Rebind<double, hn::Half<D>> dd;
  const auto part = [half, dd](auto x, auto y) INGOT_LAMBDA {
    return hn::DemoteTo(half, exact_rest(dd, hn::PromoteTo(dd, x), hn::PromoteTo(dd, y)));
  };
  const V rest = hn::Combine(d, part(hn::UpperHalf(half, a), hn::UpperHalf(half, b)),
                             part(hn::LowerHalf(half, a), hn::LowerHalf(half, b)));
#endif
  return hn::CopySign(rest, a);
}
INGOT_F32_BINARY(fmod, 1, rest_of_division(a, b))
// The same with the divisor's sign.
HWY_INLINE V python_remainder(V a, V b) {
  const D d;
  const V rest = rest_of_division(a, b);
  const M moved = hn::And(hn::Ne(rest, hn::Zero(d)),
                          hn::Xor(hn::Lt(rest, hn::Zero(d)), hn::Lt(b, hn::Zero(d))));
  return hn::IfThenElse(moved, hn::Add(rest, b), rest);
}
INGOT_F32_BINARY(remainder, 1, python_remainder(a, b))

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::f32 {

INGOT_F32_ARITHMETIC(INGOT_F32_DISPATCH)

}  // namespace ingot::f32
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/f32_arithmetic_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/foreach_target.h>

#include "kernels/f32_loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

INGOT_F32_LOOP_OF(add, 4)
INGOT_F32_LOOP_OF(sub, 4)
INGOT_F32_LOOP_OF(rsub, 4)
INGOT_F32_LOOP_OF(mul, 4)
INGOT_F32_LOOP_OF(div, 2)
INGOT_F32_LOOP_OF(abs, 4)
INGOT_F32_LOOP_OF(neg, 4)
INGOT_F32_LOOP_OF(sign, 2)
INGOT_F32_LOOP_OF(square, 4)
INGOT_F32_LOOP_OF(cube, 4)
INGOT_F32_LOOP_OF(reciprocal, 2)
INGOT_F32_LOOP_OF(sqrt, 2)
INGOT_F32_LOOP_OF(rsqrt, 2)
INGOT_F32_LOOP_OF(ceil, 4)
INGOT_F32_LOOP_OF(floor, 4)
INGOT_F32_LOOP_OF(trunc, 4)
INGOT_F32_LOOP_OF(round, 4)
INGOT_F32_LOOP_OF(frac, 4)
INGOT_F32_LOOP_OF(maximum, 4)
INGOT_F32_LOOP_OF(minimum, 4)
INGOT_F32_LOOP_OF(clamp, 2)
INGOT_F32_LOOP_OF(clamp_only_max, 4)
INGOT_F32_LOOP_OF(lerp, 2)
INGOT_F32_LOOP_OF(addcmul, 2)
INGOT_F32_LOOP_OF(addcdiv, 2)

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

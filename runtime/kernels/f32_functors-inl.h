// Cheap functions of f32 vectors: a few instructions each, so that loops and registers rather
// than arithmetic decide their speed. A functor is made of the op's further numbers, as the loop
// of its name in f32_loops.h takes them. Include once per target.
#if defined(INGOT_KERNELS_F32_FUNCTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_F32_FUNCTORS_INL_H_
#undef INGOT_KERNELS_F32_FUNCTORS_INL_H_
#else
#define INGOT_KERNELS_F32_FUNCTORS_INL_H_
#endif

#include "kernels/vector-inl.h"

// A functor without numbers: name, parameters, result.
#define INGOT_F32_FUNCTOR(name, operands, ...)                     \
  struct name {                                                    \
    explicit HWY_INLINE name(const float*) {}                      \
    HWY_INLINE V operator() operands const { return __VA_ARGS__; } \
  };

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE M positive(V x) { return hn::Gt(x, hn::Zero(D())); }
HWY_INLINE V clipped(V x, float low, float high) {
  return at_most(at_least(x, set(low)), set(high));
}
// NaN if either is; the first of equal ones.
HWY_INLINE V maximum(V a, V b) { return hn::IfThenElse(hn::IsNaN(b), b, at_least(a, b)); }
HWY_INLINE V minimum(V a, V b) { return hn::IfThenElse(hn::IsNaN(b), b, at_most(a, b)); }

namespace functors {

// A factor of 1 or -1 makes these the sum or the difference, rounded once.
struct add {
  V alpha;
  explicit HWY_INLINE add(const float* params) : alpha(set(params[0])) {}
  HWY_INLINE V operator()(V a, V b) const { return hn::MulAdd(b, alpha, a); }
};
struct sub {
  V alpha;
  explicit HWY_INLINE sub(const float* params) : alpha(set(-params[0])) {}
  HWY_INLINE V operator()(V a, V b) const { return hn::MulAdd(b, alpha, a); }
};
struct rsub {
  V alpha;
  explicit HWY_INLINE rsub(const float* params) : alpha(set(-params[0])) {}
  HWY_INLINE V operator()(V a, V b) const { return hn::MulAdd(a, alpha, b); }
};
INGOT_F32_FUNCTOR(mul, (V a, V b), hn::Mul(a, b))
INGOT_F32_FUNCTOR(div, (V a, V b), hn::Div(a, b))

INGOT_F32_FUNCTOR(abs, (V x), hn::Abs(x))
INGOT_F32_FUNCTOR(neg, (V x), hn::Neg(x))
INGOT_F32_FUNCTOR(sign, (V x),
                  hn::Sub(hn::IfThenElseZero(hn::Gt(x, hn::Zero(D())), set(1.0f)),
                          hn::IfThenElseZero(hn::Lt(x, hn::Zero(D())), set(1.0f))))
INGOT_F32_FUNCTOR(square, (V x), hn::Mul(x, x))
INGOT_F32_FUNCTOR(cube, (V x), hn::Mul(hn::Mul(x, x), x))
INGOT_F32_FUNCTOR(reciprocal, (V x), hn::Div(set(1.0f), x))
INGOT_F32_FUNCTOR(sqrt, (V x), hn::Sqrt(x))
INGOT_F32_FUNCTOR(rsqrt, (V x), hn::Div(set(1.0f), hn::Sqrt(x)))

// Highway's emulations for SSE2 lose the sign of zero.
INGOT_F32_FUNCTOR(ceil, (V x), hn::CopySign(hn::Ceil(x), x))
INGOT_F32_FUNCTOR(floor, (V x), hn::CopySign(hn::Floor(x), x))
INGOT_F32_FUNCTOR(trunc, (V x), hn::Trunc(x))
INGOT_F32_FUNCTOR(round, (V x), hn::Round(x))
INGOT_F32_FUNCTOR(frac, (V x), hn::Sub(x, hn::Trunc(x)))

INGOT_F32_FUNCTOR(maximum, (V a, V b), HWY_NAMESPACE::maximum(a, b))
INGOT_F32_FUNCTOR(minimum, (V a, V b), HWY_NAMESPACE::minimum(a, b))
INGOT_F32_FUNCTOR(clamp, (V x, V low, V high),
                  HWY_NAMESPACE::minimum(HWY_NAMESPACE::maximum(x, low), high))
INGOT_F32_FUNCTOR(clamp_only_max, (V x, V, V high), HWY_NAMESPACE::minimum(x, high))

// From the nearer end.
struct lerp {
  explicit HWY_INLINE lerp(const float*) {}
  HWY_INLINE V operator()(V start, V end, V weight) const {
    const V difference = hn::Sub(end, start);
    return hn::IfThenElse(hn::Lt(hn::Abs(weight), set(0.5f)), hn::MulAdd(weight, difference, start),
                          hn::NegMulAdd(difference, hn::Sub(set(1.0f), weight), end));
  }
};
struct addcmul {
  V value;
  explicit HWY_INLINE addcmul(const float* params) : value(set(params[0])) {}
  HWY_INLINE V operator()(V x, V a, V b) const { return hn::MulAdd(hn::Mul(value, a), b, x); }
};
struct addcdiv {
  V value;
  explicit HWY_INLINE addcdiv(const float* params) : value(set(params[0])) {}
  HWY_INLINE V operator()(V x, V a, V b) const { return hn::MulAdd(value, hn::Div(a, b), x); }
};

INGOT_F32_FUNCTOR(relu, (V x), at_least(x, hn::Zero(D())))
INGOT_F32_FUNCTOR(relu6, (V x), clipped(x, 0.0f, 6.0f))
// The lower bound wins where the two are in disorder.
struct hardtanh {
  V low, high;
  explicit HWY_INLINE hardtanh(const float* params) : low(set(params[0])), high(set(params[1])) {}
  HWY_INLINE V operator()(V x) const {
    return hn::IfThenElse(hn::Lt(x, low), low, at_most(x, high));
  }
};
INGOT_F32_FUNCTOR(hardsigmoid, (V x),
                  hn::Mul(clipped(hn::Add(x, set(3.0f)), 0.0f, 6.0f), set(1.0f / 6)))
INGOT_F32_FUNCTOR(hardswish, (V x),
                  hn::Mul(hn::Mul(x, clipped(hn::Add(x, set(3.0f)), 0.0f, 6.0f)), set(1.0f / 6)))
struct leaky_relu {
  V slope;
  explicit HWY_INLINE leaky_relu(const float* params) : slope(set(params[0])) {}
  HWY_INLINE V operator()(V x) const { return hn::IfThenElse(positive(x), x, hn::Mul(x, slope)); }
};
struct threshold {
  V bound, value;
  explicit HWY_INLINE threshold(const float* params)
      : bound(set(params[0])), value(set(params[1])) {}
  HWY_INLINE V operator()(V x) const { return hn::IfThenElse(hn::Le(x, bound), value, x); }
};
INGOT_F32_FUNCTOR(prelu, (V a, V b), hn::IfThenElse(positive(a), a, hn::Mul(a, b)))

}  // namespace functors

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#endif  // include guard of this target

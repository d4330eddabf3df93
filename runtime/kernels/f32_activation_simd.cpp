#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/f32_activation_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/foreach_target.h>

#include "kernels/f32_loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE V clipped(V x, float low, float high) {
  return at_most(at_least(x, set(low)), set(high));
}
HWY_INLINE M positive(V x) { return hn::Gt(x, hn::Zero(D())); }

INGOT_F32_UNARY(relu, 4, at_least(x, hn::Zero(D())))
INGOT_F32_UNARY(relu6, 4, clipped(x, 0.0f, 6.0f))
INGOT_F32_DEFINE(hardtanh) {
  const V low = set(params[0]);
  const V high = set(params[1]);
  // The lower bound wins where the two are in disorder.
  map<4>(
      count, out,
      [low, high](V x)
          INGOT_LAMBDA { return hn::IfThenElse(hn::Lt(x, low), low, at_most(x, high)); },
      in[0]);
}
INGOT_F32_UNARY(hardsigmoid, 2, hn::Mul(clipped(hn::Add(x, set(3.0f)), 0.0f, 6.0f), set(1.0f / 6)))
INGOT_F32_UNARY(hardswish, 2,
                hn::Mul(hn::Mul(x, clipped(hn::Add(x, set(3.0f)), 0.0f, 6.0f)), set(1.0f / 6)))
INGOT_F32_DEFINE(leaky_relu) {
  const V slope = set(params[0]);
  map<4>(
      count, out,
      [slope](V x) INGOT_LAMBDA { return hn::IfThenElse(positive(x), x, hn::Mul(x, slope)); },
      in[0]);
}
INGOT_F32_DEFINE(threshold) {
  const V threshold = set(params[0]);
  const V value = set(params[1]);
  map<4>(
      count, out,
      [threshold, value](V x)
          INGOT_LAMBDA { return hn::IfThenElse(hn::Le(x, threshold), value, x); },
      in[0]);
}
INGOT_F32_BINARY(prelu, 4, hn::IfThenElse(positive(a), a, hn::Mul(a, b)))

INGOT_F32_UNARY(silu, 1, hn::Mul(x, sigmoid(x)))
INGOT_F32_BINARY(glu, 1, hn::Mul(a, sigmoid(b)))
// tanh(log(1 + w)) = n / (n + 2) with w = exp(x) and n = w (w + 2).
HWY_INLINE V mish(V x) {
  const V w = exp_to_zero(at_most(x, set(20.0f)));
  const V n = hn::Mul(w, hn::Add(w, set(2.0f)));
  return hn::Mul(x, hn::Div(n, hn::Add(n, set(2.0f))));
}
INGOT_F32_UNARY(mish, 1, mish(x))
INGOT_F32_DEFINE(elu) {
  const V scale = set(params[1]);
  const V factor = hn::Mul(set(params[0]), scale);
  const V input_scale = set(params[2]);
  map<1>(
      count, out,
      [scale, factor, input_scale](V x) INGOT_LAMBDA {
        return hn::IfThenElse(positive(x), hn::Mul(x, scale),
                              hn::Mul(expm1(hn::Mul(x, input_scale)), factor));
      },
      in[0]);
}
INGOT_F32_UNARY(selu, 1,
                hn::IfThenElse(positive(x), hn::Mul(x, set(1.05070099f)),
                               hn::Mul(expm1(x), set(1.05070099f * 1.67326324f))))
INGOT_F32_DEFINE(celu) {
  const V alpha = set(params[0]);
  map<1>(
      count, out,
      [alpha](V x) INGOT_LAMBDA {
        return hn::IfThenElse(positive(x), x, hn::Mul(expm1(hn::Div(x, alpha)), alpha));
      },
      in[0]);
}
INGOT_F32_DEFINE(softplus) {
  const V beta = set(params[0]);
  const V threshold = set(params[1]);
  map<1>(
      count, out,
      [beta, threshold](V x) INGOT_LAMBDA {
        const V scaled = hn::Mul(x, beta);
        return hn::IfThenElse(hn::Gt(scaled, threshold), x, hn::Div(log1p(exp(scaled)), beta));
      },
      in[0]);
}
INGOT_F32_UNARY(log_sigmoid, 1,
                hn::Sub(at_most(x, hn::Zero(D())), log1p(exp_to_zero(hn::Neg(hn::Abs(x))))))
INGOT_F32_UNARY(gelu, 1, gelu(x))
INGOT_F32_UNARY(gelu_tanh, 1, gelu_tanh(x))

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::f32 {

INGOT_F32_ACTIVATIONS(INGOT_F32_DISPATCH)

}  // namespace ingot::f32
#endif

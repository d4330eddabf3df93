#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/f32_activation_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/foreach_target.h>

#include "kernels/f32_loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

INGOT_F32_LOOP_OF(relu, 4)
INGOT_F32_LOOP_OF(relu6, 4)
INGOT_F32_LOOP_OF(hardtanh, 4)
INGOT_F32_LOOP_OF(hardsigmoid, 2)
INGOT_F32_LOOP_OF(hardswish, 2)
INGOT_F32_LOOP_OF(leaky_relu, 4)
INGOT_F32_LOOP_OF(threshold, 4)
INGOT_F32_LOOP_OF(prelu, 4)

INGOT_F32_UNARY(silu, 4, silu(x))
INGOT_F32_BINARY(glu, 4, hn::Div(a, one_plus_exp_of_minus<true>(b)))
// tanh(log(1 + w)) = n / (n + 2) with w = exp(x) and n = w (w + 2).
HWY_INLINE V mish(V x) {
  const V w = exp_to_zero(at_most(x, set(20.0f)));
  const V n = hn::Mul(w, hn::Add(w, set(2.0f)));
  return hn::Mul(x, hn::Div(n, hn::Add(n, set(2.0f))));
}
INGOT_F32_UNARY(mish, 4, mish(x))
INGOT_F32_DEFINE(elu) {
  const V scale = set(params[1]);
  const V factor = hn::Mul(set(params[0]), scale);
  const V input_scale = set(params[2]);
  map<4>(
      count, out,
      [scale, factor, input_scale](V x) INGOT_LAMBDA {
        return hn::IfThenElse(positive(x), hn::Mul(x, scale),
                              hn::Mul(expm1(hn::Mul(x, input_scale)), factor));
      },
      in[0]);
}
INGOT_F32_UNARY(selu, 4,
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
INGOT_F32_UNARY(gelu, 4, gelu(x))
INGOT_F32_UNARY(gelu_tanh, 4, gelu_tanh(x))

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::f32 {

INGOT_F32_ACTIVATIONS(INGOT_F32_DISPATCH)

}  // namespace ingot::f32
#endif

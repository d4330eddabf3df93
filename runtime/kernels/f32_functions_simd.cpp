#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/f32_functions_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/foreach_target.h>

#include "kernels/f32_loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

INGOT_F32_UNARY(exp, 4, exp(x))
INGOT_F32_UNARY(exp2, 4, exp2(x))
INGOT_F32_UNARY(expm1, 4, expm1(x))
INGOT_F32_UNARY(log, 1, log(x))
INGOT_F32_UNARY(log2, 1, log2(x))
INGOT_F32_UNARY(log10, 1, log10(x))
INGOT_F32_UNARY(log1p, 1, log1p(x))
INGOT_F32_UNARY(sigmoid, 4, sigmoid(x))
INGOT_F32_UNARY(tanh, 4, tanh(x))
INGOT_F32_UNARY(erf, 4, erf(x))
INGOT_F32_UNARY(sin, 1, sin(x))
INGOT_F32_UNARY(cos, 1, cos(x))
INGOT_F32_BINARY(pow, 1, pow(a, b))

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::f32 {

INGOT_F32_FUNCTIONS(INGOT_F32_DISPATCH)

}  // namespace ingot::f32
#endif

// Elementwise functions of adjacent f32 elements, one loop each, built per instruction set.
//
// Every loop computes `count` elements of `out` from the tiles in[0], in[1], ..., f32 unless
// said otherwise, and from the op's further numbers `params`. Operands and numbers come in the
// order of the ATen op of that name. `out` may be any of the f32 tiles. An element's result
// depends on neither its place nor `count`.
#pragma once

#include <cstdint>

// Arithmetic and rounding: f32_arithmetic_simd.cpp. add, sub and rsub: params[0] is alpha.
#define INGOT_F32_ARITHMETIC(X) \
  X(add)                        \
  X(sub)                        \
  X(rsub)                       \
  X(mul)                        \
  X(div)                        \
  X(abs)                        \
  X(neg)                        \
  X(sign)                       \
  X(square)                     \
  X(cube)                       \
  X(reciprocal)                 \
  X(sqrt)                       \
  X(rsqrt)                      \
  X(ceil)                       \
  X(floor)                      \
  X(trunc)                      \
  X(round)                      \
  X(frac)                       \
  X(maximum)                    \
  X(minimum)                    \
  X(clamp)                      \
  X(clamp_only_max)             \
  X(lerp)                       \
  X(addcmul)                    \
  X(addcdiv)                    \
  X(fmod)                       \
  X(remainder)

// Comparisons, whose results are bytes 0 and 1, and selections: f32_select_simd.cpp. The
// masks in[0] of where and in[1] of masked_fill are bytes.
#define INGOT_F32_SELECT(X) \
  X(eq)                     \
  X(ne)                     \
  X(lt)                     \
  X(le)                     \
  X(gt)                     \
  X(ge)                     \
  X(logical_not)            \
  X(isnan)                  \
  X(where)                  \
  X(masked_fill)

// Exponentials and their kin: f32_functions_simd.cpp.
#define INGOT_F32_FUNCTIONS(X) \
  X(exp)                       \
  X(exp2)                      \
  X(expm1)                     \
  X(log)                       \
  X(log2)                      \
  X(log10)                     \
  X(log1p)                     \
  X(sigmoid)                   \
  X(tanh)                      \
  X(erf)                       \
  X(sin)                       \
  X(cos)                       \
  X(pow)

// Activation functions: f32_activation_simd.cpp. glu: in[0] sigmoid(in[1]).
#define INGOT_F32_ACTIVATIONS(X) \
  X(relu)                        \
  X(relu6)                       \
  X(hardtanh)                    \
  X(hardsigmoid)                 \
  X(hardswish)                   \
  X(leaky_relu)                  \
  X(threshold)                   \
  X(prelu)                       \
  X(silu)                        \
  X(mish)                        \
  X(elu)                         \
  X(selu)                        \
  X(celu)                        \
  X(softplus)                    \
  X(log_sigmoid)                 \
  X(gelu)                        \
  X(gelu_tanh)                   \
  X(glu)

namespace ingot::f32 {

using Loop = void (*)(int64_t count, void* out, const void* const* in, const float* params);

#define INGOT_F32_LOOP(name) \
  void name(int64_t count, void* out, const void* const* in, const float* params);
INGOT_F32_ARITHMETIC(INGOT_F32_LOOP)
INGOT_F32_SELECT(INGOT_F32_LOOP)
INGOT_F32_FUNCTIONS(INGOT_F32_LOOP)
INGOT_F32_ACTIVATIONS(INGOT_F32_LOOP)
#undef INGOT_F32_LOOP

}  // namespace ingot::f32

// What the loops of f32_loops.h are made of. Include once per target.
#if defined(INGOT_KERNELS_F32_LOOPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_F32_LOOPS_INL_H_
#undef INGOT_KERNELS_F32_LOOPS_INL_H_
#else
#define INGOT_KERNELS_F32_LOOPS_INL_H_
#endif

#include <type_traits>

#include "kernels/f32_functors-inl.h"
#include "kernels/f32_loops.h"
#include "kernels/vector_math-inl.h"

// A loop of the current target: the parameters that the functions of f32_loops.h have.
#define INGOT_F32_DEFINE(name)                                                 \
  void name##_loop([[maybe_unused]] int64_t count, [[maybe_unused]] void* out, \
                   [[maybe_unused]] const void* const* in, [[maybe_unused]] const float* params)

// Loops of an expression of x; of a and b; of a, b and c. kUnroll: see map().
#define INGOT_F32_UNARY(name, unroll, ...)                                \
  INGOT_F32_DEFINE(name) {                                                \
    map<unroll>(                                                          \
        count, out, [](V x) INGOT_LAMBDA { return __VA_ARGS__; }, in[0]); \
  }
#define INGOT_F32_BINARY(name, unroll, ...)                                           \
  INGOT_F32_DEFINE(name) {                                                            \
    map<unroll>(                                                                      \
        count, out, [](V a, V b) INGOT_LAMBDA { return __VA_ARGS__; }, in[0], in[1]); \
  }

// The loop of a functor.
#define INGOT_F32_LOOP_OF(name, unroll) \
  INGOT_F32_DEFINE(name) { map_functor<unroll>(count, out, functors::name(params), in); }

// Defines the function of f32_loops.h, under HWY_ONCE.
#define INGOT_F32_DISPATCH(name)                                                    \
  void name(int64_t count, void* out, const void* const* in, const float* params) { \
    INGOT_SIMD_RETURN(name##_loop(count, out, in, params));                         \
  }

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

// out[i] = f(in[i]...), `kUnroll` vectors at a time: several, for the steps of one wait for each
// other and processors look too few instructions ahead to find another's; one where f branches.
template <int kUnroll, class F, class... In>
HWY_INLINE void map(int64_t count, void* out, F f, const In*... in) {
  const D d;
  auto* to = static_cast<float*>(out);
  int64_t i = 0;
  for (; i + kUnroll * kLanes <= count; i += kUnroll * kLanes) {
    V results[kUnroll];
    for (int u = 0; u < kUnroll; ++u)
      results[u] = f(hn::LoadU(d, static_cast<const float*>(in) + i + u * kLanes)...);
    for (int u = 0; u < kUnroll; ++u) hn::StoreU(results[u], d, to + i + u * kLanes);
  }
  for (; i < count; i += kLanes) {
    const int64_t rest = count - i < kLanes ? count - i : kLanes;
    store_first(f(load_first(static_cast<const float*>(in) + i, rest)...), to + i, rest);
  }
}

// The same for a functor of one to three operands, among them those that it does not look at.
template <int kUnroll, class F>
HWY_INLINE void map_functor(int64_t count, void* out, F f, const void* const* in) {
  if constexpr (std::is_invocable_v<F, V>)
    map<kUnroll>(count, out, f, in[0]);
  else if constexpr (std::is_invocable_v<F, V, V>)
    map<kUnroll>(count, out, f, in[0], in[1]);
  else
    map<kUnroll>(count, out, f, in[0], in[1], in[2]);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#endif  // include guard of this target

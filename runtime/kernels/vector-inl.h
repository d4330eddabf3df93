// Vectors of f32 for the kernels of one target: at most 16 lanes, and what Highway leaves to
// its users. Include after hwy/highway.h, once per target.
#if defined(INGOT_KERNELS_VECTOR_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_VECTOR_INL_H_
#undef INGOT_KERNELS_VECTOR_INL_H_
#else
#define INGOT_KERNELS_VECTOR_INL_H_
#endif

#include <cstdint>
#include <cstring>

#include <hwy/highway.h>

// Lambdas take over neither the target nor the inlining of the function around them.
#define INGOT_LAMBDA HWY_ATTR __attribute__((always_inline))

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
using DI = hn::RebindToSigned<D>;
using VI = hn::Vec<DI>;
using M = hn::Mask<D>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));

HWY_INLINE V set(float value) { return hn::Set(D(), value); }

// The first `count` elements, then zeros; reads nothing beyond them.
HWY_INLINE V load_first(const float* from, int64_t count) {
  const D d;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  // The instruction does not touch the masked lanes.
  return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(count)), d, from);
#else
  HWY_ALIGN float copy[kLanes] = {};
  std::memcpy(copy, from, sizeof(float) * static_cast<size_t>(count));
  return hn::Load(d, copy);
#endif
}

// Writes the first `count` lanes and nothing beyond them.
HWY_INLINE void store_first(V v, float* to, int64_t count) {
  const D d;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  hn::BlendedStore(v, hn::FirstN(d, static_cast<size_t>(count)), d, to);
#else
  HWY_ALIGN float copy[kLanes];
  hn::Store(v, d, copy);
  std::memcpy(to, copy, sizeof(float) * static_cast<size_t>(count));
#endif
}

// max(x, limit) and min(x, limit), x where the two are equal or x is NaN.
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
// The instructions give their second operand then.
HWY_INLINE V at_least(V x, V limit) { return hn::Max(limit, x); }
HWY_INLINE V at_most(V x, V limit) { return hn::Min(limit, x); }
#else
HWY_INLINE V at_least(V x, V limit) { return hn::IfThenElse(hn::Lt(x, limit), limit, x); }
HWY_INLINE V at_most(V x, V limit) { return hn::IfThenElse(hn::Gt(x, limit), limit, x); }
#endif

// c0 + c1 x + c2 x² + ...
HWY_INLINE V polynomial(V, float c) { return set(c); }
template <class... C>
HWY_INLINE V polynomial(V x, float c0, C... rest) {
  return hn::MulAdd(x, polynomial(x, rest...), set(c0));
}

HWY_INLINE float sum_of_lanes(V v) { return hn::GetLane(hn::SumOfLanes(D(), v)); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#endif  // include guard of this target

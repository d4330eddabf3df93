// Vector helpers that kernels share, compiled per instruction set like their includers.
#if defined(INGOT_KERNELS_PARTIAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_PARTIAL_INL_H_
#undef INGOT_KERNELS_PARTIAL_INL_H_
#else
#define INGOT_KERNELS_PARTIAL_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

// The first `count` elements, then zeros. Nothing beyond them is touched.
template <class D>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> load_first(D d, const float* from, int64_t count) {
  namespace hn = hwy::HWY_NAMESPACE;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(count)), d, from);
#else
  HWY_ALIGN float copy[hn::MaxLanes(D())] = {};
  std::memcpy(copy, from, sizeof(float) * static_cast<size_t>(count));
  return hn::Load(d, copy);
#endif
}

// Stores the first `count` elements and touches nothing beyond them.
template <class D>
HWY_INLINE void store_first(hwy::HWY_NAMESPACE::Vec<D> v, D d, float* to, int64_t count) {
  namespace hn = hwy::HWY_NAMESPACE;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  hn::BlendedStore(v, hn::FirstN(d, static_cast<size_t>(count)), d, to);
#else
  HWY_ALIGN float copy[hn::MaxLanes(D())];
  hn::Store(v, d, copy);
  std::memcpy(to, copy, sizeof(float) * static_cast<size_t>(count));
#endif
}

// Values outside [low, high] become the bound; NaN stays NaN.
template <class V>
HWY_INLINE V clamp(V v, V low, V high) {
  namespace hn = hwy::HWY_NAMESPACE;
#if HWY_TARGET == HWY_SCALAR
  return hn::IfThenElse(hn::Lt(v, low), low, hn::IfThenElse(hn::Gt(v, high), high, v));
#else
  // x86 returns the second operand where one is NaN, Arm returns NaN.
  return hn::Min(high, hn::Max(low, v));
#endif
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#endif

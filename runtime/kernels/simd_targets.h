// The part of Highway that Ingot uses: one source, compiled per instruction set by
// hwy/foreach_target.h, and a table chosen with SimdLevel. Highway's own run-time dispatch
// lives in its library, which is not linked.
//
// Include before hwy/foreach_target.h.
#pragma once

// Sanitizer builds do without AVX-512, which makes compiling them twice as long.
#ifdef INGOT_WITHOUT_AVX512
#define INGOT_WITHOUT HWY_AVX3
#else
#define INGOT_WITHOUT 0
#endif
// One fallback, whatever the compiler; GCC 12 miscompiles the other.
#define HWY_BROKEN_EMU128 1
#define HWY_DISABLED_TARGETS                                                              \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | \
   INGOT_WITHOUT)

#include <hwy/detect_targets.h>

#include "kernels/simd.h"

#if HWY_TARGETS & HWY_AVX3
#define INGOT_SIMD_AVX512(name) \
  if (::ingot::simd_level() == ::ingot::SimdLevel::avx512) return N_AVX3::name;
#else
#define INGOT_SIMD_AVX512(name)
#endif
#if HWY_TARGETS & HWY_AVX2
#define INGOT_SIMD_AVX2(name) \
  if (::ingot::simd_level() >= ::ingot::SimdLevel::avx2) return N_AVX2::name;
#else
#define INGOT_SIMD_AVX2(name)
#endif

// `return N_TARGET::name;` for the level in use. The baseline's namespace is that of
// HWY_STATIC_TARGET, which is the current one once foreach_target is done.
#define INGOT_SIMD_RETURN(name) \
  INGOT_SIMD_AVX512(name)       \
  INGOT_SIMD_AVX2(name)         \
  return HWY_NAMESPACE::name

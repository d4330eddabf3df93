// The instruction sets that this machine can run, each forced in turn.
#pragma once

#include "kernels/simd.h"

namespace ingot {

template <class F>
void for_each_simd_level(F&& function) {
  for (const SimdLevel level : {SimdLevel::baseline, SimdLevel::avx2, SimdLevel::avx512}) {
    if (level > best_simd_level()) continue;
    set_simd_level(level);
    function();
  }
  set_simd_level(best_simd_level());
}

}  // namespace ingot

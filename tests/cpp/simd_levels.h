// The instruction sets that this machine can run, each forced in turn.
#pragma once

#include "kernels/product_simd.h"
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

// The bf16 products of this machine, and those of f32 operations at every level.
template <class F>
void for_each_bf16_product(F&& function) {
  if (has_product_kernels(Precision::bf16)) function();
  emulate_bf16_products(true);
  for_each_simd_level(function);
  emulate_bf16_products(false);
}

}  // namespace ingot

// The instruction sets that this machine can run, each forced in turn.
#pragma once

#include <cstdlib>
#include <string_view>
#include <vector>

#include "kernels/product_simd.h"
#include "kernels/simd.h"

namespace ingot {

// INGOT_TEST_SIMD=avx512 leaves only that one, and fails where it is missing: for emulated
// processors, which are slow.
inline std::vector<SimdLevel> simd_levels() {
  const char* only = std::getenv("INGOT_TEST_SIMD");
  if (only && std::string_view(only) == "avx512") return {SimdLevel::avx512};
  std::vector<SimdLevel> levels;
  for (const SimdLevel level : {SimdLevel::baseline, SimdLevel::avx2, SimdLevel::avx512})
    if (level <= best_simd_level()) levels.push_back(level);
  return levels;
}

template <class F>
void for_each_simd_level(F&& function) {
  for (const SimdLevel level : simd_levels()) {
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

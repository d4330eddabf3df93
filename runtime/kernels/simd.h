// The instruction sets that kernels are built for, and the choice among them at run time.
#pragma once

#include <ingot/export.h>

namespace ingot {

// In rising order of width. Arm builds know `baseline` only: NEON is part of it.
enum class SimdLevel { baseline, avx2, avx512 };

// The level in use: the best this machine has, unless set_simd_level lowered it.
INGOT_API SimdLevel simd_level();

// Uses `level` from now on, so that tests reach every kernel. Throws Error (unsupported) if
// the machine lacks it.
INGOT_API void set_simd_level(SimdLevel level);

// The best this machine has.
INGOT_API SimdLevel best_simd_level();

// Whether the level in use has the dot product of bf16 pairs (AVX-512 BF16).
bool has_bf16_dot();

}  // namespace ingot

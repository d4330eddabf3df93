// What one core reaches at most: multiply-adds with everything in registers, bytes moved.
#pragma once

#include <cstdint>

namespace ingot {

// Executes about `operations` floating-point operations (a multiply-add is two) with the vectors
// of the SimdLevel in use; returns the exact number.
int64_t run_fma_peak(int64_t operations);

// out = x + y / 2: three streams of `n` numbers, a multiple of 64, all 64-byte aligned.
// `past_caches` writes around the caches, as is fastest for arrays that do not fit them.
void run_triad(const float* x, const float* y, float* out, int64_t n, bool past_caches);

}  // namespace ingot

// Products too small to be cut into blocks: those of a batch.
#pragma once

#include <cstdint>

#include "kernels/gemm.h"

namespace ingot {

// True if small_product() takes the product and beats the blocks of gemm() on one thread.
// Sums of more than kMostDepth terms are better formed in parts.
inline bool is_small_product(int64_t m, int64_t n, int64_t k, const MatrixView<float>& a) {
  constexpr int64_t kMostElements = 1 << 16;
  constexpr int64_t kMostDepth = 512;
  return m >= 8 && n >= 8 && k > 0 && k <= kMostDepth && k * n <= kMostElements &&
         a.column_stride == 1;
}

// Elements of workspace that small_product() needs.
int64_t small_product_workspace(int64_t n, int64_t k);

// C[M, N] = A[M, K] · B[K, N] on the calling thread; rows of A and C are contiguous.
void small_product(int64_t m, int64_t n, int64_t k, MatrixView<float> a, MatrixView<float> b,
                   float* c, int64_t c_stride, float* workspace);

}  // namespace ingot

// Products with a right operand that is rearranged once: the weights of linear layers.
#pragma once

#include <cstdint>
#include <memory>

#include <ingot/precision.h>

#include "kernels/epilogue.h"
#include "kernels/gemm.h"
#include "kernels/simd.h"
#include "kernels/workspace.h"

namespace ingot {

struct ProductKernels;

// B[K, N] in column panels for the SimdLevel that was in use when it was packed. In bf16 A is
// rounded too.
class PackedMatrix {
 public:
  // Element [i, j] times column_scale[j]; null: 1. Throws Error (unsupported) if the machine
  // lacks products of that precision.
  static std::shared_ptr<const PackedMatrix> pack(int64_t k, int64_t n, MatrixView<float> b,
                                                  const float* column_scale = nullptr,
                                                  Precision precision = Precision::f32);

  int64_t k() const { return k_; }
  int64_t n() const { return n_; }
  size_t bytes() const { return bytes_; }
  SimdLevel level() const;
  const ProductKernels& kernels() const { return *kernels_; }
  const float* panels() const { return panels_.data(); }

 private:
  PackedMatrix(int64_t k, int64_t n, const ProductKernels& kernels);

  int64_t k_;
  int64_t n_;
  const ProductKernels* kernels_;
  size_t bytes_;
  Workspace<float> panels_;
};

// C[M, N] = epilogue(A[M, K] · B). Rows of A and C are contiguous, `a_stride` and `c_stride`
// elements from row to row; C overlaps no input. Uses the thread pool for large products.
void gemm_packed(int64_t m, const float* a, int64_t a_stride, const PackedMatrix& b, float* c,
                 int64_t c_stride, const Epilogue& epilogue = {});

}  // namespace ingot

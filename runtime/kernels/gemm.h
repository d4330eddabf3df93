// Matrix products over strided operands.
#pragma once

#include <cstdint>

namespace ingot {

// A matrix in memory; strides in elements, any value.
template <class T>
struct MatrixView {
  const T* data;
  int64_t row_stride;
  int64_t column_stride;
  MatrixView transposed() const { return {data, column_stride, row_stride}; }
  MatrixView at(int64_t row, int64_t column) const {
    return {data + row * row_stride + column * column_stride, row_stride, column_stride};
  }
};

// What is done to the product A·B on its way to C: alpha·A·B + beta·C + biases.
template <class T>
struct GemmEpilogue {
  T alpha = 1;
  T beta = 0;                      // C is not read if 0
  const T* row_bias = nullptr;     // [M], one per row of C; may be null
  const T* column_bias = nullptr;  // [N], one per column of C; may be null
};

// C[M, N] = alpha · A[M, K] · B[K, N] + beta · C + biases. C is row-major with `c_stride`
// elements from row to row and overlaps no input. K = 0 is a product of zeros.
// T: a compute type: float, double, complex<float>, complex<double>, int64_t, which wraps.
// Uses the thread pool for large products.
template <class T>
void gemm(int64_t m, int64_t n, int64_t k, MatrixView<T> a, MatrixView<T> b, T* c, int64_t c_stride,
          const GemmEpilogue<T>& epilogue = {});

template <>
void gemm(int64_t m, int64_t n, int64_t k, MatrixView<float> a, MatrixView<float> b, float* c,
          int64_t c_stride, const GemmEpilogue<float>& epilogue);

}  // namespace ingot

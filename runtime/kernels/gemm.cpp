#include "kernels/gemm.h"

#include <algorithm>
#include <complex>

#include "base/thread_pool.h"
#include "kernels/arithmetic.h"
#include "kernels/workspace.h"

namespace ingot {

namespace {

// The part of C computed at once, and the depth of B that stays in cache meanwhile.
constexpr int64_t kBlockM = 64;
constexpr int64_t kBlockN = 256;
constexpr int64_t kBlockK = 128;
constexpr int64_t kWorkPerThread = 1 << 16;

// sums[rows, columns] += A[rows, depth] · B[depth, columns]; B and sums in rows of kBlockN.
template <class T, class S>
void accumulate(int64_t rows, int64_t columns, int64_t depth, MatrixView<T> a, const S* b,
                S* sums) {
  for (int64_t r = 0; r < rows; ++r) {
    S* sum = sums + r * kBlockN;
    for (int64_t i = 0; i < depth; ++i) {
      const S x = static_cast<S>(a.data[r * a.row_stride + i * a.column_stride]);
      const S* row = b + i * kBlockN;
      for (int64_t j = 0; j < columns; ++j) sum[j] += x * row[j];
    }
  }
}

template <class T, class S>
void finish(int64_t rows, int64_t columns, const S* sums, T* c, int64_t c_stride,
            const GemmEpilogue<T>& e, int64_t row0, int64_t column0) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < columns; ++j) {
      T* to = c + (row0 + r) * c_stride + column0 + j;
      S value = static_cast<S>(e.alpha) * sums[r * kBlockN + j];
      if (e.beta != T(0)) value += static_cast<S>(e.beta) * static_cast<S>(*to);
      if (e.row_bias) value += static_cast<S>(e.row_bias[row0 + r]);
      if (e.column_bias) value += static_cast<S>(e.column_bias[column0 + j]);
      *to = static_cast<T>(value);
    }
  }
}

}  // namespace

template <class T>
void gemm(int64_t m, int64_t n, int64_t k, MatrixView<T> a, MatrixView<T> b, T* c, int64_t c_stride,
          const GemmEpilogue<T>& epilogue) {
  using S = ArithmeticOf<T>;
  const int64_t blocks = (m + kBlockM - 1) / kBlockM;
  const int64_t grain = std::max<int64_t>(1, kWorkPerThread / (kBlockM * n * k + 1));
  parallel_for(0, blocks, grain, [&](int64_t first, int64_t last) {
    Workspace<S> block(kBlockK * kBlockN);
    Workspace<S> sums(kBlockM * kBlockN);
    for (int64_t row0 = first * kBlockM; row0 < std::min(m, last * kBlockM); row0 += kBlockM) {
      const int64_t rows = std::min(kBlockM, m - row0);
      for (int64_t column0 = 0; column0 < n; column0 += kBlockN) {
        const int64_t columns = std::min(kBlockN, n - column0);
        std::fill_n(sums.data(), rows * kBlockN, S(0));
        for (int64_t k0 = 0; k0 < k; k0 += kBlockK) {
          const int64_t depth = std::min(kBlockK, k - k0);
          for (int64_t i = 0; i < depth; ++i)
            for (int64_t j = 0; j < columns; ++j)
              block[i * kBlockN + j] =
                  static_cast<S>(b.data[(k0 + i) * b.row_stride + (column0 + j) * b.column_stride]);
          accumulate(rows, columns, depth, a.at(row0, k0), block.data(), sums.data());
        }
        finish(rows, columns, sums.data(), c, c_stride, epilogue, row0, column0);
      }
    }
  });
}

#define INGOT_GEMM(T)                                                                      \
  template void gemm(int64_t, int64_t, int64_t, MatrixView<T>, MatrixView<T>, T*, int64_t, \
                     const GemmEpilogue<T>&)
INGOT_GEMM(double);
INGOT_GEMM(std::complex<float>);
INGOT_GEMM(std::complex<double>);
INGOT_GEMM(int64_t);
#undef INGOT_GEMM

}  // namespace ingot

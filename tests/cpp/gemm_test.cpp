#include "kernels/gemm.h"

#include <gtest/gtest.h>

#include <complex>
#include <random>
#include <vector>

#include "simd_levels.h"

namespace ingot {
namespace {

template <class T>
struct Wide {
  using type = T;
};
template <>
struct Wide<float> {
  using type = double;
};

template <class T>
std::vector<T> random_values(int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> draw(-9, 9);
  std::vector<T> values(static_cast<size_t>(count));
  for (T& value : values) value = static_cast<T>(draw(generator));
  return values;
}

// Small integers make every sum exact, so that any order of summation gives the same bits.
template <class T>
void check(int64_t m, int64_t n, int64_t k, bool a_transposed, bool b_transposed, bool full) {
  using W = typename Wide<T>::type;
  const std::vector<T> a = random_values<T>(m * k, 1);
  const std::vector<T> b = random_values<T>(k * n, 2);
  const std::vector<T> row_bias = random_values<T>(m, 3);
  const std::vector<T> column_bias = random_values<T>(n, 4);
  const int64_t c_stride = n + 3;
  std::vector<T> c = random_values<T>(m * c_stride, 5);
  const std::vector<T> before = c;
  const MatrixView<T> a_view =
      a_transposed ? MatrixView<T>{a.data(), 1, m} : MatrixView<T>{a.data(), k, 1};
  const MatrixView<T> b_view =
      b_transposed ? MatrixView<T>{b.data(), 1, k} : MatrixView<T>{b.data(), n, 1};
  GemmEpilogue<T> epilogue;
  if (full) epilogue = {T(2), T(3), row_bias.data(), column_bias.data()};
  gemm<T>(m, n, k, a_view, b_view, c.data(), c_stride, epilogue);
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < c_stride; ++j) {
      W expected = W(before[i * c_stride + j]);
      if (j < n) {
        W sum = 0;
        for (int64_t p = 0; p < k; ++p)
          sum += W(a_view.data[i * a_view.row_stride + p * a_view.column_stride]) *
                 W(b_view.data[p * b_view.row_stride + j * b_view.column_stride]);
        expected = full ? W(2) * sum + W(3) * expected + W(row_bias[i]) + W(column_bias[j]) : sum;
      }
      ASSERT_EQ(c[i * c_stride + j], static_cast<T>(expected))
          << m << "x" << n << "x" << k << " at " << i << "," << j << (a_transposed ? " At" : "")
          << (b_transposed ? " Bt" : "") << (full ? " full" : "");
    }
  }
}

template <class T>
void check_all() {
  for (const int64_t m : {0, 1, 2, 3, 5, 8, 13, 150})
    for (const int64_t n : {0, 1, 3, 8, 17, 33, 100, 300})
      for (const int64_t k : {0, 1, 7, 16, 50, 400})
        for (int layout = 0; layout < 8; ++layout)
          check<T>(m, n, k, layout & 1, layout & 2, layout & 4);
}

TEST(Gemm, F32OnEveryInstructionSet) {
  for (const SimdLevel level : simd_levels()) {
    set_simd_level(level);
    check_all<float>();
  }
  set_simd_level(best_simd_level());
}

TEST(Gemm, F32BeyondOneBlock) { check<float>(250, 2100, 800, false, false, true); }

TEST(Gemm, OtherTypes) {
  for (int layout = 0; layout < 8; ++layout) {
    check<double>(70, 300, 150, layout & 1, layout & 2, layout & 4);
    check<double>(3, 0, 5, layout & 1, layout & 2, layout & 4);
    check<std::complex<float>>(5, 17, 3, layout & 1, layout & 2, layout & 4);
    check<std::complex<double>>(5, 17, 3, layout & 1, layout & 2, layout & 4);
    check<int64_t>(5, 17, 0, layout & 1, layout & 2, layout & 4);
    check<int64_t>(5, 17, 3, layout & 1, layout & 2, layout & 4);
  }
}

TEST(Gemm, BetaZeroDoesNotReadC) {
  const float a[] = {1, 2};
  const float b[] = {3, 4};
  float c[] = {std::numeric_limits<float>::quiet_NaN()};
  gemm<float>(1, 1, 2, {a, 2, 1}, {b, 1, 1}, c, 1);
  EXPECT_EQ(c[0], 11.0f);
}

}  // namespace
}  // namespace ingot

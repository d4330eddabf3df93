#include "kernels/packed_gemm.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <mutex>
#include <random>
#include <vector>

#include "base/half.h"
#include "base/thread_pool.h"
#include "kernels/product_simd.h"
#include "simd_levels.h"

namespace ingot {
namespace {

std::vector<float> random_values(int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> draw(-9, 9);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = static_cast<float>(draw(generator));
  return values;
}

// Sees every finished block, doubles it, and counts how often each element was seen.
struct Doubled {
  float* c;
  int64_t c_stride;
  int64_t n;
  std::vector<int> seen;
  std::mutex mutex;

  static void then(void* context, int64_t row, int64_t rows, int64_t column, int64_t columns) {
    auto& self = *static_cast<Doubled*>(context);
    const std::lock_guard lock(self.mutex);
    for (int64_t i = row; i < row + rows; ++i) {
      for (int64_t j = column; j < column + columns; ++j) {
        self.c[i * self.c_stride + j] *= 2;
        ++self.seen[static_cast<size_t>(i * self.n + j)];
      }
    }
  }
};

// Small integers make every sum exact, so that any order of summation gives the same bits, and
// are numbers of bf16.
void check(int64_t m, int64_t n, int64_t k, bool transposed, bool full, int64_t gap = 3,
           Precision precision = Precision::f32) {
  const int64_t a_stride = k + gap;
  const int64_t c_stride = n + 2;
  const int64_t residual_stride = n + 1;
  const std::vector<float> a = random_values(m * a_stride, 1);
  const std::vector<float> b = random_values(k * n, 2);
  const std::vector<float> scale = random_values(n, 3);
  const std::vector<float> bias = random_values(n, 4);
  const std::vector<float> residual = random_values(m * residual_stride, 5);
  std::vector<float> c = random_values(m * c_stride, 6);
  const std::vector<float> before = c;
  const MatrixView<float> b_view =
      transposed ? MatrixView<float>{b.data(), 1, k} : MatrixView<float>{b.data(), n, 1};
  const auto packed = PackedMatrix::pack(k, n, b_view, full ? scale.data() : nullptr, precision);
  EXPECT_EQ(packed->k(), k);
  EXPECT_EQ(packed->n(), n);
  EXPECT_EQ(packed->level(), simd_level());
  const size_t element = precision == Precision::f32 ? sizeof(float) : sizeof(BFloat16);
  EXPECT_GE(packed->bytes(), element * static_cast<size_t>(k * n));
  Doubled doubled = {c.data(), c_stride, n, std::vector<int>(static_cast<size_t>(m * n)), {}};
  Epilogue epilogue;
  if (full) {
    epilogue.bias = bias.data();
    epilogue.residual = residual.data();
    epilogue.residual_stride = residual_stride;
    epilogue.low = -20;
    epilogue.high = 50;
    epilogue.then = &Doubled::then;
    epilogue.context = &doubled;
  }
  gemm_packed(m, a.data(), a_stride, *packed, c.data(), c_stride, epilogue);
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < c_stride; ++j) {
      double expected = before[static_cast<size_t>(i * c_stride + j)];
      if (j < n) {
        double sum = 0;
        for (int64_t p = 0; p < k; ++p)
          sum += double(a[static_cast<size_t>(i * a_stride + p)]) *
                 b_view.data[p * b_view.row_stride + j * b_view.column_stride];
        expected = sum;
        if (full) {
          expected = sum * scale[static_cast<size_t>(j)] + bias[static_cast<size_t>(j)] +
                     residual[static_cast<size_t>(i * residual_stride + j)];
          expected = 2 * std::min(50.0, std::max(-20.0, expected));
          ASSERT_EQ(doubled.seen[static_cast<size_t>(i * n + j)], 1);
        }
      }
      ASSERT_EQ(c[static_cast<size_t>(i * c_stride + j)], static_cast<float>(expected))
          << m << "x" << n << "x" << k << " at " << i << "," << j
          << (transposed ? " transposed" : "") << (full ? " full" : "");
    }
  }
}

template <class F>
void on_every_level(F&& function) {
  for_each_simd_level([&] {
    for (const int threads : {1, 2}) {
      set_pool_threads(threads);
      function();
    }
  });
  set_pool_threads(0);
}

TEST(PackedGemm, OddSizes) {
  on_every_level([] {
    for (const int64_t m : {0, 1, 2, 3, 4, 5, 7, 12, 13, 17, 150})
      for (const int64_t n : {0, 1, 3, 8, 10, 16, 17, 24, 33, 40, 100, 300})
        for (const int64_t k : {0, 1, 3, 7, 16, 50, 400})
          for (int variant = 0; variant < 4; ++variant) check(m, n, k, variant & 1, variant & 2);
  });
}

TEST(PackedGemm, BeyondOneBlock) {
  on_every_level([] {
    check(300, 530, 700, true, true);
    check(3, 100, 5000, true, true);
    check(1, 300, 2500, true, true);
    check(2, 130, 1025, false, true);
  });
}

// Rows a page apart are copied.
TEST(PackedGemm, RowsAPageApart) {
  on_every_level([] {
    check(40, 200, 1024, true, true, 0);
    check(150, 300, 2040, false, true, 8);
  });
}

TEST(PackedGemm, ClampKeepsNaN) {
  on_every_level([] {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const int64_t n : {5, 64}) {
      const std::vector<float> b(static_cast<size_t>(n), 1.0f);
      const auto packed = PackedMatrix::pack(1, n, {b.data(), n, 1});
      const float a[] = {nan, -1};
      std::vector<float> c(static_cast<size_t>(2 * n));
      Epilogue relu;
      relu.low = 0;
      gemm_packed(2, a, 1, *packed, c.data(), n, relu);
      for (int64_t j = 0; j < n; ++j) {
        EXPECT_TRUE(std::isnan(c[static_cast<size_t>(j)]));
        EXPECT_EQ(c[static_cast<size_t>(n + j)], 0.0f);
      }
    }
  });
}

TEST(PackedGemm, KeepsTheLevelItWasPackedFor) {
  set_simd_level(SimdLevel::baseline);
  const std::vector<float> b = random_values(20 * 30, 1);
  const auto packed = PackedMatrix::pack(20, 30, {b.data(), 30, 1});
  set_simd_level(best_simd_level());
  const std::vector<float> a(20, 1.0f);
  std::vector<float> c(30);
  gemm_packed(1, a.data(), 20, *packed, c.data(), 30);
  for (size_t j = 0; j < 30; ++j) {
    float sum = 0;
    for (size_t i = 0; i < 20; ++i) sum += b[i * 30 + j];
    EXPECT_EQ(c[j], sum);
  }
}

TEST(PackedGemm, OddSizesInBf16) {
  for_each_bf16_product([] {
    for (const int threads : {1, 2}) {
      set_pool_threads(threads);
      for (const int64_t m : {0, 1, 4, 13, 40})
        for (const int64_t n : {0, 1, 3, 8, 17, 24, 33, 40, 300})
          for (const int64_t k : {0, 1, 2, 7, 16, 401})
            for (int variant = 0; variant < 4; ++variant)
              check(m, n, k, variant & 1, variant & 2, 3, Precision::bf16);
      check(300, 530, 1701, true, true, 3, Precision::bf16);
      check(3, 100, 5001, true, true, 3, Precision::bf16);
      check(1, 300, 4100, true, true, 3, Precision::bf16);
      check(40, 200, 1024, true, true, 0, Precision::bf16);
    }
    set_pool_threads(0);
  });
}

TEST(PackedGemm, OperandsInBf16AreRounded) {
  for_each_bf16_product([] {
    constexpr int64_t m = 30, n = 50, k = 907;
    std::mt19937 generator(7);
    std::normal_distribution<float> draw;
    std::vector<float> a(m * k), b(k * n), scale(n), c(m * n);
    for (std::vector<float>* values : {&a, &b, &scale})
      for (float& value : *values) value = draw(generator);
    const auto packed = PackedMatrix::pack(k, n, {b.data(), n, 1}, scale.data(), Precision::bf16);
    gemm_packed(m, a.data(), k, *packed, c.data(), n);
    for (size_t i = 0; i < m; ++i) {
      for (size_t j = 0; j < n; ++j) {
        double sum = 0;
        for (size_t p = 0; p < k; ++p)
          sum += double(to_float(to_bfloat16(a[i * k + p]))) *
                 to_float(to_bfloat16(b[p * n + j] * scale[j]));
        ASSERT_NEAR(c[i * n + j], sum, 1e-4 * (1 + std::abs(scale[j]))) << i << "," << j;
      }
    }
  });
}

TEST(PackedGemm, CopiesInBf16AreRoundedToNearestEven) {
  for_each_bf16_product([] {
    std::vector<float> values;
    for (uint32_t upper = 0; upper < 1u << 16; upper += 7)
      for (const uint32_t lower : {0x0u, 0x1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
        values.push_back(std::bit_cast<float>(upper << 16 | lower));
    // The instructions take subnormal numbers for zeros.
    std::erase_if(values, [](float value) { return std::fpclassify(value) == FP_SUBNORMAL; });
    const ProductKernels& kernels = product_kernels(Precision::bf16);
    for (const size_t count : {size_t{1}, size_t{3}, size_t{17}, values.size()}) {
      for (const size_t at : {0, 1}) {
        std::vector<float> copy(values.size());
        auto* bits = reinterpret_cast<BFloat16*>(copy.data());
        const float* from = values.data() + values.size() - count;
        kernels.copy(from, static_cast<int64_t>(count), copy.data(), at);
        for (size_t i = 0; i < count; ++i) {
          if (std::isnan(from[i]))
            ASSERT_TRUE(std::isnan(to_float(bits[at + i])))
                << static_cast<int>(kernels.level) << " " << count << " "
                << std::bit_cast<uint32_t>(from[i]) << " " << bits[at + i].bits;
          else
            ASSERT_EQ(bits[at + i].bits, to_bfloat16(from[i]).bits) << from[i];
        }
        for (const size_t beside : {at - 1, at + count})
          if (beside < 2 * copy.size()) ASSERT_EQ(bits[beside].bits, 0);
      }
    }
  });
}

}  // namespace
}  // namespace ingot

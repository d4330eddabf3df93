#include "kernels/rows_f32.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/norm.h"
#include "kernels/softmax.h"
#include "simd_levels.h"

namespace ingot {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> random_row(int64_t count, uint32_t seed, float offset = 0) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> draw(offset, 2);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = draw(generator);
  return values;
}

std::vector<double> widened(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

template <class F>
void for_levels_and_threads(F&& function) {
  for (const int threads : {1, 2}) {
    set_pool_threads(threads);
    for_each_simd_level(function);
  }
  set_pool_threads(0);
}

void expect_close(const std::vector<float>& actual, const std::vector<double>& exact, double bound,
                  const char* what) {
  ASSERT_EQ(actual.size(), exact.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    if (std::isnan(exact[i])) {
      ASSERT_TRUE(std::isnan(actual[i])) << what << " at " << i << ": " << actual[i];
    } else if (std::isinf(exact[i])) {
      ASSERT_EQ(actual[i], exact[i]) << what << " at " << i;
    } else {
      ASSERT_LE(std::abs(actual[i] - exact[i]), bound * (1 + std::abs(exact[i])))
          << what << " at " << i;
    }
  }
}

const int64_t kCounts[] = {0, 1, 2, 3, 7, 8, 17, 31, 64, 100, 513, 1023, 5000, 9001};

TEST(RowsF32, SumsAndExtremes) {
  for_each_simd_level([] {
    for (const int64_t count : kCounts) {
      const std::vector<float> x = random_row(count, 1, 0.5f);
      double sum = 0;
      double squares = 0;
      double magnitude = 1e-30;
      for (const double value : x) {
        sum += value;
        squares += value * value;
        magnitude += std::abs(value);
      }
      EXPECT_LE(std::abs(f32::sum(x.data(), count) - sum) / magnitude, 1e-7) << count;
      EXPECT_LE(std::abs(f32::sum_of_squares(x.data(), count) - squares) / (squares + 1e-30), 3e-7);
      std::vector<double> sums(x.size() + 1, 0.25);
      f32::add_to_sums(x.data(), count, sums.data());
      for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(sums[i], 0.25 + static_cast<double>(x[i]));
      ASSERT_EQ(sums.back(), 0.25);
      float high = -kInf;
      float low = kInf;
      for (const float value : x) {
        high = std::max(high, value);
        low = std::min(low, value);
      }
      EXPECT_EQ(f32::largest(x.data(), count), high);
      EXPECT_EQ(f32::smallest(x.data(), count), low);
      for (const int64_t at : {int64_t{0}, count / 2, count - 1}) {
        if (count == 0) continue;
        std::vector<float> with_nan = x;
        with_nan[static_cast<size_t>(at)] = kNan;
        EXPECT_TRUE(std::isnan(f32::largest(with_nan.data(), count)));
        EXPECT_TRUE(std::isnan(f32::smallest(with_nan.data(), count)));
      }
    }
  });
}

TEST(RowsF32, MomentsStayAccurateFarFromZero) {
  for_each_simd_level([] {
    for (const int64_t count : kCounts) {
      const std::vector<float> x = random_row(count, 2, 1000);
      const Moments exact = moments_of(widened(x).data(), 1, 0, count);
      const Moments moments = f32::moments(x.data(), count);
      if (count == 0) {
        EXPECT_TRUE(std::isnan(moments.mean) && std::isnan(moments.variance));
        continue;
      }
      EXPECT_LE(std::abs(moments.mean - exact.mean), 2e-4) << count;
      EXPECT_LE(std::abs(moments.variance - exact.variance), 1e-6 * exact.variance + 1e-12);
    }
    // Runs apart from each other.
    const std::vector<float> x = random_row(7 * 50, 3, 10);
    const Moments exact = moments_of(widened(x).data(), 7, 50, 33);
    const Moments moments = moments_of(x.data(), 7, 50, 33);
    EXPECT_NEAR(moments.mean, exact.mean, 1e-5);
    EXPECT_NEAR(moments.variance, exact.variance, 1e-5);
  });
}

TEST(RowsF32, SoftmaxAsInDouble) {
  for_levels_and_threads([] {
    for (const int64_t size : {1, 2, 3, 8, 17, 100, 1000, 5000}) {
      for (const int64_t inner : {1, 2, 17, 70}) {
        for (const SoftmaxForm form :
             {SoftmaxForm{}, SoftmaxForm{true, false}, SoftmaxForm{false, true}}) {
          const int64_t outer = 3;
          std::vector<float> x = random_row(outer * size * inner, 4, 50);
          // The first row hides everything, the second a part, and has an end of its own.
          for (int64_t i = 0; i < size; ++i) x[static_cast<size_t>(i * inner)] = -kInf;
          x[static_cast<size_t>(size * inner)] = -kInf;
          if (inner > 1 && size > 2) x[static_cast<size_t>(size * inner + 1)] = kNan;
          const std::vector<double> wide = widened(x);
          std::vector<double> exact(wide.size());
          softmax(outer, size, inner, wide.data(), exact.data(), form);
          std::vector<float> y(x.size());
          softmax(outer, size, inner, x.data(), y.data(), form);
          expect_close(y, exact, form.logarithm ? 2e-6 : 5e-7, "softmax");
          softmax(outer, size, inner, x.data(), x.data(), form);
          for (size_t i = 0; i < x.size(); ++i)
            ASSERT_TRUE(x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i])));
        }
      }
    }
  });
}

TEST(RowsF32, NormsAsInDouble) {
  for_levels_and_threads([] {
    for (const int64_t width : {1, 3, 8, 17, 100, 768, 5000}) {
      const int64_t rows = 5;
      const std::vector<float> x = random_row(rows * width, 5, 3);
      const std::vector<float> weight = random_row(width, 6);
      const std::vector<float> bias = random_row(width, 7);
      const std::vector<double> wide_x = widened(x), wide_w = widened(weight),
                                wide_b = widened(bias);
      for (int parts = 0; parts < 4; ++parts) {
        const float* w = parts & 1 ? weight.data() : nullptr;
        const float* b = parts & 2 ? bias.data() : nullptr;
        const double* ww = parts & 1 ? wide_w.data() : nullptr;
        const double* wb = parts & 2 ? wide_b.data() : nullptr;
        std::vector<float> y(x.size());
        std::vector<double> exact(x.size());
        layer_norm<float>(rows, width, x.data(), w, b, 1e-5, y.data(), nullptr, nullptr);
        layer_norm<double>(rows, width, wide_x.data(), ww, wb, 1e-5, exact.data(), nullptr,
                           nullptr);
        expect_close(y, exact, width == 1 ? 1e-5 : 3e-6, "layer_norm");
        rms_norm<float>(rows, width, x.data(), w, 1e-5, y.data(), nullptr);
        rms_norm<double>(rows, width, wide_x.data(), ww, 1e-5, exact.data(), nullptr);
        expect_close(y, exact, 2e-6, "rms_norm");
      }
    }
  });
}

TEST(RowsF32, GroupNormInBothLayouts) {
  for_levels_and_threads([] {
    for (const int64_t plane : {1, 3, 17, 64, 65, 200}) {
      for (const int64_t channels : {6, 24, 66}) {
        for (const int64_t groups : {int64_t{1}, int64_t{3}, channels}) {
          const int64_t images = 2;
          const std::vector<float> x = random_row(images * channels * plane, 8, 4);
          const std::vector<float> weight = random_row(channels, 9);
          const std::vector<float> bias = random_row(channels, 10);
          const std::vector<double> wide_w = widened(weight), wide_b = widened(bias);
          std::vector<double> exact(x.size());
          group_norm<double>(images, channels, plane, groups, widened(x).data(), wide_w.data(),
                             wide_b.data(), 1e-3, exact.data(), nullptr, nullptr);
          std::vector<float> y(x.size());
          group_norm<float>(images, channels, plane, groups, x.data(), weight.data(), bias.data(),
                            1e-3, y.data(), nullptr, nullptr);
          expect_close(y, exact, 1e-5, "group_norm");
          const int64_t in_stride = channels + 5;
          const int64_t out_stride = channels + 3;
          std::vector<float> last(static_cast<size_t>(images * plane * in_stride));
          std::vector<float> last_out(static_cast<size_t>(images * plane * out_stride), 7.0f);
          for (int64_t n = 0; n < images; ++n)
            for (int64_t c = 0; c < channels; ++c)
              for (int64_t p = 0; p < plane; ++p)
                last[static_cast<size_t>((n * plane + p) * in_stride + c)] =
                    x[static_cast<size_t>((n * channels + c) * plane + p)];
          group_norm_channels_last(images, plane, channels, groups, last.data(), in_stride,
                                   weight.data(), bias.data(), 1e-3, last_out.data(), out_stride);
          for (int64_t n = 0; n < images; ++n)
            for (int64_t c = 0; c < channels; ++c)
              for (int64_t p = 0; p < plane; ++p)
                y[static_cast<size_t>((n * channels + c) * plane + p)] =
                    last_out[static_cast<size_t>((n * plane + p) * out_stride + c)];
          expect_close(y, exact, 1e-5, "group_norm_channels_last");
          for (int64_t p = 0; p < images * plane; ++p)
            for (int64_t c = channels; c < out_stride; ++c)
              ASSERT_EQ(last_out[static_cast<size_t>(p * out_stride + c)], 7.0f);
        }
      }
    }
  });
}

}  // namespace
}  // namespace ingot

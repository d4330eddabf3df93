#include "kernels/conv_transpose_nhwc.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <random>
#include <vector>

#include "base/thread_pool.h"
#include "simd_levels.h"

namespace ingot {
namespace {

std::vector<float> random_values(int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> draw;
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = draw(generator);
  return values;
}

struct Counted {
  float* out;
  int64_t stride;
  int64_t channels;
  std::vector<int> seen;
  std::mutex mutex;

  static void then(void* context, int64_t row, int64_t rows, int64_t column, int64_t columns) {
    auto& self = *static_cast<Counted*>(context);
    const std::lock_guard lock(self.mutex);
    for (int64_t i = row; i < row + rows; ++i) {
      for (int64_t j = column; j < column + columns; ++j) {
        self.out[i * self.stride + j] += 100;
        ++self.seen[static_cast<size_t>(i * self.channels + j)];
      }
    }
  }
};

void check_once(const ConvGeometry& g) {
  const int64_t in_stride = g.in_channels + 5;
  const int64_t out_stride = g.out_channels + 3;
  const int64_t residual_stride = g.out_channels + 1;
  const int64_t group_in = g.in_channels / g.groups;
  const int64_t group_out = g.out_channels / g.groups;
  const int64_t taps = volume_of(g.kernel);
  const int64_t pixels = g.batch * volume_of(g.out);
  const std::vector<float> input = random_values(g.batch * volume_of(g.in) * in_stride, 1);
  const std::vector<float> weight = random_values(g.in_channels * group_out * taps, 2);
  const std::vector<float> scale = random_values(g.out_channels, 3);
  const std::vector<float> bias = random_values(g.out_channels, 4);
  const std::vector<float> residual = random_values(pixels * residual_stride, 5);

  std::vector<double> expected(static_cast<size_t>(pixels * g.out_channels));
  for (int64_t image = 0; image < g.batch; ++image)
    for (int64_t d = 0; d < g.in[0]; ++d)
      for (int64_t h = 0; h < g.in[1]; ++h)
        for (int64_t w = 0; w < g.in[2]; ++w)
          for (int64_t kd = 0; kd < g.kernel[0]; ++kd)
            for (int64_t kh = 0; kh < g.kernel[1]; ++kh)
              for (int64_t kw = 0; kw < g.kernel[2]; ++kw) {
                const int64_t od = d * g.stride[0] - g.pad[0] + kd * g.dilation[0];
                const int64_t oh = h * g.stride[1] - g.pad[1] + kh * g.dilation[1];
                const int64_t ow = w * g.stride[2] - g.pad[2] + kw * g.dilation[2];
                if (od < 0 || od >= g.out[0] || oh < 0 || oh >= g.out[1] || ow < 0 ||
                    ow >= g.out[2])
                  continue;
                const int64_t from = ((image * g.in[0] + d) * g.in[1] + h) * g.in[2] + w;
                const int64_t to = ((image * g.out[0] + od) * g.out[1] + oh) * g.out[2] + ow;
                const int64_t tap = (kd * g.kernel[1] + kh) * g.kernel[2] + kw;
                for (int64_t i = 0; i < g.in_channels; ++i)
                  for (int64_t o = 0; o < group_out; ++o)
                    expected[static_cast<size_t>(to * g.out_channels + i / group_in * group_out +
                                                 o)] +=
                        double{input[static_cast<size_t>(from * in_stride + i)]} *
                        weight[static_cast<size_t>((i * group_out + o) * taps + tap)];
              }

  std::vector<float> out(static_cast<size_t>(pixels * out_stride), 7.0f);
  Counted counted = {out.data(),
                     out_stride,
                     g.out_channels,
                     std::vector<int>(static_cast<size_t>(pixels * g.out_channels)),
                     {}};
  const auto packed = PackedConvTranspose::pack(g, weight.data(), scale.data());
  EXPECT_GE(packed->bytes(), sizeof(float) * weight.size());
  Workspace<char> workspace(static_cast<int64_t>(conv_transpose_workspace(g, *packed)));
  Epilogue epilogue;
  epilogue.bias = bias.data();
  epilogue.residual = residual.data();
  epilogue.residual_stride = residual_stride;
  epilogue.low = -5;
  epilogue.high = 5;
  epilogue.then = &Counted::then;
  epilogue.context = &counted;
  conv_transpose_nhwc(g, *packed, input.data(), in_stride, out.data(), out_stride, epilogue,
                      workspace.data());
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    for (int64_t o = 0; o < out_stride; ++o) {
      const float got = out[static_cast<size_t>(pixel * out_stride + o)];
      if (o >= g.out_channels) {
        ASSERT_EQ(got, 7.0f);
        continue;
      }
      const size_t channel = static_cast<size_t>(o);
      const size_t at = static_cast<size_t>(pixel * g.out_channels + o);
      const double value = expected[at] * scale[channel] + bias[channel] +
                           residual[static_cast<size_t>(pixel * residual_stride + o)];
      ASSERT_NEAR(got, std::clamp(value, -5.0, 5.0) + 100, 2e-4) << pixel << "," << o;
      ASSERT_EQ(counted.seen[at], 1);
    }
  }
}

// Output sizes with `extra` elements after the last that an input element reaches in full.
void check(ConvGeometry g, int64_t extra = 0) {
  for (size_t d = 0; d < 3; ++d)
    g.out[d] = (g.in[d] - 1) * g.stride[d] - 2 * g.pad[d] + g.dilation[d] * (g.kernel[d] - 1) + 1 +
               (g.stride[d] > 1 ? extra : 0);
  for (const SimdLevel level : simd_levels()) {
    set_simd_level(level);
    for (const int threads : {1, 2}) {
      set_pool_threads(threads);
      check_once(g);
    }
  }
  set_simd_level(best_simd_level());
  set_pool_threads(0);
}

TEST(ConvTransposeNhwc, KernelsAndStrides) {
  for (const int64_t kernel : {1, 2, 3, 4, 5})
    for (const int64_t stride : {1, 2, 3})
      for (const int64_t channels : {1, 3, 17})
        check({1,
               1,
               channels,
               19,
               {1, 5, 7},
               {},
               {1, kernel, kernel},
               {1, stride, stride},
               {0, kernel / 3, kernel / 3},
               {1, 1, 1}},
              stride - 1);
}

TEST(ConvTransposeNhwc, GroupsBatchesDilationAndDepth) {
  check({2, 2, 6, 8, {1, 5, 7}, {}, {1, 3, 4}, {1, 2, 2}, {0, 1, 1}, {1, 1, 1}}, 1);
  check({2, 1, 6, 8, {1, 5, 7}, {}, {1, 3, 3}, {1, 2, 3}, {0, 1, 2}, {1, 2, 2}});
  check({1, 3, 6, 9, {3, 4, 5}, {}, {2, 3, 3}, {2, 1, 2}, {0, 1, 1}, {1, 1, 1}}, 1);
}

TEST(ConvTransposeNhwc, LongLine) {
  check({1, 1, 4, 8, {1, 1, 700}, {}, {1, 1, 4}, {1, 1, 2}, {0, 0, 1}, {1, 1, 1}});
}

TEST(ConvTransposeNhwc, LargeLayer) {
  check({1, 1, 64, 32, {1, 28, 28}, {}, {1, 2, 2}, {1, 2, 2}, {0, 0, 0}, {1, 1, 1}});
}

}  // namespace
}  // namespace ingot

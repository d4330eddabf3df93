#include "kernels/conv_nhwc.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include <ingot/error.h>

#include "base/half.h"
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

struct Layer {
  int64_t batch, groups, in_channels, out_channels;
  Spatial in, kernel, stride, pad, dilation;
  Spatial pad_after = {-1, -1, -1};  // -1: as before
};

ConvGeometry geometry_of(const Layer& l) {
  ConvGeometry g = {l.batch, l.groups, l.in_channels, l.out_channels, l.in,
                    {},      l.kernel, l.stride,      l.pad,          l.dilation};
  for (size_t d = 0; d < 3; ++d) {
    const int64_t after = l.pad_after[d] < 0 ? l.pad[d] : l.pad_after[d];
    g.out[d] =
        (l.in[d] + l.pad[d] + after - l.dilation[d] * (l.kernel[d] - 1) - 1) / l.stride[d] + 1;
  }
  return g;
}

Layer square(int64_t size, int64_t in_channels, int64_t out_channels, int64_t kernel,
             int64_t stride, int64_t pad, int64_t groups = 1, int64_t batch = 1) {
  return {batch,
          groups,
          in_channels,
          out_channels,
          {1, size, size},
          {1, kernel, kernel},
          {1, stride, stride},
          {0, pad, pad},
          {1, 1, 1}};
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

// The largest error relative to the largest output, against plain loops in double.
double error_of(const Layer& layer, ConvMethod method, bool full,
                Precision precision = Precision::f32) {
  const ConvGeometry g = geometry_of(layer);
  const int64_t in_stride = g.in_channels + (full ? 5 : 0);
  const int64_t out_stride = g.out_channels + (full ? 3 : 0);
  const int64_t residual_stride = g.out_channels + 1;
  const int64_t group_in = g.in_channels / g.groups;
  const int64_t group_out = g.out_channels / g.groups;
  const int64_t taps = volume_of(g.kernel);
  const int64_t pixels = g.batch * volume_of(g.out);
  std::vector<float> input = random_values(g.batch * volume_of(g.in) * in_stride, 1);
  const std::vector<float> weight = random_values(g.out_channels * group_in * taps, 2);
  const std::vector<float> scale = random_values(g.out_channels, 3);
  const std::vector<float> bias = random_values(g.out_channels, 4);
  const std::vector<float> residual = random_values(pixels * residual_stride, 5);
  std::vector<float> out(static_cast<size_t>(pixels * out_stride), 7.0f);
  Counted counted = {out.data(),
                     out_stride,
                     g.out_channels,
                     std::vector<int>(static_cast<size_t>(pixels * g.out_channels)),
                     {}};

  const auto packed =
      PackedConv::pack(g, method, weight.data(), full ? scale.data() : nullptr, precision);
  EXPECT_EQ(packed->method(), method);
  Workspace<char> workspace(static_cast<int64_t>(conv_workspace(g, *packed)));
  Epilogue epilogue;
  if (full) {
    epilogue.bias = bias.data();
    epilogue.residual = residual.data();
    epilogue.residual_stride = residual_stride;
    epilogue.low = -1;
    epilogue.high = 9;
    epilogue.then = &Counted::then;
    epilogue.context = &counted;
  }
  conv_nhwc(g, *packed, input.data(), in_stride, out.data(), out_stride, epilogue,
            workspace.data());

  // What was multiplied.
  std::vector<float> factors = weight;
  for (size_t i = 0; i < factors.size() && full; ++i)
    factors[i] *= scale[i / static_cast<size_t>(group_in * taps)];
  if (precision_of(method, precision) == Precision::bf16)
    for (std::vector<float>* values : {&input, &factors})
      for (float& value : *values) value = to_float(to_bfloat16(value));

  double worst = 0;
  double scale_of_out = 1e-30;
  int64_t pixel = 0;
  for (int64_t image = 0; image < g.batch; ++image)
    for (int64_t od = 0; od < g.out[0]; ++od)
      for (int64_t oh = 0; oh < g.out[1]; ++oh)
        for (int64_t ow = 0; ow < g.out[2]; ++ow, ++pixel) {
          for (int64_t o = 0; o < g.out_channels; ++o) {
            double sum = 0;
            for (int64_t kd = 0; kd < g.kernel[0]; ++kd)
              for (int64_t kh = 0; kh < g.kernel[1]; ++kh)
                for (int64_t kw = 0; kw < g.kernel[2]; ++kw) {
                  const int64_t d = od * g.stride[0] - g.pad[0] + kd * g.dilation[0];
                  const int64_t h = oh * g.stride[1] - g.pad[1] + kh * g.dilation[1];
                  const int64_t w = ow * g.stride[2] - g.pad[2] + kw * g.dilation[2];
                  if (d < 0 || d >= g.in[0] || h < 0 || h >= g.in[1] || w < 0 || w >= g.in[2])
                    continue;
                  const float* from =
                      input.data() +
                      (((image * g.in[0] + d) * g.in[1] + h) * g.in[2] + w) * in_stride +
                      o / group_out * group_in;
                  const float* by = factors.data() + o * group_in * taps +
                                    (kd * g.kernel[1] + kh) * g.kernel[2] + kw;
                  for (int64_t i = 0; i < group_in; ++i) sum += double(from[i]) * by[i * taps];
                }
            const size_t channel = static_cast<size_t>(o);
            scale_of_out = std::max(scale_of_out, std::abs(sum));
            if (full) {
              sum += bias[channel] + residual[static_cast<size_t>(pixel * residual_stride + o)];
              sum = std::clamp(sum, -1.0, 9.0) + 100;
              EXPECT_EQ(counted.seen[static_cast<size_t>(pixel * g.out_channels + o)], 1);
            }
            worst =
                std::max(worst, std::abs(sum - out[static_cast<size_t>(pixel * out_stride + o)]));
          }
          for (int64_t o = g.out_channels; o < out_stride; ++o)
            EXPECT_EQ(out[static_cast<size_t>(pixel * out_stride + o)], 7.0f);
        }
  return worst / std::max(scale_of_out, full ? 10.0 : 0.0);
}

void check(const Layer& layer, ConvMethod method) {
  SCOPED_TRACE(std::string(name_of(method)) + " " + std::to_string(layer.in_channels) + "->" +
               std::to_string(layer.out_channels) + " " + std::to_string(layer.in[0]) + "x" +
               std::to_string(layer.in[1]) + "x" + std::to_string(layer.in[2]) + " kernel " +
               std::to_string(layer.kernel[1]) + " stride " + std::to_string(layer.stride[1]) +
               " pad " + std::to_string(layer.pad[1]) + " groups " + std::to_string(layer.groups));
  ASSERT_TRUE(conv_method_fits(method, geometry_of(layer)));
  const auto check_precision = [&](Precision precision) {
    for (const int threads : {1, 2}) {
      set_pool_threads(threads);
      for (const bool full : {false, true})
        EXPECT_LT(error_of(layer, method, full, precision), 1e-5)
            << static_cast<int>(simd_level()) << threads << full << name_of(precision);
    }
    set_pool_threads(0);
  };
  for_each_simd_level([&] { check_precision(Precision::f32); });
  if (precision_of(method, Precision::bf16) == Precision::bf16)
    for_each_bf16_product([&] { check_precision(Precision::bf16); });
}

TEST(ConvNhwc, Pointwise) {
  for (const int64_t channels : {1, 3, 17, 40, 128})
    for (const int64_t size : {1, 3, 17})
      check(square(size, channels, 24, 1, 1, 0), ConvMethod::pointwise);
  check(square(9, 64, 130, 1, 1, 0, 1, 3), ConvMethod::pointwise);
}

TEST(ConvNhwc, ImplicitGemm) {
  for (const int64_t channels : {1, 3, 17, 40})
    for (const int64_t kernel : {1, 2, 3, 7})
      for (const int64_t stride : {1, 2, 3})
        for (const int64_t pad : {int64_t{0}, kernel / 2})
          check(square(13, channels, 19, kernel, stride, pad), ConvMethod::implicit_gemm);
  check(square(40, 3, 32, 7, 2, 3, 1, 2), ConvMethod::implicit_gemm);
  check(square(32, 3, 96, 4, 4, 0), ConvMethod::implicit_gemm);
}

TEST(ConvNhwc, ImplicitGemmBeyondOneBlock) {
  check(square(17, 64, 130, 3, 1, 1, 1, 3), ConvMethod::implicit_gemm);
}

TEST(ConvNhwc, AsymmetricPaddingAndDilation) {
  const Layer layer = {2,         1,         5,         9,         {1, 11, 14},
                       {1, 3, 5}, {1, 2, 1}, {0, 1, 0}, {1, 2, 3}, {0, 3, 5}};
  check(layer, ConvMethod::implicit_gemm);
  Layer few = layer;
  few.dilation = {1, 1, 1};
  check(few, ConvMethod::implicit_gemm);
  Layer deep = {1, 1, 6, 9, {7, 8, 9}, {3, 3, 3}, {1, 2, 1}, {1, 1, 1}, {2, 1, 1}};
  check(deep, ConvMethod::implicit_gemm);
  deep.groups = 3;
  check(deep, ConvMethod::grouped);
  deep.groups = deep.out_channels = 6;
  check(deep, ConvMethod::depthwise);
}

TEST(ConvNhwc, Depthwise) {
  for (const int64_t channels : {2, 3, 17, 72, 600})
    for (const int64_t kernel : {2, 3, 5, 7})
      for (const int64_t stride : {1, 2, 3})
        check(square(channels > 100 ? 9 : 15, channels, channels, kernel, stride, kernel / 2,
                     channels),
              ConvMethod::depthwise);
  check(square(1, 8, 8, 3, 1, 1, 8), ConvMethod::depthwise);
  Layer dilated = square(15, 24, 24, 3, 1, 4, 24, 2);
  dilated.dilation = {1, 4, 4};
  check(dilated, ConvMethod::depthwise);
}

TEST(ConvNhwc, Grouped) {
  for (const int64_t groups : {2, 4, 8}) {
    check(square(9, 8, 16, 3, 1, 1, groups), ConvMethod::grouped);
    check(square(9, 64, 64, 3, 2, 1, groups), ConvMethod::grouped);
  }
  check(square(5, 3, 6, 3, 1, 1, 3), ConvMethod::grouped);
}

TEST(ConvNhwc, Winograd) {
  for (const ConvMethod method : {ConvMethod::winograd_2, ConvMethod::winograd_4}) {
    for (const int64_t channels : {1, 3, 17, 64})
      for (const int64_t size : {1, 2, 3, 7, 14, 17})
        for (const int64_t pad : {0, 1, 2})
          if (size + 2 * pad >= 3) check(square(size, channels, 19, 3, 1, pad), method);
    check({2, 1, 20, 24, {3, 9, 30}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {1, 1, 1}}, method);
  }
}

TEST(ConvNhwc, WorkspaceServesAnyNumberOfThreads) {
  for (const int64_t size : {3, 14, 56}) {
    const ConvGeometry g = geometry_of(square(size, 32, 32, 3, 1, 1));
    const std::vector<float> weight = random_values(32 * 32 * 9, 1);
    const auto packed = PackedConv::pack(g, ConvMethod::winograd_4, weight.data());
    set_pool_threads(1);
    const size_t bytes = conv_workspace(g, *packed);
    for (const int threads : {2, 3, 16, 200}) {
      set_pool_threads(threads);
      EXPECT_EQ(conv_workspace(g, *packed), bytes);
    }
  }
  for (const int threads : {3, 16}) {
    set_pool_threads(threads);
    EXPECT_LT(error_of(square(56, 32, 32, 3, 1, 1), ConvMethod::winograd_4, true), 1e-5);
    EXPECT_LT(error_of(square(3, 32, 32, 3, 1, 1), ConvMethod::winograd_2, true), 1e-5);
  }
  set_pool_threads(0);
}

TEST(ConvNhwc, WinogradBeyondOneBlock) {
  for (const ConvMethod method : {ConvMethod::winograd_2, ConvMethod::winograd_4})
    check(square(28, 128, 96, 3, 1, 1, 1, 2), method);
}

TEST(ConvNhwc, NothingToDo) {
  check(square(5, 4, 6, 3, 1, 1, 1, 0), ConvMethod::implicit_gemm);
  check(square(5, 4, 4, 3, 1, 1, 4, 0), ConvMethod::depthwise);
}

TEST(ConvNhwc, ChosenMethodFits) {
  for (const int64_t channels : {1, 4, 64})
    for (const int64_t kernel : {1, 3, 5})
      for (const int64_t stride : {1, 2})
        for (const int64_t groups : {int64_t{1}, channels}) {
          const ConvGeometry g =
              geometry_of(square(14, channels, channels, kernel, stride, kernel / 2, groups));
          EXPECT_TRUE(conv_method_fits(choose_conv_method(g), g));
        }
}

TEST(ConvNhwc, MethodThatDoesNotFitIsAnError) {
  const std::vector<float> weight(9);
  EXPECT_THROW(
      PackedConv::pack(geometry_of(square(5, 1, 1, 3, 1, 1)), ConvMethod::pointwise, weight.data()),
      Error);
}

}  // namespace
}  // namespace ingot

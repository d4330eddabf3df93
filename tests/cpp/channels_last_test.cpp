// Pooling and resampling in channels-last memory against the same over row-major planes.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/pool.h"
#include "kernels/resample.h"
#include "simd_levels.h"

namespace ingot {
namespace {

using Values = std::vector<float>;

Values random_values(int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> draw(0, 3);
  Values values(static_cast<size_t>(count));
  for (float& value : values) value = draw(generator);
  return values;
}

// [images, channels, volume] as [images, volume, stride] with channels first in every pixel.
Values channels_last(const Values& x, int64_t images, int64_t channels, int64_t volume,
                     int64_t stride) {
  Values y(static_cast<size_t>(images * volume * stride), 7.0f);
  for (int64_t n = 0; n < images; ++n)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < volume; ++p)
        y[static_cast<size_t>((n * volume + p) * stride + c)] =
            x[static_cast<size_t>((n * channels + c) * volume + p)];
  return y;
}

// `y` holds `exact` in channels-last order and 7 beside it.
void expect_same(const Values& y, const Values& exact, int64_t images, int64_t channels,
                 int64_t volume, int64_t stride, float bound) {
  const Values expected = channels_last(exact, images, channels, volume, stride);
  ASSERT_EQ(y.size(), expected.size());
  for (size_t i = 0; i < y.size(); ++i) {
    if (std::isnan(expected[i]))
      ASSERT_TRUE(std::isnan(y[i])) << i;
    else if (std::isinf(expected[i]))
      ASSERT_EQ(y[i], expected[i]) << i;
    else
      ASSERT_NEAR(y[i], expected[i], bound) << i << " channels " << channels;
  }
}

template <class F>
void for_levels_and_threads(F&& function) {
  for (const int threads : {1, 2}) {
    set_pool_threads(threads);
    for_each_simd_level(function);
  }
  set_pool_threads(0);
}

const int64_t kChannels[] = {1, 3, 8, 17, 67};

TEST(ChannelsLast, Pooling) {
  const PoolGeometry geometries[] = {
      {2, {1, 9, 11}, {1, 4, 5}, {1, 3, 3}, {1, 2, 2}, {0, 0, 1}, {1, 1, 1}},
      {2, {1, 7, 7}, {1, 7, 7}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {1, 1, 1}},
      {1, {1, 1, 13}, {1, 1, 5}, {1, 1, 4}, {1, 1, 3}, {0, 0, 2}, {1, 1, 1}},
      {1, {5, 6, 7}, {2, 3, 3}, {2, 2, 3}, {2, 2, 2}, {0, 0, 0}, {1, 1, 1}},
  };
  for_levels_and_threads([&] {
    for (PoolGeometry g : geometries) {
      for (const int64_t channels : kChannels) {
        const int64_t images = g.planes;
        const ChannelsLast memory = {channels, channels + 2, channels + 1};
        Values x = random_values(images * channels * volume_of(g.in), 1);
        x[x.size() / 2] = std::numeric_limits<float>::quiet_NaN();
        x[x.size() / 3] = -std::numeric_limits<float>::infinity();
        const Values last =
            channels_last(x, images, channels, volume_of(g.in), memory.input_stride);
        Values exact(static_cast<size_t>(images * channels * volume_of(g.out)));
        Values y(static_cast<size_t>(images * volume_of(g.out) * memory.out_stride), 7.0f);
        const auto compare = [&](float bound) {
          expect_same(y, exact, images, channels, volume_of(g.out), memory.out_stride, bound);
        };
        PoolGeometry planes = g;
        planes.planes = images * channels;
        max_pool<float>(planes, x.data(), exact.data(), nullptr);
        max_pool_channels_last(g, memory, last.data(), y.data());
        compare(0);
        for (const bool count_padding : {false, true}) {
          for (const int64_t divisor : {0, 5}) {
            average_pool<float>(planes, x.data(), exact.data(), count_padding, divisor);
            average_pool_channels_last(g, memory, last.data(), y.data(), count_padding, divisor);
            compare(1e-5f);
          }
        }
        adaptive_average_pool<float>(images * channels, g.in, g.out, x.data(), exact.data());
        adaptive_average_pool_channels_last(images, g.in, g.out, memory, last.data(), y.data());
        compare(1e-5f);
      }
    }
    // A dilated window, and one pixel for a whole image.
    const PoolGeometry g = {1, {1, 9, 9}, {1, 5, 5}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {1, 2, 3}};
    const Values x = random_values(5 * 81, 2);
    const Values last = channels_last(x, 1, 5, 81, 5);
    PoolGeometry planes = g;
    planes.planes = 5;
    Values exact(5 * 25);
    Values y(5 * 25);
    max_pool<float>(planes, x.data(), exact.data(), nullptr);
    max_pool_channels_last(g, {5, 5, 5}, last.data(), y.data());
    expect_same(y, exact, 1, 5, 25, 5, 0);
    exact.resize(5);
    y.resize(5);
    adaptive_average_pool<float>(5, g.in, {1, 1, 1}, x.data(), exact.data());
    adaptive_average_pool_channels_last(1, g.in, {1, 1, 1}, {5, 5, 5}, last.data(), y.data());
    expect_same(y, exact, 1, 5, 1, 5, 1e-5f);
  });
}

TEST(ChannelsLast, Resampling) {
  for_levels_and_threads([&] {
    for (const Interpolation interpolation : {Interpolation::nearest, Interpolation::nearest_exact,
                                              Interpolation::linear, Interpolation::cubic}) {
      for (const int64_t channels : kChannels) {
        const int64_t images = 2;
        const auto nothing = resample_axis<float>(Interpolation::nearest, 1, 1, false, 0);
        const std::array<ResampleAxis<float>, 3> axes = {
            nothing, resample_axis<float>(interpolation, 5, 9, false, 0),
            resample_axis<float>(interpolation, 7, 4, interpolation == Interpolation::linear, 0)};
        const Values x = random_values(images * channels * 35, 3);
        const Values last = channels_last(x, images, channels, 35, channels + 3);
        Values exact(static_cast<size_t>(images * channels * 36));
        Values y(static_cast<size_t>(images * 36 * (channels + 1)), 7.0f);
        resample<float>(images * channels, axes, x.data(), exact.data());
        resample_channels_last(images, axes, channels, last.data(), channels + 3, y.data(),
                               channels + 1);
        expect_same(y, exact, images, channels, 36, channels + 1, 1e-5f);
      }
    }
  });
}

}  // namespace
}  // namespace ingot

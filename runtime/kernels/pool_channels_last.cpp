#include "base/thread_pool.h"
#include "kernels/pixels_f32.h"
#include "kernels/pool.h"
#include "kernels/pool_window.h"

namespace ingot {

namespace {

// Calls body(image, pixel, windows) for every output pixel; both point at channels.
template <class WindowAt, class Body>
void for_each_pixel(int64_t images, const Spatial& in, const Spatial& out_sizes,
                    int64_t window_pixels, const ChannelsLast& memory, const float* input,
                    float* out, WindowAt&& window_at, Body&& body) {
  constexpr int64_t kElementsPerThread = 1 << 15;
  const int64_t volume = volume_of(out_sizes);
  const int64_t work = std::max<int64_t>(window_pixels * memory.channels, 1);
  const int64_t grain = std::max<int64_t>(1, kElementsPerThread / work);
  parallel_for(0, images * volume, grain, [&](int64_t first, int64_t last) {
    for (int64_t pixel = first; pixel < last; ++pixel) {
      const int64_t place = pixel % volume;
      const Windows w = {window_at(0, place / (out_sizes[1] * out_sizes[2])),
                         window_at(1, place / out_sizes[2] % out_sizes[1]),
                         window_at(2, place % out_sizes[2])};
      body(input + pixel / volume * volume_of(in) * memory.input_stride,
           out + pixel * memory.out_stride, w);
    }
  });
}

f32::PixelWindow pixels_of(const float* image, const Spatial& in, const Windows& w,
                           int64_t stride) {
  const Spatial steps = {in[1] * in[2] * stride, in[2] * stride, stride};
  f32::PixelWindow window = {image, {}, {}};
  for (size_t d = 0; d < 3; ++d) {
    window.first += w[d].begin * steps[d];
    window.counts[d] = w[d].count();
    window.strides[d] = w[d].step * steps[d];
  }
  return window;
}

}  // namespace

void max_pool_channels_last(const PoolGeometry& g, const ChannelsLast& memory, const float* input,
                            float* out) {
  for_each_pixel(
      g.planes, g.in, g.out, volume_of(g.kernel), memory, input, out,
      [&](size_t d, int64_t i) { return max_window(g, d, i); },
      [&](const float* image, float* pixel, const Windows& w) {
        f32::greatest_of_window(pixels_of(image, g.in, w, memory.input_stride), memory.channels,
                                pixel);
      });
}

void average_pool_channels_last(const PoolGeometry& g, const ChannelsLast& memory,
                                const float* input, float* out, bool count_padding,
                                int64_t divisor) {
  for_each_pixel(
      g.planes, g.in, g.out, volume_of(g.kernel), memory, input, out,
      [&](size_t d, int64_t i) { return padded_window(g, d, i); },
      [&](const float* image, float* pixel, const Windows& padded) {
        const Windows w = inside(padded, g.in);
        const int64_t by = average_divisor(padded, w, count_padding, divisor);
        f32::mean_of_window(pixels_of(image, g.in, w, memory.input_stride),
                            by == 0 ? 1.0f : static_cast<float>(by), memory.channels, pixel);
      });
}

void adaptive_average_pool_channels_last(int64_t images, const Spatial& in,
                                         const Spatial& out_sizes, const ChannelsLast& memory,
                                         const float* input, float* out) {
  int64_t window_pixels = 1;
  for (size_t d = 0; d < 3; ++d) window_pixels *= in[d] / std::max<int64_t>(out_sizes[d], 1) + 1;
  for_each_pixel(
      images, in, out_sizes, window_pixels, memory, input, out,
      [&](size_t d, int64_t i) { return adaptive_window(in[d], out_sizes[d], i); },
      [&](const float* image, float* pixel, const Windows& w) {
        f32::mean_of_window(pixels_of(image, in, w, memory.input_stride),
                            static_cast<float>(elements_of(w)), memory.channels, pixel);
      });
}

}  // namespace ingot

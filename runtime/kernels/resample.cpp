#include "kernels/resample.h"

#include <algorithm>
#include <cmath>

#include "base/thread_pool.h"
#include "kernels/pixels_f32.h"

namespace ingot {

namespace {

constexpr int64_t kElementsPerThread = 1 << 13;

// The source step per output step.
template <class T>
T source_step(int64_t in, int64_t out, bool align_corners, double scale) {
  if (align_corners) return out > 1 ? static_cast<T>(in - 1) / static_cast<T>(out - 1) : T(0);
  return scale > 0 ? static_cast<T>(1 / scale) : static_cast<T>(in) / static_cast<T>(out);
}

// Keys' cubic convolution with A = -0.75, for the four elements around distance `t` past the
// second one.
template <class T>
void cubic_weights(T t, T* weights) {
  constexpr T a = T(-0.75);
  const auto near = [](T x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
  const auto far = [](T x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  weights[0] = far(t + 1);
  weights[1] = near(t);
  weights[2] = near(1 - t);
  weights[3] = far(2 - t);
}

}  // namespace

template <class T>
ResampleAxis<T> resample_axis(Interpolation interpolation, int64_t in, int64_t out,
                              bool align_corners, double scale) {
  const int64_t taps = interpolation == Interpolation::cubic    ? 4
                       : interpolation == Interpolation::linear ? 2
                                                                : 1;
  ResampleAxis<T> axis = {in, out, taps, {}, {}};
  axis.index.resize(static_cast<size_t>(out * taps));
  axis.weight.resize(static_cast<size_t>(out * taps));
  const T step = source_step<T>(in, out, align_corners, scale);
  for (int64_t i = 0; i < out; ++i) {
    int64_t* index = axis.index.data() + i * taps;
    T* weight = axis.weight.data() + i * taps;
    const T place =
        align_corners ? step * static_cast<T>(i) : step * (static_cast<T>(i) + T(0.5)) - T(0.5);
    switch (interpolation) {
      case Interpolation::nearest:
        index[0] = std::min(static_cast<int64_t>(std::floor(static_cast<T>(i) * step)), in - 1);
        weight[0] = 1;
        break;
      case Interpolation::nearest_exact:
        index[0] =
            std::min(static_cast<int64_t>(std::floor((static_cast<T>(i) + T(0.5)) * step)), in - 1);
        weight[0] = 1;
        break;
      case Interpolation::linear: {
        const T source = std::max(place, T(0));
        index[0] = std::min(static_cast<int64_t>(source), in - 1);
        index[1] = std::min(index[0] + 1, in - 1);
        weight[1] = std::clamp(source - static_cast<T>(index[0]), T(0), T(1));
        weight[0] = 1 - weight[1];
        break;
      }
      case Interpolation::cubic: {
        const T first = std::floor(place);
        cubic_weights(std::clamp(place - first, T(0), T(1)), weight);
        for (int64_t tap = 0; tap < 4; ++tap)
          index[tap] = std::clamp<int64_t>(static_cast<int64_t>(first) - 1 + tap, 0, in - 1);
        break;
      }
    }
  }
  return axis;
}

template <class T>
void resample(int64_t planes, const std::array<ResampleAxis<T>, 3>& axes, const T* input, T* out) {
  const ResampleAxis<T>& depth = axes[0];
  const ResampleAxis<T>& height = axes[1];
  const ResampleAxis<T>& width = axes[2];
  const int64_t in_plane = depth.in * height.in * width.in;
  const int64_t out_plane = depth.out * height.out * width.out;
  const int64_t grain = std::max<int64_t>(1, kElementsPerThread / std::max<int64_t>(out_plane, 1));
  parallel_for(0, planes, grain, [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; ++plane) {
      const T* image = input + plane * in_plane;
      T* to = out + plane * out_plane;
      for (int64_t d = 0; d < depth.out; ++d) {
        for (int64_t h = 0; h < height.out; ++h) {
          for (int64_t w = 0; w < width.out; ++w) {
            T sum = 0;
            for (int64_t i = d * depth.taps; i < (d + 1) * depth.taps; ++i) {
              T sum_of_plane = 0;
              for (int64_t j = h * height.taps; j < (h + 1) * height.taps; ++j) {
                const T* row = image + (depth.index[i] * height.in + height.index[j]) * width.in;
                T sum_of_row = 0;
                for (int64_t k = w * width.taps; k < (w + 1) * width.taps; ++k)
                  sum_of_row += width.weight[k] * row[width.index[k]];
                sum_of_plane += height.weight[j] * sum_of_row;
              }
              sum += depth.weight[i] * sum_of_plane;
            }
            *to++ = sum;
          }
        }
      }
    }
  });
}

void resample_channels_last(int64_t images, const std::array<ResampleAxis<float>, 3>& axes,
                            int64_t channels, const float* input, int64_t input_stride, float* out,
                            int64_t out_stride) {
  constexpr int64_t kMaxLines = 4 * 4;
  const ResampleAxis<float>& depth = axes[0];
  const ResampleAxis<float>& height = axes[1];
  const ResampleAxis<float>& width = axes[2];
  const int64_t in_volume = depth.in * height.in * width.in;
  const int64_t rows = depth.out * height.out;
  const int64_t grain =
      std::max<int64_t>(1, kElementsPerThread / std::max<int64_t>(width.out * channels, 1));
  parallel_for(0, images * rows, grain, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const float* image = input + row / rows * in_volume * input_stride;
      const int64_t d = row % rows / height.out;
      const int64_t h = row % height.out;
      const float* lines[kMaxLines];
      float weights[kMaxLines];
      int64_t count = 0;
      for (int64_t i = d * depth.taps; i < (d + 1) * depth.taps; ++i) {
        for (int64_t j = h * height.taps; j < (h + 1) * height.taps; ++j) {
          lines[count] =
              image + (depth.index[i] * height.in + height.index[j]) * width.in * input_stride;
          weights[count++] = depth.weight[i] * height.weight[j];
        }
      }
      float* to = out + row * width.out * out_stride;
      if (count == 1 && width.taps == 1) {  // nearest: all weights are 1
        for (int64_t w = 0; w < width.out; ++w)
          std::copy_n(lines[0] + width.index[w] * input_stride, channels, to + w * out_stride);
      } else {
        f32::interpolate_row({count, lines, weights}, width.out, width.taps, width.index.data(),
                             width.weight.data(), channels, input_stride, to, out_stride);
      }
    }
  });
}

#define INGOT_RESAMPLE(T)                                                                \
  template ResampleAxis<T> resample_axis(Interpolation, int64_t, int64_t, bool, double); \
  template void resample(int64_t, const std::array<ResampleAxis<T>, 3>&, const T*, T*)
INGOT_RESAMPLE(float);
INGOT_RESAMPLE(double);
#undef INGOT_RESAMPLE

}  // namespace ingot

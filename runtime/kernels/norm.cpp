#include "kernels/norm.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/thread_pool.h"
#include "kernels/rows_f32.h"
#include "kernels/workspace.h"

namespace ingot {

namespace {

constexpr int64_t kElementsPerThread = 1 << 14;

int64_t grain_for(int64_t elements) {
  return std::max<int64_t>(1, kElementsPerThread / std::max<int64_t>(elements, 1));
}

// The sum of term(x) over a run, in eight independent chains.
template <class T, class Term>
double sum_of(const T* x, int64_t count, Term&& term) {
  constexpr int kChains = 8;
  double sums[kChains] = {};
  int64_t i = 0;
  for (; i + kChains <= count; i += kChains)
    for (int chain = 0; chain < kChains; ++chain)
      sums[chain] += term(static_cast<double>(x[i + chain]));
  double sum = 0;
  for (; i < count; ++i) sum += term(static_cast<double>(x[i]));
  for (const double part : sums) sum += part;
  return sum;
}

template <class T>
double sum_of_squares(const T* x, int64_t count) {
  return sum_of(x, count, [](double value) { return value * value; });
}
double sum_of_squares(const float* x, int64_t count) { return f32::sum_of_squares(x, count); }

template <class T>
Moments moments_of_run(const T* x, int64_t count) {
  const double n = static_cast<double>(count);
  const double mean = sum_of(x, count, [](double value) { return value; }) / n;
  const double squares =
      sum_of(x, count, [mean](double value) { return (value - mean) * (value - mean); });
  return {mean, squares / n};
}
Moments moments_of_run(const float* x, int64_t count) { return f32::moments(x, count); }

// y = (x - center) · scale · weight + bias, element by element; weight and bias may be null.
template <class T>
void normalize(const T* x, int64_t count, T center, T scale, const T* weight, const T* bias, T* y) {
  for (int64_t i = 0; i < count; ++i) {
    const T value = (x[i] - center) * scale;
    y[i] = (weight ? value * weight[i] : value) + (bias ? bias[i] : T(0));
  }
}
void normalize(const float* x, int64_t count, float center, float scale, const float* weight,
               const float* bias, float* y) {
  f32::normalize(x, count, center, scale, weight, bias, y);
}

// y = (x - center) · scale + shift.
template <class T>
void shift_and_scale(const T* x, int64_t count, T center, T scale, T shift, T* y) {
  for (int64_t i = 0; i < count; ++i) y[i] = (x[i] - center) * scale + shift;
}
void shift_and_scale(const float* x, int64_t count, float center, float scale, float shift,
                     float* y) {
  f32::shift_and_scale(x, count, center, scale, shift, y);
}

// The moments of two sets of elements together (Chan, Golub and LeVeque, 1979).
struct MomentSum {
  double count = 0;
  double mean = 0;
  double squares = 0;
  void add(double n, double other_mean, double other_squares) {
    const double all = count + n;
    const double difference = other_mean - mean;
    squares += other_squares + difference * difference * (count * n / all);
    mean += difference * (n / all);
    count = all;
  }
};

}  // namespace

template <class T>
Moments moments_of(const T* input, int64_t runs, int64_t run_stride, int64_t run_length) {
  if (runs == 1 || runs * run_length == 0) return moments_of_run(input, runs * run_length);
  MomentSum sum;
  const double n = static_cast<double>(run_length);
  for (int64_t run = 0; run < runs; ++run) {
    const Moments part = moments_of_run(input + run * run_stride, run_length);
    sum.add(n, part.mean, part.variance * n);
  }
  return {sum.mean, sum.squares / sum.count};
}

template <class T>
void layer_norm(int64_t rows, int64_t width, const T* input, const T* weight, const T* bias,
                double eps, T* out, T* mean, T* rstd) {
  parallel_for(0, rows, grain_for(width), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const T* x = input + row * width;
      T* y = out + row * width;
      const Moments moments = moments_of(x, 1, 0, width);
      const T center = static_cast<T>(moments.mean);
      const T scale = static_cast<T>(1 / std::sqrt(moments.variance + eps));
      normalize(x, width, center, scale, weight, bias, y);
      if (mean) mean[row] = center;
      if (rstd) rstd[row] = scale;
    }
  });
}

template <class T>
void group_norm(int64_t images, int64_t channels, int64_t plane, int64_t groups, const T* input,
                const T* weight, const T* bias, double eps, T* out, T* mean, T* rstd) {
  const int64_t group_channels = channels / groups;
  const int64_t width = group_channels * plane;
  parallel_for(0, images * groups, grain_for(width), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const Moments moments = moments_of(input + row * width, 1, 0, width);
      const double scale = 1 / std::sqrt(moments.variance + eps);
      for (int64_t c = 0; c < group_channels; ++c) {
        const int64_t channel = row % groups * group_channels + c;
        const T center = static_cast<T>(moments.mean);
        const T a = static_cast<T>(weight ? scale * weight[channel] : scale);
        const T b = bias ? bias[channel] : T(0);
        const T* x = input + row * width + c * plane;
        T* y = out + row * width + c * plane;
        shift_and_scale(x, plane, center, a, b, y);
      }
      if (mean) mean[row] = static_cast<T>(moments.mean);
      if (rstd) rstd[row] = static_cast<T>(scale);
    }
  });
}

void group_norm_channels_last(int64_t images, int64_t plane, int64_t channels, int64_t groups,
                              const float* input, int64_t input_stride, const float* weight,
                              const float* bias, double eps, float* out, int64_t out_stride) {
  // Pixels whose moments are formed at once, and of one piece of work.
  constexpr int64_t kPixels = 64;
  const int64_t pieces = (plane + kPixels - 1) / kPixels;
  const int64_t group_channels = channels / groups;
  const int64_t grain = grain_for(kPixels * channels);
  const auto for_pieces = [&](auto&& body) {
    parallel_for(0, images * pieces, grain, [&](int64_t first, int64_t last) {
      for (int64_t piece = first; piece < last; ++piece) {
        const int64_t pixel = piece % pieces * kPixels;
        body(piece, piece / pieces, pixel, std::min(kPixels, plane - pixel));
      }
    });
  };
  Workspace<float> parts(images * pieces * 2 * channels);
  for_pieces([&](int64_t piece, int64_t image, int64_t pixel, int64_t pixels) {
    float* mean = parts.data() + piece * 2 * channels;
    f32::column_moments(input + (image * plane + pixel) * input_stride, pixels, channels,
                        input_stride, mean, mean + channels);
  });
  Workspace<float> factors(images * 3 * channels);
  for (int64_t image = 0; image < images; ++image) {
    float* center = factors.data() + image * 3 * channels;
    float* scale = center + channels;
    float* shift = scale + channels;
    for (int64_t group = 0; group < groups; ++group) {
      const int64_t first = group * group_channels;
      MomentSum sum;
      for (int64_t piece = 0; piece < pieces; ++piece) {
        const float* mean = parts.data() + (image * pieces + piece) * 2 * channels;
        const auto pixels = static_cast<double>(std::min(kPixels, plane - piece * kPixels));
        for (int64_t c = first; c < first + group_channels; ++c)
          sum.add(pixels, mean[c], mean[channels + c]);
      }
      const double rstd = 1 / std::sqrt(sum.squares / sum.count + eps);
      for (int64_t c = first; c < first + group_channels; ++c) {
        center[c] = static_cast<float>(sum.mean);
        scale[c] = static_cast<float>(weight ? rstd * weight[c] : rstd);
        shift[c] = bias ? bias[c] : 0.0f;
      }
    }
  }
  for_pieces([&](int64_t, int64_t image, int64_t pixel, int64_t pixels) {
    const float* center = factors.data() + image * 3 * channels;
    const int64_t at = image * plane + pixel;
    f32::normalize_columns(input + at * input_stride, pixels, channels, input_stride, center,
                           center + channels, center + 2 * channels, out + at * out_stride,
                           out_stride);
  });
}

template <class T>
void rms_norm(int64_t rows, int64_t width, const T* input, const T* weight, double eps, T* out,
              T* rstd) {
  parallel_for(0, rows, grain_for(width), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const T* x = input + row * width;
      T* y = out + row * width;
      const double squares = sum_of_squares(x, width);
      const T scale = static_cast<T>(1 / std::sqrt(squares / static_cast<double>(width) + eps));
      normalize(x, width, T(0), scale, weight, static_cast<const T*>(nullptr), y);
      if (rstd) rstd[row] = scale;
    }
  });
}

template <class T>
void channel_moments(int64_t images, int64_t channels, int64_t plane, const T* input,
                     Moments* moments) {
  parallel_for(0, channels, grain_for(images * plane), [&](int64_t first, int64_t last) {
    for (int64_t channel = first; channel < last; ++channel)
      moments[channel] = moments_of(input + channel * plane, images, channels * plane, plane);
  });
}

template <class T>
void normalize_channels(int64_t images, int64_t channels, int64_t plane, const T* input,
                        const Moments* moments, const T* weight, const T* bias, double eps,
                        T* out) {
  parallel_for(0, images * channels, grain_for(plane), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const int64_t channel = row % channels;
      const double scale = 1 / std::sqrt(moments[channel].variance + eps);
      const T center = static_cast<T>(moments[channel].mean);
      const T a = static_cast<T>(weight ? scale * weight[channel] : scale);
      const T b = bias ? bias[channel] : T(0);
      const T* x = input + row * plane;
      T* y = out + row * plane;
      shift_and_scale(x, plane, center, a, b, y);
    }
  });
}

#define INGOT_NORM(T)                                                                             \
  template Moments moments_of(const T*, int64_t, int64_t, int64_t);                               \
  template void layer_norm(int64_t, int64_t, const T*, const T*, const T*, double, T*, T*, T*);   \
  template void group_norm(int64_t, int64_t, int64_t, int64_t, const T*, const T*, const T*,      \
                           double, T*, T*, T*);                                                   \
  template void rms_norm(int64_t, int64_t, const T*, const T*, double, T*, T*);                   \
  template void channel_moments(int64_t, int64_t, int64_t, const T*, Moments*);                   \
  template void normalize_channels(int64_t, int64_t, int64_t, const T*, const Moments*, const T*, \
                                   const T*, double, T*)
INGOT_NORM(float);
INGOT_NORM(double);
#undef INGOT_NORM

}  // namespace ingot

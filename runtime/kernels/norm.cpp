#include "kernels/norm.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/thread_pool.h"

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

}  // namespace

template <class T>
Moments moments_of(const T* input, int64_t runs, int64_t run_stride, int64_t run_length) {
  const double count = static_cast<double>(runs * run_length);
  double sum = 0;
  for (int64_t run = 0; run < runs; ++run)
    sum += sum_of(input + run * run_stride, run_length, [](double x) { return x; });
  const double mean = sum / count;
  double squares = 0;
  for (int64_t run = 0; run < runs; ++run)
    squares += sum_of(input + run * run_stride, run_length,
                      [mean](double x) { return (x - mean) * (x - mean); });
  return {mean, squares / count};
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
      for (int64_t i = 0; i < width; ++i) {
        const T value = (x[i] - center) * scale;
        y[i] = (weight ? value * weight[i] : value) + (bias ? bias[i] : T(0));
      }
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
        for (int64_t i = 0; i < plane; ++i) y[i] = (x[i] - center) * a + b;
      }
      if (mean) mean[row] = static_cast<T>(moments.mean);
      if (rstd) rstd[row] = static_cast<T>(scale);
    }
  });
}

template <class T>
void rms_norm(int64_t rows, int64_t width, const T* input, const T* weight, double eps, T* out,
              T* rstd) {
  parallel_for(0, rows, grain_for(width), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const T* x = input + row * width;
      T* y = out + row * width;
      const double squares = sum_of(x, width, [](double value) { return value * value; });
      const T scale = static_cast<T>(1 / std::sqrt(squares / static_cast<double>(width) + eps));
      for (int64_t i = 0; i < width; ++i) y[i] = weight ? x[i] * scale * weight[i] : x[i] * scale;
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
      for (int64_t i = 0; i < plane; ++i) y[i] = (x[i] - center) * a + b;
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

// Normalisations over row-major memory. Statistics are formed in double from
// blocks. T: float or double.
#pragma once

#include <cstdint>

namespace ingot {

// Mean and biased variance of `count` elements spaced evenly in `runs` runs, `run_stride`
// elements apart. Both are NaN for no elements.
struct Moments {
  double mean;
  double variance;
};
template <class T>
Moments moments_of(const T* input, int64_t runs, int64_t run_stride, int64_t run_length);

// out = (x - mean) / sqrt(variance + eps) · weight + bias for every row of x[rows, width].
// weight[width], bias[width] may be null; mean[rows] and rstd[rows] receive the statistics
// unless null.
template <class T>
void layer_norm(int64_t rows, int64_t width, const T* input, const T* weight, const T* bias,
                double eps, T* out, T* mean, T* rstd);

// The same for groups of adjacent channels of x[images, channels, plane], with one weight and
// bias per channel. mean and rstd: [images, groups].
template <class T>
void group_norm(int64_t images, int64_t channels, int64_t plane, int64_t groups, const T* input,
                const T* weight, const T* bias, double eps, T* out, T* mean, T* rstd);

// The same for x[images, plane, channels] in channels-last memory; `input_stride` and
// `out_stride` elements lie between pixels, pixels of all images being evenly spaced.
void group_norm_channels_last(int64_t images, int64_t plane, int64_t channels, int64_t groups,
                              const float* input, int64_t input_stride, const float* weight,
                              const float* bias, double eps, float* out, int64_t out_stride);

// out = x / sqrt(mean(x²) + eps) · weight for every row of x[rows, width].
template <class T>
void rms_norm(int64_t rows, int64_t width, const T* input, const T* weight, double eps, T* out,
              T* rstd);

// Moments of every channel of x[images, channels, plane].
template <class T>
void channel_moments(int64_t images, int64_t channels, int64_t plane, const T* input,
                     Moments* moments);

// out = (x - mean) / sqrt(variance + eps) · weight + bias with the given moments and one
// weight and bias (may be null) per channel of x[images, channels, plane].
template <class T>
void normalize_channels(int64_t images, int64_t channels, int64_t plane, const T* input,
                        const Moments* moments, const T* weight, const T* bias, double eps, T* out);

}  // namespace ingot

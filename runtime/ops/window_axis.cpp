#include "ops/window_axis.h"

#include <algorithm>
#include <cmath>

#include "base/thread_pool.h"

namespace ingot {
namespace {

// Resamples the middle dimension of [outer, in, inner].
template <class T>
void resample(const T* from, const WindowAxis<T>& axis, int64_t outer, int64_t inner, T* to) {
  parallel_for(0, outer * axis.out, 1 + 4096 / (inner * axis.width),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const auto place = static_cast<size_t>(i % axis.out);
                   const T* rows = from + (i / axis.out * axis.in + axis.first[place]) * inner;
                   const T* weights = axis.weights.data() + i % axis.out * axis.width;
                   T* sums = to + i * inner;
                   std::fill_n(sums, inner, T(0));
                   for (int64_t k = 0; k < axis.counts[place]; ++k)
                     for (int64_t j = 0; j < inner; ++j)
                       sums[j] += weights[k] * rows[k * inner + j];
                 }
               });
}

int round_weights(WindowAxis<double>& axis) {
  const double largest = *std::max_element(axis.weights.begin(), axis.weights.end());
  int bits = 0;
  while (bits < 22 &&
         static_cast<int64_t>(0.5 + largest * static_cast<double>(2LL << bits)) < 32768)
    ++bits;
  for (double& weight : axis.weights)
    weight = std::trunc(weight * static_cast<double>(1LL << bits) + (weight < 0 ? -0.5 : 0.5));
  return bits;
}

void round_to_bytes(double* values, int64_t count, int bits) {
  for (int64_t i = 0; i < count; ++i)
    values[i] = std::clamp(std::floor(std::ldexp(values[i], -bits) + 0.5), 0.0, 255.0);
}

}  // namespace

template <class T>
void resample_windows(int64_t planes, const WindowAxis<T>& down, const WindowAxis<T>& across,
                      const T* input, T* out) {
  std::vector<T> wide(static_cast<size_t>(planes * down.in * across.out));
  resample(input, across, planes * down.in, 1, wide.data());
  resample(wide.data(), down, planes, across.out, out);
}
template void resample_windows(int64_t, const WindowAxis<float>&, const WindowAxis<float>&,
                               const float*, float*);
template void resample_windows(int64_t, const WindowAxis<double>&, const WindowAxis<double>&,
                               const double*, double*);

void resample_bytes(int64_t planes, WindowAxis<double> down, WindowAxis<double> across,
                    const double* input, double* out) {
  const int across_bits = round_weights(across);
  const int down_bits = round_weights(down);
  const int64_t count = planes * down.in * across.out;
  std::vector<double> wide(static_cast<size_t>(count));
  resample(input, across, planes * down.in, 1, wide.data());
  round_to_bytes(wide.data(), count, across_bits);
  resample(wide.data(), down, planes, across.out, out);
  round_to_bytes(out, planes * down.out * across.out, down_bits);
}

}  // namespace ingot

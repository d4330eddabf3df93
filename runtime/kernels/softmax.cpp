#include "kernels/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/thread_pool.h"
#include "kernels/rows_f32.h"

namespace ingot {

namespace {

constexpr int64_t kElementsPerThread = 1 << 13;

// One row of adjacent elements `stride` apart.
template <class T>
void softmax_row(int64_t size, int64_t stride, const T* x, T* y, SoftmaxForm form) {
  T greatest = -std::numeric_limits<T>::infinity();
  for (int64_t i = 0; i < size; ++i) greatest = std::max(greatest, x[i * stride]);
  if (form.safe && greatest == -std::numeric_limits<T>::infinity()) {
    bool nan = false;
    for (int64_t i = 0; i < size; ++i) nan |= std::isnan(x[i * stride]);
    if (!nan) {
      for (int64_t i = 0; i < size; ++i) y[i * stride] = 0;
      return;
    }
  }
  double sum = 0;
  if (form.logarithm) {
    for (int64_t i = 0; i < size; ++i) sum += std::exp(x[i * stride] - greatest);
    const T shift = static_cast<T>(std::log(sum));
    for (int64_t i = 0; i < size; ++i) y[i * stride] = x[i * stride] - greatest - shift;
    return;
  }
  for (int64_t i = 0; i < size; ++i) {
    const T value = std::exp(x[i * stride] - greatest);
    y[i * stride] = value;
    sum += value;
  }
  const T scale = static_cast<T>(1 / sum);
  for (int64_t i = 0; i < size; ++i) y[i * stride] *= scale;
}

}  // namespace

template <class T>
void softmax(int64_t outer, int64_t size, int64_t inner, const T* input, T* out, SoftmaxForm form) {
  const int64_t grain = std::max<int64_t>(1, kElementsPerThread / std::max<int64_t>(size, 1));
  parallel_for(0, outer * inner, grain, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const int64_t offset = row / inner * size * inner + row % inner;
      softmax_row(size, inner, input + offset, out + offset, form);
    }
  });
}

template <>
void softmax(int64_t outer, int64_t size, int64_t inner, const float* input, float* out,
             SoftmaxForm form) {
  // Columns that one piece of work takes: a few cache lines.
  constexpr int64_t kColumns = 64;
  const int64_t pieces = inner == 1 ? 1 : (inner + kColumns - 1) / kColumns;
  const int64_t work = std::max<int64_t>(size * std::min(inner, kColumns), 1);
  const int64_t grain = std::max<int64_t>(1, kElementsPerThread / work);
  parallel_for(0, outer * pieces, grain, [&](int64_t first, int64_t last) {
    for (int64_t piece = first; piece < last; ++piece) {
      const int64_t column = piece % pieces * kColumns;
      const int64_t offset = piece / pieces * size * inner + column;
      if (inner == 1)
        f32::softmax_row(size, input + offset, out + offset, form);
      else
        f32::softmax_columns(std::min(kColumns, inner - column), size, inner, input + offset,
                             out + offset, form);
    }
  });
}

template void softmax(int64_t, int64_t, int64_t, const double*, double*, SoftmaxForm);

}  // namespace ingot

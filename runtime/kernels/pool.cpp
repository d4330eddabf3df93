#include "kernels/pool.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/thread_pool.h"
#include "kernels/arithmetic.h"
#include "kernels/pool_window.h"

namespace ingot {

namespace {

constexpr int64_t kElementsPerThread = 1 << 14;

// Calls body(plane, output position, windows) for every output element.
template <class WindowAt, class Body>
void for_each_window(int64_t planes, const Spatial& out, int64_t window_elements,
                     WindowAt&& window_at, Body&& body) {
  const int64_t per_plane = std::max<int64_t>(volume_of(out) * window_elements, 1);
  const int64_t grain = std::max<int64_t>(1, kElementsPerThread / per_plane);
  parallel_for(0, planes, grain, [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; ++plane) {
      int64_t position = plane * volume_of(out);
      Windows w;
      for (int64_t d = 0; d < out[0]; ++d) {
        w[0] = window_at(0, d);
        for (int64_t h = 0; h < out[1]; ++h) {
          w[1] = window_at(1, h);
          for (int64_t x = 0; x < out[2]; ++x) {
            w[2] = window_at(2, x);
            body(plane, position++, w);
          }
        }
      }
    }
  });
}

// Calls body(value, index in the image) for every element of a window.
template <class T, class Body>
void for_each_element(const T* image, const Spatial& in, const Windows& w, Body&& body) {
  for (int64_t d = w[0].begin; d < w[0].end; d += w[0].step) {
    for (int64_t h = w[1].begin; h < w[1].end; h += w[1].step) {
      const int64_t row = (d * in[1] + h) * in[2];
      for (int64_t x = w[2].begin; x < w[2].end; x += w[2].step) body(image[row + x], row + x);
    }
  }
}

template <class T, class WindowAt>
void max_of_windows(int64_t planes, const Spatial& in, const Spatial& out_sizes,
                    int64_t window_elements, const T* input, T* out, int64_t* indices,
                    WindowAt&& window_at) {
  for_each_window(
      planes, out_sizes, window_elements, window_at,
      [&](int64_t plane, int64_t position, const Windows& w) {
        T best = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                      : std::numeric_limits<T>::lowest();
        int64_t where = (w[0].begin * in[1] + w[1].begin) * in[2] + w[2].begin;
        for_each_element(input + plane * volume_of(in), in, w, [&](T value, int64_t index) {
          // A later NaN replaces an earlier one, as in PyTorch.
          if (value > best || value != value) {
            best = value;
            where = index;
          }
        });
        out[position] = best;
        if (indices) indices[position] = where;
      });
}

int64_t adaptive_elements(const Spatial& in, const Spatial& out) {
  int64_t elements = 1;
  for (size_t d = 0; d < 3; ++d) elements *= in[d] / std::max<int64_t>(out[d], 1) + 1;
  return elements;
}

}  // namespace

template <class T>
void max_pool(const PoolGeometry& g, const T* input, T* out, int64_t* indices) {
  max_of_windows(g.planes, g.in, g.out, volume_of(g.kernel), input, out, indices,
                 [&](size_t d, int64_t i) { return max_window(g, d, i); });
}

template <class T>
void average_pool(const PoolGeometry& g, const T* input, T* out, bool count_padding,
                  int64_t divisor) {
  for_each_window(
      g.planes, g.out, volume_of(g.kernel),
      [&](size_t d, int64_t i) { return padded_window(g, d, i); },
      [&](int64_t plane, int64_t position, const Windows& padded) {
        const Windows w = inside(padded, g.in);
        ArithmeticOf<T> sum = 0;
        for_each_element(input + plane * volume_of(g.in), g.in, w,
                         [&](T value, int64_t) { sum += static_cast<ArithmeticOf<T>>(value); });
        const int64_t by = average_divisor(padded, w, count_padding, divisor);
        out[position] = by == 0 ? T(0) : static_cast<T>(sum) / static_cast<T>(by);
      });
}

template <class T>
void adaptive_average_pool(int64_t planes, const Spatial& in, const Spatial& out_sizes,
                           const T* input, T* out) {
  const auto window_at = [&](size_t d, int64_t i) {
    return adaptive_window(in[d], out_sizes[d], i);
  };
  for_each_window(planes, out_sizes, adaptive_elements(in, out_sizes), window_at,
                  [&](int64_t plane, int64_t position, const Windows& w) {
                    ArithmeticOf<T> sum = 0;
                    int64_t count = 1;
                    for (const Window& window : w) count *= window.count();
                    for_each_element(input + plane * volume_of(in), in, w, [&](T value, int64_t) {
                      sum += static_cast<ArithmeticOf<T>>(value);
                    });
                    out[position] = static_cast<T>(sum) / static_cast<T>(count);
                  });
}

template <class T>
void adaptive_max_pool(int64_t planes, const Spatial& in, const Spatial& out_sizes, const T* input,
                       T* out, int64_t* indices) {
  max_of_windows(planes, in, out_sizes, adaptive_elements(in, out_sizes), input, out, indices,
                 [&](size_t d, int64_t i) { return adaptive_window(in[d], out_sizes[d], i); });
}

#define INGOT_POOL(T)                                                                         \
  template void max_pool(const PoolGeometry&, const T*, T*, int64_t*);                        \
  template void average_pool(const PoolGeometry&, const T*, T*, bool, int64_t);               \
  template void adaptive_average_pool(int64_t, const Spatial&, const Spatial&, const T*, T*); \
  template void adaptive_max_pool(int64_t, const Spatial&, const Spatial&, const T*, T*, int64_t*)
INGOT_POOL(float);
INGOT_POOL(double);
INGOT_POOL(int64_t);
#undef INGOT_POOL

}  // namespace ingot

#include "kernels/pixels_f32.h"

#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pixels_f32_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/foreach_target.h>

#include "kernels/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

using f32::PixelLines;
using f32::PixelWindow;

// Calls body(first channel, vectors, load) for all channels: several vectors at a time, then
// one, then the lanes that are left, which `load` and `store` respect.
struct WholeVectors {
  HWY_INLINE V load(const float* from) const { return hn::LoadU(D(), from); }
  HWY_INLINE void store(V v, float* to) const { hn::StoreU(v, D(), to); }
};
struct FirstLanes {
  int64_t count;
  HWY_INLINE V load(const float* from) const { return load_first(from, count); }
  HWY_INLINE void store(V v, float* to) const { store_first(v, to, count); }
};
template <class Body>
HWY_INLINE void for_channels(int64_t channels, Body body) {
  constexpr int kVectors = 4;
  int64_t c = 0;
  for (; c + kVectors * kLanes <= channels; c += kVectors * kLanes)
    body(c, std::integral_constant<int, kVectors>(), WholeVectors());
  for (; c + kLanes <= channels; c += kLanes)
    body(c, std::integral_constant<int, 1>(), WholeVectors());
  if (c < channels) body(c, std::integral_constant<int, 1>(), FirstLanes{channels - c});
}

// Calls body(first pixel of a row) for every row of the window.
template <class Body>
HWY_INLINE void for_rows(const PixelWindow& w, Body body) {
  for (int64_t d = 0; d < w.counts[0]; ++d)
    for (int64_t h = 0; h < w.counts[1]; ++h) body(w.first + d * w.strides[0] + h * w.strides[1]);
}

void greatest_of_window(const PixelWindow& w, int64_t channels, float* out) {
  const D d;
  for_channels(channels, [&](int64_t c, auto vectors, auto memory) INGOT_LAMBDA {
    constexpr int kVectors = decltype(vectors)::value;
    V best[kVectors];
    V seen[kVectors];  // NaN where a NaN was met
    for (int v = 0; v < kVectors; ++v) {
      best[v] = set(-kInfinity);
      seen[v] = hn::Zero(d);
    }
    for_rows(w, [&](const float* row) INGOT_LAMBDA {
      for (int64_t x = 0; x < w.counts[2]; ++x) {
        const float* pixel = row + x * w.strides[2] + c;
        for (int v = 0; v < kVectors; ++v) {
          const V value = memory.load(pixel + v * kLanes);
          best[v] = hn::Max(best[v], value);
          seen[v] = hn::Or(seen[v], hn::VecFromMask(d, hn::IsNaN(value)));
        }
      }
    });
    const V nan = set(std::numeric_limits<float>::quiet_NaN());
    for (int v = 0; v < kVectors; ++v)
      memory.store(hn::IfThenElse(hn::MaskFromVec(seen[v]), nan, best[v]), out + c + v * kLanes);
  });
}

void mean_of_window(const PixelWindow& w, float divisor, int64_t channels, float* out) {
  const D d;
  const V by = set(divisor);
  for_channels(channels, [&](int64_t c, auto vectors, auto memory) INGOT_LAMBDA {
    constexpr int kVectors = decltype(vectors)::value;
    V sum[kVectors];
    for (V& total : sum) total = hn::Zero(d);
    // Rows are summed on their own: long sums stay accurate.
    for_rows(w, [&](const float* row) INGOT_LAMBDA {
      V part[kVectors];
      for (V& total : part) total = hn::Zero(d);
      for (int64_t x = 0; x < w.counts[2]; ++x) {
        const float* pixel = row + x * w.strides[2] + c;
        for (int v = 0; v < kVectors; ++v)
          part[v] = hn::Add(part[v], memory.load(pixel + v * kLanes));
      }
      for (int v = 0; v < kVectors; ++v) sum[v] = hn::Add(sum[v], part[v]);
    });
    for (int v = 0; v < kVectors; ++v) memory.store(hn::Div(sum[v], by), out + c + v * kLanes);
  });
}

// `kTaps` of every line, or `taps` if 0.
template <int kTaps>
HWY_INLINE void interpolate_pixels(const PixelLines& lines, int64_t width, int64_t taps,
                                   const int64_t* index, const float* weights, int64_t channels,
                                   int64_t input_stride, float* out, int64_t out_stride) {
  const int64_t count = kTaps ? kTaps : taps;
  for (int64_t w = 0; w < width; ++w, index += count, weights += count, out += out_stride) {
    for_channels(channels, [&](int64_t c, auto vectors, auto memory) INGOT_LAMBDA {
      constexpr int kVectors = decltype(vectors)::value;
      V sum[kVectors];
      for (V& total : sum) total = hn::Zero(D());
      for (int64_t i = 0; i < lines.count; ++i) {
        const float* line = lines.lines[i] + c;
        for (int64_t k = 0; k < count; ++k) {
          const V weight = set(lines.line_weights[i] * weights[k]);
          const float* pixel = line + index[k] * input_stride;
          for (int v = 0; v < kVectors; ++v)
            sum[v] = hn::MulAdd(weight, memory.load(pixel + v * kLanes), sum[v]);
        }
      }
      for (int v = 0; v < kVectors; ++v) memory.store(sum[v], out + c + v * kLanes);
    });
  }
}

void interpolate_row(const PixelLines& lines, int64_t width, int64_t taps, const int64_t* index,
                     const float* weights, int64_t channels, int64_t input_stride, float* out,
                     int64_t out_stride) {
  if (taps == 2)
    interpolate_pixels<2>(lines, width, taps, index, weights, channels, input_stride, out,
                          out_stride);
  else
    interpolate_pixels<0>(lines, width, taps, index, weights, channels, input_stride, out,
                          out_stride);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::f32 {

void greatest_of_window(const PixelWindow& window, int64_t channels, float* out) {
  INGOT_SIMD_RETURN(greatest_of_window(window, channels, out));
}
void mean_of_window(const PixelWindow& window, float divisor, int64_t channels, float* out) {
  INGOT_SIMD_RETURN(mean_of_window(window, divisor, channels, out));
}
void interpolate_row(const PixelLines& lines, int64_t width, int64_t taps, const int64_t* index,
                     const float* weights, int64_t channels, int64_t input_stride, float* out,
                     int64_t out_stride) {
  INGOT_SIMD_RETURN(
      interpolate_row(lines, width, taps, index, weights, channels, input_stride, out, out_stride));
}

}  // namespace ingot::f32
#endif

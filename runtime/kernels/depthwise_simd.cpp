#include "kernels/depthwise_simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/depthwise_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/partial-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));

template <bool kPart>
HWY_INLINE V load(const float* from, int64_t count) {
  if constexpr (kPart)
    return load_first(D(), from, count);
  else
    return hn::LoadU(D(), from);
}

template <int kPixels, bool kPart>
HWY_INLINE void finish(const DepthwiseCall& t, V* sum, float* out, const float* residual, int64_t c,
                       int64_t count) {
  const D d;
  const V low = hn::Set(d, t.low);
  const V high = hn::Set(d, t.high);
  if (t.bias) {
    const V bias = load<kPart>(t.bias + c, count);
    HWY_UNROLL(8)
    for (int p = 0; p < kPixels; ++p) sum[p] = hn::Add(sum[p], bias);
  }
  HWY_UNROLL(8)
  for (int p = 0; p < kPixels; ++p) {
    if (residual)
      sum[p] = hn::Add(sum[p], load<kPart>(residual + p * t.residual_stride + c, count));
    const V value = clamp(sum[p], low, high);
    float* to = out + p * t.out_stride + c;
    if constexpr (kPart)
      store_first(value, d, to, count);
    else
      hn::StoreU(value, d, to);
  }
}

// One vector of channels of all pixels. Every input is loaded once and meets all kernel columns
// that some pixel pairs it with.
template <int kWidth, int kStride, int kPixels, bool kPart>
HWY_INLINE void dense_vector(const DepthwiseCall& t, int64_t offset, float* out,
                             const float* residual, int64_t c, int64_t count) {
  constexpr int kColumns = (kPixels - 1) * kStride + kWidth;
  const D d;
  V sum[kPixels];
  HWY_UNROLL(8)
  for (int p = 0; p < kPixels; ++p) sum[p] = hn::Zero(d);
  const float* weights = t.weights + c * t.taps;
  const float* const* inputs = t.inputs;
  for (int row = 0; row < t.rows; ++row, inputs += kColumns) {
    const float* w = weights + t.row_weights[row] * kLanes;
    V weight[kWidth];
    HWY_UNROLL(8)
    for (int x = 0; x < kWidth; ++x) weight[x] = hn::Load(d, w + x * kLanes);
    HWY_UNROLL(32)
    for (int i = 0; i < kColumns; ++i) {
      const V in = load<kPart>(inputs[i] + offset + c, count);
      HWY_UNROLL(8)
      for (int p = 0; p < kPixels; ++p) {
        const int x = i - p * kStride;
        if (x >= 0 && x < kWidth) sum[p] = hn::MulAdd(in, weight[x], sum[p]);
      }
    }
  }
  finish<kPixels, kPart>(t, sum, out, residual, c, count);
}

template <int kPixels, bool kPart>
HWY_INLINE void any_vector(const DepthwiseCall& t, int64_t offset, float* out,
                           const float* residual, int64_t c, int64_t count) {
  const D d;
  V sum[kPixels];
  HWY_UNROLL(8)
  for (int p = 0; p < kPixels; ++p) sum[p] = hn::Zero(d);
  const float* const* inputs = t.inputs;
  for (int row = 0; row < t.rows; ++row, inputs += t.columns) {
    const float* w = t.weights + c * t.taps + t.row_weights[row] * kLanes;
    for (int x = 0; x < t.width; ++x) {
      const V weight = hn::Load(d, w + x * kLanes);
      HWY_UNROLL(8)
      for (int p = 0; p < kPixels; ++p)
        sum[p] =
            hn::MulAdd(load<kPart>(inputs[p * t.width + x] + offset + c, count), weight, sum[p]);
    }
  }
  finish<kPixels, kPart>(t, sum, out, residual, c, count);
}

template <int kWidth, int kStride, int kPixels>
HWY_NOINLINE void dense(const DepthwiseCall& t) {
  float* out = t.out;
  const float* residual = t.residual;
  for (int64_t group = 0; group < t.groups; ++group) {
    const int64_t offset = group * t.input_step;
    int64_t c = t.channel;
    for (; c + kLanes <= t.channel_end; c += kLanes)
      dense_vector<kWidth, kStride, kPixels, false>(t, offset, out, residual, c, kLanes);
    if (c < t.channel_end)
      dense_vector<kWidth, kStride, kPixels, true>(t, offset, out, residual, c, t.channel_end - c);
    out += t.out_step;
    if (residual) residual += t.residual_step;
  }
}

template <int kPixels>
HWY_NOINLINE void any(const DepthwiseCall& t) {
  float* out = t.out;
  const float* residual = t.residual;
  for (int64_t group = 0; group < t.groups; ++group) {
    const int64_t offset = group * t.input_step;
    int64_t c = t.channel;
    for (; c + kLanes <= t.channel_end; c += kLanes)
      any_vector<kPixels, false>(t, offset, out, residual, c, kLanes);
    if (c < t.channel_end)
      any_vector<kPixels, true>(t, offset, out, residual, c, t.channel_end - c);
    out += t.out_step;
    if (residual) residual += t.residual_step;
  }
}

#define INGOT_DENSE(width, stride)                                                      \
  {                                                                                     \
    width, stride, {                                                                    \
      &dense<width, stride, 1>, &dense<width, stride, 2>, &dense<width, stride, 3>,     \
          &dense<width, stride, 4>, &dense<width, stride, 5>, &dense<width, stride, 6>, \
          &dense<width, stride, 7>, &dense<width, stride, 8>                            \
    }                                                                                   \
  }

#if HWY_TARGET == HWY_SCALAR
constexpr std::span<const DepthwiseKernels::Dense> kDense;  // small instead of fast
#else
constexpr DepthwiseKernels::Dense kDense[] = {INGOT_DENSE(3, 1), INGOT_DENSE(3, 2),
                                              INGOT_DENSE(5, 1), INGOT_DENSE(5, 2),
                                              INGOT_DENSE(7, 1), INGOT_DENSE(7, 2)};
#endif

constexpr DepthwiseKernels kDepthwise = {
    kLanes, kDense, {&any<1>, &any<2>, &any<3>, &any<4>, &any<5>, &any<6>, &any<7>, &any<8>}};
#undef INGOT_DENSE

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot {

const DepthwiseKernels& depthwise_kernels() { INGOT_SIMD_RETURN(kDepthwise); }

}  // namespace ingot
#endif

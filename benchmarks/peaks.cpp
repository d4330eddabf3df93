#include "peaks.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "peaks.cpp"
#include "kernels/simd_targets.h"

#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

int64_t chains_of_multiply_adds(int64_t operations) {
  using D = hn::CappedTag<float, 16>;
  const D d;
  constexpr int kChains = 12;
  hn::Vec<D> sum[kChains];
  for (int i = 0; i < kChains; ++i) sum[i] = hn::Set(d, static_cast<float>(i));
  const auto x = hn::Set(d, 0.5f);
  const auto y = hn::Set(d, 1.0f);
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t rounds = operations / (2 * kChains * lanes) + 1;
  for (int64_t r = 0; r < rounds; ++r) {
    HWY_UNROLL(12)
    for (int i = 0; i < kChains; ++i) sum[i] = hn::MulAdd(sum[i], x, y);
  }
  for (int i = 1; i < kChains; ++i) sum[0] = hn::Add(sum[0], sum[i]);
  volatile float sink = hn::GetLane(sum[0]);
  static_cast<void>(sink);
  return rounds * 2 * kChains * lanes;
}

template <bool kPastCaches>
void triad(const float* HWY_RESTRICT x, const float* HWY_RESTRICT y, float* HWY_RESTRICT out,
           int64_t n) {
  using D = hn::CappedTag<float, 16>;
  const D d;
  const auto half = hn::Set(d, 0.5f);
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < n; i += 4 * lanes) {
    HWY_UNROLL(4)
    for (int64_t k = i; k < i + 4 * lanes; k += lanes) {
      const auto sum = hn::MulAdd(hn::Load(d, y + k), half, hn::Load(d, x + k));
      if constexpr (kPastCaches) {
        hn::Stream(sum, d, out + k);
      } else {
        hn::Store(sum, d, out + k);
      }
    }
  }
  if constexpr (kPastCaches) hwy::FlushStream();
}

using Peak = int64_t (*)(int64_t);
using Triad = void (*)(const float*, const float*, float*, int64_t);
constexpr Peak kPeak = &chains_of_multiply_adds;
constexpr Triad kTriads[] = {&triad<false>, &triad<true>};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot {
namespace {

int64_t (*peak_function())(int64_t) { INGOT_SIMD_RETURN(kPeak); }

auto triad_functions() -> void (*const*)(const float*, const float*, float*, int64_t) {
  INGOT_SIMD_RETURN(kTriads);
}

}  // namespace

int64_t run_fma_peak(int64_t operations) { return peak_function()(operations); }

void run_triad(const float* x, const float* y, float* out, int64_t n, bool past_caches) {
  triad_functions()[past_caches ? 1 : 0](x, y, out, n);
}

}  // namespace ingot
#endif

#include "fma_peak.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fma_peak.cpp"
#include "kernels/simd_targets.h"

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

using Function = int64_t (*)(int64_t);
constexpr Function kPeak = &chains_of_multiply_adds;

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot {
namespace {

int64_t (*peak_function())(int64_t) { INGOT_SIMD_RETURN(kPeak); }

}  // namespace

int64_t run_fma_peak(int64_t operations) { return peak_function()(operations); }

}  // namespace ingot
#endif

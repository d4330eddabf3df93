#include "kernels/rnn_f32_simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rnn_f32_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/foreach_target.h>

#include "kernels/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

// Sequences whose sums of four gates fit the registers.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int kRows = 6;
#elif HWY_TARGET == HWY_AVX2
constexpr int kRows = 3;
#else
constexpr int kRows = 2;
#endif

// The new state of one vector from its gates' sums.
template <RnnKind kKind, int kGates>
HWY_INLINE V new_state(const V (&sum)[kGates], const float* gates, const float* new_bias,
                       const float* h, float* c) {
  const D d;
  const auto input = [&](int gate) INGOT_LAMBDA { return hn::LoadU(d, gates + gate * kLanes); };
  if constexpr (kKind == RnnKind::lstm) {
    const V in = sigmoid(hn::Add(sum[0], input(0)));
    const V forget = sigmoid(hn::Add(sum[1], input(1)));
    const V cell = tanh(hn::Add(sum[2], input(2)));
    const V out = sigmoid(hn::Add(sum[3], input(3)));
    const V state = hn::MulAdd(forget, hn::LoadU(d, c), hn::Mul(in, cell));
    hn::StoreU(state, d, c);
    return hn::Mul(out, tanh(state));
  } else if constexpr (kKind == RnnKind::gru) {
    const V reset = sigmoid(hn::Add(sum[0], input(0)));
    const V update = sigmoid(hn::Add(sum[1], input(1)));
    const V hidden = hn::Add(sum[2], hn::LoadU(d, new_bias));
    const V fresh = tanh(hn::MulAdd(reset, hidden, input(2)));
    return hn::MulAdd(update, hn::Sub(hn::LoadU(d, h), fresh), fresh);
  } else if constexpr (kKind == RnnKind::tanh) {
    return tanh(hn::Add(sum[0], input(0)));
  } else {
    return at_least(hn::Add(sum[0], input(0)), hn::Zero(d));
  }
}

// One panel for kCount sequences.
template <RnnKind kKind, int kCount>
HWY_NOINLINE void panel_rows(const RnnStep& s, int64_t panels, int64_t panel, int64_t row) {
  constexpr int kGates = static_cast<int>(gates_of(kKind));
  // Enough sums side by side to hide the latency of the multiply-add.
  constexpr int kSums = kGates * kCount;
  constexpr int kChains = kSums >= 8 ? 1 : (8 + kSums - 1) / kSums;
  const D d;
  const float* w = s.weights + panel * s.projected * kGates * kLanes;
  const float* h = s.h + row * s.stride;
  V sum[kChains][kCount][kGates];
  for (int q = 0; q < kChains; ++q)
    for (int r = 0; r < kCount; ++r)
      for (int g = 0; g < kGates; ++g) sum[q][r][g] = hn::Zero(d);
  int64_t k = 0;
  for (; k + kChains <= s.projected; k += kChains) {
    for (int q = 0; q < kChains; ++q, w += kGates * kLanes) {
      V x[kCount];
      for (int r = 0; r < kCount; ++r) x[r] = set(h[r * s.stride + k + q]);
      for (int g = 0; g < kGates; ++g) {
        const V weight = hn::Load(d, w + g * kLanes);
        for (int r = 0; r < kCount; ++r) sum[q][r][g] = hn::MulAdd(x[r], weight, sum[q][r][g]);
      }
    }
  }
  for (; k < s.projected; ++k, w += kGates * kLanes)
    for (int g = 0; g < kGates; ++g)
      for (int r = 0; r < kCount; ++r)
        sum[0][r][g] =
            hn::MulAdd(set(h[r * s.stride + k]), hn::Load(d, w + g * kLanes), sum[0][r][g]);
  for (int q = 1; q < kChains; ++q)
    for (int r = 0; r < kCount; ++r)
      for (int g = 0; g < kGates; ++g) sum[0][r][g] = hn::Add(sum[0][r][g], sum[q][r][g]);
  for (int r = 0; r < kCount; ++r) {
    const int64_t at = (row + r) * s.stride + panel * kLanes;
    const V state = new_state<kKind, kGates>(
        sum[0][r], s.gates + ((row + r) * panels + panel) * kGates * kLanes,
        kKind == RnnKind::gru ? s.new_bias + panel * kLanes : nullptr, s.h + at,
        kKind == RnnKind::lstm ? s.c + at : nullptr);
    hn::StoreU(state, d, s.next + at);
  }
}

template <RnnKind kKind>
void step_of(const RnnStep& s, int64_t panels, int64_t first, int64_t last) {
  for (int64_t panel = first; panel < last; ++panel) {
    int64_t row = 0;
    for (; row + kRows <= s.rows; row += kRows) panel_rows<kKind, kRows>(s, panels, panel, row);
    if constexpr (kRows > 2)
      for (; row + 2 <= s.rows; row += 2) panel_rows<kKind, 2>(s, panels, panel, row);
    for (; row < s.rows; ++row) panel_rows<kKind, 1>(s, panels, panel, row);
  }
}

void step(RnnKind kind, const RnnStep& s, int64_t panels, int64_t first, int64_t last) {
  switch (kind) {
    case RnnKind::lstm: return step_of<RnnKind::lstm>(s, panels, first, last);
    case RnnKind::gru: return step_of<RnnKind::gru>(s, panels, first, last);
    case RnnKind::tanh: return step_of<RnnKind::tanh>(s, panels, first, last);
    case RnnKind::relu: return step_of<RnnKind::relu>(s, panels, first, last);
  }
}

constexpr RnnKernels kRnnKernels = {kLanes, &step};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot {

const RnnKernels& rnn_kernels() { INGOT_SIMD_RETURN(kRnnKernels); }

}  // namespace ingot
#endif

#include "kernels/attention.h"
#include "kernels/workspace.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention_f32_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/foreach_target.h>

#include "kernels/panel_product-inl.h"
#include "kernels/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

// Scores that exist at once: kRowBlock x kKeyBlock at most.
constexpr int64_t kRowBlock = 24;
constexpr int64_t kKeyBlock = 256;
// Below this many queries nothing is packed: keys and values are read once or twice only.
constexpr int64_t kFewRows = 8;
// Vectors whose exponentials are computed in step.
constexpr int kChains = 4;

// scores[rows, keys] = query · keyᵀ by dot products, both contiguous along the width.
void dots(int64_t rows, int64_t keys, int64_t width, const float* query, int64_t query_stride,
          const float* key, int64_t key_stride, float* scores, int64_t score_stride) {
  constexpr int kKeys = 4;
  const D d;
  for (int64_t r = 0; r < rows; ++r) {
    const float* q = query + r * query_stride;
    for (int64_t j = 0; j < keys; j += kKeys) {
      const float* row[kKeys];
      for (int64_t s = 0; s < kKeys; ++s)
        row[s] = key + (j + s < keys ? j + s : keys - 1) * key_stride;
      V sum[kKeys] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
      int64_t e = 0;
      for (; e + kLanes <= width; e += kLanes) {
        const V x = hn::LoadU(d, q + e);
        for (int s = 0; s < kKeys; ++s) sum[s] = hn::MulAdd(x, hn::LoadU(d, row[s] + e), sum[s]);
      }
      if (e < width) {
        const V x = load_first(q + e, width - e);
        for (int s = 0; s < kKeys; ++s)
          sum[s] = hn::MulAdd(x, load_first(row[s] + e, width - e), sum[s]);
      }
      for (int64_t s = 0; s < kKeys && j + s < keys; ++s)
        scores[r * score_stride + j + s] = sum_of_lanes(sum[s]);
    }
  }
}

// Scales and masks one row of scores in place.
HWY_INLINE void apply_mask(int64_t count, float scale, const AttentionMask<float>& mask,
                           int64_t row, int64_t first_key, float* scores) {
  // The mask's row as numbers to add.
  HWY_ALIGN float added[kKeyBlock];
  const int64_t at = row * mask.row_stride + first_key * mask.column_stride;
  if (mask.added) {
    for (int64_t j = 0; j < count; ++j) added[j] = mask.added[at + j * mask.column_stride];
  } else {
    for (int64_t j = 0; j < count; ++j)
      added[j] = mask.kept[at + j * mask.column_stride] ? 0.0f : -kInfinity;
  }
  // A hidden score stays hidden even where it is no number.
  const bool hides = mask.kept != nullptr;
  const V factor = set(scale);
  for (int64_t j = 0; j < count; j += kLanes) {
    const int64_t rest = count - j < kLanes ? count - j : kLanes;
    const V shift = load_first(added + j, rest);
    V score = hn::MulAdd(load_first(scores + j, rest), factor, shift);
    if (hides) score = hn::IfThenElse(hn::Eq(shift, set(-kInfinity)), shift, score);
    store_first(score, scores + j, rest);
  }
}

// The largest of scale · scores.
HWY_INLINE float peak_of(int64_t count, float scale, const float* scores) {
  const D d;
  const V factor = set(scale);
  V best[2] = {set(-kInfinity), set(-kInfinity)};
  int64_t j = 0;
  for (; j + 2 * kLanes <= count; j += 2 * kLanes)
    for (int q = 0; q < 2; ++q)
      best[q] = hn::Max(hn::Mul(hn::LoadU(d, scores + j + q * kLanes), factor), best[q]);
  for (; j < count; j += kLanes) {
    const int64_t rest = count - j < kLanes ? count - j : kLanes;
    const V score = hn::Mul(load_first(scores + j, rest), factor);
    best[0] = hn::Max(
        hn::IfThenElse(hn::FirstN(d, static_cast<size_t>(rest)), score, set(-kInfinity)), best[0]);
  }
  return hn::GetLane(hn::MaxOfLanes(d, hn::Max(best[0], best[1])));
}

// scores = exp(scale · scores - peak); returns their sum.
HWY_INLINE float exponentials(int64_t count, float scale, float peak, float* scores) {
  const D d;
  const V factor = set(scale);
  const V shift = set(peak);
  V part[kChains];
  for (V& chain : part) chain = hn::Zero(d);
  int64_t j = 0;
  for (; j + kChains * kLanes <= count; j += kChains * kLanes) {
    V value[kChains];
    for (int q = 0; q < kChains; ++q)
      value[q] = hn::Sub(hn::Mul(hn::LoadU(d, scores + j + q * kLanes), factor), shift);
    exp_to_zero(value);
    for (int q = 0; q < kChains; ++q) {
      hn::StoreU(value[q], d, scores + j + q * kLanes);
      part[q] = hn::Add(part[q], value[q]);
    }
  }
  V sum = hn::Add(hn::Add(part[0], part[1]), hn::Add(part[2], part[3]));
  for (; j < count; j += kLanes) {
    const int64_t rest = count - j < kLanes ? count - j : kLanes;
    const V score = hn::Mul(load_first(scores + j, rest), factor);
    const V value = hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(rest)),
                                       exp_to_zero(hn::Sub(score, shift)));
    store_first(value, scores + j, rest);
    sum = hn::Add(sum, value);
  }
  return sum_of_lanes(sum);
}

// The rows of a task: their largest score so far and the sum of exponentials beside it.
struct RowState {
  float peak;
  float sum;
};

// Turns a block of scores into weights; factors[r] is what the rows' outputs so far are to be
// multiplied with.
HWY_INLINE void weigh(int64_t rows, int64_t keys, int64_t row, int64_t first_key, float scale,
                      const AttentionMask<float>& mask, RowState* states, float* scores,
                      int64_t score_stride, float* factors) {
  for (int64_t r = 0; r < rows; ++r) {
    float* line = scores + r * score_stride;
    RowState& state = states[r];
    int64_t seen = keys;
    if (mask.causal) {
      seen = row + r + 1 - first_key;
      seen = seen < 0 ? 0 : seen < keys ? seen : keys;
      for (int64_t j = seen; j < keys; ++j) line[j] = 0;
    }
    float factor = scale;
    if (mask.added || mask.kept) {
      apply_mask(seen, scale, mask, row + r, first_key, line);
      factor = 1;
    }
    const float block_peak = peak_of(seen, factor, line);
    const float peak = block_peak > state.peak ? block_peak : state.peak;
    // Nothing seen yet: any shift keeps -inf.
    const float shift = peak == -kInfinity ? 0.0f : peak;
    factors[r] = state.peak == peak ? 1.0f : hn::GetLane(exp_to_zero(set(state.peak - shift)));
    state.sum = state.sum * factors[r] + exponentials(seen, factor, shift, line);
    state.peak = peak;
  }
}

void attend_rows(int64_t first, int64_t last, int64_t keys, int64_t width, int64_t value_width,
                 MatrixView<float> query, MatrixView<float> key, MatrixView<float> value,
                 const AttentionMask<float>& mask, float scale, float* out, int64_t out_stride) {
  const int64_t count = last - first;
  const int64_t visible = mask.causal && last < keys ? last : keys;
  const bool few = count < kFewRows;
  const bool in_place = few && key.column_stride == 1 && value.column_stride == 1;
  const int64_t blocks = (visible + kKeyBlock - 1) / kKeyBlock;
  const int64_t block = blocks == 0 ? 0 : rounded_up((visible + blocks - 1) / blocks, kPanel);
  Workspace<float> packed_keys(in_place ? 0 : block * width);
  Workspace<float> packed_values(in_place ? 0 : block * rounded_up(value_width, kPanel));
  Workspace<float> scores(kRowBlock * block);
  Workspace<float> dense_query(query.column_stride == 1 ? 0 : count * width);
  Workspace<RowState> states(count);
  for (int64_t r = 0; r < count; ++r) states[r] = {-kInfinity, 0.0f};
  const float* q = query.data + first * query.row_stride;
  int64_t q_stride = query.row_stride;
  if (query.column_stride != 1) {
    for (int64_t r = 0; r < count; ++r)
      for (int64_t e = 0; e < width; ++e)
        dense_query[r * width + e] = q[r * query.row_stride + e * query.column_stride];
    q = dense_query.data();
    q_stride = width;
  }
  HWY_ALIGN float factors[kRowBlock];
  for (int64_t key0 = 0; key0 < visible; key0 += block) {
    const int64_t block_keys = visible - key0 < block ? visible - key0 : block;
    if (!in_place) {
      pack_panels(width, block_keys, key.at(key0, 0).transposed(), packed_keys.data());
      pack_panels(block_keys, value_width, value.at(key0, 0), packed_values.data());
    }
    for (int64_t r0 = 0; r0 < count; r0 += kRowBlock) {
      const int64_t rows = count - r0 < kRowBlock ? count - r0 : kRowBlock;
      const int64_t row = first + r0;
      // Later keys are hidden from the whole block of rows.
      int64_t seen = block_keys;
      if (mask.causal && row + rows - key0 < seen) seen = row + rows - key0;
      if (seen <= 0) continue;
      float* to = out + row * out_stride;
      if (in_place)
        dots(rows, seen, width, q + r0 * q_stride, q_stride, key.at(key0, 0).data, key.row_stride,
             scores.data(), block);
      else
        product(rows, rounded_up(seen, kPanel), width, q + r0 * q_stride, q_stride,
                packed_keys.data(), kPanel, width * kPanel, nullptr, scores.data(), block);
      weigh(rows, seen, row, key0, scale, mask, states.data() + r0, scores.data(), block, factors);
      const float* earlier = key0 == 0 ? nullptr : factors;
      if (in_place)
        product(rows, value_width, seen, scores.data(), block, value.at(key0, 0).data,
                value.row_stride, kPanel, earlier, to, out_stride);
      else
        product(rows, value_width, seen, scores.data(), block, packed_values.data(), kPanel,
                block_keys * kPanel, earlier, to, out_stride);
    }
  }
  for (int64_t r = 0; r < count; ++r) {
    float* to = out + (first + r) * out_stride;
    const float sum = states[r].sum;
    // NaN stays NaN; a query that saw nothing gives zeros.
    const float factor = 1 / sum;
    for (int64_t c = 0; c < value_width; ++c) to[c] = sum == 0 ? 0.0f : to[c] * factor;
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot {

template <>
void attend(int64_t first, int64_t last, int64_t keys, int64_t width, int64_t value_width,
            MatrixView<float> query, MatrixView<float> key, MatrixView<float> value,
            const AttentionMask<float>& mask, float scale, float* out, int64_t out_stride) {
  INGOT_SIMD_RETURN(attend_rows(first, last, keys, width, value_width, query, key, value, mask,
                                scale, out, out_stride));
}

}  // namespace ingot
#endif

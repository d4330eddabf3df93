#include "kernels/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/attention_f32.h"
#include "simd_levels.h"

namespace ingot {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

std::vector<float> random_values(int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> draw(0, 1);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = draw(generator);
  return values;
}

enum class MaskKind { none, added, kept, causal };

struct Case {
  AttentionSizes sizes;
  MaskKind mask = MaskKind::none;
  bool transposed = false;  // columns of query, key and value are apart in memory
};

// [batch, rows, heads, columns] in memory, or [batch, heads, columns, rows].
HeadStrides strides_of(int64_t heads, int64_t rows, int64_t columns, bool transposed) {
  if (transposed) return {heads * rows * columns, rows * columns, 1, rows};
  return {rows * heads * columns, columns, heads * columns, 1};
}

void check(const Case& one) {
  const AttentionSizes& s = one.sizes;
  const auto q = random_values(s.batch * s.heads * s.queries * s.width, 1);
  const auto k = random_values(s.batch * s.kv_heads * s.keys * s.width, 2);
  const auto v = random_values(s.batch * s.kv_heads * s.keys * s.value_width, 3);
  const HeadStrides qs = strides_of(s.heads, s.queries, s.width, one.transposed);
  const HeadStrides ks = strides_of(s.kv_heads, s.keys, s.width, one.transposed);
  const HeadStrides vs = strides_of(s.kv_heads, s.keys, s.value_width, one.transposed);
  const HeadStrides os = strides_of(s.heads, s.queries, s.value_width, false);
  const float scale = 0.3f;
  // One mask for all heads of a batch entry.
  HeadMask mask;
  mask.strides = {s.queries * s.keys, 0, s.keys, 1};
  auto added = random_values(s.batch * s.queries * s.keys, 4);
  const auto kept = std::make_unique<bool[]>(added.size() + 1);
  for (size_t i = 0; i < added.size(); ++i) {
    kept[i] = added[i] > -0.5f;
    if (added[i] < -1.5f) added[i] = -kInf;
  }
  // The first query sees nothing.
  for (int64_t j = 0; j < s.keys; ++j) {
    if (s.batch * s.queries > 0) {
      added[static_cast<size_t>(j)] = -kInf;
      kept[static_cast<size_t>(j)] = false;
    }
  }
  if (one.mask == MaskKind::added) mask.added = added.data();
  if (one.mask == MaskKind::kept) mask.kept = kept.get();
  std::vector<float> out(static_cast<size_t>(s.batch * s.heads * s.queries * s.value_width), 7.0f);
  attend_f32(s, q.data(), qs, k.data(), ks, v.data(), vs, mask, one.mask == MaskKind::causal, scale,
             out.data(), os);
  const auto at = [](const std::vector<float>& values, const HeadStrides& strides, int64_t b,
                     int64_t h, int64_t r, int64_t c) {
    return static_cast<double>(values[static_cast<size_t>(b * strides.batch + h * strides.head +
                                                          r * strides.row + c * strides.column)]);
  };
  for (int64_t b = 0; b < s.batch; ++b) {
    for (int64_t h = 0; h < s.heads; ++h) {
      const int64_t shared = h / (s.heads / s.kv_heads);
      for (int64_t r = 0; r < s.queries; ++r) {
        std::vector<double> weights(static_cast<size_t>(s.keys));
        double peak = -kInf;
        for (int64_t j = 0; j < s.keys; ++j) {
          double score = 0;
          for (int64_t e = 0; e < s.width; ++e)
            score += at(q, qs, b, h, r, e) * at(k, ks, b, shared, j, e);
          score *= scale;
          const auto place = static_cast<size_t>((b * s.queries + r) * s.keys + j);
          if (mask.added) score += added[place];
          if ((mask.kept && !kept[place]) || (one.mask == MaskKind::causal && j > r)) score = -kInf;
          weights[static_cast<size_t>(j)] = score;
          peak = std::max(peak, score);
        }
        double sum = 0;
        for (double& weight : weights) sum += weight = peak == -kInf ? 0 : std::exp(weight - peak);
        for (int64_t c = 0; c < s.value_width; ++c) {
          double exact = 0;
          for (int64_t j = 0; j < s.keys; ++j)
            exact += weights[static_cast<size_t>(j)] * at(v, vs, b, shared, j, c);
          exact = sum == 0 ? 0 : exact / sum;
          ASSERT_NEAR(at(out, os, b, h, r, c), exact, 2e-5)
              << "queries " << s.queries << " keys " << s.keys << " width " << s.width << " head "
              << h << " row " << r << " column " << c << " mask " << static_cast<int>(one.mask);
        }
      }
    }
  }
}

TEST(Attention, F32AsInDouble) {
  for (const int threads : {1, 2}) {
    set_pool_threads(threads);
    for_each_simd_level([] {
      for (const MaskKind mask :
           {MaskKind::none, MaskKind::added, MaskKind::kept, MaskKind::causal}) {
        for (const int64_t queries : {1, 3, 7, 8, 31, 100})
          for (const int64_t keys : {0, 1, 5, 17, 100, 300})
            check({{1, 2, 1, queries, keys, 12, 20}, mask});
        for (const int64_t width : {1, 3, 8, 64, 65}) {
          check({{2, 4, 2, 50, 50, width, width}, mask});
          check({{2, 2, 2, 1, 90, width, width + 3}, mask});
          check({{1, 2, 2, 20, 33, width, 2 * width + 1}, mask, true});
          check({{1, 1, 1, 3, 33, width, 5}, mask, true});
        }
      }
      check({{1, 1, 1, 530, 530, 16, 16}, MaskKind::causal});
      check({{1, 1, 1, 2, 1000, 64, 64}, MaskKind::none});
      check({{1, 1, 1, 0, 5, 8, 8}, MaskKind::none});
    });
  }
  set_pool_threads(0);
}

}  // namespace
}  // namespace ingot

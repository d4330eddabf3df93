// Scaled dot-product attention of many heads over f32 memory of any strides.
#pragma once

#include <cstdint>

namespace ingot {

// Elements between neighbours along each dimension of [batch, heads, rows, columns].
struct HeadStrides {
  int64_t batch;
  int64_t head;
  int64_t row;
  int64_t column;
};

struct AttentionSizes {
  int64_t batch;
  int64_t heads;
  int64_t kv_heads;  // of key and value; divides heads: adjacent query heads share one
  int64_t queries;
  int64_t keys;
  int64_t width;        // of query and key
  int64_t value_width;  // of value and out
};

// A mask over [batch, heads, queries, keys]; strides of 0 broadcast.
struct HeadMask {
  const float* added = nullptr;  // a number per score; -inf hides it
  const bool* kept = nullptr;    // false hides a score
  HeadStrides strides = {};
};

// out = softmax(scale · query · keyᵀ + mask) · value per head. With `causal`, query i sees keys
// 0 to i only. A query that sees no key gives zeros. Scores exist for a block of queries and
// keys at a time (Dao et al., FlashAttention, 2022). Uses the thread pool.
void attend_f32(const AttentionSizes& sizes, const float* query, const HeadStrides& query_strides,
                const float* key, const HeadStrides& key_strides, const float* value,
                const HeadStrides& value_strides, const HeadMask& mask, bool causal, float scale,
                float* out, const HeadStrides& out_strides);

}  // namespace ingot

// Scaled dot-product attention for one head.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/gemm.h"

namespace ingot {

// What is added to the scores of one head: nothing, or a mask [L, S] of any strides.
template <class T>
struct AttentionMask {
  const T* added = nullptr;    // a number per score; -inf hides it
  const bool* kept = nullptr;  // false hides a score
  int64_t row_stride = 0;
  int64_t column_stride = 0;
  bool causal = false;  // query i sees keys 0 to i only
};

// out[L, Ev] = softmax(scale · query[L, E] · key[S, E]ᵀ + mask) · value[S, Ev] for the query
// rows [first, last). A query that sees no key gives zeros. Scores exist for a block
// at a time. T: float or double.
template <class T>
void attend(int64_t first, int64_t last, int64_t keys, int64_t width, int64_t value_width,
            MatrixView<T> query, MatrixView<T> key, MatrixView<T> value,
            const AttentionMask<T>& mask, T scale, T* out, int64_t out_stride);

template <>
void attend(int64_t first, int64_t last, int64_t keys, int64_t width, int64_t value_width,
            MatrixView<float> query, MatrixView<float> key, MatrixView<float> value,
            const AttentionMask<float>& mask, float scale, float* out, int64_t out_stride);

// Pieces of adjacent rows to compute on their own, so that few heads still occupy all threads:
// every piece costs another pass over the keys.
inline int64_t attention_pieces(int64_t heads, int64_t queries) {
  constexpr int64_t kRows = 48;
  const int64_t threads = pool_threads();
  const int64_t wanted = threads == 1 ? 1 : (4 * threads + heads - 1) / heads;
  return std::clamp<int64_t>(queries / kRows, 1, wanted);
}

}  // namespace ingot

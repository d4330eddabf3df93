// Scaled dot-product attention for one head.
#pragma once

#include <cstdint>

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
// rows [first, last). A query that sees no key gives zeros. Scores exist for a block of rows
// at a time. T: float or double.
template <class T>
void attend(int64_t first, int64_t last, int64_t keys, int64_t width, int64_t value_width,
            MatrixView<T> query, MatrixView<T> key, MatrixView<T> value,
            const AttentionMask<T>& mask, T scale, T* out, int64_t out_stride);

}  // namespace ingot

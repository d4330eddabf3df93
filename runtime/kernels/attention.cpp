#include "kernels/attention.h"

#include <algorithm>
#include <limits>

#include "kernels/softmax.h"
#include "kernels/workspace.h"

namespace ingot {

namespace {

// Scores kept at once, unless one row alone is longer.
constexpr int64_t kScores = 1 << 15;

template <class T>
void apply_mask(const AttentionMask<T>& mask, int64_t row, int64_t columns, T* scores) {
  constexpr T kHidden = -std::numeric_limits<T>::infinity();
  if (mask.added) {
    const T* added = mask.added + row * mask.row_stride;
    for (int64_t j = 0; j < columns; ++j) scores[j] += added[j * mask.column_stride];
  }
  if (mask.kept) {
    const bool* kept = mask.kept + row * mask.row_stride;
    for (int64_t j = 0; j < columns; ++j)
      if (!kept[j * mask.column_stride]) scores[j] = kHidden;
  }
  if (mask.causal) std::fill(scores + std::min(row + 1, columns), scores + columns, kHidden);
}

}  // namespace

template <class T>
void attend(int64_t first, int64_t last, int64_t keys, int64_t width, int64_t value_width,
            MatrixView<T> query, MatrixView<T> key, MatrixView<T> value,
            const AttentionMask<T>& mask, T scale, T* out, int64_t out_stride) {
  const int64_t block = std::clamp<int64_t>(kScores / std::max<int64_t>(keys, 1), 1,
                                            std::max<int64_t>(last - first, 1));
  Workspace<T> scores(block * keys);
  for (int64_t row = first; row < last; row += block) {
    const int64_t rows = std::min(block, last - row);
    // Later keys are hidden from the whole block.
    const int64_t seen = mask.causal ? std::min(keys, row + rows) : keys;
    gemm<T>(rows, seen, width, query.at(row, 0), key.transposed(), scores.data(), seen,
            {scale, T(0), nullptr, nullptr});
    for (int64_t i = 0; i < rows; ++i) apply_mask(mask, row + i, seen, scores.data() + i * seen);
    softmax<T>(rows, seen, 1, scores.data(), scores.data(), {.safe = true});
    gemm<T>(rows, value_width, seen, {scores.data(), seen, 1}, value, out + row * out_stride,
            out_stride);
  }
}

template void attend(int64_t, int64_t, int64_t, int64_t, int64_t, MatrixView<double>,
                     MatrixView<double>, MatrixView<double>, const AttentionMask<double>&, double,
                     double*, int64_t);

}  // namespace ingot

#include "kernels/attention_f32.h"

#include <algorithm>

#include "kernels/attention.h"

namespace ingot {

void attend_f32(const AttentionSizes& sizes, const float* query, const HeadStrides& query_strides,
                const float* key, const HeadStrides& key_strides, const float* value,
                const HeadStrides& value_strides, const HeadMask& mask, bool causal, float scale,
                float* out, const HeadStrides& out_strides) {
  // Multiply-adds that are worth waking another thread for.
  constexpr int64_t kWorkPerThread = 1 << 17;
  const int64_t heads = sizes.batch * sizes.heads;
  if (heads == 0 || sizes.queries == 0) return;
  const int64_t pieces = attention_pieces(heads, sizes.queries);
  const int64_t rows = (sizes.queries + pieces - 1) / pieces;
  const int64_t work = rows * sizes.keys * (sizes.width + sizes.value_width) + 1;
  const int64_t repeat = sizes.heads / sizes.kv_heads;
  const auto at = [](const HeadStrides& strides, int64_t batch, int64_t head) {
    return batch * strides.batch + head * strides.head;
  };
  parallel_for(
      0, heads * pieces, std::max<int64_t>(1, kWorkPerThread / work),
      [&](int64_t first, int64_t last) {
        for (int64_t task = first; task < last; ++task) {
          const int64_t batch = task / pieces / sizes.heads;
          const int64_t head = task / pieces % sizes.heads;
          const int64_t row = task % pieces * rows;
          const int64_t end = std::min(row + rows, sizes.queries);
          if (row >= end) continue;
          AttentionMask<float> view;
          const int64_t offset = at(mask.strides, batch, head);
          if (mask.added) view.added = mask.added + offset;
          if (mask.kept) view.kept = mask.kept + offset;
          view.row_stride = mask.strides.row;
          view.column_stride = mask.strides.column;
          view.causal = causal;
          attend<float>(
              row, end, sizes.keys, sizes.width, sizes.value_width,
              {query + at(query_strides, batch, head), query_strides.row, query_strides.column},
              {key + at(key_strides, batch, head / repeat), key_strides.row, key_strides.column},
              {value + at(value_strides, batch, head / repeat), value_strides.row,
               value_strides.column},
              view, scale, out + at(out_strides, batch, head), out_strides.row);
        }
      });
}

}  // namespace ingot

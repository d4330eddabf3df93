// aten::scaled_dot_product_attention.
#include "kernels/attention.h"

#include <cmath>

#include <ingot/op.h>
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/plan/recorder.h"
#include "tensor/iterate.h"

namespace ingot {

namespace {

std::span<const int64_t> leading(const Tensor& tensor) {
  return std::span<const int64_t>(tensor.sizes()).first(static_cast<size_t>(tensor.rank() - 2));
}

// Leading sizes of key or value once heads that several query heads share are counted as often.
Dims shared_leading(const Tensor& tensor, const Tensor& query, bool enable_gqa) {
  Dims sizes(leading(tensor));
  if (!enable_gqa) return sizes;
  INGOT_CHECK(query.rank() >= 3 && tensor.rank() >= 3,
              "enable_gqa needs query, key and value with at least 3 dimensions, but query is ",
              query, " beside ", tensor);
  const int64_t heads = query.size(query.rank() - 3), shared = sizes.back();
  INGOT_CHECK(shared > 0 && heads % shared == 0, "the ", heads, " heads of query ", query.sizes(),
              " must be a multiple of the ", shared, " of key and value");
  sizes.back() = heads;
  return sizes;
}

// Leading sizes of the output.
Dims attention_batch(const Tensor& query, const Tensor& key, const Tensor& value,
                     const Tensor* mask, bool enable_gqa) {
  Dims batch = broadcast(leading(query), shared_leading(key, query, enable_gqa));
  batch = broadcast(batch, shared_leading(value, query, enable_gqa));
  if (mask && mask->rank() > 2) {
    const Dims all = broadcast(batch, leading(*mask));
    INGOT_CHECK(all == batch, "attn_mask of shape ", mask->sizes(),
                " does not broadcast to the batch ", batch);
  }
  return batch;
}

TensorInfo attention_meta(const Tensor& query, const Tensor& key, const Tensor& value,
                          const Tensor* attn_mask, double dropout_p, bool is_causal,
                          std::optional<double>, bool enable_gqa) {
  INGOT_CHECK(query.rank() >= 2 && key.rank() >= 2 && value.rank() >= 2,
              "query, key and value need at least 2 dimensions, but are ", query, ", ", key,
              " and ", value);
  INGOT_CHECK(
      is_floating(query.dtype()) && key.dtype() == query.dtype() && value.dtype() == query.dtype(),
      "query, key and value must have one floating dtype, but are ", query, ", ", key, " and ",
      value);
  INGOT_CHECK(dropout_p == 0, "attention with dropout is not supported: dropout_p is ", dropout_p);
  const int64_t length = query.size(query.rank() - 2), keys = key.size(key.rank() - 2);
  INGOT_CHECK(query.sizes().back() == key.sizes().back(), "query ", query.sizes(), " and key ",
              key.sizes(), " must have the same last size");
  INGOT_CHECK(value.size(value.rank() - 2) == keys, "key ", key.sizes(), " and value ",
              value.sizes(), " must have the same length");
  if (attn_mask) {
    INGOT_CHECK(!is_causal, "attn_mask must be None when is_causal is True");
    INGOT_CHECK(attn_mask->dtype() == DType::boolean || attn_mask->dtype() == query.dtype() ||
                    attn_mask->dtype() == DType::f32,
                "expected attn_mask of dtype bool or ", query.dtype(), ", but got ", *attn_mask);
    const Dims scores = {length, keys};
    const std::span<const int64_t> sizes = attn_mask->sizes();
    INGOT_CHECK(broadcast(scores, sizes.last(std::min<size_t>(sizes.size(), 2))) == scores,
                "attn_mask of shape ", sizes, " does not broadcast to the scores ", scores);
  }
  Dims sizes = attention_batch(query, key, value, attn_mask, enable_gqa);
  sizes.push_back(length);
  sizes.push_back(value.sizes().back());
  return {query.dtype(), sizes};
}

// Element offset of matrix number `index` of `batch` in a tensor that broadcasts to it. With
// `repeat` > 1, that many adjacent indices of the last batch dimension share a matrix.
int64_t head_offset(const Tensor& tensor, const Dims& batch, int64_t index, int64_t repeat) {
  int64_t offset = 0;
  for (int d = batch.size() - 1; d >= 0; --d) {
    int64_t i = index % batch[d];
    index /= batch[d];
    if (d == batch.size() - 1) i /= repeat;
    const int own = tensor.rank() - 2 - (batch.size() - d);
    if (own >= 0 && tensor.size(own) != 1) offset += i * tensor.stride(own);
  }
  return offset;
}

template <class T>
MatrixView<T> head_view(const Tensor& tensor, const Dims& batch, int64_t index,
                        int64_t repeat = 1) {
  return {tensor.data<T>() + head_offset(tensor, batch, index, repeat),
          tensor.stride(tensor.rank() - 2), tensor.stride(tensor.rank() - 1)};
}

template <class T>
AttentionMask<T> mask_view(const Tensor& mask, const Dims& batch, int64_t index) {
  AttentionMask<T> view;
  if (!mask.defined()) return view;
  const int rank = mask.rank();
  const int64_t offset = head_offset(mask, batch, index, 1);
  if (mask.dtype() == DType::boolean)
    view.kept = mask.data<bool>() + offset;
  else
    view.added = mask.data<T>() + offset;
  if (rank >= 2 && mask.size(rank - 2) != 1) view.row_stride = mask.stride(rank - 2);
  if (rank >= 1 && mask.size(rank - 1) != 1) view.column_stride = mask.stride(rank - 1);
  return view;
}

// Adjacent query heads that share a head of `tensor`.
int64_t heads_per_head(const Tensor& query, const Tensor& tensor, bool enable_gqa) {
  return enable_gqa ? query.size(query.rank() - 3) / tensor.size(tensor.rank() - 3) : 1;
}

void attention(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor* attn_mask,
               double, bool is_causal, std::optional<double> scale, bool enable_gqa, Tensor& out) {
  if (out.numel() == 0) return;
  ComputeOutput result(out);
  const DType compute = result.tensor().dtype();
  const Tensor q = query.to(compute), k = key.to(compute), v = value.to(compute);
  Tensor mask;
  if (attn_mask) mask = attn_mask->dtype() == DType::boolean ? *attn_mask : attn_mask->to(compute);
  const Dims batch = attention_batch(query, key, value, attn_mask, enable_gqa);
  const int64_t heads = numel_of(batch);
  const int64_t length = q.size(q.rank() - 2), keys = k.size(k.rank() - 2);
  const int64_t width = q.sizes().back(), value_width = v.sizes().back();
  const int64_t key_repeat = heads_per_head(query, key, enable_gqa);
  const int64_t value_repeat = heads_per_head(query, value, enable_gqa);
  const int64_t pieces = attention_pieces(heads, length);
  const int64_t rows = (length + pieces - 1) / pieces;
  constexpr int64_t kWorkPerThread = 1 << 17;
  const Tensor& to = result.tensor();
  const int64_t work = rows * keys * (width + value_width) + 1;
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    const T factor = static_cast<T>(scale.value_or(1 / std::sqrt(static_cast<double>(width))));
    parallel_for(0, heads * pieces, std::max<int64_t>(1, kWorkPerThread / work),
                 [&](int64_t first, int64_t last) {
                   for (int64_t task = first; task < last; ++task) {
                     const int64_t head = task / pieces, row = task % pieces * rows;
                     const int64_t end = std::min(row + rows, length);
                     if (row >= end) continue;
                     AttentionMask<T> view = mask_view<T>(mask, batch, head);
                     view.causal = is_causal;
                     attend(row, end, keys, width, value_width, head_view<T>(q, batch, head),
                            head_view<T>(k, batch, head, key_repeat),
                            head_view<T>(v, batch, head, value_repeat), view, factor,
                            to.data<T>() + head_offset(to, batch, head, 1),
                            to.stride(to.rank() - 2));
                   }
                 });
  });
  result.store();
}

// The output as the transposed [B, L, H, Ev]: what joins the heads again is then a view.
bool lower_attention(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  const Tensor& query = in[0].tensor();
  if (query.rank() != 4 || query.dtype() != DType::f32) return false;
  std::optional<double> scale;
  const TensorInfo info = attention_meta(
      query, in[1].tensor(), in[2].tensor(), in[3].is_none() ? nullptr : &in[3].tensor(),
      Unbox<double>::get(in[4]), in[5].to_bool(), scale, in[7].to_bool());
  const int64_t heads = info.sizes[1], length = info.sizes[2], width = info.sizes[3];
  *out =
      recorder.fresh(DType::f32, info.sizes, Dims{length * heads * width, width, heads * width, 1});
  const int64_t keys = in[1].tensor().size(2), key_width = query.size(3);
  recorder.add_call(in, {*out},
                    2.0 * static_cast<double>(info.sizes[0] * heads * length * keys) *
                        static_cast<double>(key_width + width));
  return true;
}

INGOT_OP(
    "aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, "
    "Tensor? attn_mask=None, float dropout_p=0., bool is_causal=False, *, float? scale=None, "
    "bool enable_gqa=False) -> Tensor",
    Structured<attention_meta, attention, lower_attention>);

}  // namespace

}  // namespace ingot

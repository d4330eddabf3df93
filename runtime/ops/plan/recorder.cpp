#include "ops/plan/recorder.h"

#include <algorithm>

namespace ingot::plan {

Dims channels_last_strides(std::span<const int64_t> sizes) {
  const int rank = static_cast<int>(sizes.size());
  Dims strides = Dims::filled(rank, 1);
  int64_t stride = std::max<int64_t>(sizes[1], 1);
  for (int d = rank - 1; d >= 2; --d) {
    strides[d] = stride;
    stride *= std::max<int64_t>(sizes[static_cast<size_t>(d)], 1);
  }
  strides[0] = stride;
  return strides;
}

bool is_channels_last(const Tensor& tensor) {
  const Dims wanted = channels_last_strides(tensor.sizes());
  for (int d = 0; d < tensor.rank(); ++d)
    if (tensor.size(d) != 1 && tensor.stride(d) != wanted[d]) return false;
  return true;
}

bool prefers_channels_last(const Tensor& tensor) {
  return !is_constant(tensor) && tensor.dtype() == DType::f32 && tensor.rank() >= 3 &&
         !tensor.is_contiguous() && is_channels_last(tensor);
}

bool lower_in_channels_last(Recorder& recorder, const Arguments& in, Tensor* out) {
  if (!prefers_channels_last(in[0].tensor())) return false;
  const TensorInfo info = recorder.infer(in)[0];
  *out = recorder.fresh(info.dtype, info.sizes, channels_last_strides(info.sizes));
  recorder.add_call(in, {*out});
  return true;
}

std::optional<int64_t> row_stride(const Tensor& tensor) {
  const int last = tensor.rank() - 1;
  if (last < 0 || (tensor.size(last) != 1 && tensor.stride(last) != 1)) return std::nullopt;
  std::optional<int64_t> stride;
  int64_t next = 0;  // what the stride of the next dimension outwards must be
  for (int d = last - 1; d >= 0; --d) {
    if (tensor.size(d) == 1) continue;
    if (!stride)
      stride = tensor.stride(d);
    else if (tensor.stride(d) != next)
      return std::nullopt;
    next = tensor.stride(d) * tensor.size(d);
  }
  return stride ? stride : std::optional(tensor.size(last));
}

}  // namespace ingot::plan

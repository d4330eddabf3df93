// Pooling to a given output size: aten::adaptive_avg_pool1d to 3d, aten::adaptive_max_pool1d
// to 3d.
#include <ingot/op.h>
#include "kernels/pool.h"
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/plan/kernel_node.h"
#include "ops/plan/recorder.h"
#include "ops/spatial.h"

namespace ingot {

namespace {

template <int kRank>
TensorInfo adaptive_meta(const Tensor& self, const IntList& output_size) {
  INGOT_CHECK(self.rank() == kRank + 1 || self.rank() == kRank + 2, "expected input with ",
              kRank + 1, " (unbatched) or ", kRank + 2, " (batched) dimensions, but got ", self);
  INGOT_CHECK(self.dtype() != DType::boolean && !is_complex(self.dtype()), "pooling of ",
              self.dtype(), " tensors is not supported");
  const Spatial out = spatial_argument(output_size, kRank, 1, 0, "output_size");
  Dims sizes = self.sizes();
  for (int d = 0; d < kRank; ++d) {
    const int at = self.rank() - kRank + d;
    INGOT_CHECK(self.size(at) > 0, "the pooled sizes of input must not be 0, but input is ", self);
    sizes[at] = out[static_cast<size_t>(3 - kRank + d)];
  }
  return {self.dtype(), sizes};
}

template <int kRank>
std::array<TensorInfo, 2> adaptive_max_meta(const Tensor& self, const IntList& output_size) {
  const TensorInfo info = adaptive_meta<kRank>(self, output_size);
  return {info, {DType::i64, info.sizes}};
}

int64_t planes_of(const Tensor& tensor, int rank) {
  int64_t planes = 1;
  for (int d = 0; d < tensor.rank() - rank; ++d) planes *= tensor.size(d);
  return planes;
}

template <int kRank>
void adaptive_average_op(const Tensor& self, const IntList&, Tensor& out) {
  ComputeOutput result(out);
  const DType compute = result.tensor().dtype();
  dispatch_compute(compute, [&]<class T>(std::type_identity<T>) {
    adaptive_average_pool(planes_of(self, kRank), spatial_sizes(self.sizes(), kRank),
                          spatial_sizes(out.sizes(), kRank), as_dense(self, compute).data<T>(),
                          result.data<T>());
  });
  result.store();
}

template <int kRank>
void adaptive_max_op(const Tensor& self, const IntList&, Tensor& out, Tensor& indices) {
  ComputeOutput result(out);
  const DType compute = result.tensor().dtype();
  dispatch_compute(compute, [&]<class T>(std::type_identity<T>) {
    adaptive_max_pool(planes_of(self, kRank), spatial_sizes(self.sizes(), kRank),
                      spatial_sizes(out.sizes(), kRank), as_dense(self, compute).data<T>(),
                      result.data<T>(), indices.data<int64_t>());
  });
  result.store();
}

template <int kRank>
bool lower_adaptive_average(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  const Tensor& self = in[0].tensor();
  if (!plan::prefers_channels_last(self) || self.rank() != kRank + 2) return false;
  const Dims sizes = adaptive_meta<kRank>(self, Unbox<IntList>::get(in[1])).sizes;
  *out = recorder.fresh(DType::f32, sizes, plan::channels_last_strides(sizes));
  recorder.add(std::make_unique<plan::KernelNode>(
      "adaptive_avg_pool", std::vector{self}, std::vector{*out},
      [images = self.size(0), channels = self.size(1),
       from_sizes = spatial_sizes(self.sizes(), kRank),
       to_sizes = spatial_sizes(sizes, kRank)](const std::byte* const* from, std::byte* const* to) {
        adaptive_average_pool_channels_last(
            images, from_sizes, to_sizes, ChannelsLast{channels, channels, channels},
            reinterpret_cast<const float*>(from[0]), reinterpret_cast<float*>(to[0]));
      }));
  return true;
}

INGOT_OP("aten::adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor",
         Structured<adaptive_meta<1>, adaptive_average_op<1>, lower_adaptive_average<1>>);
INGOT_OP("aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor",
         Structured<adaptive_meta<2>, adaptive_average_op<2>, lower_adaptive_average<2>>);
INGOT_OP("aten::adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor",
         Structured<adaptive_meta<3>, adaptive_average_op<3>, lower_adaptive_average<3>>);
INGOT_OP("aten::_adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor",
         Structured<adaptive_meta<2>, adaptive_average_op<2>, lower_adaptive_average<2>>);
INGOT_OP("aten::_adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor",
         Structured<adaptive_meta<3>, adaptive_average_op<3>, lower_adaptive_average<3>>);
INGOT_OP("aten::adaptive_max_pool1d(Tensor self, int[1] output_size) -> (Tensor, Tensor)",
         Structured<adaptive_max_meta<1>, adaptive_max_op<1>>);
INGOT_OP("aten::adaptive_max_pool2d(Tensor self, int[2] output_size) -> (Tensor, Tensor)",
         Structured<adaptive_max_meta<2>, adaptive_max_op<2>>);
INGOT_OP("aten::adaptive_max_pool3d(Tensor self, int[3] output_size) -> (Tensor, Tensor)",
         Structured<adaptive_max_meta<3>, adaptive_max_op<3>>);

}  // namespace

}  // namespace ingot

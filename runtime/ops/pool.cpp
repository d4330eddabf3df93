// Pooling over fixed windows: aten::max_pool1d to 3d, aten::avg_pool1d to 3d.
#include "kernels/pool.h"

#include <ingot/op.h>
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/plan/kernel_node.h"
#include "ops/plan/recorder.h"
#include "ops/spatial.h"

namespace ingot {

namespace {

// Windows that fit along one dimension; with `ceil_mode` the last may hang over the end, but
// it starts inside the input or its left padding.
int64_t pooled_size(int64_t in, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation,
                    bool ceil_mode) {
  const int64_t span = in + 2 * pad - dilation * (kernel - 1) - 1;
  const int64_t rounded = span + (ceil_mode ? stride - 1 : 0);
  const int64_t steps = rounded >= 0 ? rounded / stride : -((-rounded + stride - 1) / stride);
  int64_t out = steps + 1;
  if (ceil_mode && (out - 1) * stride >= in + pad) --out;
  return out;
}

PoolGeometry pool_geometry(const Tensor& input, int rank, const IntList& kernel,
                           const IntList& stride, const IntList& padding, const IntList& dilation,
                           bool ceil_mode) {
  INGOT_CHECK(input.rank() == rank + 1 || input.rank() == rank + 2, "expected input with ",
              rank + 1, " (unbatched) or ", rank + 2, " (batched) dimensions, but got ", input);
  INGOT_CHECK(input.dtype() != DType::boolean && !is_complex(input.dtype()), "pooling of ",
              input.dtype(), " tensors is not supported");
  for (int d = input.rank() - rank - 1; d < input.rank(); ++d)
    INGOT_CHECK(input.size(d) > 0, "only the batch size of input may be 0, but input is ", input);
  PoolGeometry g;
  g.in = spatial_sizes(input.sizes(), rank);
  g.planes = 1;
  for (int d = 0; d < input.rank() - rank; ++d) g.planes *= input.size(d);
  g.kernel = spatial_argument(kernel, rank, 1, 1, "kernel_size");
  g.stride = stride.empty() ? g.kernel : spatial_argument(stride, rank, 1, 1, "stride");
  g.pad = spatial_argument(padding, rank, 0, 0, "padding");
  g.dilation = spatial_argument(dilation, rank, 1, 1, "dilation");
  for (size_t d = 0; d < 3; ++d) {
    const int64_t extent = g.dilation[d] * (g.kernel[d] - 1) + 1;
    INGOT_CHECK(g.pad[d] <= extent / 2,
                "padding must be at most half of the effective kernel "
                "size ",
                extent, ", but is ", g.pad[d]);
    g.out[d] = pooled_size(g.in[d], g.kernel[d], g.stride[d], g.pad[d], g.dilation[d], ceil_mode);
    INGOT_CHECK(g.out[d] > 0, "input ", input.sizes(),
                " is smaller than the window: an output "
                "size would be ",
                g.out[d]);
  }
  return g;
}

TensorInfo pooled_info(const Tensor& input, int rank, const PoolGeometry& g) {
  Dims sizes;
  for (int d = 0; d < input.rank() - rank; ++d) sizes.push_back(input.size(d));
  for (int d = 3 - rank; d < 3; ++d) sizes.push_back(g.out[static_cast<size_t>(d)]);
  return {input.dtype(), sizes};
}

// --- max_pool -----------------------------------------------------------------------------------

template <int kRank>
TensorInfo max_pool_meta(const Tensor& self, const IntList& kernel_size, const IntList& stride,
                         const IntList& padding, const IntList& dilation, bool ceil_mode) {
  return pooled_info(self, kRank,
                     pool_geometry(self, kRank, kernel_size, stride, padding, dilation, ceil_mode));
}

template <int kRank>
std::array<TensorInfo, 2> max_pool_indices_meta(const Tensor& self, const IntList& kernel_size,
                                                const IntList& stride, const IntList& padding,
                                                const IntList& dilation, bool ceil_mode) {
  const TensorInfo info =
      max_pool_meta<kRank>(self, kernel_size, stride, padding, dilation, ceil_mode);
  return {info, {DType::i64, info.sizes}};
}

void max_pool_into(const Tensor& input, const PoolGeometry& g, Tensor& out, int64_t* indices) {
  ComputeOutput result(out);
  const DType compute = result.tensor().dtype();
  dispatch_compute(compute, [&]<class T>(std::type_identity<T>) {
    max_pool(g, as_dense(input, compute).data<T>(), result.data<T>(), indices);
  });
  result.store();
}

template <int kRank>
void max_pool_op(const Tensor& self, const IntList& kernel_size, const IntList& stride,
                 const IntList& padding, const IntList& dilation, bool ceil_mode, Tensor& out) {
  max_pool_into(self, pool_geometry(self, kRank, kernel_size, stride, padding, dilation, ceil_mode),
                out, nullptr);
}

template <int kRank>
void max_pool_indices_op(const Tensor& self, const IntList& kernel_size, const IntList& stride,
                         const IntList& padding, const IntList& dilation, bool ceil_mode,
                         Tensor& out, Tensor& indices) {
  max_pool_into(self, pool_geometry(self, kRank, kernel_size, stride, padding, dilation, ceil_mode),
                out, indices.data<int64_t>());
}

// Pools a channels-last image into one: `kernel(geometry, memory, in, out)`.
template <class Kernel>
bool record_pool(plan::Recorder& recorder, const char* name, const Tensor& self, int rank,
                 PoolGeometry geometry, Tensor* out, const Kernel& kernel) {
  if (!plan::prefers_channels_last(self) || self.rank() != rank + 2) return false;
  const Dims sizes = pooled_info(self, rank, geometry).sizes;
  *out = recorder.fresh(DType::f32, sizes, plan::channels_last_strides(sizes));
  const int64_t channels = self.size(1);
  geometry.planes = self.size(0);
  recorder.add(std::make_unique<plan::KernelNode>(
      name, std::vector{self}, std::vector{*out},
      [=](const std::byte* const* from, std::byte* const* to) {
        kernel(geometry, ChannelsLast{channels, channels, channels},
               reinterpret_cast<const float*>(from[0]), reinterpret_cast<float*>(to[0]));
      }));
  return true;
}

template <int kRank>
bool lower_max_pool(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  const Tensor& self = in[0].tensor();
  return record_pool(
      recorder, "max_pool", self, kRank,
      pool_geometry(self, kRank, Unbox<IntList>::get(in[1]), Unbox<IntList>::get(in[2]),
                    Unbox<IntList>::get(in[3]), Unbox<IntList>::get(in[4]), in[5].to_bool()),
      out, max_pool_channels_last);
}

INGOT_OP(
    "aten::max_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], "
    "int[1] dilation=[1], bool ceil_mode=False) -> Tensor",
    Structured<max_pool_meta<1>, max_pool_op<1>, lower_max_pool<1>>);
INGOT_OP(
    "aten::max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, "
    "int[2] dilation=1, bool ceil_mode=False) -> Tensor",
    Structured<max_pool_meta<2>, max_pool_op<2>, lower_max_pool<2>>);
INGOT_OP(
    "aten::max_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, "
    "int[3] dilation=1, bool ceil_mode=False) -> Tensor",
    Structured<max_pool_meta<3>, max_pool_op<3>, lower_max_pool<3>>);
INGOT_OP(
    "aten::max_pool1d_with_indices(Tensor self, int[1] kernel_size, int[1] stride=[], "
    "int[1] padding=[0], int[1] dilation=[1], bool ceil_mode=False) -> (Tensor, Tensor)",
    Structured<max_pool_indices_meta<1>, max_pool_indices_op<1>>);
INGOT_OP(
    "aten::max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], "
    "int[2] padding=0, int[2] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
    Structured<max_pool_indices_meta<2>, max_pool_indices_op<2>>);
INGOT_OP(
    "aten::max_pool3d_with_indices(Tensor self, int[3] kernel_size, int[3] stride=[], "
    "int[3] padding=0, int[3] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
    Structured<max_pool_indices_meta<3>, max_pool_indices_op<3>>);

// --- avg_pool -----------------------------------------------------------------------------------

template <int kRank>
PoolGeometry average_geometry(const Tensor& self, const IntList& kernel_size, const IntList& stride,
                              const IntList& padding, bool ceil_mode,
                              std::optional<int64_t> divisor) {
  INGOT_CHECK(!divisor || *divisor != 0, "divisor_override must not be 0");
  const int64_t one = 1;
  return pool_geometry(self, kRank, kernel_size, stride, padding, IntList(std::span(&one, 1)),
                       ceil_mode);
}

template <int kRank>
TensorInfo avg_pool_meta(const Tensor& self, const IntList& kernel_size, const IntList& stride,
                         const IntList& padding, bool ceil_mode, bool,
                         std::optional<int64_t> divisor_override) {
  return pooled_info(
      self, kRank,
      average_geometry<kRank>(self, kernel_size, stride, padding, ceil_mode, divisor_override));
}

template <int kRank>
void avg_pool_op(const Tensor& self, const IntList& kernel_size, const IntList& stride,
                 const IntList& padding, bool ceil_mode, bool count_include_pad,
                 std::optional<int64_t> divisor_override, Tensor& out) {
  const PoolGeometry g =
      average_geometry<kRank>(self, kernel_size, stride, padding, ceil_mode, divisor_override);
  ComputeOutput result(out);
  const DType compute = result.tensor().dtype();
  dispatch_compute(compute, [&]<class T>(std::type_identity<T>) {
    average_pool(g, as_dense(self, compute).data<T>(), result.data<T>(), count_include_pad,
                 divisor_override.value_or(0));
  });
  result.store();
}

TensorInfo avg_pool1d_meta(const Tensor& self, const IntList& kernel_size, const IntList& stride,
                           const IntList& padding, bool ceil_mode, bool count_include_pad) {
  return avg_pool_meta<1>(self, kernel_size, stride, padding, ceil_mode, count_include_pad,
                          std::nullopt);
}

void avg_pool1d(const Tensor& self, const IntList& kernel_size, const IntList& stride,
                const IntList& padding, bool ceil_mode, bool count_include_pad, Tensor& out) {
  avg_pool_op<1>(self, kernel_size, stride, padding, ceil_mode, count_include_pad, std::nullopt,
                 out);
}

template <int kRank>
bool lower_avg_pool(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  const Tensor& self = in[0].tensor();
  std::optional<int64_t> divisor;
  if constexpr (kRank > 1) divisor = Unbox<std::optional<int64_t>>::get(in[6]);
  const PoolGeometry geometry =
      average_geometry<kRank>(self, Unbox<IntList>::get(in[1]), Unbox<IntList>::get(in[2]),
                              Unbox<IntList>::get(in[3]), in[4].to_bool(), divisor);
  const bool count_padding = in[5].to_bool();
  return record_pool(
      recorder, "avg_pool", self, kRank, geometry, out,
      [=](const PoolGeometry& g, const ChannelsLast& memory, const float* from, float* to) {
        average_pool_channels_last(g, memory, from, to, count_padding, divisor.value_or(0));
      });
}

INGOT_OP(
    "aten::avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], "
    "bool ceil_mode=False, bool count_include_pad=True) -> Tensor",
    Structured<avg_pool1d_meta, avg_pool1d, lower_avg_pool<1>>);
INGOT_OP(
    "aten::avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, "
    "bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor",
    Structured<avg_pool_meta<2>, avg_pool_op<2>, lower_avg_pool<2>>);
INGOT_OP(
    "aten::avg_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, "
    "bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor",
    Structured<avg_pool_meta<3>, avg_pool_op<3>, lower_avg_pool<3>>);

}  // namespace

}  // namespace ingot

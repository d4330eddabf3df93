// aten::upsample_nearest1d to 3d, their exact forms, upsample_linear1d, bilinear2d,
// trilinear3d and bicubic2d.
#include "kernels/resample.h"

#include <ingot/op.h>
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/plan/recorder.h"
#include "ops/spatial.h"
#include "ops/window_axis.h"

namespace ingot {

namespace {

using Scales = std::array<double, 3>;  // 0: not given

template <Interpolation kInterpolation>
constexpr bool kSmooth =
    kInterpolation == Interpolation::linear || kInterpolation == Interpolation::cubic;

template <int kRank>
TensorInfo resampled(const Tensor& input, std::span<const int64_t> output_size) {
  INGOT_CHECK(input.rank() == kRank + 2, "expected input with ", kRank + 2, " dimensions, but got ",
              input);
  INGOT_CHECK(output_size.size() == kRank, "output_size must have ", kRank, " values, but has ",
              output_size.size());
  INGOT_CHECK(is_floating(input.dtype()) || input.dtype() == DType::u8, "interpolation of ",
              input.dtype(), " tensors is not supported");
  Dims sizes = {input.size(0), input.size(1)};
  for (int d = 0; d < kRank; ++d) {
    INGOT_CHECK(input.size(d + 2) > 0 && output_size[static_cast<size_t>(d)] > 0,
                "input and output sizes must be greater than 0, but are ", input.sizes(), " and ",
                output_size);
    sizes.push_back(output_size[static_cast<size_t>(d)]);
  }
  return {input.dtype(), sizes};
}

// The output size from exactly one of size and scale factors.
template <int kRank>
Dims chosen_size(const Tensor& input, const std::optional<IntList>& output_size,
                 const std::optional<std::vector<double>>& scale_factors) {
  INGOT_CHECK(output_size.has_value() != scale_factors.has_value(),
              "exactly one of output_size and scale_factors must be given");
  if (output_size) return Dims(std::span<const int64_t>(*output_size));
  INGOT_CHECK(scale_factors->size() == kRank && input.rank() == kRank + 2,
              "scale_factors must have ", kRank, " values and input ", kRank + 2,
              " dimensions, but input is ", input);
  Dims sizes;
  for (int d = 0; d < kRank; ++d) {
    const double factor = (*scale_factors)[static_cast<size_t>(d)];
    const double size = static_cast<double>(input.size(d + 2)) * factor;
    INGOT_CHECK(size >= 0 && size < static_cast<double>(kSpatialLimit), "scale factor ", factor,
                " for size ", input.size(d + 2), " is out of range");
    sizes.push_back(static_cast<int64_t>(size));
  }
  return sizes;
}

template <int kRank>
Scales scales_of(const std::optional<std::vector<double>>& scale_factors) {
  Scales scales = {};
  if (scale_factors) std::copy_n(scale_factors->begin(), kRank, scales.end() - kRank);
  return scales;
}

template <int kRank, Interpolation kInterpolation, class T>
std::array<ResampleAxis<T>, 3> axes_of(const Tensor& input, bool align_corners,
                                       const Scales& scales, const Tensor& out) {
  const Spatial in = spatial_sizes(input.sizes(), kRank), to = spatial_sizes(out.sizes(), kRank);
  std::array<ResampleAxis<T>, 3> axes;
  for (size_t d = 0; d < 3; ++d)
    axes[d] = d < 3 - kRank
                  ? resample_axis<T>(Interpolation::nearest, 1, 1, false, 0)
                  : resample_axis<T>(kInterpolation, in[d], to[d], align_corners, scales[d]);
  return axes;
}

// Each output's taps as a window; taps beyond an edge read the edge.
WindowAxis<double> window_axis(const ResampleAxis<double>& axis) {
  WindowAxis<double> result{axis.in, axis.out, axis.taps, {}, {}, {}};
  result.weights.assign(axis.weight.size(), 0);
  for (int64_t i = 0; i < axis.out; ++i) {
    const int64_t* index = axis.index.data() + i * axis.taps;
    for (int64_t tap = 0; tap < axis.taps; ++tap)
      result.weights[static_cast<size_t>(i * axis.taps + index[tap] - index[0])] +=
          axis.weight[static_cast<size_t>(i * axis.taps + tap)];
    result.first.push_back(index[0]);
    result.counts.push_back(index[axis.taps - 1] - index[0] + 1);
  }
  return result;
}

// Linear or cubic, of u8.
template <Interpolation kInterpolation>
void resample_bytes_into(const Tensor& input, bool align_corners, const Scales& scales,
                         Tensor& out) {
  const auto axes = axes_of<2, kInterpolation, double>(input, align_corners, scales, out);
  ComputeOutput result(out, DType::f64);
  resample_bytes(input.size(0) * input.size(1), window_axis(axes[1]), window_axis(axes[2]),
                 as_dense(input, DType::f64).data<double>(), result.data<double>());
  result.store();
}

// The output may also be channels-last, as the input then is.
template <int kRank, Interpolation kInterpolation>
void resample_into(const Tensor& input, bool align_corners, const Scales& scales, Tensor& out) {
  if (plan::is_channels_last(out) && !out.is_contiguous()) {
    std::array<ResampleAxis<float>, 3> axes =
        axes_of<kRank, kInterpolation, float>(input, align_corners, scales, out);
    const int64_t channels = input.size(1);
    return resample_channels_last(input.size(0), axes, channels, input.data<float>(), channels,
                                  out.data<float>(), channels);
  }
  if constexpr (kRank == 2 && kSmooth<kInterpolation>)
    if (out.dtype() == DType::u8)
      return resample_bytes_into<kInterpolation>(input, align_corners, scales, out);
  const DType compute = out.dtype() == DType::f64 ? DType::f64 : DType::f32;
  ComputeOutput result(out, compute);
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    resample(input.size(0) * input.size(1),
             axes_of<kRank, kInterpolation, T>(input, align_corners, scales, out),
             as_dense(input, compute).data<T>(), result.data<T>());
  });
  result.store();
}

// --- nearest: no align_corners ----------------------------------------------------------------

TensorInfo nearest1d_meta(const Tensor& self, const IntList& output_size, std::optional<double>) {
  return resampled<1>(self, output_size);
}
TensorInfo nearest2d_meta(const Tensor& self, const IntList& output_size, std::optional<double>,
                          std::optional<double>) {
  return resampled<2>(self, output_size);
}
TensorInfo nearest3d_meta(const Tensor& self, const IntList& output_size, std::optional<double>,
                          std::optional<double>, std::optional<double>) {
  return resampled<3>(self, output_size);
}

template <Interpolation kInterpolation>
void nearest1d(const Tensor& self, const IntList&, std::optional<double> scales, Tensor& out) {
  resample_into<1, kInterpolation>(self, false, {0, 0, scales.value_or(0)}, out);
}
template <Interpolation kInterpolation>
void nearest2d(const Tensor& self, const IntList&, std::optional<double> scales_h,
               std::optional<double> scales_w, Tensor& out) {
  resample_into<2, kInterpolation>(self, false, {0, scales_h.value_or(0), scales_w.value_or(0)},
                                   out);
}
template <Interpolation kInterpolation>
void nearest3d(const Tensor& self, const IntList&, std::optional<double> scales_d,
               std::optional<double> scales_h, std::optional<double> scales_w, Tensor& out) {
  resample_into<3, kInterpolation>(
      self, false, {scales_d.value_or(0), scales_h.value_or(0), scales_w.value_or(0)}, out);
}

template <int kRank>
TensorInfo nearest_vec_meta(const Tensor& input, const std::optional<IntList>& output_size,
                            const std::optional<std::vector<double>>& scale_factors) {
  return resampled<kRank>(input, chosen_size<kRank>(input, output_size, scale_factors));
}
template <int kRank, Interpolation kInterpolation>
void nearest_vec(const Tensor& input, const std::optional<IntList>&,
                 const std::optional<std::vector<double>>& scale_factors, Tensor& out) {
  resample_into<kRank, kInterpolation>(input, false, scales_of<kRank>(scale_factors), out);
}

constexpr Interpolation kNearest = Interpolation::nearest;
constexpr Interpolation kExact = Interpolation::nearest_exact;

INGOT_OP(
    "aten::upsample_nearest1d(Tensor self, SymInt[1] output_size, float? scales=None) -> "
    "Tensor",
    Structured<nearest1d_meta, nearest1d<kNearest>, plan::lower_in_channels_last>);
INGOT_OP(
    "aten::upsample_nearest2d(Tensor self, SymInt[2] output_size, float? scales_h=None, "
    "float? scales_w=None) -> Tensor",
    Structured<nearest2d_meta, nearest2d<kNearest>, plan::lower_in_channels_last>);
INGOT_OP(
    "aten::upsample_nearest3d(Tensor self, SymInt[3] output_size, float? scales_d=None, "
    "float? scales_h=None, float? scales_w=None) -> Tensor",
    Structured<nearest3d_meta, nearest3d<kNearest>, plan::lower_in_channels_last>);
INGOT_OP(
    "aten::_upsample_nearest_exact1d(Tensor self, SymInt[1] output_size, "
    "float? scales=None) -> Tensor",
    Structured<nearest1d_meta, nearest1d<kExact>, plan::lower_in_channels_last>);
INGOT_OP(
    "aten::_upsample_nearest_exact2d(Tensor self, SymInt[2] output_size, "
    "float? scales_h=None, float? scales_w=None) -> Tensor",
    Structured<nearest2d_meta, nearest2d<kExact>, plan::lower_in_channels_last>);
INGOT_OP(
    "aten::_upsample_nearest_exact3d(Tensor self, SymInt[3] output_size, "
    "float? scales_d=None, float? scales_h=None, float? scales_w=None) -> Tensor",
    Structured<nearest3d_meta, nearest3d<kExact>, plan::lower_in_channels_last>);
INGOT_OP(
    "aten::upsample_nearest1d.vec(Tensor input, SymInt[]? output_size, "
    "float[]? scale_factors) -> Tensor",
    Structured<nearest_vec_meta<1>, nearest_vec<1, kNearest>, plan::lower_in_channels_last>);
INGOT_OP(
    "aten::upsample_nearest2d.vec(Tensor input, SymInt[]? output_size, "
    "float[]? scale_factors) -> Tensor",
    Structured<nearest_vec_meta<2>, nearest_vec<2, kNearest>, plan::lower_in_channels_last>);
INGOT_OP(
    "aten::upsample_nearest3d.vec(Tensor input, SymInt[]? output_size, "
    "float[]? scale_factors) -> Tensor",
    Structured<nearest_vec_meta<3>, nearest_vec<3, kNearest>, plan::lower_in_channels_last>);
INGOT_OP(
    "aten::_upsample_nearest_exact1d.vec(Tensor input, SymInt[]? output_size, "
    "float[]? scale_factors) -> Tensor",
    Structured<nearest_vec_meta<1>, nearest_vec<1, kExact>, plan::lower_in_channels_last>);
INGOT_OP(
    "aten::_upsample_nearest_exact2d.vec(Tensor input, SymInt[]? output_size, "
    "float[]? scale_factors) -> Tensor",
    Structured<nearest_vec_meta<2>, nearest_vec<2, kExact>, plan::lower_in_channels_last>);
INGOT_OP(
    "aten::_upsample_nearest_exact3d.vec(Tensor input, SymInt[]? output_size, "
    "float[]? scale_factors) -> Tensor",
    Structured<nearest_vec_meta<3>, nearest_vec<3, kExact>, plan::lower_in_channels_last>);

// --- linear and cubic -----------------------------------------------------------------------

template <int kRank>
TensorInfo smooth_info(const Tensor& self, std::span<const int64_t> output_size) {
  INGOT_CHECK(is_floating(self.dtype()) || (kRank == 2 && self.dtype() == DType::u8),
              "linear and cubic interpolation need a floating-point input",
              kRank == 2 ? " or one of u8" : "", ", but got ", self);
  return resampled<kRank>(self, output_size);
}

TensorInfo linear1d_meta(const Tensor& self, const IntList& output_size, bool,
                         std::optional<double>) {
  return smooth_info<1>(self, output_size);
}
void linear1d(const Tensor& self, const IntList&, bool align_corners, std::optional<double> scales,
              Tensor& out) {
  resample_into<1, Interpolation::linear>(self, align_corners, {0, 0, scales.value_or(0)}, out);
}

TensorInfo smooth2d_meta(const Tensor& self, const IntList& output_size, bool,
                         std::optional<double>, std::optional<double>) {
  return smooth_info<2>(self, output_size);
}
template <Interpolation kInterpolation>
void smooth2d(const Tensor& self, const IntList&, bool align_corners,
              std::optional<double> scales_h, std::optional<double> scales_w, Tensor& out) {
  resample_into<2, kInterpolation>(self, align_corners,
                                   {0, scales_h.value_or(0), scales_w.value_or(0)}, out);
}

TensorInfo linear3d_meta(const Tensor& self, const IntList& output_size, bool,
                         std::optional<double>, std::optional<double>, std::optional<double>) {
  return smooth_info<3>(self, output_size);
}
void linear3d(const Tensor& self, const IntList&, bool align_corners,
              std::optional<double> scales_d, std::optional<double> scales_h,
              std::optional<double> scales_w, Tensor& out) {
  resample_into<3, Interpolation::linear>(
      self, align_corners, {scales_d.value_or(0), scales_h.value_or(0), scales_w.value_or(0)}, out);
}

template <int kRank>
TensorInfo smooth_vec_meta(const Tensor& input, const std::optional<IntList>& output_size, bool,
                           const std::optional<std::vector<double>>& scale_factors) {
  return smooth_info<kRank>(input, chosen_size<kRank>(input, output_size, scale_factors));
}
template <int kRank, Interpolation kInterpolation>
void smooth_vec(const Tensor& input, const std::optional<IntList>&, bool align_corners,
                const std::optional<std::vector<double>>& scale_factors, Tensor& out) {
  resample_into<kRank, kInterpolation>(input, align_corners, scales_of<kRank>(scale_factors), out);
}

INGOT_OP(
    "aten::upsample_linear1d(Tensor self, SymInt[1] output_size, bool align_corners, "
    "float? scales=None) -> Tensor",
    Structured<linear1d_meta, linear1d, plan::lower_in_channels_last>);
INGOT_OP(
    "aten::upsample_bilinear2d(Tensor self, SymInt[2] output_size, bool align_corners, "
    "float? scales_h=None, float? scales_w=None) -> Tensor",
    Structured<smooth2d_meta, smooth2d<Interpolation::linear>, plan::lower_in_channels_last>);
INGOT_OP(
    "aten::upsample_bicubic2d(Tensor self, SymInt[2] output_size, bool align_corners, "
    "float? scales_h=None, float? scales_w=None) -> Tensor",
    Structured<smooth2d_meta, smooth2d<Interpolation::cubic>, plan::lower_in_channels_last>);
INGOT_OP(
    "aten::upsample_trilinear3d(Tensor self, SymInt[3] output_size, bool align_corners, "
    "float? scales_d=None, float? scales_h=None, float? scales_w=None) -> Tensor",
    Structured<linear3d_meta, linear3d, plan::lower_in_channels_last>);
INGOT_OP(
    "aten::upsample_linear1d.vec(Tensor input, SymInt[]? output_size, bool align_corners, "
    "float[]? scale_factors) -> Tensor",
    Structured<smooth_vec_meta<1>, smooth_vec<1, Interpolation::linear>,
               plan::lower_in_channels_last>);
INGOT_OP(
    "aten::upsample_bilinear2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, "
    "float[]? scale_factors) -> Tensor",
    Structured<smooth_vec_meta<2>, smooth_vec<2, Interpolation::linear>,
               plan::lower_in_channels_last>);
INGOT_OP(
    "aten::upsample_bicubic2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, "
    "float[]? scale_factors) -> Tensor",
    Structured<smooth_vec_meta<2>, smooth_vec<2, Interpolation::cubic>,
               plan::lower_in_channels_last>);
INGOT_OP(
    "aten::upsample_trilinear3d.vec(Tensor input, SymInt[]? output_size, bool align_corners, "
    "float[]? scale_factors) -> Tensor",
    Structured<smooth_vec_meta<3>, smooth_vec<3, Interpolation::linear>,
               plan::lower_in_channels_last>);

}  // namespace

}  // namespace ingot

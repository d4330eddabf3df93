// Normalisation of rows and groups: aten::layer_norm, rms_norm, group_norm.
#include "ops/norm.h"

#include <limits>

#include "kernels/norm.h"
#include "ops/compute.h"
#include "ops/dispatch.h"

namespace ingot {

void check_norm_dtypes(const Tensor& input, const Tensor* weight, const Tensor* bias) {
  INGOT_CHECK(is_floating(input.dtype()), "expected a floating-point input, but got ", input);
  for (const Tensor* parameter : {weight, bias})
    INGOT_CHECK(
        !parameter || parameter->dtype() == input.dtype() ||
            (parameter->dtype() == DType::f32 && compute_dtype(input.dtype()) == DType::f32),
        "expected weight and bias of dtype ", input.dtype(), ", as input has, but got ",
        *parameter);
}

DType statistics_dtype(const Tensor& input, const Tensor* weight, const Tensor* bias) {
  const Tensor* parameter = weight ? weight : bias;
  return parameter && parameter->dtype() == DType::f32 ? DType::f32 : input.dtype();
}

namespace {

// --- layer_norm, rms_norm -------------------------------------------------------------------

void check_row_shape(const Tensor& input, const IntList& normalized_shape, const Tensor* weight,
                     const Tensor* bias) {
  const size_t count = normalized_shape.size();
  INGOT_CHECK(count > 0, "normalized_shape must have at least 1 size");
  const std::span<const int64_t> sizes = input.sizes();
  const std::span<const int64_t> shape = normalized_shape;
  INGOT_CHECK(count <= sizes.size() && std::ranges::equal(sizes.last(count), shape),
              "the last sizes of input ", sizes, " must be normalized_shape ", shape);
  for (const Tensor* parameter : {weight, bias})
    INGOT_CHECK(!parameter || std::ranges::equal(parameter->sizes(), shape),
                "expected weight and bias of shape normalized_shape ", shape, ", but got ",
                *parameter);
  check_norm_dtypes(input, weight, bias);
}

// Sizes of the statistics: the input's with 1 for every normalised dimension.
Dims statistics_sizes(const Tensor& input, const IntList& normalized_shape) {
  Dims sizes = input.sizes();
  for (size_t i = 0; i < normalized_shape.size(); ++i)
    sizes[sizes.size() - 1 - static_cast<int>(i)] = 1;
  return sizes;
}

void layer_norm_into(const Tensor& input, const IntList& normalized_shape, const Tensor* weight,
                     const Tensor* bias, double eps, Tensor& out, Tensor* mean, Tensor* rstd) {
  const int64_t width = numel_of(normalized_shape);
  const int64_t rows = numel_of(statistics_sizes(input, normalized_shape));
  ComputeOutput result(out);
  const DType compute = result.tensor().dtype();
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    const Tensor x = as_dense(input, compute), w = as_dense(weight, compute),
                 b = as_dense(bias, compute);
    if (mean) {
      ComputeOutput means(*mean, compute), rstds(*rstd, compute);
      layer_norm(rows, width, x.data<T>(), data_or_null<T>(w), data_or_null<T>(b), eps,
                 result.data<T>(), means.data<T>(), rstds.data<T>());
      means.store();
      rstds.store();
    } else {
      layer_norm<T>(rows, width, x.data<T>(), data_or_null<T>(w), data_or_null<T>(b), eps,
                    result.data<T>(), nullptr, nullptr);
    }
  });
  result.store();
}

TensorInfo layer_norm_meta(const Tensor& input, const IntList& normalized_shape,
                           const Tensor* weight, const Tensor* bias, double, bool) {
  check_row_shape(input, normalized_shape, weight, bias);
  return input.info();
}

void layer_norm_op(const Tensor& input, const IntList& normalized_shape, const Tensor* weight,
                   const Tensor* bias, double eps, bool, Tensor& out) {
  layer_norm_into(input, normalized_shape, weight, bias, eps, out, nullptr, nullptr);
}

std::array<TensorInfo, 3> native_layer_norm_meta(const Tensor& input,
                                                 const IntList& normalized_shape,
                                                 const Tensor* weight, const Tensor* bias, double) {
  check_row_shape(input, normalized_shape, weight, bias);
  const TensorInfo statistics = {statistics_dtype(input, weight, bias),
                                 statistics_sizes(input, normalized_shape)};
  return {input.info(), statistics, statistics};
}

void native_layer_norm(const Tensor& input, const IntList& normalized_shape, const Tensor* weight,
                       const Tensor* bias, double eps, Tensor& out, Tensor& mean, Tensor& rstd) {
  layer_norm_into(input, normalized_shape, weight, bias, eps, out, &mean, &rstd);
}

INGOT_OP(
    "aten::layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, "
    "Tensor? bias=None, float eps=1.0000000000000001e-05, bool cudnn_enable=True) -> Tensor",
    Structured<layer_norm_meta, layer_norm_op>);
INGOT_OP(
    "aten::native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, "
    "Tensor? bias, float eps) -> (Tensor, Tensor, Tensor)",
    Structured<native_layer_norm_meta, native_layer_norm>);

// PyTorch's default eps: the smallest step from 1 in the dtype that it computes in.
double default_epsilon(DType compute) {
  return compute == DType::f32 ? double{std::numeric_limits<float>::epsilon()}
                               : std::numeric_limits<double>::epsilon();
}

TensorInfo rms_norm_meta(const Tensor& input, const IntList& normalized_shape, const Tensor* weight,
                         std::optional<double>) {
  check_row_shape(input, normalized_shape, weight, nullptr);
  return input.info();
}

void rms_norm_op(const Tensor& input, const IntList& normalized_shape, const Tensor* weight,
                 std::optional<double> eps, Tensor& out) {
  ComputeOutput result(out);
  const DType compute = result.tensor().dtype();
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    const Tensor w = as_dense(weight, compute);
    rms_norm<T>(numel_of(statistics_sizes(input, normalized_shape)), numel_of(normalized_shape),
                as_dense(input, compute).template data<T>(), data_or_null<T>(w),
                eps.value_or(default_epsilon(compute)), result.data<T>(), nullptr);
  });
  result.store();
}

INGOT_OP(
    "aten::rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, "
    "float? eps=None) -> Tensor",
    Structured<rms_norm_meta, rms_norm_op>);

// --- group_norm ---------------------------------------------------------------------------------

void check_group_shape(const Tensor& input, int64_t channels, int64_t groups, const Tensor* weight,
                       const Tensor* bias) {
  INGOT_CHECK(groups > 0 && channels % groups == 0, "the ", channels, " channels of input ",
              input.sizes(), " do not divide into ", groups, " groups");
  for (const Tensor* parameter : {weight, bias})
    INGOT_CHECK(!parameter || (parameter->rank() == 1 && parameter->size(0) == channels),
                "expected weight and bias of size [", channels, "], but got ", *parameter);
  check_norm_dtypes(input, weight, bias);
}

TensorInfo group_norm_meta(const Tensor& input, int64_t num_groups, const Tensor* weight,
                           const Tensor* bias, double, bool) {
  INGOT_CHECK(input.rank() >= 2, "expected input with at least 2 dimensions, but got ", input);
  check_group_shape(input, input.size(1), num_groups, weight, bias);
  return input.info();
}

void group_norm_into(const Tensor& input, int64_t images, int64_t channels, int64_t plane,
                     int64_t groups, const Tensor* weight, const Tensor* bias, double eps,
                     Tensor& out, Tensor* mean, Tensor* rstd) {
  ComputeOutput result(out);
  const DType compute = result.tensor().dtype();
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    const Tensor x = as_dense(input, compute), w = as_dense(weight, compute),
                 b = as_dense(bias, compute);
    if (mean) {
      ComputeOutput means(*mean, compute), rstds(*rstd, compute);
      group_norm(images, channels, plane, groups, x.data<T>(), data_or_null<T>(w),
                 data_or_null<T>(b), eps, result.data<T>(), means.data<T>(), rstds.data<T>());
      means.store();
      rstds.store();
    } else {
      group_norm<T>(images, channels, plane, groups, x.data<T>(), data_or_null<T>(w),
                    data_or_null<T>(b), eps, result.data<T>(), nullptr, nullptr);
    }
  });
  result.store();
}

void group_norm_op(const Tensor& input, int64_t num_groups, const Tensor* weight,
                   const Tensor* bias, double eps, bool, Tensor& out) {
  if (input.numel() == 0) return;
  const int64_t images = input.size(0), channels = input.size(1);
  group_norm_into(input, images, channels, input.numel() / (images * channels), num_groups, weight,
                  bias, eps, out, nullptr, nullptr);
}

std::array<TensorInfo, 3> native_group_norm_meta(const Tensor& input, const Tensor* weight,
                                                 const Tensor* bias, int64_t n, int64_t c,
                                                 int64_t plane, int64_t group, double) {
  INGOT_CHECK(input.numel() == n * c * plane, "input ", input, " does not have N · C · HxW = ", n,
              " · ", c, " · ", plane, " elements");
  check_group_shape(input, c, group, weight, bias);
  const TensorInfo statistics = {statistics_dtype(input, weight, bias), {n, group}};
  return {input.info(), statistics, statistics};
}

void native_group_norm(const Tensor& input, const Tensor* weight, const Tensor* bias, int64_t n,
                       int64_t c, int64_t plane, int64_t group, double eps, Tensor& out,
                       Tensor& mean, Tensor& rstd) {
  group_norm_into(input, n, c, plane, group, weight, bias, eps, out, &mean, &rstd);
}

INGOT_OP(
    "aten::group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, "
    "float eps=1.0000000000000001e-05, bool cudnn_enabled=True) -> Tensor",
    Structured<group_norm_meta, group_norm_op>);
INGOT_OP(
    "aten::native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, "
    "SymInt HxW, int group, float eps) -> (Tensor, Tensor, Tensor)",
    Structured<native_group_norm_meta, native_group_norm>);

}  // namespace

}  // namespace ingot

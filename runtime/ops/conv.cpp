// Convolutions: aten::conv1d to conv3d, their transposes, and the general aten::convolution.
#include <complex>

#include <ingot/op.h>
#include "kernels/conv.h"
#include "ops/compute.h"
#include "ops/plan/conv_node.h"
#include "ops/spatial.h"

namespace ingot {

namespace {

// A convolution's arguments once they are known to fit together.
struct Convolution {
  ConvGeometry geometry;
  TensorInfo out;
  bool transposed;
};

void check_operands(const Tensor& input, const Tensor& weight, const Tensor* bias, int rank,
                    bool transposed, int64_t groups) {
  INGOT_CHECK(input.rank() == rank + 1 || input.rank() == rank + 2, "expected input with ",
              rank + 1, " (unbatched) or ", rank + 2, " (batched) dimensions, but got ", input);
  INGOT_CHECK(weight.rank() == rank + 2, "expected weight with ", rank + 2, " dimensions, but got ",
              weight);
  INGOT_CHECK(input.dtype() == weight.dtype(), "input is ", input.dtype(), " but weight is ",
              weight.dtype(), "; they must have the same dtype");
  INGOT_CHECK(input.dtype() != DType::boolean, "convolutions of bool tensors are not supported");
  INGOT_CHECK(!bias || bias->dtype() == weight.dtype(), "input is ", input.dtype(), " but bias is ",
              bias->dtype(), "; they must have the same dtype");
  INGOT_CHECK(groups > 0 && groups < kSpatialLimit, "groups must be at least 1, but is ", groups);
  INGOT_CHECK(weight.size(0) % groups == 0, "groups = ", groups,
              " must divide the first size of weight ", weight.sizes());
  const int64_t channels = input.size(input.rank() - rank - 1);
  const int64_t expected = transposed ? weight.size(0) : weight.size(1) * groups;
  INGOT_CHECK(channels == expected, "given groups = ", groups, " and weight of size ",
              weight.sizes(), ", expected input ", input.sizes(), " to have ", expected,
              " channels, but got ", channels);
  const int64_t out_channels = transposed ? weight.size(1) * groups : weight.size(0);
  INGOT_CHECK(!bias || (bias->rank() == 1 && bias->size(0) == out_channels),
              "expected bias of size [", out_channels, "] for weight of size ", weight.sizes(),
              ", but got ", bias->sizes());
}

// Everything but the output's size, which depends on the direction.
Convolution base_convolution(const Tensor& input, const Tensor& weight, const Tensor* bias,
                             const IntList& stride, const IntList& dilation, bool transposed,
                             int64_t groups) {
  const int rank = weight.rank() - 2;
  INGOT_CHECK(rank >= 1 && rank <= 3, "expected weight with 3 to 5 dimensions, but got ", weight);
  check_operands(input, weight, bias, rank, transposed, groups);
  Convolution c;
  c.transposed = transposed;
  ConvGeometry& g = c.geometry;
  g.batch = input.rank() == rank + 2 ? input.size(0) : 1;
  g.groups = groups;
  g.in_channels = input.size(input.rank() - rank - 1);
  g.out_channels = transposed ? weight.size(1) * groups : weight.size(0);
  g.in = spatial_sizes(input.sizes(), rank);
  g.kernel = spatial_sizes(weight.sizes(), rank);
  g.stride = spatial_argument(stride, rank, 1, 1, "stride");
  g.dilation = spatial_argument(dilation, rank, 1, 1, "dilation");
  for (const int64_t size : g.kernel)
    INGOT_CHECK(size > 0, "the kernel of weight ", weight.sizes(), " is empty");
  return c;
}

void set_output(Convolution& c, const Tensor& input, int rank) {
  Dims sizes;
  if (input.rank() == rank + 2) sizes.push_back(c.geometry.batch);
  sizes.push_back(c.geometry.out_channels);
  for (int d = 3 - rank; d < 3; ++d) sizes.push_back(c.geometry.out[static_cast<size_t>(d)]);
  c.out = {input.dtype(), sizes};
}

// `padding` counts both sides of a dimension.
void set_forward_output(Convolution& c, const Tensor& input, const Tensor& weight,
                        const Spatial& padding) {
  ConvGeometry& g = c.geometry;
  for (size_t d = 0; d < 3; ++d) {
    const int64_t padded = g.in[d] + padding[d];
    const int64_t extent = g.dilation[d] * (g.kernel[d] - 1) + 1;
    INGOT_CHECK(padded >= extent, "the kernel of weight ", weight.sizes(), " covers ", extent,
                " elements, more than the ", padded, " of the padded input ", input.sizes());
    g.out[d] = (padded - extent) / g.stride[d] + 1;
  }
  set_output(c, input, weight.rank() - 2);
}

Convolution convolution(const Tensor& input, const Tensor& weight, const Tensor* bias,
                        const IntList& stride, const IntList& padding, const IntList& dilation,
                        bool transposed, const IntList& output_padding, int64_t groups) {
  Convolution c = base_convolution(input, weight, bias, stride, dilation, transposed, groups);
  ConvGeometry& g = c.geometry;
  const int rank = weight.rank() - 2;
  g.pad = spatial_argument(padding, rank, 0, 0, "padding");
  if (!transposed) {
    set_forward_output(c, input, weight, {2 * g.pad[0], 2 * g.pad[1], 2 * g.pad[2]});
    return c;
  }
  const Spatial extra = spatial_argument(output_padding, rank, 0, 0, "output_padding");
  for (size_t d = 0; d < 3; ++d) {
    INGOT_CHECK(extra[d] < std::max(g.stride[d], g.dilation[d]), "output_padding ", extra[d],
                " must be smaller than stride ", g.stride[d], " or dilation ", g.dilation[d]);
    g.out[d] = (g.in[d] - 1) * g.stride[d] - 2 * g.pad[d] + g.dilation[d] * (g.kernel[d] - 1) +
               extra[d] + 1;
    INGOT_CHECK(g.out[d] >= 0, "input ", input.sizes(), " is too small for weight ", weight.sizes(),
                " and this padding: an output size would be ", g.out[d]);
  }
  set_output(c, input, rank);
  return c;
}

// padding "valid" (none) or "same" (output as large as input; an odd total pads the end more).
Convolution convolution_named(const Tensor& input, const Tensor& weight, const Tensor* bias,
                              const IntList& stride, std::string_view padding,
                              const IntList& dilation, int64_t groups) {
  INGOT_CHECK(padding == "valid" || padding == "same",
              "padding must be \"valid\" or \"same\", but is \"", padding, "\"");
  Convolution c = base_convolution(input, weight, bias, stride, dilation, false, groups);
  ConvGeometry& g = c.geometry;
  Spatial total = {0, 0, 0};
  g.pad = {0, 0, 0};
  if (padding == "same") {
    for (size_t d = 0; d < 3; ++d) {
      INGOT_CHECK(g.stride[d] == 1, "padding \"same\" needs stride 1, but stride is ", g.stride[d]);
      total[d] = g.dilation[d] * (g.kernel[d] - 1);
      g.pad[d] = total[d] / 2;
    }
  }
  set_forward_output(c, input, weight, total);
  return c;
}

template <class T>
void run_as(const Convolution& c, const Tensor& input, const Tensor& weight, const Tensor* bias,
            Tensor& out) {
  ComputeOutput result(out);
  const DType compute = result.tensor().dtype();
  const Tensor x = as_dense(input, compute);
  const Tensor w = as_dense(weight, compute);
  const Tensor b = as_dense(bias, compute);
  if (c.transposed)
    convolve_transposed(c.geometry, x.data<T>(), w.data<T>(), data_or_null<T>(b), result.data<T>());
  else
    convolve(c.geometry, x.data<T>(), w.data<T>(), data_or_null<T>(b), result.data<T>());
  result.store();
}

void run(const Convolution& c, const Tensor& input, const Tensor& weight, const Tensor* bias,
         Tensor& out) {
  switch (compute_dtype(out.dtype())) {
    case DType::f32: return run_as<float>(c, input, weight, bias, out);
    case DType::f64: return run_as<double>(c, input, weight, bias, out);
    case DType::i64: return run_as<int64_t>(c, input, weight, bias, out);
    case DType::c64: return run_as<std::complex<float>>(c, input, weight, bias, out);
    case DType::c128: return run_as<std::complex<double>>(c, input, weight, bias, out);
    default: fail(ErrorCode::internal, "no convolution for dtype ", out.dtype());
  }
}

// The rank that the op's name promises.
void check_rank(const Tensor& weight, int rank) {
  INGOT_CHECK(weight.rank() == rank + 2, "expected weight with ", rank + 2, " dimensions, but got ",
              weight);
}

template <int kRank>
TensorInfo conv_meta(const Tensor& input, const Tensor& weight, const Tensor* bias,
                     const IntList& stride, const IntList& padding, const IntList& dilation,
                     int64_t groups) {
  check_rank(weight, kRank);
  return convolution(input, weight, bias, stride, padding, dilation, false, {}, groups).out;
}

void conv(const Tensor& input, const Tensor& weight, const Tensor* bias, const IntList& stride,
          const IntList& padding, const IntList& dilation, int64_t groups, Tensor& out) {
  run(convolution(input, weight, bias, stride, padding, dilation, false, {}, groups), input, weight,
      bias, out);
}

template <int kRank>
TensorInfo conv_named_meta(const Tensor& input, const Tensor& weight, const Tensor* bias,
                           const IntList& stride, std::string_view padding, const IntList& dilation,
                           int64_t groups) {
  check_rank(weight, kRank);
  return convolution_named(input, weight, bias, stride, padding, dilation, groups).out;
}

void conv_named(const Tensor& input, const Tensor& weight, const Tensor* bias,
                const IntList& stride, std::string_view padding, const IntList& dilation,
                int64_t groups, Tensor& out) {
  run(convolution_named(input, weight, bias, stride, padding, dilation, groups), input, weight,
      bias, out);
}

template <int kRank>
TensorInfo conv_transpose_meta(const Tensor& input, const Tensor& weight, const Tensor* bias,
                               const IntList& stride, const IntList& padding,
                               const IntList& output_padding, int64_t groups,
                               const IntList& dilation) {
  check_rank(weight, kRank);
  return convolution(input, weight, bias, stride, padding, dilation, true, output_padding, groups)
      .out;
}

void conv_transpose(const Tensor& input, const Tensor& weight, const Tensor* bias,
                    const IntList& stride, const IntList& padding, const IntList& output_padding,
                    int64_t groups, const IntList& dilation, Tensor& out) {
  run(convolution(input, weight, bias, stride, padding, dilation, true, output_padding, groups),
      input, weight, bias, out);
}

TensorInfo convolution_meta(const Tensor& input, const Tensor& weight, const Tensor* bias,
                            const IntList& stride, const IntList& padding, const IntList& dilation,
                            bool transposed, const IntList& output_padding, int64_t groups) {
  return convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding,
                     groups)
      .out;
}

void general_convolution(const Tensor& input, const Tensor& weight, const Tensor* bias,
                         const IntList& stride, const IntList& padding, const IntList& dilation,
                         bool transposed, const IntList& output_padding, int64_t groups,
                         Tensor& out) {
  run(convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding,
                  groups),
      input, weight, bias, out);
}

const Tensor* optional_tensor(const Value& value) {
  return value.is_none() ? nullptr : &value.tensor();
}

bool record(plan::Recorder& recorder, const Convolution& c, const Arguments& in, Tensor* out) {
  *out =
      plan::record_convolution(recorder, c.geometry, c.transposed, in[0].tensor(), in[1].tensor(),
                               in[2].is_none() ? Tensor() : in[2].tensor(), c.out.sizes);
  return out->defined();
}

bool lower_conv(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  return record(recorder,
                convolution(in[0].tensor(), in[1].tensor(), optional_tensor(in[2]),
                            Unbox<IntList>::get(in[3]), Unbox<IntList>::get(in[4]),
                            Unbox<IntList>::get(in[5]), false, {}, in[6].to_int()),
                in, out);
}

bool lower_conv_named(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  return record(recorder,
                convolution_named(in[0].tensor(), in[1].tensor(), optional_tensor(in[2]),
                                  Unbox<IntList>::get(in[3]), in[4].to_string(),
                                  Unbox<IntList>::get(in[5]), in[6].to_int()),
                in, out);
}

bool lower_conv_transpose(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  return record(
      recorder,
      convolution(in[0].tensor(), in[1].tensor(), optional_tensor(in[2]),
                  Unbox<IntList>::get(in[3]), Unbox<IntList>::get(in[4]),
                  Unbox<IntList>::get(in[7]), true, Unbox<IntList>::get(in[5]), in[6].to_int()),
      in, out);
}

bool lower_convolution(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  return record(recorder,
                convolution(in[0].tensor(), in[1].tensor(), optional_tensor(in[2]),
                            Unbox<IntList>::get(in[3]), Unbox<IntList>::get(in[4]),
                            Unbox<IntList>::get(in[5]), in[6].to_bool(), Unbox<IntList>::get(in[7]),
                            in[8].to_int()),
                in, out);
}

INGOT_OP(
    "aten::conv1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=[1], "
    "SymInt[1] padding=[0], SymInt[1] dilation=[1], SymInt groups=1) -> Tensor",
    Structured<conv_meta<1>, conv, lower_conv>);
INGOT_OP(
    "aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], "
    "SymInt[2] padding=[0, 0], SymInt[2] dilation=[1, 1], SymInt groups=1) -> Tensor",
    Structured<conv_meta<2>, conv, lower_conv>);
INGOT_OP(
    "aten::conv3d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], "
    "SymInt[3] padding=[0, 0, 0], SymInt[3] dilation=[1, 1, 1], SymInt groups=1) -> Tensor",
    Structured<conv_meta<3>, conv, lower_conv>);
INGOT_OP(
    "aten::conv1d.padding(Tensor input, Tensor weight, Tensor? bias=None, "
    "SymInt[1] stride=[1], str padding=\"valid\", SymInt[1] dilation=[1], SymInt groups=1) "
    "-> Tensor",
    Structured<conv_named_meta<1>, conv_named, lower_conv_named>);
INGOT_OP(
    "aten::conv2d.padding(Tensor input, Tensor weight, Tensor? bias=None, "
    "SymInt[2] stride=[1, 1], str padding=\"valid\", SymInt[2] dilation=[1, 1], "
    "SymInt groups=1) -> Tensor",
    Structured<conv_named_meta<2>, conv_named, lower_conv_named>);
INGOT_OP(
    "aten::conv3d.padding(Tensor input, Tensor weight, Tensor? bias=None, "
    "SymInt[3] stride=[1, 1, 1], str padding=\"valid\", SymInt[3] dilation=[1, 1, 1], "
    "SymInt groups=1) -> Tensor",
    Structured<conv_named_meta<3>, conv_named, lower_conv_named>);
INGOT_OP(
    "aten::conv_transpose1d(Tensor input, Tensor weight, Tensor? bias=None, "
    "SymInt[1] stride=[1], SymInt[1] padding=[0], SymInt[1] output_padding=[0], "
    "SymInt groups=1, SymInt[1] dilation=[1]) -> Tensor",
    Structured<conv_transpose_meta<1>, conv_transpose, lower_conv_transpose>);
INGOT_OP(
    "aten::conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, "
    "SymInt[2] stride=[1, 1], SymInt[2] padding=[0, 0], SymInt[2] output_padding=[0, 0], "
    "SymInt groups=1, SymInt[2] dilation=[1, 1]) -> Tensor",
    Structured<conv_transpose_meta<2>, conv_transpose, lower_conv_transpose>);
INGOT_OP(
    "aten::conv_transpose3d.input(Tensor input, Tensor weight, Tensor? bias=None, "
    "SymInt[3] stride=[1, 1, 1], SymInt[3] padding=[0, 0, 0], "
    "SymInt[3] output_padding=[0, 0, 0], SymInt groups=1, SymInt[3] dilation=[1, 1, 1]) -> "
    "Tensor",
    Structured<conv_transpose_meta<3>, conv_transpose, lower_conv_transpose>);
INGOT_OP(
    "aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, "
    "SymInt[] padding, SymInt[] dilation, bool transposed, SymInt[] output_padding, "
    "SymInt groups) -> Tensor",
    Structured<convolution_meta, general_convolution, lower_convolution>);

}  // namespace

}  // namespace ingot

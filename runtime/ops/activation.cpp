// Activation functions of neural networks.
#include <cmath>

#include "ops/families.h"
#include "ops/functions.h"
#include "ops/shape.h"

namespace ingot {
namespace {

// Clipped lines. NaN passes through all of them.
INGOT_UNARY(
    relu, common, kReal, [](auto x) { return x < 0 ? decltype(x)(0) : x; }, vectorized<f32::relu>,
    kNoBoolOperand);
INGOT_UNARY(
    relu6, common, kReal,
    [](auto x) {
      using T = decltype(x);
      return x < 0 ? T(0) : x > 6 ? T(6) : x;
    },
    vectorized<f32::relu6>, kNoBoolOperand);
constexpr Elementwise kHardtanh = elementwise<1, 2, kReal>(
    Promotion::common,
    [](auto x, auto low, auto high) { return x < low    ? low
                                             : x > high ? high
                                                        : x; },
    vectorized<f32::hardtanh>);
const Elementwise& choose_hardtanh(const Arguments& in, Scalar* params) {
  params[0] = Scalar(in[1]);
  params[1] = Scalar(in[2]);
  INGOT_CHECK(!(params[0].to_double() > params[1].to_double()),
              "min_val must not be greater than max_val");
  return kHardtanh;
}
INGOT_ELEMENTWISE_BY(choose_hardtanh, 1,
                     "aten::hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor");
INGOT_ELEMENTWISE_BY(choose_hardtanh, 1,
                     "aten::hardtanh_(Tensor(a!) self, Scalar min_val=-1, Scalar max_val=1) -> "
                     "Tensor(a!)");
INGOT_UNARY(
    hardsigmoid, common, kFloats,
    [](auto x) {
      using T = decltype(x);
      const T y = x + 3;
      return (y < 0 ? T(0) : y > 6 ? T(6) : y) / 6;
    },
    vectorized<f32::hardsigmoid>);
INGOT_UNARY(
    hardswish, common, kFloats,
    [](auto x) {
      using T = decltype(x);
      const T y = x + 3;
      return x * (y < 0 ? T(0) : y > 6 ? T(6) : y) / 6;
    },
    vectorized<f32::hardswish>);
INGOT_UNARY_WITH(
    leaky_relu, 1, "Scalar negative_slope=0.01", common, kFloats,
    [](auto x, auto slope) { return x > 0 ? x : x * slope; }, vectorized<f32::leaky_relu>);
INGOT_UNARY_WITH(
    threshold, 2, "Scalar threshold, Scalar value", common, kReal,
    [](auto x, auto threshold, auto value) { return x <= threshold ? value : x; },
    vectorized<f32::threshold>);
constexpr Elementwise kHardshrink = elementwise<1, 1, kFloats>(
    Promotion::common,
    [](auto x, auto lambda) { return x >= -lambda && x <= lambda ? decltype(x)(0) : x; });
INGOT_ELEMENTWISE(kHardshrink, "aten::hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor");
constexpr Elementwise kSoftshrink =
    elementwise<1, 1, kFloats>(Promotion::common, [](auto x, auto lambda) {
      return x > lambda ? x - lambda : x < -lambda ? x + lambda : x * 0;
    });
const Elementwise& choose_softshrink(const Arguments& in, Scalar* params) {
  params[0] = Scalar(in[1]);
  INGOT_CHECK(params[0].to_double() >= 0, "lambd must not be negative");
  return kSoftshrink;
}
INGOT_ELEMENTWISE_BY(choose_softshrink, 1,
                     "aten::softshrink(Tensor self, Scalar lambd=0.5) -> Tensor");
INGOT_BINARY_PURE(
    _prelu_kernel, common, kFloats, [](auto x, auto weight) { return x > 0 ? x : x * weight; },
    vectorized<f32::prelu>);

// Exponential ones.
INGOT_UNARY(
    silu, common, kFloats | kComplexWide, [](auto x) { return x * fn::sigmoid(x); },
    vectorized<f32::silu>);
INGOT_UNARY(
    mish, common, kFloats, [](auto x) { return x * std::tanh(std::log1p(std::exp(x))); },
    vectorized<f32::mish>);
INGOT_UNARY_WITH(
    elu, 3, "Scalar alpha=1, Scalar scale=1, Scalar input_scale=1", common, kFloats,
    [](auto x, auto alpha, auto scale, auto input_scale) {
      return x > 0 ? x * scale : std::expm1(x * input_scale) * alpha * scale;
    },
    vectorized<f32::elu>);
INGOT_UNARY(
    selu, common, kFloats,
    [](auto x) {
      using T = decltype(x);
      constexpr T kAlpha = T(1.6732632423543772848170429916717);
      constexpr T kScale = T(1.0507009873554804934193349852946);
      return x > 0 ? x * kScale : std::expm1(x) * (kAlpha * kScale);
    },
    vectorized<f32::selu>);
constexpr Elementwise kCelu = elementwise<1, 1, kFloats>(
    Promotion::common, [](auto x, auto alpha) { return x > 0 ? x : std::expm1(x / alpha) * alpha; },
    vectorized<f32::celu>);
const Elementwise& choose_celu(const Arguments& in, Scalar* params) {
  params[0] = Scalar(in[1]);
  INGOT_CHECK(params[0].to_double() != 0, "alpha must not be 0");
  return kCelu;
}
INGOT_ELEMENTWISE_BY(choose_celu, 1, "aten::celu(Tensor self, Scalar alpha=1.) -> Tensor");
INGOT_ELEMENTWISE_BY(choose_celu, 1, "aten::celu_(Tensor(a!) self, Scalar alpha=1.) -> Tensor(a!)");
constexpr Elementwise kSoftplus = elementwise<1, 2, kFloats>(
    Promotion::common,
    [](auto x, auto beta, auto threshold) { return fn::softplus(x, beta, threshold); },
    vectorized<f32::softplus>);
INGOT_ELEMENTWISE(kSoftplus,
                  "aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor");
INGOT_UNARY_PURE(
    log_sigmoid, common, kFloats,
    [](auto x) { return fn::minimum(x, decltype(x)(0)) - std::log1p(std::exp(-std::abs(x))); },
    vectorized<f32::log_sigmoid>);

// x times the normal distribution function, exact or through tanh (Hendrycks and Gimpel, 2016).
constexpr Elementwise kGelu = elementwise<1, 0, kFloats>(
    Promotion::common,
    [](auto x) {
      using T = decltype(x);
      return x * T(0.5) * (T(1) + std::erf(x * T(0.70710678118654752440)));
    },
    vectorized<f32::gelu>);
constexpr Elementwise kGeluTanh = elementwise<1, 0, kFloats>(
    Promotion::common,
    [](auto x) {
      using T = decltype(x);
      const T inner = T(0.79788456080286535588) * (x + T(0.044715) * x * x * x);
      return x * T(0.5) * (T(1) + std::tanh(inner));
    },
    vectorized<f32::gelu_tanh>);
const Elementwise& choose_gelu(const Arguments& in, Scalar*) {
  const std::string_view approximate = in[1].to_string();
  INGOT_CHECK(approximate == "none" || approximate == "tanh",
              "approximate must be 'none' or 'tanh', got '", approximate, "'");
  return approximate == "none" ? kGelu : kGeluTanh;
}
INGOT_ELEMENTWISE_BY(choose_gelu, 1,
                     "aten::gelu(Tensor self, *, str approximate=\"none\") -> Tensor");
INGOT_ELEMENTWISE_BY(choose_gelu, 1,
                     "aten::gelu_(Tensor(a!) self, *, str approximate=\"none\") -> Tensor(a!)");

// The weight has one element or one per channel, dimension 1.
Tensor channel_weight(const Tensor& self, const Tensor& weight) {
  const int64_t channels = self.rank() > 1 ? self.size(1) : 1;
  INGOT_CHECK(weight.rank() <= 1, "the weight must have at most one dimension, got ", weight);
  INGOT_CHECK(weight.numel() == 1 || weight.numel() == channels, "the weight must have 1 or ",
              channels, " elements, one per channel of ", self, ", got ", weight);
  if (weight.numel() == 1) return weight.as_strided(Dims{}, Dims{}, 0);
  Dims sizes = Dims::filled(self.rank(), 1);
  Dims strides = Dims::filled(self.rank(), 0);
  sizes[1] = channels;
  strides[1] = weight.stride(0);
  return weight.as_strided(sizes, strides, 0);
}
TensorInfo prelu_meta(const Tensor& self, const Tensor& weight) {
  channel_weight(self, weight);
  INGOT_CHECK(self.dtype() == weight.dtype(), "the weight must have the input's dtype ",
              self.dtype(), ", got ", weight.dtype());
  return self.info();
}
void prelu(const Tensor& self, const Tensor& weight, Tensor& out) {
  const Tensor channels = channel_weight(self, weight);
  const Operand operands[] = {{&self}, {&channels}};
  compute_elementwise(row__prelu_kernel, operands, nullptr, out);
}
INGOT_OP("aten::prelu(Tensor self, Tensor weight) -> Tensor", Structured<prelu_meta, prelu>);

// The first half of a dimension times the sigmoid of the second.
constexpr Elementwise kGlu = elementwise<2, 0, kFloats>(
    Promotion::common, [](auto value, auto gate) { return value * fn::sigmoid(gate); },
    vectorized<f32::glu>);
TensorInfo glu_meta(const Tensor& self, int64_t dim) {
  INGOT_CHECK(self.rank() > 0, "a 0-d tensor cannot be halved");
  const int at = wrap_dim(dim, self.rank());
  INGOT_CHECK(self.size(at) % 2 == 0, "dimension ", dim, " must be even to be halved, got ", self);
  TensorInfo info = self.info();
  info.sizes[at] /= 2;
  return info;
}
void glu(const Tensor& self, int64_t dim, Tensor& out) {
  const int at = wrap_dim(dim, self.rank());
  const Tensor value = self.as_strided(out.sizes(), self.strides(), 0);
  const Tensor gate = self.as_strided(out.sizes(), self.strides(), out.size(at) * self.stride(at));
  const Operand operands[] = {{&value}, {&gate}};
  compute_elementwise(kGlu, operands, nullptr, out);
}
INGOT_OP("aten::glu(Tensor self, int dim=-1) -> Tensor", Structured<glu_meta, glu>);

}  // namespace
}  // namespace ingot

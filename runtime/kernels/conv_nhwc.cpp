#include "kernels/conv_nhwc.h"

#include <ingot/check.h>
#include "kernels/conv_implicit.h"
#include "kernels/depthwise.h"
#include "kernels/depthwise_simd.h"
#include "kernels/product.h"
#include "kernels/winograd.h"

namespace ingot {

namespace {

bool is_pointwise(const ConvGeometry& g) {
  for (int d = 0; d < 3; ++d)
    if (g.kernel[d] != 1 || g.stride[d] != 1 || g.pad[d] != 0 || g.in[d] != g.out[d]) return false;
  return g.groups == 1;
}

// Side of the output tiles of a Winograd method, 0 for others.
int winograd_outputs(ConvMethod method) {
  return method == ConvMethod::winograd_2 ? 2 : method == ConvMethod::winograd_4 ? 4 : 0;
}

int64_t weights_size(ConvMethod method, const ProductKernels& product, const ConvGeometry& g) {
  if (method == ConvMethod::depthwise) return depthwise_weights_size(depthwise_kernels(), g);
  if (const int outputs = winograd_outputs(method))
    return winograd_weights_size(outputs, product, g);
  return implicit_weights_size(product, g);
}

}  // namespace

const char* name_of(ConvMethod method) {
  switch (method) {
    case ConvMethod::pointwise: return "pointwise";
    case ConvMethod::implicit_gemm: return "implicit_gemm";
    case ConvMethod::depthwise: return "depthwise";
    case ConvMethod::grouped: return "grouped";
    case ConvMethod::winograd_2: return "winograd_2";
    case ConvMethod::winograd_4: return "winograd_4";
  }
  return "";
}

bool conv_method_fits(ConvMethod method, const ConvGeometry& g) {
  switch (method) {
    case ConvMethod::pointwise: return is_pointwise(g);
    case ConvMethod::implicit_gemm: return g.groups == 1;
    case ConvMethod::depthwise: return g.groups > 1 && depthwise_fits(g);
    case ConvMethod::grouped: return g.groups > 1;
    case ConvMethod::winograd_2:
    case ConvMethod::winograd_4: return winograd_fits(g);
  }
  return false;
}

// Winograd's weights are 16/9 or 36/9 of the kernel's, so F(2x2) must save 15 % over
// implicit_gemm and F(4x4) a quarter, and 15 % over F(2x2). That keeps the memory of layers with
// many channels on small maps, the bulk of a classifier's weights, near that of the file: F(4x4) at
// 14x14 would make resnet50 2 % faster and take 25 MB more.
ConvMethod worth_its_memory(double direct, double winograd_2, double winograd_4) {
  constexpr double kWorthMemory2 = 0.85;
  constexpr double kWorthMemory4 = 0.75;
  const bool worth2 = winograd_2 <= kWorthMemory2 * direct;
  if (winograd_4 <= kWorthMemory4 * direct && (!worth2 || winograd_4 <= kWorthMemory2 * winograd_2))
    return ConvMethod::winograd_4;
  return worth2 ? ConvMethod::winograd_2 : ConvMethod::implicit_gemm;
}

// Costs are counted in multiply-adds. Weights come from memory once, which takes as long as
// `weight_cost` multiply-adds each (AVX-512 does twice as many meanwhile); transforms of a Winograd
// tile take as long as kTransformCost per channel. They were measured on AVX2; ingot-kernel-bench
// --choice compares the outcome with the times of the methods.
//
// In bf16, which Winograd's methods do not know, multiply-adds and weights cost half.
ConvMethod choose_conv_method(const ConvGeometry& g, Precision precision) {
  const double weight_cost = simd_level() == SimdLevel::avx512 ? 20 : 10;
  constexpr double kTransformCost2 = 100;
  constexpr double kTransformCost4 = 240;
  if (conv_method_fits(ConvMethod::pointwise, g)) return ConvMethod::pointwise;
  if (conv_method_fits(ConvMethod::depthwise, g)) return ConvMethod::depthwise;
  if (g.groups > 1) return ConvMethod::grouped;
  if (!winograd_fits(g)) return ConvMethod::implicit_gemm;
  const double channels = static_cast<double>(g.in_channels + g.out_channels);
  const double weights = static_cast<double>(g.in_channels * g.out_channels);
  const double images = static_cast<double>(g.batch * g.out[0]);
  const auto cost = [&](int64_t outputs, double products, double transform) {
    const double tiles =
        images * static_cast<double>(divide_up(g.out[1], outputs) * divide_up(g.out[2], outputs));
    return products * weights * (tiles + weight_cost) + tiles * transform * channels;
  };
  const double direct = cost(1, 9, 0) / (precision == Precision::bf16 ? 2 : 1);
  return worth_its_memory(direct, cost(2, 16, kTransformCost2), cost(4, 36, kTransformCost4));
}

Precision precision_of(ConvMethod method, Precision wanted) {
  return method == ConvMethod::pointwise || method == ConvMethod::implicit_gemm ? wanted
                                                                                : Precision::f32;
}

PackedConv::PackedConv(ConvMethod method, const ProductKernels& product, int64_t floats)
    : method_(method),
      product_(&product),
      depthwise_(&depthwise_kernels()),
      winograd_(&winograd_kernels()),
      bytes_(sizeof(float) * static_cast<size_t>(floats)),
      data_(floats) {}

std::shared_ptr<const PackedConv> PackedConv::pack(const ConvGeometry& g, ConvMethod method,
                                                   const float* weight, const float* channel_scale,
                                                   Precision precision) {
  INGOT_CHECK(conv_method_fits(method, g), "the method ", name_of(method),
              " cannot compute this convolution");
  const ProductKernels& product = product_kernels(precision_of(method, precision));
  std::shared_ptr<PackedConv> packed(
      new PackedConv(method, product, weights_size(method, product, g)));
  float* data = packed->data_.data();
  if (method == ConvMethod::depthwise)
    pack_depthwise_weights(packed->depthwise(), g, weight, channel_scale, data);
  else if (const int outputs = winograd_outputs(method))
    pack_winograd_weights(outputs, packed->product(), packed->winograd(), g, weight, channel_scale,
                          data);
  else
    pack_implicit_weights(packed->product(), g, weight, channel_scale, data);
  return packed;
}

size_t conv_workspace(const ConvGeometry& g, const PackedConv& packed) {
  switch (packed.method()) {
    case ConvMethod::pointwise: return 0;
    case ConvMethod::depthwise: return depthwise_workspace(g);
    case ConvMethod::winograd_2:
    case ConvMethod::winograd_4:
      return winograd_workspace(winograd_outputs(packed.method()), packed.winograd(), g);
    default: return implicit_workspace(packed.product(), g);
  }
}

void conv_nhwc(const ConvGeometry& g, const PackedConv& packed, const float* input,
               int64_t in_pixel_stride, float* out, int64_t out_pixel_stride,
               const Epilogue& epilogue, void* workspace) {
  switch (packed.method()) {
    case ConvMethod::pointwise:
      return product_of_matrices(packed.product(), g.batch * volume_of(g.out), g.out_channels,
                                 g.in_channels, input, in_pixel_stride, packed.data(), out,
                                 out_pixel_stride, epilogue);
    case ConvMethod::depthwise:
      return conv_depthwise(g, packed.depthwise(), packed.data(), input, in_pixel_stride, out,
                            out_pixel_stride, epilogue, workspace);
    case ConvMethod::winograd_2:
    case ConvMethod::winograd_4:
      return conv_winograd(winograd_outputs(packed.method()), g, packed.product(),
                           packed.winograd(), packed.data(), input, in_pixel_stride, out,
                           out_pixel_stride, epilogue, workspace);
    default:
      return conv_implicit(g, packed.product(), packed.data(), input, in_pixel_stride, out,
                           out_pixel_stride, epilogue, workspace);
  }
}

}  // namespace ingot

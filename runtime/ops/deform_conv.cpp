// torchvision::deform_conv2d: a convolution whose every tap is read at a place of its own.
#include <cmath>

#include <ingot/op.h>
#include "kernels/gemm.h"
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/spatial.h"

namespace ingot {
namespace {

int64_t output_size(int64_t size, int64_t pad, int64_t dilation, int64_t kernel, int64_t stride) {
  for (const int64_t value : {pad, dilation, kernel, stride})
    INGOT_CHECK(value >= 0 && value < kSpatialLimit, "stride, padding, dilation and kernel size ",
                "must be small and not negative, but one is ", value);
  INGOT_CHECK(stride > 0 && dilation > 0 && kernel > 0,
              "stride, dilation and kernel size must be positive");
  const int64_t reach = size + 2 * pad - (dilation * (kernel - 1) + 1);
  INGOT_CHECK(reach >= 0, "the kernel is larger than the padded input");
  return reach / stride + 1;
}

TensorInfo deform_conv2d_meta(const Tensor& input, const Tensor& weight, const Tensor& offset,
                              const Tensor& mask, const Tensor& bias, int64_t stride_h,
                              int64_t stride_w, int64_t pad_h, int64_t pad_w, int64_t dilation_h,
                              int64_t dilation_w, int64_t groups, int64_t offset_groups,
                              bool use_mask) {
  INGOT_CHECK(input.rank() == 4 && is_floating(input.dtype()),
              "the input must have 4 dimensions and a floating-point dtype, got ", input);
  INGOT_CHECK(weight.rank() == 4 && offset.rank() == 4,
              "weight and offset must have 4 dimensions, got ", weight, " and ", offset);
  for (const Tensor* tensor : {&weight, &offset, &bias})
    INGOT_CHECK(tensor->dtype() == input.dtype(), *tensor, " must have the dtype of ", input);
  INGOT_CHECK(groups > 0 && offset_groups > 0, "groups and offset_groups must be positive");
  INGOT_CHECK(weight.size(1) * groups == input.size(1) && weight.size(0) % groups == 0,
              "the weight ", weight, " does not fit ", input, " in ", groups, " groups");
  INGOT_CHECK(input.size(1) % offset_groups == 0, "the ", input.size(1),
              " channels must be a multiple of offset_groups, ", offset_groups);
  INGOT_CHECK(bias.rank() == 1 && bias.size(0) == weight.size(0), "the bias ", bias,
              " must have one element for each of ", weight.size(0), " output channels");
  const int64_t height = output_size(input.size(2), pad_h, dilation_h, weight.size(2), stride_h);
  const int64_t width = output_size(input.size(3), pad_w, dilation_w, weight.size(3), stride_w);
  const int64_t taps = offset_groups * weight.size(2) * weight.size(3);
  INGOT_CHECK((offset.sizes() == Dims{input.size(0), 2 * taps, height, width}), "the offset ",
              offset, " must have the sizes ", Dims{input.size(0), 2 * taps, height, width});
  if (use_mask)
    INGOT_CHECK(
        mask.dtype() == input.dtype() && (mask.sizes() == Dims{input.size(0), taps, height, width}),
        "the mask ", mask, " must have the sizes ", Dims{input.size(0), taps, height, width});
  return {input.dtype(), Dims{input.size(0), weight.size(0), height, width}};
}

// Bilinear, zero outside.
template <class T>
T sampled(const T* plane, int64_t height, int64_t width, T y, T x) {
  if (!(y > -1 && x > -1 && y < static_cast<T>(height) && x < static_cast<T>(width))) return 0;
  const auto top = static_cast<int64_t>(std::floor(y));
  const auto left = static_cast<int64_t>(std::floor(x));
  const T down = y - static_cast<T>(top);
  const T right = x - static_cast<T>(left);
  const auto at = [&](int64_t h, int64_t w) {
    return h >= 0 && w >= 0 && h < height && w < width ? plane[h * width + w] : T(0);
  };
  return (1 - down) * (1 - right) * at(top, left) + (1 - down) * right * at(top, left + 1) +
         down * (1 - right) * at(top + 1, left) + down * right * at(top + 1, left + 1);
}

void deform_conv2d(const Tensor& input, const Tensor& weight, const Tensor& offset,
                   const Tensor& mask, const Tensor& bias, int64_t stride_h, int64_t stride_w,
                   int64_t pad_h, int64_t pad_w, int64_t dilation_h, int64_t dilation_w,
                   int64_t groups, int64_t offset_groups, bool use_mask, Tensor& out) {
  if (out.numel() == 0) return;
  const DType compute = compute_dtype(input.dtype());
  const Tensor images = as_dense(input, compute), weights = as_dense(weight, compute);
  const Tensor offsets = as_dense(offset, compute), biases = as_dense(bias, compute);
  const Tensor masks = as_dense(use_mask ? &mask : nullptr, compute);
  const int64_t channels = input.size(1), height = input.size(2), width = input.size(3);
  const int64_t rows = weight.size(2), columns = weight.size(3), taps = rows * columns;
  const int64_t pixels = out.size(2) * out.size(3);
  const int64_t depth = weight.size(1) * taps;  // of one group's product
  const int64_t filters = weight.size(0) / groups;
  ComputeOutput result(out);
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    const Tensor table = Tensor::empty(compute, Dims{channels * taps, pixels});
    for (int64_t n = 0; n < input.size(0); ++n) {
      for (int64_t row = 0; row < channels * taps; ++row) {
        const int64_t c = row / taps, tap = row % taps;
        const int64_t own = n * offset_groups * taps + c / (channels / offset_groups) * taps + tap;
        const T* shift = offsets.data<T>() + own * 2 * pixels;
        const T* share = use_mask ? masks.data<T>() + own * pixels : nullptr;
        const T* plane = images.data<T>() + (n * channels + c) * height * width;
        T* to = table.data<T>() + row * pixels;
        for (int64_t i = 0; i < pixels; ++i) {
          const int64_t y = i / out.size(3) * stride_h - pad_h + tap / columns * dilation_h;
          const int64_t x = i % out.size(3) * stride_w - pad_w + tap % columns * dilation_w;
          to[i] = sampled(plane, height, width, static_cast<T>(y) + shift[i],
                          static_cast<T>(x) + shift[pixels + i]);
          if (share) to[i] *= share[i];
        }
      }
      for (int64_t g = 0; g < groups; ++g) {
        GemmEpilogue<T> epilogue;
        epilogue.row_bias = biases.data<T>() + g * filters;
        gemm<T>(filters, pixels, depth, {weights.data<T>() + g * filters * depth, depth, 1},
                {table.data<T>() + g * depth * pixels, pixels, 1},
                result.data<T>() + (n * weight.size(0) + g * filters) * pixels, pixels, epilogue);
      }
    }
  });
  result.store();
}

INGOT_OP(
    "torchvision::deform_conv2d(Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor "
    "bias, SymInt stride_h, SymInt stride_w, SymInt pad_h, SymInt pad_w, SymInt dilation_h, SymInt "
    "dilation_w, SymInt groups, SymInt offset_groups, bool use_mask) -> Tensor",
    Structured<deform_conv2d_meta, deform_conv2d>);

}  // namespace
}  // namespace ingot

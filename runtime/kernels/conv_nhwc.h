// f32 convolutions over channels-last memory, with weights that are rearranged once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <ingot/precision.h>

#include "kernels/conv.h"
#include "kernels/epilogue.h"
#include "kernels/workspace.h"

namespace ingot {

struct DepthwiseKernels;
struct ProductKernels;
struct WinogradKernels;

enum class ConvMethod {
  pointwise,      // kernel 1, stride 1: a product over pixels
  implicit_gemm,  // a product whose left rows are gathered through pointers
  depthwise,      // one input and one output channel per group
  grouped,        // implicit_gemm per group
  winograd_2,     // 3x3 stride 1 as F(2x2, 3x3): 16 products for 4 outputs instead of 36
  winograd_4,     // 3x3 stride 1 as F(4x4, 3x3): 36 products for 16 outputs instead of 144
};
const char* name_of(ConvMethod method);

// Whether the method can compute such a convolution.
bool conv_method_fits(ConvMethod method, const ConvGeometry& geometry);

// Of implicit_gemm and Winograd's methods, by what each costs or takes: the fastest that is worth
// the memory of its weights.
ConvMethod worth_its_memory(double direct, double winograd_2, double winograd_4);

// The same by an estimate; the one method that is made for other geometries.
ConvMethod choose_conv_method(const ConvGeometry& geometry, Precision precision = Precision::f32);

// What the method computes in where `wanted` is asked for: few know bf16.
Precision precision_of(ConvMethod method, Precision wanted);

// Weights of one layer, for inputs of any size, packed for the SimdLevel then in use.
class PackedConv {
 public:
  // weight[Co, Ci / groups, kd, kh, kw], output channel c times channel_scale[c] (null: 1).
  // Throws Error: invalid_argument if the method does not fit, unsupported if the machine lacks
  // products of that precision.
  static std::shared_ptr<const PackedConv> pack(const ConvGeometry& geometry, ConvMethod method,
                                                const float* weight,
                                                const float* channel_scale = nullptr,
                                                Precision precision = Precision::f32);

  ConvMethod method() const { return method_; }
  size_t bytes() const { return bytes_; }
  const ProductKernels& product() const { return *product_; }
  const DepthwiseKernels& depthwise() const { return *depthwise_; }
  const WinogradKernels& winograd() const { return *winograd_; }
  const float* data() const { return data_.data(); }

 private:
  PackedConv(ConvMethod method, const ProductKernels& product, int64_t floats);

  ConvMethod method_;
  const ProductKernels* product_;
  const DepthwiseKernels* depthwise_;
  const WinogradKernels* winograd_;
  size_t bytes_;
  Workspace<float> data_;
};

// Bytes of the workspace that conv_nhwc needs, with any number of threads.
size_t conv_workspace(const ConvGeometry& geometry, const PackedConv& packed);

// out[N, Do, Ho, Wo, Co] = epilogue(input[N, D, H, W, Ci] convolved with the packed weights).
// From pixel to pixel lie `in_pixel_stride` >= Ci and `out_pixel_stride` >= Co floats. Rows of
// the epilogue are output pixels, columns output channels. `workspace` is aligned to 64 bytes.
// `out` overlaps no input. Uses the thread pool.
void conv_nhwc(const ConvGeometry& geometry, const PackedConv& packed, const float* input,
               int64_t in_pixel_stride, float* out, int64_t out_pixel_stride,
               const Epilogue& epilogue, void* workspace);

}  // namespace ingot

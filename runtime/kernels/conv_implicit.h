// Convolution as a product whose left rows are found through pointers into the image.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv.h"
#include "kernels/epilogue.h"
#include "kernels/product_simd.h"

namespace ingot {

// Floats of the packed weights.
int64_t implicit_weights_size(const ProductKernels& kernels, const ConvGeometry& geometry);
// weight[Co, Ci / groups, taps] -> per group, panels of [taps * Ci / groups, Co / groups].
void pack_implicit_weights(const ProductKernels& kernels, const ConvGeometry& geometry,
                           const float* weight, const float* channel_scale, float* packed);

size_t implicit_workspace(const ProductKernels& kernels, const ConvGeometry& geometry);

// Any kernel, stride, dilation, padding and number of groups.
void conv_implicit(const ConvGeometry& geometry, const ProductKernels& kernels, const float* packed,
                   const float* input, int64_t in_pixel_stride, float* out,
                   int64_t out_pixel_stride, const Epilogue& epilogue, void* workspace);

}  // namespace ingot

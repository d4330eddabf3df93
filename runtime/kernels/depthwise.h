// Convolution of every channel with its own kernel, over channels-last memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv.h"
#include "kernels/depthwise_simd.h"
#include "kernels/epilogue.h"

namespace ingot {

bool depthwise_fits(const ConvGeometry& geometry);

// Floats of the packed weights.
int64_t depthwise_weights_size(const DepthwiseKernels& kernels, const ConvGeometry& geometry);
// weight[C, taps] -> [C / lanes][taps][lanes], the last channels filled up with zeros.
void pack_depthwise_weights(const DepthwiseKernels& kernels, const ConvGeometry& geometry,
                            const float* weight, const float* channel_scale, float* packed);

size_t depthwise_workspace(const ConvGeometry& geometry);

void conv_depthwise(const ConvGeometry& geometry, const DepthwiseKernels& kernels,
                    const float* packed, const float* input, int64_t in_pixel_stride, float* out,
                    int64_t out_pixel_stride, const Epilogue& epilogue, void* workspace);

}  // namespace ingot

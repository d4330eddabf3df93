// Winograd's convolution of 3x3 kernels with stride 1 over channels-last memory: tiles of input
// and weights are transformed so that the sums over channels of (m + 2)^2 products give m^2
// outputs (Lavin and Gray, 2015). Each of the (m + 2)^2 is a matrix product of tiles and weights.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv.h"
#include "kernels/epilogue.h"
#include "kernels/product_simd.h"
#include "kernels/winograd_simd.h"

namespace ingot {

bool winograd_fits(const ConvGeometry& geometry);

// `outputs`: 2 or 4, the side of an output tile.
int64_t winograd_weights_size(int outputs, const ProductKernels& product,
                              const ConvGeometry& geometry);
void pack_winograd_weights(int outputs, const ProductKernels& product,
                           const WinogradKernels& kernels, const ConvGeometry& geometry,
                           const float* weight, const float* channel_scale, float* packed);

size_t winograd_workspace(int outputs, const WinogradKernels& kernels,
                          const ConvGeometry& geometry);

void conv_winograd(int outputs, const ConvGeometry& geometry, const ProductKernels& product,
                   const WinogradKernels& kernels, const float* packed, const float* input,
                   int64_t in_pixel_stride, float* out, int64_t out_pixel_stride,
                   const Epilogue& epilogue, void* workspace);

}  // namespace ingot

// f32 transposed convolutions over channels-last memory, with weights rearranged once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/conv.h"
#include "kernels/epilogue.h"
#include "kernels/workspace.h"

namespace ingot {

struct ProductKernels;

// Weights of one layer, for inputs of any size, packed for the SimdLevel then in use.
//
// Outputs whose position plus padding has the same remainder by the stride meet the same taps of
// the kernel: such a phase is a convolution of stride 1. Its weights are packed together.
class PackedConvTranspose {
 public:
  struct Phase {
    std::vector<Spatial> taps;  // places in the kernel
    int64_t panels;             // first float in data() of the first group
  };

  // weight[Ci, Co / groups, kd, kh, kw], output channel c times channel_scale[c] (null: 1).
  static std::shared_ptr<const PackedConvTranspose> pack(const ConvGeometry& geometry,
                                                         const float* weight,
                                                         const float* channel_scale = nullptr);

  size_t bytes() const { return bytes_; }
  const ProductKernels& product() const { return *product_; }
  const float* data() const { return data_.data(); }
  // The phase of outputs whose position plus padding leaves these remainders.
  const Phase& phase(const Spatial& remainders) const;

 private:
  PackedConvTranspose(const Spatial& stride, std::vector<Phase> phases, int64_t floats);

  Spatial stride_;
  std::vector<Phase> phases_;
  const ProductKernels* product_;
  size_t bytes_;
  Workspace<float> data_;
};

// Bytes of the workspace that conv_transpose_nhwc needs.
size_t conv_transpose_workspace(const ConvGeometry& geometry, const PackedConvTranspose& packed);

// out[N, Do, Ho, Wo, Co] = epilogue(sum over input[N, D, H, W, Ci] of each element times the
// weights, placed around it). stride, pad and dilation are those of the convolution that is
// transposed; memory as in conv_nhwc. Uses the thread pool.
void conv_transpose_nhwc(const ConvGeometry& geometry, const PackedConvTranspose& packed,
                         const float* input, int64_t in_pixel_stride, float* out,
                         int64_t out_pixel_stride, const Epilogue& epilogue, void* workspace);

}  // namespace ingot

// Rearrangements between channels and space: aten::pixel_shuffle, pixel_unshuffle,
// channel_shuffle.
#include <ingot/op.h>
#include "tensor/convert.h"

namespace ingot {

namespace {

TensorInfo pixel_shuffle_meta(const Tensor& self, int64_t upscale_factor) {
  const int rank = self.rank();
  INGOT_CHECK(rank >= 3, "expected input with at least 3 dimensions, but got ", self);
  INGOT_CHECK(upscale_factor > 0 && upscale_factor < (int64_t{1} << 31),
              "upscale_factor must be at least 1, but is ", upscale_factor);
  const int64_t square = upscale_factor * upscale_factor;
  INGOT_CHECK(self.size(rank - 3) % square == 0, "the channels of input ", self.sizes(),
              " must be a multiple of upscale_factor squared, ", square);
  Dims sizes = self.sizes();
  sizes[rank - 3] /= square;
  sizes[rank - 2] *= upscale_factor;
  sizes[rank - 1] *= upscale_factor;
  return {self.dtype(), sizes};
}

TensorInfo pixel_unshuffle_meta(const Tensor& self, int64_t downscale_factor) {
  const int rank = self.rank();
  INGOT_CHECK(rank >= 3, "expected input with at least 3 dimensions, but got ", self);
  INGOT_CHECK(downscale_factor > 0 && downscale_factor < (int64_t{1} << 31),
              "downscale_factor must be at least 1, but is ", downscale_factor);
  INGOT_CHECK(
      self.size(rank - 2) % downscale_factor == 0 && self.size(rank - 1) % downscale_factor == 0,
      "height and width of input ", self.sizes(), " must be multiples of downscale_factor, ",
      downscale_factor);
  Dims sizes = self.sizes();
  sizes[rank - 3] = numel_of(Dims{sizes[rank - 3], downscale_factor, downscale_factor});
  sizes[rank - 2] /= downscale_factor;
  sizes[rank - 1] /= downscale_factor;
  return {self.dtype(), sizes};
}

// `small` [..., C · r², H, W] and `large` [..., C, H · r, W · r], both seen as
// [..., C, r, r, H, W].
struct Blocks {
  Tensor small;
  Tensor large;
};

Blocks as_blocks(const Tensor& small, const Tensor& large, int64_t r) {
  const int lead = small.rank() - 3;
  Dims sizes, small_strides, large_strides;
  for (int d = 0; d < lead; ++d) {
    sizes.push_back(small.size(d));
    small_strides.push_back(small.stride(d));
    large_strides.push_back(large.stride(d));
  }
  const int64_t c = small.stride(lead), h = large.stride(lead + 1), w = large.stride(lead + 2);
  for (const int64_t size : {large.size(lead), r, r, small.size(lead + 1), small.size(lead + 2)})
    sizes.push_back(size);
  for (const int64_t stride : {c * r * r, c * r, c, small.stride(lead + 1), small.stride(lead + 2)})
    small_strides.push_back(stride);
  for (const int64_t stride : {large.stride(lead), h, w, h * r, w * r})
    large_strides.push_back(stride);
  return {small.as_strided(sizes, small_strides, 0), large.as_strided(sizes, large_strides, 0)};
}

void pixel_shuffle(const Tensor& self, int64_t upscale_factor, Tensor& out) {
  Blocks blocks = as_blocks(self, out, upscale_factor);
  copy_into(blocks.small, blocks.large);
}

void pixel_unshuffle(const Tensor& self, int64_t downscale_factor, Tensor& out) {
  Blocks blocks = as_blocks(out, self, downscale_factor);
  copy_into(blocks.large, blocks.small);
}

TensorInfo channel_shuffle_meta(const Tensor& self, int64_t groups) {
  INGOT_CHECK(self.rank() >= 3, "expected input with at least 3 dimensions, but got ", self);
  INGOT_CHECK(groups > 0 && self.size(1) % groups == 0,
              "groups must divide the channels of "
              "input ",
              self.sizes(), ", but is ", groups);
  return self.info();
}

void channel_shuffle(const Tensor& self, int64_t groups, Tensor& out) {
  const int64_t per_group = self.size(1) / groups;
  Dims sizes = {self.size(0), per_group, groups};
  Dims from = {self.stride(0), self.stride(1), self.stride(1) * per_group};
  Dims to = {out.stride(0), out.stride(1) * groups, out.stride(1)};
  for (int d = 2; d < self.rank(); ++d) {
    sizes.push_back(self.size(d));
    from.push_back(self.stride(d));
    to.push_back(out.stride(d));
  }
  Tensor target = out.as_strided(sizes, to, 0);
  copy_into(self.as_strided(sizes, from, 0), target);
}

INGOT_OP("aten::pixel_shuffle(Tensor self, int upscale_factor) -> Tensor",
         Structured<pixel_shuffle_meta, pixel_shuffle>);
INGOT_OP("aten::pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor",
         Structured<pixel_unshuffle_meta, pixel_unshuffle>);
INGOT_OP("aten::channel_shuffle(Tensor self, SymInt groups) -> Tensor",
         Structured<channel_shuffle_meta, channel_shuffle>);

}  // namespace

}  // namespace ingot

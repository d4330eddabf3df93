#include "kernels/conv_transpose_nhwc.h"

#include <algorithm>
#include <utility>

#include "base/thread_pool.h"
#include "kernels/product.h"

namespace ingot {

namespace {

// Outputs of a line that one task makes, by stride.
constexpr int64_t kMostPixels = 256;

// Places in the kernel that outputs of these remainders meet.
std::vector<Spatial> taps_of_phase(const ConvGeometry& g, const Spatial& remainders) {
  std::vector<Spatial> taps;
  Spatial k;
  for (k[0] = 0; k[0] < g.kernel[0]; ++k[0])
    for (k[1] = 0; k[1] < g.kernel[1]; ++k[1])
      for (k[2] = 0; k[2] < g.kernel[2]; ++k[2]) {
        bool meets = true;
        for (size_t d = 0; d < 3; ++d)
          meets = meets && k[d] * g.dilation[d] % g.stride[d] == remainders[d];
        if (meets) taps.push_back(k);
      }
  return taps;
}

// The rows functor of the products of one phase of a part of a line.
struct LineRows {
  const ConvGeometry& g;
  const PackedConvTranspose::Phase& phase;
  const float* image;
  const float* zeros;
  int64_t pixel_stride;
  Spatial first;  // output position of row 0

  void operator()(int64_t row, const RowTiles& tiles, int64_t tap, int64_t taps,
                  const float** to) const {
    for (int64_t i = 0; i < tiles.count; ++i) {
      const int64_t count = tiles.height(i);
      for (int64_t t = 0; t < taps; ++t, to += count) find(row, count, tap + t, to);
      row += count;
    }
  }

  void find(int64_t row, int64_t count, int64_t tap, const float** to) const {
    // A phase without taps reads nothing.
    Spatial from = {-1, -1, -1};
    if (!phase.taps.empty()) {
      const Spatial& k = phase.taps[static_cast<size_t>(tap)];
      // Exact by the choice of the phase, also where it is negative.
      for (size_t d = 0; d < 3; ++d)
        from[d] = (first[d] + g.pad[d] - k[d] * g.dilation[d]) / g.stride[d];
    }
    const bool line_exists = from[0] >= 0 && from[0] < g.in[0] && from[1] >= 0 && from[1] < g.in[1];
    const int64_t line = (from[0] * g.in[1] + from[1]) * g.in[2];
    for (int64_t r = 0; r < count; ++r) {
      const int64_t w = from[2] + row + r;
      to[r] = line_exists && w >= 0 && w < g.in[2] ? image + (line + w) * pixel_stride : zeros;
    }
  }
};

}  // namespace

PackedConvTranspose::PackedConvTranspose(const Spatial& stride, std::vector<Phase> phases,
                                         int64_t floats)
    : stride_(stride),
      phases_(std::move(phases)),
      product_(&product_kernels()),
      bytes_(sizeof(float) * static_cast<size_t>(floats)),
      data_(floats) {}

const PackedConvTranspose::Phase& PackedConvTranspose::phase(const Spatial& remainders) const {
  return phases_[static_cast<size_t>((remainders[0] * stride_[1] + remainders[1]) * stride_[2] +
                                     remainders[2])];
}

std::shared_ptr<const PackedConvTranspose> PackedConvTranspose::pack(const ConvGeometry& g,
                                                                     const float* weight,
                                                                     const float* channel_scale) {
  const ProductKernels& kernels = product_kernels();
  const int64_t in = g.in_channels / g.groups;
  const int64_t out = g.out_channels / g.groups;
  std::vector<Phase> phases;
  int64_t floats = 0;
  Spatial r;
  for (r[0] = 0; r[0] < g.stride[0]; ++r[0])
    for (r[1] = 0; r[1] < g.stride[1]; ++r[1])
      for (r[2] = 0; r[2] < g.stride[2]; ++r[2]) {
        phases.push_back({taps_of_phase(g, r), floats});
        const int64_t depth = static_cast<int64_t>(phases.back().taps.size()) * in;
        floats += g.groups * panels_size(kernels, depth, out);
      }
  std::shared_ptr<PackedConvTranspose> packed(
      new PackedConvTranspose(g.stride, std::move(phases), floats));
  const int64_t volume = volume_of(g.kernel);
  float* to = packed->data_.data();
  for (const Phase& phase : packed->phases_) {
    const int64_t depth = static_cast<int64_t>(phase.taps.size()) * in;
    Workspace<float> matrix(depth * out);
    for (int64_t group = 0; group < g.groups; ++group) {
      float* row = matrix.data();
      for (const Spatial& tap : phase.taps) {
        const int64_t place = (tap[0] * g.kernel[1] + tap[1]) * g.kernel[2] + tap[2];
        for (int64_t i = 0; i < in; ++i, row += out)
          for (int64_t o = 0; o < out; ++o)
            row[o] = weight[((group * in + i) * out + o) * volume + place];
      }
      pack_panels(kernels, depth, out, {matrix.data(), out, 1},
                  channel_scale ? channel_scale + group * out : nullptr, to);
      to += panels_size(kernels, depth, out);
    }
  }
  return packed;
}

size_t conv_transpose_workspace(const ConvGeometry& g, const PackedConvTranspose&) {
  return sizeof(float) * static_cast<size_t>(g.in_channels);
}

void conv_transpose_nhwc(const ConvGeometry& g, const PackedConvTranspose& packed,
                         const float* input, int64_t in_pixel_stride, float* out,
                         int64_t out_pixel_stride, const Epilogue& epilogue, void* workspace) {
  const int64_t lines = g.batch * g.out[0] * g.out[1];
  if (lines * g.out[2] * g.out_channels == 0) return;
  const int64_t in_channels = g.in_channels / g.groups;
  const int64_t out_channels = g.out_channels / g.groups;
  float* zeros = static_cast<float*>(workspace);
  std::fill_n(zeros, g.in_channels, 0.0f);

  const int64_t stride = g.stride[2];
  const int64_t piece = stride * even_piece(divide_up(g.out[2], stride), kMostPixels, 1);
  const int64_t pieces = divide_up(g.out[2], piece);
  const int64_t image_floats = volume_of(g.in) * in_pixel_stride;
  const auto run = [&](int64_t first, int64_t last) {
    for (int64_t task = first; task < last; ++task) {
      const int64_t line = task / pieces;
      const int64_t begin = task % pieces * piece;
      const int64_t end = std::min(g.out[2], begin + piece);
      const Spatial at = {line / g.out[1] % g.out[0], line % g.out[1], begin};
      const float* image = input + line / (g.out[1] * g.out[0]) * image_floats;
      for (int64_t w = begin; w < std::min(begin + stride, end); ++w) {
        const Spatial place = {at[0], at[1], w};
        Spatial remainders;
        for (size_t d = 0; d < 3; ++d) remainders[d] = (place[d] + g.pad[d]) % g.stride[d];
        const PackedConvTranspose::Phase& phase = packed.phase(remainders);
        const int64_t pixel = line * g.out[2] + w;
        Epilogue moved = epilogue.at(pixel, 0);
        moved.residual_stride *= stride;
        moved.then = nullptr;
        Product product = {};
        product.kernels = &packed.product();
        product.m = divide_up(end - w, stride);
        product.n = out_channels;
        product.taps = std::max<int64_t>(static_cast<int64_t>(phase.taps.size()), 1);
        product.run = phase.taps.empty() ? 0 : in_channels;
        product.panels = packed.data() + phase.panels;
        product.c = out + pixel * out_pixel_stride;
        product.c_stride = stride * out_pixel_stride;
        product.epilogue = &moved;
        product.groups = g.groups;
        product.group_step = in_channels;
        product.threads = false;
        run_product(product, LineRows{g, phase, image, zeros, in_pixel_stride, place});
      }
      if (epilogue.then)
        epilogue.then(epilogue.context, line * g.out[2] + begin, end - begin, 0, g.out_channels);
    }
  };
  const int64_t tasks = lines * pieces;
  const int64_t work =
      g.batch * volume_of(g.in) * volume_of(g.kernel) * in_channels * g.out_channels;
  if (work < 2 * kProductWorkPerThread) return run(0, tasks);
  parallel_for(0, tasks, std::max<int64_t>(1, kProductWorkPerThread / (work / tasks + 1)), run);
}

}  // namespace ingot

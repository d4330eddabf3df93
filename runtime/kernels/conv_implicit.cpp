#include "kernels/conv_implicit.h"

#include <algorithm>
#include <cstring>

#include "kernels/product.h"
#include "kernels/workspace.h"

namespace ingot {

namespace {

// With at most this many channels a row of the kernel is read as one run: the shorter runs of
// its taps would cost more than copying the runs that cross the edge of the image.
constexpr int64_t kFewChannels = 16;

struct Tap {
  Spatial at;      // offset from the first tap's pixel
  int64_t offset;  // the same in floats
};

// How the rows of the product are found.
struct Runs {
  bool whole_rows;  // a tap is a row of the kernel
  int64_t taps;
  int64_t run;
  // Outputs of a line whose runs lie inside the image: [first_inside, end_inside). The runs of
  // the others are copies, `edges` of each input line, with zeros beyond the edge.
  int64_t first_inside;
  int64_t end_inside;
  int64_t edges;
};

// Groups whose outputs fill less than the narrowest panel are computed together, with zeros where
// one's output meets the other's input: the same work with fewer tiles.
ConvGeometry with_merged_groups(const ProductKernels& kernels, const ConvGeometry& geometry) {
  ConvGeometry g = geometry;
  while (g.groups % 2 == 0 && g.out_channels / g.groups * 2 <= kernels.unit) g.groups /= 2;
  return g;
}

Runs runs_of(const ConvGeometry& g, bool dense_pixels) {
  const int64_t channels = g.in_channels / g.groups;
  Runs runs = {false, volume_of(g.kernel), channels, 0, g.out[2], 0};
  if (g.groups != 1 || !dense_pixels || g.kernel[2] == 1 || g.dilation[2] != 1) return runs;
  const int64_t first = std::min(divide_up(g.pad[2], g.stride[2]), g.out[2]);
  const int64_t room = g.in[2] + g.pad[2] - g.kernel[2];
  const int64_t end = std::clamp(room < 0 ? 0 : room / g.stride[2] + 1, first, g.out[2]);
  runs.edges = first + g.out[2] - end;
  if (runs.edges > 0 && channels > kFewChannels) {
    runs.edges = 0;
    return runs;
  }
  runs.whole_rows = true;
  runs.first_inside = first;
  runs.end_inside = end;
  runs.taps = g.kernel[0] * g.kernel[1];
  runs.run = g.kernel[2] * channels;
  return runs;
}

int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

struct WorkspaceLayout {
  int64_t zeros;
  int64_t edges;
  int64_t end;
};

WorkspaceLayout layout_of(const ConvGeometry& g, const Runs& runs) {
  WorkspaceLayout layout;
  layout.zeros = aligned(runs.taps * static_cast<int64_t>(sizeof(Tap)));
  // Zeros for all groups: their offsets apply here too.
  layout.edges = layout.zeros + aligned(runs.run * g.groups * static_cast<int64_t>(sizeof(float)));
  const int64_t lines = g.batch * g.in[0] * g.in[1];
  layout.end =
      layout.edges + aligned(lines * runs.edges * runs.run * static_cast<int64_t>(sizeof(float)));
  return layout;
}

// copies[input line][edge][run]
void copy_edges(const ConvGeometry& g, const Runs& runs, const float* input, float* copies) {
  const int64_t channels = g.in_channels;
  const int64_t lines = g.batch * g.in[0] * g.in[1];
  for (int64_t line = 0; line < lines; ++line) {
    const float* from = input + line * g.in[2] * channels;
    for (int64_t edge = 0; edge < runs.edges; ++edge, copies += runs.run) {
      const int64_t w =
          edge < runs.first_inside ? edge : edge - runs.first_inside + runs.end_inside;
      const int64_t start = w * g.stride[2] - g.pad[2];
      const int64_t begin = std::clamp<int64_t>(-start, 0, g.kernel[2]);
      const int64_t end = std::clamp<int64_t>(g.in[2] - start, begin, g.kernel[2]);
      std::fill_n(copies, runs.run, 0.0f);
      if (end > begin)
        std::memcpy(copies + begin * channels, from + (start + begin) * channels,
                    sizeof(float) * static_cast<size_t>((end - begin) * channels));
    }
  }
}

// The rows functor of run_product.
struct ImplicitRows {
  const ConvGeometry& g;
  const Runs& runs;
  const float* input;
  const float* zeros;
  const float* edges;
  const Tap* taps;
  Spatial reach;  // of the last tap
  int64_t pixel_stride;

  void operator()(int64_t row, const RowTiles& tiles, int64_t tap, int64_t tap_count,
                  const float** to) const {
    int64_t w = row % g.out[2];
    const int64_t line = row / g.out[2];
    int64_t h = line % g.out[1];
    int64_t d = line / g.out[1] % g.out[0];
    int64_t image = line / (g.out[1] * g.out[0]);
    for (int64_t i = 0; i < tiles.count; ++i) {
      const int64_t count = tiles.height(i);
      for (int64_t r = 0; r < count; ++r) {
        find(image, {d, h, w}, tap, tap_count, count, to + r);
        if (++w == g.out[2]) {
          w = 0;
          if (++h == g.out[1]) {
            h = 0;
            if (++d == g.out[0]) {
              d = 0;
              ++image;
            }
          }
        }
      }
      to += count * tap_count;
    }
  }

  // The pointers of one output pixel, `step` apart.
  void find(int64_t image, const Spatial& pixel, int64_t tap, int64_t tap_count, int64_t step,
            const float** to) const {
    Spatial at;
    for (size_t i = 0; i < 3; ++i) at[i] = pixel[i] * g.stride[i] - g.pad[i];
    const int64_t line = (image * g.in[0] + at[0]) * g.in[1] + at[1];
    const bool lines_inside =
        at[0] >= 0 && at[0] + reach[0] < g.in[0] && at[1] >= 0 && at[1] + reach[1] < g.in[1];
    const Tap* one = taps + tap;
    const Tap* end = one + tap_count;
    if (runs.whole_rows) {
      const bool inside = pixel[2] >= runs.first_inside && pixel[2] < runs.end_inside;
      const int64_t edge =
          pixel[2] < runs.first_inside ? pixel[2] : pixel[2] - runs.end_inside + runs.first_inside;
      const float* first = inside ? input + (line * g.in[2] + at[2]) * pixel_stride
                                  : edges + (line * runs.edges + edge) * runs.run;
      const int64_t line_stride = inside ? g.in[2] * pixel_stride : runs.edges * runs.run;
      for (; one < end; ++one, to += step) {
        const bool valid = lines_inside || (within(at[0] + one->at[0], g.in[0]) &&
                                            within(at[1] + one->at[1], g.in[1]));
        *to = valid ? first + (one->at[0] * g.in[1] + one->at[1]) * line_stride : zeros;
      }
      return;
    }
    const float* first = input + (line * g.in[2] + at[2]) * pixel_stride;
    if (lines_inside && at[2] >= 0 && at[2] + reach[2] < g.in[2]) {
      for (; one < end; ++one, to += step) *to = first + one->offset;
      return;
    }
    for (; one < end; ++one, to += step) {
      const bool valid = within(at[0] + one->at[0], g.in[0]) &&
                         within(at[1] + one->at[1], g.in[1]) && within(at[2] + one->at[2], g.in[2]);
      *to = valid ? first + one->offset : zeros;
    }
  }

  static bool within(int64_t i, int64_t size) {
    return static_cast<uint64_t>(i) < static_cast<uint64_t>(size);
  }
};

}  // namespace

int64_t implicit_weights_size(const ProductKernels& kernels, const ConvGeometry& geometry) {
  const ConvGeometry g = with_merged_groups(kernels, geometry);
  return g.groups * panels_size(kernels, volume_of(g.kernel) * (g.in_channels / g.groups),
                                g.out_channels / g.groups);
}

void pack_implicit_weights(const ProductKernels& kernels, const ConvGeometry& geometry,
                           const float* weight, const float* channel_scale, float* packed) {
  const ConvGeometry g = with_merged_groups(kernels, geometry);
  const int64_t taps = volume_of(g.kernel);
  const int64_t own_in = geometry.in_channels / geometry.groups;
  const int64_t own_out = geometry.out_channels / geometry.groups;
  const int64_t merged = geometry.groups / g.groups;
  const int64_t in = g.in_channels / g.groups;
  const int64_t out = g.out_channels / g.groups;
  const int64_t depth = taps * in;
  // A panel at a time, its input channels brought behind each other within a tap.
  Workspace<float> turned(std::min<int64_t>(kernels.width, out) * depth);
  for (int64_t group = 0; group < g.groups; ++group) {
    for (int64_t first = 0; first < out; first += kernels.width) {
      const int64_t columns = std::min<int64_t>(kernels.width, out - first);
      if (merged > 1) std::fill_n(turned.data(), columns * depth, 0.0f);
      for (int64_t o = 0; o < columns; ++o) {
        const int64_t channel = group * out + first + o;
        const float* from = weight + channel * own_in * taps;
        float* to = turned.data() + o * depth + channel / own_out % merged * own_in;
        for (int64_t i = 0; i < own_in; ++i)
          for (int64_t t = 0; t < taps; ++t) to[t * in + i] = from[i * taps + t];
      }
      pack_panels(kernels, depth, columns, {turned.data(), 1, depth},
                  channel_scale ? channel_scale + group * out + first : nullptr, packed);
      packed += panels_size(kernels, depth, columns);
    }
  }
}

size_t implicit_workspace(const ProductKernels& kernels, const ConvGeometry& geometry) {
  const ConvGeometry g = with_merged_groups(kernels, geometry);
  // Which of the two is known with the memory.
  return static_cast<size_t>(
      std::max(layout_of(g, runs_of(g, false)).end, layout_of(g, runs_of(g, true)).end));
}

void conv_implicit(const ConvGeometry& geometry, const ProductKernels& kernels, const float* packed,
                   const float* input, int64_t in_pixel_stride, float* out,
                   int64_t out_pixel_stride, const Epilogue& epilogue, void* workspace) {
  const ConvGeometry g = with_merged_groups(kernels, geometry);
  const Runs runs = runs_of(g, in_pixel_stride == g.in_channels);
  const WorkspaceLayout layout = layout_of(g, runs);
  char* memory = static_cast<char*>(workspace);
  Tap* taps = reinterpret_cast<Tap*>(memory);
  float* zeros = reinterpret_cast<float*>(memory + layout.zeros);
  std::fill_n(zeros, runs.run * g.groups, 0.0f);

  float* edges = reinterpret_cast<float*>(memory + layout.edges);
  copy_edges(g, runs, input, edges);
  Tap* tap = taps;
  for (int64_t d = 0; d < g.kernel[0]; ++d) {
    for (int64_t h = 0; h < g.kernel[1]; ++h) {
      for (int64_t w = 0; w < (runs.whole_rows ? 1 : g.kernel[2]); ++w, ++tap) {
        tap->at = {d * g.dilation[0], h * g.dilation[1], w * g.dilation[2]};
        tap->offset =
            ((tap->at[0] * g.in[1] + tap->at[1]) * g.in[2] + tap->at[2]) * in_pixel_stride;
      }
    }
  }
  const ImplicitRows rows = {g, runs, input, zeros, edges, taps, (tap - 1)->at, in_pixel_stride};

  const Product product = {
      .kernels = &kernels,
      .m = g.batch * volume_of(g.out),
      .n = g.out_channels / g.groups,
      .taps = runs.taps,
      .run = runs.run,
      .panels = packed,
      .c = out,
      .c_stride = out_pixel_stride,
      .epilogue = &epilogue,
      .groups = g.groups,
      .group_step = g.in_channels / g.groups,
  };
  run_product(product, rows);
}

}  // namespace ingot

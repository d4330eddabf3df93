#include "kernels/conv_implicit.h"

#include <algorithm>
#include <cstring>

#include "base/thread_pool.h"
#include "kernels/product.h"
#include "kernels/workspace.h"

namespace ingot {

namespace {

// With at most this many channels a row of the kernel is one run of a padded copy of the input:
// the shorter runs of its taps would cost more than the copy.
constexpr int64_t kFewChannels = 16;

struct Tap {
  Spatial at;      // offset from the first tap's pixel
  int64_t offset;  // the same in floats
};

// How the rows of the product are found.
struct Runs {
  bool whole_rows;  // a tap is a row of the kernel
  bool padded;      // in a copy whose rows are padded in width
  int64_t taps;
  int64_t run;
  int64_t padded_width;
};

Runs runs_of(const ConvGeometry& g, bool dense_pixels) {
  const int64_t channels = g.in_channels / g.groups;
  Runs runs = {false, false, volume_of(g.kernel), channels, 0};
  if (g.groups != 1 || g.kernel[2] == 1 || g.dilation[2] != 1) return runs;
  const int64_t reach = (g.out[2] - 1) * g.stride[2] + g.kernel[2];
  const bool inside = g.pad[2] == 0 && reach <= g.in[2];
  if (!(inside && dense_pixels) && channels > kFewChannels) return runs;
  runs.whole_rows = true;
  runs.padded = !(inside && dense_pixels);
  runs.padded_width = std::max(reach, g.pad[2] + g.in[2]);
  runs.taps = g.kernel[0] * g.kernel[1];
  runs.run = g.kernel[2] * channels;
  return runs;
}

int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

struct WorkspaceLayout {
  int64_t zeros;
  int64_t padded;
  int64_t end;
};

WorkspaceLayout layout_of(const ConvGeometry& g, const Runs& runs) {
  WorkspaceLayout layout;
  layout.zeros = aligned(runs.taps * static_cast<int64_t>(sizeof(Tap)));
  layout.padded = layout.zeros + aligned(runs.run * static_cast<int64_t>(sizeof(float)));
  const int64_t copy = runs.padded ? g.batch * g.in[0] * g.in[1] * runs.padded_width *
                                         g.in_channels * static_cast<int64_t>(sizeof(float))
                                   : 0;
  layout.end = layout.padded + aligned(copy);
  return layout;
}

void copy_padded(const ConvGeometry& g, const Runs& runs, const float* input,
                 int64_t in_pixel_stride, float* copy) {
  const int64_t c = g.in_channels;
  const int64_t row = runs.padded_width * c;
  const int64_t grain = std::max<int64_t>(1, (1 << 14) / std::max<int64_t>(row, 1));
  parallel_for(0, g.batch * g.in[0] * g.in[1], grain, [&](int64_t first, int64_t last) {
    for (int64_t line = first; line < last; ++line) {
      float* to = copy + line * row;
      const float* from = input + line * g.in[2] * in_pixel_stride;
      std::fill_n(to, g.pad[2] * c, 0.0f);
      to += g.pad[2] * c;
      if (in_pixel_stride == c) {
        std::memcpy(to, from, sizeof(float) * static_cast<size_t>(g.in[2] * c));
      } else {
        for (int64_t x = 0; x < g.in[2]; ++x)
          std::memcpy(to + x * c, from + x * in_pixel_stride,
                      sizeof(float) * static_cast<size_t>(c));
      }
      std::fill(to + g.in[2] * c, copy + (line + 1) * row, 0.0f);
    }
  });
}

// The rows functor of run_product.
struct ImplicitRows {
  const float* input;
  const float* zeros;
  const Tap* taps;
  Spatial in;  // as stored: the width includes the padding of a copy
  Spatial out;
  Spatial stride;
  Spatial pad;
  Spatial reach;  // of the last tap
  int64_t pixel_stride;
  int64_t group_stride;

  void operator()(int64_t group, int64_t row, int count, int64_t tap, int64_t tap_count,
                  const float** to) const {
    int64_t w = row % out[2];
    const int64_t line = row / out[2];
    int64_t h = line % out[1];
    const int64_t volume = line / out[1];
    int64_t d = volume % out[0];
    int64_t image = volume / out[0];
    const float* group_input = input + group * group_stride;
    for (int r = 0; r < count; ++r) {
      const Spatial at = {d * stride[0] - pad[0], h * stride[1] - pad[1], w * stride[2] - pad[2]};
      const int64_t origin =
          (((image * in[0] + at[0]) * in[1] + at[1]) * in[2] + at[2]) * pixel_stride;
      const bool inside = at[0] >= 0 && at[0] + reach[0] < in[0] && at[1] >= 0 &&
                          at[1] + reach[1] < in[1] && at[2] >= 0 && at[2] + reach[2] < in[2];
      if (inside) {
        for (int64_t t = 0; t < tap_count; ++t)
          to[t * count + r] = group_input + (origin + taps[tap + t].offset);
      } else {
        for (int64_t t = 0; t < tap_count; ++t) {
          const Tap& one = taps[tap + t];
          const bool valid = within(at[0] + one.at[0], in[0]) && within(at[1] + one.at[1], in[1]) &&
                             within(at[2] + one.at[2], in[2]);
          to[t * count + r] = valid ? group_input + (origin + one.offset) : zeros;
        }
      }
      if (++w == out[2]) {
        w = 0;
        if (++h == out[1]) {
          h = 0;
          if (++d == out[0]) {
            d = 0;
            ++image;
          }
        }
      }
    }
  }

  static bool within(int64_t i, int64_t size) {
    return static_cast<uint64_t>(i) < static_cast<uint64_t>(size);
  }
};

}  // namespace

int64_t implicit_weights_size(const ProductKernels& kernels, const ConvGeometry& g) {
  return g.groups * panels_size(kernels, volume_of(g.kernel) * (g.in_channels / g.groups),
                                g.out_channels / g.groups);
}

void pack_implicit_weights(const ProductKernels& kernels, const ConvGeometry& g,
                           const float* weight, const float* channel_scale, float* packed) {
  const int64_t taps = volume_of(g.kernel);
  const int64_t in = g.in_channels / g.groups;
  const int64_t out = g.out_channels / g.groups;
  const int64_t depth = taps * in;
  // A panel at a time, its channels brought behind each other within a tap.
  const int64_t most = std::min<int64_t>(kernels.width, out);
  Workspace<float> turned(taps == 1 ? 0 : most * depth);
  for (int64_t group = 0; group < g.groups; ++group) {
    for (int64_t first = 0; first < out; first += kernels.width) {
      const int64_t columns = std::min<int64_t>(kernels.width, out - first);
      const int64_t channel = group * out + first;
      const float* from = weight + channel * depth;
      if (taps > 1) {
        for (int64_t o = 0; o < columns; ++o)
          for (int64_t i = 0; i < in; ++i)
            for (int64_t t = 0; t < taps; ++t)
              turned[(o * taps + t) * in + i] = from[(o * in + i) * taps + t];
        from = turned.data();
      }
      pack_panels(kernels, depth, columns, {from, 1, depth},
                  channel_scale ? channel_scale + channel : nullptr, packed);
      packed += panels_size(kernels, depth, columns);
    }
  }
}

size_t implicit_workspace(const ConvGeometry& g) {
  // Pixels that do not lie behind each other may need a copy that others do not.
  return static_cast<size_t>(
      std::max(layout_of(g, runs_of(g, false)).end, layout_of(g, runs_of(g, true)).end));
}

void conv_implicit(const ConvGeometry& g, const ProductKernels& kernels, const float* packed,
                   const float* input, int64_t in_pixel_stride, float* out,
                   int64_t out_pixel_stride, const Epilogue& epilogue, void* workspace) {
  const Runs runs = runs_of(g, in_pixel_stride == g.in_channels);
  const WorkspaceLayout layout = layout_of(g, runs);
  char* memory = static_cast<char*>(workspace);
  Tap* taps = reinterpret_cast<Tap*>(memory);
  float* zeros = reinterpret_cast<float*>(memory + layout.zeros);
  std::fill_n(zeros, runs.run, 0.0f);

  ImplicitRows rows = {};
  rows.input = input;
  rows.zeros = zeros;
  rows.taps = taps;
  rows.in = g.in;
  rows.out = g.out;
  rows.stride = g.stride;
  rows.pad = g.pad;
  rows.pixel_stride = in_pixel_stride;
  rows.group_stride = g.in_channels / g.groups;
  if (runs.padded) {
    float* copy = reinterpret_cast<float*>(memory + layout.padded);
    copy_padded(g, runs, input, in_pixel_stride, copy);
    rows.input = copy;
    rows.in[2] = runs.padded_width;
    rows.pad[2] = 0;
    rows.pixel_stride = g.in_channels;
  }
  Tap* tap = taps;
  for (int64_t d = 0; d < g.kernel[0]; ++d) {
    for (int64_t h = 0; h < g.kernel[1]; ++h) {
      for (int64_t w = 0; w < (runs.whole_rows ? 1 : g.kernel[2]); ++w, ++tap) {
        tap->at = {d * g.dilation[0], h * g.dilation[1], w * g.dilation[2]};
        tap->offset =
            ((tap->at[0] * rows.in[1] + tap->at[1]) * rows.in[2] + tap->at[2]) * rows.pixel_stride;
        rows.reach = tap->at;
      }
    }
  }

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
  };
  run_product(product, rows);
}

}  // namespace ingot

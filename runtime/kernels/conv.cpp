#include "kernels/conv.h"

#include <algorithm>
#include <complex>
#include <cstring>

#include "base/thread_pool.h"
#include "kernels/arithmetic.h"
#include "kernels/gemm.h"
#include "kernels/workspace.h"

namespace ingot {

namespace {

// Elements of an im2col tile: a few columns of the widest layers, in bounded memory.
constexpr int64_t kTileElements = 1 << 18;
constexpr int64_t kWorkPerThread = 1 << 17;

int64_t input_channels_per_group(const ConvGeometry& g) { return g.in_channels / g.groups; }
int64_t output_channels_per_group(const ConvGeometry& g) { return g.out_channels / g.groups; }

// Positions per tile of `depth` elements each: bounded memory, and several tiles per thread.
int64_t tile_positions(int64_t positions, int64_t depth, int64_t products) {
  const int64_t limit = std::max<int64_t>(kTileElements / std::max<int64_t>(depth, 1), 32);
  const int64_t pieces = std::max<int64_t>(1, 2 * pool_threads() / std::max<int64_t>(products, 1));
  const int64_t wanted = pool_threads() == 1 ? positions : (positions + pieces - 1) / pieces;
  return std::min({limit, std::max<int64_t>((wanted + 31) / 32 * 32, 128), positions});
}

bool is_pointwise(const ConvGeometry& g) {
  for (int d = 0; d < 3; ++d)
    if (g.kernel[d] != 1 || g.stride[d] != 1 || g.pad[d] != 0 || g.in[d] != g.out[d]) return false;
  return true;
}

// Calls body(od, oh, ow, count) for the rows of output positions that [begin, end) crosses.
template <class Body>
void for_each_row(const Spatial& out, int64_t begin, int64_t end, Body&& body) {
  while (begin < end) {
    const int64_t ow = begin % out[2];
    const int64_t oh = begin / out[2] % out[1];
    const int64_t od = begin / (out[2] * out[1]);
    const int64_t count = std::min(out[2] - ow, end - begin);
    body(od, oh, ow, count);
    begin += count;
  }
}

// columns[channel · kernel volume, end - begin]: what each weight meets at output positions
// [begin, end).
template <class T>
void gather_columns(const ConvGeometry& g, int64_t channels, const T* input, int64_t begin,
                    int64_t end, T* columns) {
  const int64_t plane = volume_of(g.in);
  for (int64_t channel = 0; channel < channels; ++channel) {
    const T* image = input + channel * plane;
    for (int64_t kd = 0; kd < g.kernel[0]; ++kd) {
      for (int64_t kh = 0; kh < g.kernel[1]; ++kh) {
        for (int64_t kw = 0; kw < g.kernel[2]; ++kw) {
          const int64_t offset_w = g.pad[2] - kw * g.dilation[2];
          const SpatialRange valid = positions_inside(g.in[2], g.stride[2], offset_w, g.out[2]);
          for_each_row(g.out, begin, end, [&](int64_t od, int64_t oh, int64_t ow, int64_t count) {
            const int64_t d = od * g.stride[0] - g.pad[0] + kd * g.dilation[0];
            const int64_t h = oh * g.stride[1] - g.pad[1] + kh * g.dilation[1];
            T* to = columns;
            columns += count;
            if (d < 0 || d >= g.in[0] || h < 0 || h >= g.in[1]) {
              std::fill_n(to, count, T(0));
              return;
            }
            const int64_t first = std::clamp(valid.begin, ow, ow + count);
            const int64_t last = std::clamp(valid.end, first, ow + count);
            std::fill(to, to + (first - ow), T(0));
            const T* from = image + (d * g.in[1] + h) * g.in[2] - offset_w;
            if (g.stride[2] == 1) {
              if (last > first)
                std::memcpy(to + (first - ow), from + first,
                            sizeof(T) * static_cast<size_t>(last - first));
            } else {
              for (int64_t w = first; w < last; ++w) to[w - ow] = from[w * g.stride[2]];
            }
            std::fill(to + (last - ow), to + count, T(0));
          });
        }
      }
    }
  }
}

// The transpose of gather_columns: adds columns of positions of g.out to an image of g.in.
template <class T>
void scatter_columns(const ConvGeometry& g, int64_t channels, const T* columns, int64_t begin,
                     int64_t end, T* image) {
  using S = ArithmeticOf<T>;
  const int64_t plane = volume_of(g.in);
  for (int64_t channel = 0; channel < channels; ++channel) {
    for (int64_t kd = 0; kd < g.kernel[0]; ++kd) {
      for (int64_t kh = 0; kh < g.kernel[1]; ++kh) {
        for (int64_t kw = 0; kw < g.kernel[2]; ++kw) {
          const int64_t offset_w = g.pad[2] - kw * g.dilation[2];
          const SpatialRange valid = positions_inside(g.in[2], g.stride[2], offset_w, g.out[2]);
          for_each_row(g.out, begin, end, [&](int64_t od, int64_t oh, int64_t ow, int64_t count) {
            const int64_t d = od * g.stride[0] - g.pad[0] + kd * g.dilation[0];
            const int64_t h = oh * g.stride[1] - g.pad[1] + kh * g.dilation[1];
            const T* from = columns;
            columns += count;
            if (d < 0 || d >= g.in[0] || h < 0 || h >= g.in[1]) return;
            const int64_t first = std::clamp(valid.begin, ow, ow + count);
            const int64_t last = std::clamp(valid.end, first, ow + count);
            T* to = image + channel * plane + (d * g.in[1] + h) * g.in[2] - offset_w;
            for (int64_t w = first; w < last; ++w)
              to[w * g.stride[2]] = static_cast<T>(static_cast<S>(to[w * g.stride[2]]) +
                                                   static_cast<S>(from[w - ow]));
          });
        }
      }
    }
  }
}

// One input channel per group: every output channel is a sum of shifted, scaled rows.
template <class T>
void convolve_depthwise(const ConvGeometry& g, const T* input, const T* weight, const T* bias,
                        T* out) {
  using S = ArithmeticOf<T>;
  const int64_t in_plane = volume_of(g.in);
  const int64_t out_plane = volume_of(g.out);
  const int64_t taps = volume_of(g.kernel);
  const int64_t multiplier = output_channels_per_group(g);
  const int64_t grain = std::max<int64_t>(1, kWorkPerThread / (out_plane * taps + 1));
  parallel_for(0, g.batch * g.out_channels, grain, [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; ++plane) {
      const int64_t image = plane / g.out_channels;
      const int64_t channel = plane % g.out_channels;
      const T* from = input + (image * g.in_channels + channel / multiplier) * in_plane;
      const T* taps_of_channel = weight + channel * taps;
      T* to = out + plane * out_plane;
      std::fill_n(to, out_plane, bias ? bias[channel] : T(0));
      for (int64_t od = 0; od < g.out[0]; ++od) {
        for (int64_t oh = 0; oh < g.out[1]; ++oh) {
          T* row = to + (od * g.out[1] + oh) * g.out[2];
          const T* tap = taps_of_channel;
          for (int64_t kd = 0; kd < g.kernel[0]; ++kd) {
            const int64_t d = od * g.stride[0] - g.pad[0] + kd * g.dilation[0];
            for (int64_t kh = 0; kh < g.kernel[1]; ++kh) {
              const int64_t h = oh * g.stride[1] - g.pad[1] + kh * g.dilation[1];
              if (d < 0 || d >= g.in[0] || h < 0 || h >= g.in[1]) {
                tap += g.kernel[2];
                continue;
              }
              for (int64_t kw = 0; kw < g.kernel[2]; ++kw, ++tap) {
                const int64_t offset = g.pad[2] - kw * g.dilation[2];
                const SpatialRange valid = positions_inside(g.in[2], g.stride[2], offset, g.out[2]);
                const T* line = from + (d * g.in[1] + h) * g.in[2] - offset;
                const S w = static_cast<S>(*tap);
                if (g.stride[2] == 1) {
                  for (int64_t x = valid.begin; x < valid.end; ++x)
                    row[x] = static_cast<T>(static_cast<S>(row[x]) + w * static_cast<S>(line[x]));
                } else {
                  for (int64_t x = valid.begin; x < valid.end; ++x)
                    row[x] = static_cast<T>(static_cast<S>(row[x]) +
                                            w * static_cast<S>(line[x * g.stride[2]]));
                }
              }
            }
          }
        }
      }
    }
  });
}

}  // namespace

template <class T>
void convolve(const ConvGeometry& g, const T* input, const T* weight, const T* bias, T* out) {
  const int64_t in_channels = input_channels_per_group(g);
  const int64_t out_channels = output_channels_per_group(g);
  if (in_channels == 1 && g.groups > 1) return convolve_depthwise(g, input, weight, bias, out);
  const int64_t in_plane = volume_of(g.in);
  const int64_t positions = volume_of(g.out);
  const int64_t depth = in_channels * volume_of(g.kernel);
  const int64_t products = g.batch * g.groups;
  if (products * positions * out_channels == 0) return;
  const bool pointwise = is_pointwise(g);
  const int64_t tile = tile_positions(positions, depth, products);
  const int64_t tiles = (positions + tile - 1) / tile;
  const int64_t grain = std::max<int64_t>(1, kWorkPerThread / (tile * depth * out_channels + 1));
  parallel_for(0, products * tiles, grain, [&](int64_t first, int64_t last) {
    Workspace<T> columns(pointwise ? 0 : depth * tile);
    for (int64_t task = first; task < last; ++task) {
      const int64_t product = task / tiles;
      const int64_t group = product % g.groups;
      const int64_t begin = task % tiles * tile;
      const int64_t count = std::min(tile, positions - begin);
      const T* image = input + product * in_channels * in_plane;
      MatrixView<T> operand = {image + begin, positions, 1};
      if (!pointwise) {
        gather_columns(g, in_channels, image, begin, begin + count, columns.data());
        operand = {columns.data(), count, 1};
      }
      gemm<T>(out_channels, count, depth, {weight + group * out_channels * depth, depth, 1},
              operand, out + product * out_channels * positions + begin, positions,
              {T(1), T(0), bias ? bias + group * out_channels : nullptr, nullptr});
    }
  });
}

template <class T>
void convolve_transposed(const ConvGeometry& g, const T* input, const T* weight, const T* bias,
                         T* out) {
  const int64_t in_channels = input_channels_per_group(g);
  const int64_t out_channels = output_channels_per_group(g);
  const int64_t out_plane = volume_of(g.out);
  const int64_t positions = volume_of(g.in);
  const int64_t height = out_channels * volume_of(g.kernel);
  const int64_t products = g.batch * g.groups;
  if (products * out_plane * out_channels == 0) return;
  // The convolution that this one transposes goes from g.out to g.in.
  ConvGeometry forward = g;
  std::swap(forward.in, forward.out);
  const int64_t tile =
      std::clamp<int64_t>(kTileElements / height, 32, std::max<int64_t>(positions, 32));
  const int64_t grain =
      std::max<int64_t>(1, kWorkPerThread / (positions * height * in_channels + 1));
  parallel_for(0, products, grain, [&](int64_t first, int64_t last) {
    Workspace<T> columns(height * tile);
    for (int64_t product = first; product < last; ++product) {
      const int64_t group = product % g.groups;
      T* image = out + product * out_channels * out_plane;
      for (int64_t channel = 0; channel < out_channels; ++channel)
        std::fill_n(image + channel * out_plane, out_plane,
                    bias ? bias[group * out_channels + channel] : T(0));
      for (int64_t begin = 0; begin < positions; begin += tile) {
        const int64_t count = std::min(tile, positions - begin);
        gemm<T>(height, count, in_channels, {weight + group * in_channels * height, 1, height},
                {input + product * in_channels * positions + begin, positions, 1}, columns.data(),
                count);
        scatter_columns(forward, out_channels, columns.data(), begin, begin + count, image);
      }
    }
  });
}

#define INGOT_CONV(T)                                                            \
  template void convolve(const ConvGeometry&, const T*, const T*, const T*, T*); \
  template void convolve_transposed(const ConvGeometry&, const T*, const T*, const T*, T*)
INGOT_CONV(float);
INGOT_CONV(double);
INGOT_CONV(int64_t);
INGOT_CONV(std::complex<float>);
INGOT_CONV(std::complex<double>);
#undef INGOT_CONV

}  // namespace ingot

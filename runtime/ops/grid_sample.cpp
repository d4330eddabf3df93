// aten::grid_sampler_2d and 3d: an input read at the places that a grid names.
#include <array>
#include <cmath>
#include <limits>

#include <ingot/op.h>
#include "base/thread_pool.h"
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/spatial.h"

namespace ingot {
namespace {

enum class Sampling { linear, nearest, cubic };
enum class Outside { zeros, border, reflection };

struct Options {
  Sampling sampling;
  Outside outside;
  bool align_corners;
};

// -1 to 1 as a position; pixels are points (align_corners) or areas.
template <class T>
T unnormalized(T place, int64_t size, bool align_corners) {
  const T extent = static_cast<T>(size);
  return align_corners ? (place + 1) / 2 * (extent - 1) : ((place + 1) * extent - 1) / 2;
}

template <class T>
T clipped(T position, int64_t size) {
  return std::min(static_cast<T>(size - 1), std::max(position, T(0)));
}

// Thrown back and forth between low / 2 and high / 2.
template <class T>
T reflected(T position, int64_t low, int64_t high) {
  if (low == high) return 0;
  const T least = static_cast<T>(low) / 2;
  const T span = static_cast<T>(high - low) / 2;
  const T distance = std::abs(position - least);
  const T rest = std::fmod(distance, span);
  const bool forward = std::fmod(std::floor(distance / span), T(2)) == 0;
  return forward ? rest + least : span - rest + least;
}

// A position moved inside, as the rule for those outside says.
template <class T>
T inside(T position, int64_t size, const Options& options) {
  if (options.outside == Outside::zeros) return position;
  if (options.outside == Outside::reflection)
    position = options.align_corners ? reflected(position, 0, 2 * (size - 1))
                                     : reflected(position, -1, 2 * size - 1);
  return clipped(position, size);
}

// The pixel at a whole position; -1: none.
template <class T>
int64_t pixel(T position, int64_t size) {
  return position >= 0 && position < static_cast<T>(size) ? static_cast<int64_t>(position) : -1;
}

// The pixels of one axis that a position reads, and their weights.
template <class T>
struct Taps {
  int count;
  std::array<int64_t, 4> pixels;
  std::array<T, 4> weights;
};

// Convolution with Keys' kernel, a = -0.75.
template <class T>
std::array<T, 4> cubic_weights(T t) {
  constexpr T a = T(-0.75);
  const auto near = [](T x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
  const auto far = [](T x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  return {far(t + 1), near(t), near(1 - t), far(2 - t)};
}

template <class T>
Taps<T> taps_of(T place, int64_t size, const Options& options) {
  T position = unnormalized(place, size, options.align_corners);
  if (options.sampling == Sampling::cubic) {
    const T first = std::floor(position);
    Taps<T> taps{4, {}, cubic_weights(position - first)};
    for (int k = 0; k < 4; ++k)
      taps.pixels[static_cast<size_t>(k)] =
          pixel(inside(first + static_cast<T>(k - 1), size, options), size);
    return taps;
  }
  position = inside(position, size, options);
  if (options.sampling == Sampling::nearest)
    return {1, {pixel(std::nearbyint(position), size)}, {T(1)}};
  const T first = std::floor(position);
  const T part = position - first;
  return {2, {pixel(first, size), pixel(first + 1, size)}, {1 - part, part}};
}

// input: [batch, channels, sizes], grid: [batch, points, kRank] (x first), out: [batch, channels,
// points].
template <int kRank, class T>
void sample(const T* input, const T* grid, T* out, int64_t batch, int64_t channels, int64_t points,
            const Spatial& sizes, const Options& options) {
  const int64_t volume = sizes[0] * sizes[1] * sizes[2];
  parallel_for(0, batch * points, 256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      std::array<Taps<T>, 3> taps;
      taps[0] = {1, {0}, {T(1)}};
      for (int d = 0; d < kRank; ++d) {
        const auto axis = static_cast<size_t>(2 - d);
        taps[axis] = taps_of(grid[i * kRank + d], sizes[axis], options);
      }
      const T* from = input + i / points * channels * volume;
      T* to = out + i / points * channels * points + i % points;
      for (int64_t c = 0; c < channels; ++c, from += volume, to += points) {
        T sum = 0;
        for (size_t z = 0; z < static_cast<size_t>(taps[0].count); ++z)
          for (size_t y = 0; y < static_cast<size_t>(taps[1].count); ++y)
            for (size_t x = 0; x < static_cast<size_t>(taps[2].count); ++x) {
              const int64_t pz = taps[0].pixels[z], py = taps[1].pixels[y], px = taps[2].pixels[x];
              if ((pz | py | px) < 0) continue;
              sum += from[(pz * sizes[1] + py) * sizes[2] + px] *
                     (taps[0].weights[z] * taps[1].weights[y] * taps[2].weights[x]);
            }
        *to = sum;
      }
    }
  });
}

template <int kRank>
TensorInfo grid_sampler_meta(const Tensor& input, const Tensor& grid, int64_t interpolation_mode,
                             int64_t padding_mode, bool) {
  INGOT_CHECK(input.rank() == kRank + 2 && is_floating(input.dtype()), "the input must have ",
              kRank + 2, " dimensions and a floating-point dtype, got ", input);
  INGOT_CHECK(grid.rank() == kRank + 2 && grid.dtype() == input.dtype() &&
                  grid.size(kRank + 1) == kRank && grid.size(0) == input.size(0),
              "the grid must have the input's batch size ", input.size(0), " and dtype, and ",
              kRank, " coordinates in its last dimension, got ", grid);
  INGOT_CHECK(interpolation_mode >= 0 && interpolation_mode <= (kRank == 2 ? 2 : 1),
              "interpolation mode ", interpolation_mode, " is not defined for ", kRank,
              " dimensions: use 0 (bilinear) or 1 (nearest)", kRank == 2 ? " or 2 (bicubic)" : "");
  INGOT_CHECK(padding_mode >= 0 && padding_mode <= 2, "padding mode ", padding_mode,
              " is unknown: use 0 (zeros), 1 (border) or 2 (reflection)");
  Dims sizes = {input.size(0), input.size(1)};
  for (int d = 0; d < kRank; ++d) {
    INGOT_CHECK(input.size(d + 2) > 0, "the input ", input, " has no pixels");
    sizes.push_back(grid.size(d + 1));
  }
  return {input.dtype(), sizes};
}
template <int kRank>
void grid_sampler(const Tensor& input, const Tensor& grid, int64_t interpolation_mode,
                  int64_t padding_mode, bool align_corners, Tensor& out) {
  if (out.numel() == 0) return;
  const Options options{static_cast<Sampling>(interpolation_mode),
                        static_cast<Outside>(padding_mode), align_corners};
  const DType compute = compute_dtype(input.dtype());
  const Tensor pixels = as_dense(input, compute);
  const Tensor places = as_dense(grid, compute);
  ComputeOutput result(out);
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    sample<kRank>(pixels.data<T>(), places.data<T>(), result.data<T>(), input.size(0),
                  input.size(1), out.numel() / (input.size(0) * input.size(1)),
                  spatial_sizes(input.sizes(), kRank), options);
  });
  result.store();
}

INGOT_OP(
    "aten::grid_sampler_2d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, "
    "bool align_corners) -> Tensor",
    Structured<grid_sampler_meta<2>, grid_sampler<2>>);
INGOT_OP(
    "aten::grid_sampler_3d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, "
    "bool align_corners) -> Tensor",
    Structured<grid_sampler_meta<3>, grid_sampler<3>>);

}  // namespace
}  // namespace ingot

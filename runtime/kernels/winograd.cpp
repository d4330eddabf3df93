#include "kernels/winograd.h"

#include <algorithm>

#include "base/thread_pool.h"
#include "kernels/product.h"
#include "kernels/winograd_points.h"
#include "kernels/workspace.h"

namespace ingot {

namespace {

constexpr int kMostSide = 6;
constexpr int64_t kMostTiles = 64;
// Room for the blocks of several threads where tiles are small.
constexpr int64_t kSharedBytes = 4 << 20;
// So that equal blocks for up to as many threads can be rounded up.
constexpr int64_t kSpareTiles = 16;

// Rows of G: what turns a kernel's three weights into the factors of the products, the powers of
// each point over the product of its differences to the others.
struct WeightTransform {
  int side;
  float rows[kMostSide][3];
};

WeightTransform weight_transform(int outputs) {
  using namespace winograd;
  if (outputs == 2) return {4, {{1, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.5f, -0.5f, 0.5f}, {0, 0, 1}}};
  const double na = 2 * kA2 * (kA2 - kB2);
  const double nb = 2 * kB2 * (kB2 - kA2);
  const double rows[kMostSide][3] = {{1 / (kA2 * kB2), 0, 0},      {1 / na, kA / na, kA2 / na},
                                     {1 / na, -kA / na, kA2 / na}, {1 / nb, kB / nb, kB2 / nb},
                                     {1 / nb, -kB / nb, kB2 / nb}, {0, 0, 1}};
  WeightTransform transform = {kMostSide, {}};
  for (int i = 0; i < kMostSide; ++i)
    for (int j = 0; j < 3; ++j) transform.rows[i][j] = static_cast<float>(rows[i][j]);
  return transform;
}

// How the tiles are processed.
struct Plan {
  int outputs;
  int side;
  int64_t tile_rows;  // of an image
  int64_t tile_columns;
  int64_t tiles;
  int64_t block;  // tiles at a time
  int64_t lanes;  // blocks at a time, by different threads
  // Tiles that the workspace holds. All but this and the strides between tiles depends on the
  // number of threads, which may change after the workspace was made.
  int64_t capacity;
  // Strides in floats: between tiles of one product and between products.
  int64_t in_tile;
  int64_t in_step;
  int64_t out_tile;
  int64_t out_step;
  int64_t lane_floats;
};

// Most floats that the rounding of a block's steps adds for each of its products.
constexpr int64_t kRounding = 32;

int64_t workspace_floats(const Plan& p) {
  return p.side * p.side * p.capacity * (p.in_tile + p.out_tile + kRounding);
}

// Rows a large power of two apart would share cache sets.
int64_t spread(int64_t floats) {
  const int64_t rounded = divide_up(floats, 16) * 16;
  return rounded % 256 == 0 ? rounded + 16 : rounded;
}

Plan plan_of(int outputs, const WinogradKernels& kernels, const ConvGeometry& g) {
  Plan p;
  p.outputs = outputs;
  p.side = outputs + 2;
  p.tile_rows = divide_up(g.out[1], outputs);
  p.tile_columns = divide_up(g.out[2], outputs);
  p.tiles = g.batch * g.out[0] * p.tile_rows * p.tile_columns;
  const int64_t products = p.side * p.side;
  p.in_tile = spread(g.in_channels);
  p.out_tile = spread(g.out_channels);
  // A block that stays in cache reads the weights once for few tiles; a large one reads them
  // less often but moves transformed tiles out of the cache and back. Bytes per tile decide.
  const int64_t tile_bytes = products * (p.in_tile + p.out_tile) * 4;
  const int64_t weight_bytes = products * g.in_channels * g.out_channels * 4;
  const int64_t fitting =
      std::clamp<int64_t>(kernels.cache_bytes / tile_bytes / 6 * 6, 6, kMostTiles);
  const int64_t small_cost = weight_bytes / fitting;
  const int64_t large_cost = weight_bytes / kMostTiles + 2 * tile_bytes;
  p.block = small_cost <= large_cost ? fitting : kMostTiles;
  p.capacity = std::min(std::max(kSharedBytes / tile_bytes, 2 * p.block), p.tiles + kSpareTiles);
  // As many blocks for every thread, of equal sizes.
  const int64_t threads = std::clamp<int64_t>(pool_threads(), 1, p.capacity);
  const int64_t most = std::min(p.block, p.capacity / threads);
  const int64_t blocks = divide_up(divide_up(p.tiles, most), threads) * threads;
  p.block = std::max<int64_t>(divide_up(p.tiles, std::max<int64_t>(blocks, 1)), 1);
  p.lanes = std::clamp<int64_t>(divide_up(p.tiles, p.block), 1, threads);
  // An odd number of cache lines apart, the products of a tile spread over the cache's sets.
  p.in_step = (p.block * p.in_tile / 16 | 1) * 16;
  p.out_step = (p.block * p.out_tile / 16 | 1) * 16;
  p.lane_floats = products * (p.in_step + p.out_step);
  return p;
}

// The pieces of Winograd's convolution of one layer, shared by the threads.
struct Layer {
  const ConvGeometry& g;
  const Plan& plan;
  const ProductKernels& product;
  const WinogradKernels::Transforms& transforms;
  const float* packed;
  const float* input;
  int64_t in_pixel_stride;
  float* out;
  int64_t out_pixel_stride;
  const Epilogue& epilogue;
  const float* zeros;

  struct Place {
    int64_t image;
    int64_t row;  // of the output
    int64_t column;
  };
  Place place(int64_t tile) const {
    const int64_t line = tile / plan.tile_columns;
    return {line / plan.tile_rows, line % plan.tile_rows * plan.outputs,
            tile % plan.tile_columns * plan.outputs};
  }

  void transform_input(int64_t tile, float* to) const {
    const Place at = place(tile);
    const float* pixels[kMostSide * kMostSide];
    const float* image = input + at.image * g.in[1] * g.in[2] * in_pixel_stride;
    const int64_t column0 = at.column - g.pad[2];
    for (int y = 0; y < plan.side; ++y) {
      const int64_t row = at.row - g.pad[1] + y;
      const float** of_row = pixels + y * plan.side;
      if (row < 0 || row >= g.in[1]) {
        std::fill_n(of_row, plan.side, zeros);
        continue;
      }
      for (int x = 0; x < plan.side; ++x) {
        const int64_t column = column0 + x;
        of_row[x] = column >= 0 && column < g.in[2]
                        ? image + (row * g.in[2] + column) * in_pixel_stride
                        : zeros;
      }
    }
    transforms.input({pixels, g.in_channels, to, plan.in_step});
  }

  void transform_output(int64_t tile, const float* from) const {
    const Place at = place(tile);
    const int64_t pixel = (at.image * g.out[1] + at.row) * g.out[2] + at.column;
    WinogradOutput t;
    t.from = from;
    t.step = plan.out_step;
    t.channels = g.out_channels;
    t.rows = static_cast<int>(std::min<int64_t>(plan.outputs, g.out[1] - at.row));
    t.columns = static_cast<int>(std::min<int64_t>(plan.outputs, g.out[2] - at.column));
    t.out = out + pixel * out_pixel_stride;
    t.out_row = g.out[2] * out_pixel_stride;
    t.out_pixel = out_pixel_stride;
    t.bias = epilogue.bias;
    t.residual = epilogue.residual ? epilogue.residual + pixel * epilogue.residual_stride : nullptr;
    t.residual_row = g.out[2] * epilogue.residual_stride;
    t.residual_pixel = epilogue.residual_stride;
    t.low = epilogue.low;
    t.high = epilogue.high;
    transforms.output(t);
  }

  // Shows the outputs of tiles [first, last) of one line of tiles to the epilogue.
  void show(int64_t first, int64_t last) const {
    const Place at = place(first);
    const int64_t columns = std::min((last - first) * plan.outputs, g.out[2] - at.column);
    const int64_t rows = std::min<int64_t>(plan.outputs, g.out[1] - at.row);
    const int64_t pixel = (at.image * g.out[1] + at.row) * g.out[2] + at.column;
    if (columns == g.out[2]) {
      epilogue.then(epilogue.context, pixel, rows * columns, 0, g.out_channels);
    } else {
      for (int64_t y = 0; y < rows; ++y)
        epilogue.then(epilogue.context, pixel + y * g.out[2], columns, 0, g.out_channels);
    }
  }

  void make(int64_t first, int64_t last, float* memory) const {
    const int64_t products = plan.side * plan.side;
    float* sums = memory + products * plan.in_step;
    for (int64_t tile = first; tile < last; ++tile)
      transform_input(tile, memory + (tile - first) * plan.in_tile);
    const int64_t panels = panels_size(product, g.in_channels, g.out_channels);
    for (int64_t i = 0; i < products; ++i)
      product_on_this_thread(product, last - first, g.out_channels, g.in_channels,
                             memory + i * plan.in_step, plan.in_tile, packed + i * panels,
                             sums + i * plan.out_step, plan.out_tile);
    for (int64_t tile = first; tile < last; ++tile)
      transform_output(tile, sums + (tile - first) * plan.out_tile);
    if (epilogue.then) {
      for (int64_t tile = first; tile < last;) {
        const int64_t end_of_line = (tile / plan.tile_columns + 1) * plan.tile_columns;
        const int64_t end = std::min(last, end_of_line);
        show(tile, end);
        tile = end;
      }
    }
  }
};

}  // namespace

bool winograd_fits(const ConvGeometry& g) {
  if (g.groups != 1 || g.in[0] != g.out[0]) return false;
  const Spatial kernel = {1, 3, 3};
  const Spatial ones = {1, 1, 1};
  return g.kernel == kernel && g.stride == ones && g.dilation == ones && g.pad[0] == 0;
}

int64_t winograd_weights_size(int outputs, const ProductKernels& product, const ConvGeometry& g) {
  return (outputs + 2) * (outputs + 2) * panels_size(product, g.in_channels, g.out_channels);
}

void pack_winograd_weights(int outputs, const ProductKernels& product,
                           const WinogradKernels& kernels, const ConvGeometry& g,
                           const float* weight, const float* channel_scale, float* packed) {
  const WeightTransform transform = weight_transform(outputs);
  const int products = transform.side * transform.side;
  const int64_t step = panels_size(product, g.in_channels, g.out_channels);
  const int64_t width = product.width;
  parallel_for(0, divide_up(g.out_channels, width), 1, [&](int64_t first, int64_t last) {
    // The products are large powers of two apart: some rows of the panel at a time, so that each
    // is written in runs.
    constexpr int64_t kStrip = 8;
    Workspace<float> strip(products * kStrip * width);
    Workspace<float> kernels_of_row(9 * width);
    for (int64_t p = first; p < last; ++p) {
      const int64_t columns = std::min(width, g.out_channels - p * width);
      const int64_t panel_width = divide_up(columns, product.unit) * product.unit;
      if (columns < width) std::fill_n(kernels_of_row.data(), 9 * width, 0.0f);
      for (int64_t i0 = 0; i0 < g.in_channels; i0 += kStrip) {
        const int64_t rows = std::min(kStrip, g.in_channels - i0);
        for (int64_t i = 0; i < rows; ++i) {
          for (int64_t j = 0; j < columns; ++j) {
            const int64_t channel = p * width + j;
            const float scale = channel_scale ? channel_scale[channel] : 1.0f;
            const float* from = weight + (channel * g.in_channels + i0 + i) * 9;
            for (int q = 0; q < 9; ++q) kernels_of_row[q * width + j] = from[q] * scale;
          }
          kernels.weights({transform.side, transform.rows, kernels_of_row.data(), width,
                           strip.data() + i * width, kStrip * width});
        }
        float* to = packed + p * width * g.in_channels + i0 * panel_width;
        for (int q = 0; q < products; ++q)
          for (int64_t i = 0; i < rows; ++i)
            std::copy_n(strip.data() + (q * kStrip + i) * width, panel_width,
                        to + q * step + i * panel_width);
      }
    }
  });
}

size_t winograd_workspace(int outputs, const WinogradKernels& kernels, const ConvGeometry& g) {
  const Plan plan = plan_of(outputs, kernels, g);
  return sizeof(float) * static_cast<size_t>(spread(g.in_channels) + workspace_floats(plan));
}

void conv_winograd(int outputs, const ConvGeometry& g, const ProductKernels& product,
                   const WinogradKernels& kernels, const float* packed, const float* input,
                   int64_t in_pixel_stride, float* out, int64_t out_pixel_stride,
                   const Epilogue& epilogue, void* workspace) {
  const Plan plan = plan_of(outputs, kernels, g);
  if (plan.tiles == 0 || g.out_channels == 0) return;
  float* zeros = static_cast<float*>(workspace);
  std::fill_n(zeros, g.in_channels, 0.0f);
  float* memory = zeros + spread(g.in_channels);
  const Layer layer = {g,
                       plan,
                       product,
                       outputs == 2 ? kernels.of_2 : kernels.of_4,
                       packed,
                       input,
                       in_pixel_stride,
                       out,
                       out_pixel_stride,
                       epilogue,
                       zeros};
  const int64_t blocks = divide_up(plan.tiles, plan.block);
  parallel_for(0, plan.lanes, 1, [&](int64_t first, int64_t last) {
    for (int64_t lane = first; lane < last; ++lane)
      for (int64_t block = lane; block < blocks; block += plan.lanes)
        layer.make(block * plan.block, std::min(plan.tiles, (block + 1) * plan.block),
                   memory + lane * plan.lane_floats);
  });
}

}  // namespace ingot

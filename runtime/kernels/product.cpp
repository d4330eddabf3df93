#include "kernels/product.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/half.h"

namespace ingot {

namespace {

// Rows this near to a multiple of a page apart share the sets of the first-level cache.
constexpr int64_t kPageFloats = 1024;
constexpr int64_t kNearPage = 16;
constexpr float kZero = 0;

bool rows_collide(int64_t stride) {
  const int64_t rest = (stride < 0 ? -stride : stride) % kPageFloats;
  return rest < kNearPage || rest > kPageFloats - kNearPage;
}

}  // namespace

int64_t panels_size(const ProductKernels& kernels, int64_t k, int64_t n) {
  return divide_up(k, kernels.elements) * divide_up(n, kernels.unit) * kernels.unit;
}

namespace {

// Float i of a panel's column, from where its first element lies in B.
template <int kElements>
float panel_float(const float* from, int64_t row_stride, int64_t i, int64_t k, float scale) {
  if constexpr (kElements == 1) {
    return *from * scale;
  } else {
    const uint32_t first = to_bfloat16(*from * scale).bits;
    const uint32_t second = 2 * i + 1 < k ? to_bfloat16(from[row_stride] * scale).bits : 0;
    return std::bit_cast<float>(first | second << 16);
  }
}

template <int kElements>
void pack(const ProductKernels& kernels, int64_t k, int64_t n, MatrixView<float> b,
          const float* column_scale, float* panels) {
  // Rows of a panel at a time, so that columns of B are read in runs and rows of the panel stay
  // in the first-level cache.
  constexpr int64_t kStrip = 32;
  constexpr int64_t kPackedPerThread = 1 << 15;
  const int64_t width = kernels.width;
  const int64_t depth = divide_up(k, kElements);
  const int64_t grain = divide_up(kPackedPerThread, k * width + 1);
  parallel_for(0, divide_up(n, width), grain, [&](int64_t first, int64_t last) {
    for (int64_t p = first; p < last; ++p) {
      const int64_t columns = std::min(width, n - p * width);
      const int64_t panel_width = divide_up(columns, kernels.unit) * kernels.unit;
      float* panel = panels + p * depth * width;
      for (int64_t i0 = 0; i0 < depth; i0 += kStrip) {
        const int64_t i1 = std::min(depth, i0 + kStrip);
        for (int64_t j = 0; j < panel_width; ++j) {
          float* to = panel + i0 * panel_width + j;
          if (j >= columns) {
            for (int64_t i = i0; i < i1; ++i, to += panel_width) *to = 0;
            continue;
          }
          const float scale = column_scale ? column_scale[p * width + j] : 1.0f;
          const int64_t step = kElements * b.row_stride;
          const float* from = b.data + i0 * step + (p * width + j) * b.column_stride;
          for (int64_t i = i0; i < i1; ++i, to += panel_width, from += step)
            *to = panel_float<kElements>(from, b.row_stride, i, k, scale);
        }
      }
    }
  });
}

}  // namespace

void pack_panels(const ProductKernels& kernels, int64_t k, int64_t n, MatrixView<float> b,
                 const float* column_scale, float* panels) {
  if (kernels.elements == 1)
    pack<1>(kernels, k, n, b, column_scale, panels);
  else
    pack<2>(kernels, k, n, b, column_scale, panels);
}

namespace detail {

void run_tiles(const Product& p, const ProductArea& area, const RowTiles& tiles,
               const float** pointers, int64_t depth, TileCall call) {
  const ProductKernels& kernels = *p.kernels;
  const Epilogue& e = *p.epilogue;
  const int64_t depth_all = p.panel_depth();
  const int64_t panels_of_group = depth_all * divide_up(p.n, kernels.unit) * kernels.unit;
  const int64_t end_column = area.column + area.columns;
  const int64_t offset = call.offset;
  call.c_stride = p.c_stride;
  call.residual_stride = e.residual_stride;
  call.low = e.low;
  call.high = e.high;
  for (int64_t group = area.group0; group < area.group1; ++group) {
    call.offset = offset + group * p.group_step;
    const float* panels = p.panels + group * panels_of_group;
    for (int64_t column = area.column; column < end_column; column += kernels.width) {
      call.columns = static_cast<int>(std::min<int64_t>(kernels.width, p.n - column));
      const int64_t units = divide_up(call.columns, kernels.unit);
      const int64_t width = units * kernels.unit;
      const TileFunction* tile = kernels.tiles[units - 1];
      const int64_t c_column = group * p.n + column;
      call.tap_stride = p.run * width;
      call.panel = panels + column * depth_all + depth * width;
      call.bias = e.bias ? e.bias + c_column : nullptr;
      call.rows = pointers;
      call.c = p.c + area.row * p.c_stride + c_column;
      call.residual = e.residual ? e.residual + area.row * e.residual_stride + c_column : nullptr;
      // The next panel comes to the first-level cache meanwhile: beside this one, else the first
      // of the next block.
      const float* next = call.panel + depth_all * width;
      if (column + width >= end_column) {
        const int64_t first_width = column == area.column ? width : kernels.width;
        next = call.finish ? panels + end_column * depth_all
                           : panels + area.column * depth_all +
                                 (depth + call.taps * call.run) * first_width;
      }
      call.ahead = next;
      call.ahead_step = call.finish && column + width >= p.n ? 0 : divide_up(width, tiles.count);
      for (int64_t i = 0; i < tiles.count; ++i) {
        const int64_t height = tiles.height(i);
        tile[height - 1](call);
        call.ahead += call.ahead_step * call.taps * call.run;
        call.rows += height * call.taps;
        call.c += height * call.c_stride;
        if (call.residual) call.residual += height * call.residual_stride;
      }
    }
  }
}

void copy_rows(const Product& p, const RowTiles& tiles, int64_t taps, int64_t skipped,
               int64_t count, const float** pointers, float* copy, int64_t stride) {
  const int elements = p.kernels->elements;
  const float* const* from = pointers;
  int64_t row = 0;
  for (int64_t i = 0; i < tiles.count; ++i) {
    const int64_t height = tiles.height(i);
    for (int64_t r = 0; r < height; ++r, ++row, copy += stride) {
      int64_t at = 0;
      for (int64_t tap = 0, skip = skipped; tap < taps; ++tap, skip = 0) {
        const int64_t part = std::min(p.run - skip, count - at);
        p.kernels->copy(from[tap * height + r] + skip, part, copy, at);
        at += part;
      }
      // Zeros stand for what is missing in the last float.
      if (at % elements) p.kernels->copy(&kZero, 1, copy, at);
      // Only pointers that were read lie before this one.
      pointers[row] = copy;
    }
    from += height * taps;
  }
}

}  // namespace detail

namespace {

// With at most this many rows the panels, read once, are all the traffic: no blocks.
constexpr int64_t kFewRows = 4;
// Floats of a panel that one sum takes in several panels abreast: rounding errors grow with them.
constexpr int64_t kAbreastDepth = 1024;

void product_of_rows(const Product& product, const float* a, int64_t a_stride) {
  run_product(product, [a, a_stride](int64_t row, const RowTiles& tiles, int64_t, int64_t,
                                     const float** to) {
    const int64_t end = row + tiles.count * tiles.low + tiles.taller;
    for (; row < end; ++row) *to++ = a + row * a_stride;
  });
}

// All of C's columns [first, last) for as many rows as one tile has, of `depth` floats as tiles
// read them.
void product_of_few_rows(const ProductKernels& kernels, int64_t m, int64_t n, int64_t depth,
                         const float* a, int64_t a_stride, const float* panels, float* c,
                         int64_t c_stride, const Epilogue& e, int64_t first, int64_t last) {
  const float* rows[ProductKernels::kMostRows];
  for (int64_t r = 0; r < m; ++r) rows[r] = a + r * a_stride;
  TileCall call;
  call.rows = rows;
  call.taps = 1;
  call.offset = 0;
  call.run = depth;
  call.panel = panels + first * depth;
  call.tap_stride = 0;
  // The processor's own fetching is faster than any of ours.
  call.ahead = panels;
  call.ahead_step = 0;
  call.c = c + first;
  call.c_stride = c_stride;
  call.columns = kernels.width;
  call.accumulate = false;
  call.finish = true;
  call.bias = e.bias ? e.bias + first : nullptr;
  call.residual = e.residual ? e.residual + first : nullptr;
  call.residual_stride = e.residual_stride;
  call.low = e.low;
  call.high = e.high;
  const auto advance = [&](int64_t columns) {
    call.panel += columns * depth;
    call.c += columns;
    if (call.bias) call.bias += columns;
    if (call.residual) call.residual += columns;
  };
  int64_t column = first;
  if (m <= ProductKernels::kRowsAbreast && kernels.abreast[m - 1].tile) {
    const auto [panels_abreast, tile] = kernels.abreast[m - 1];
    const int64_t width = panels_abreast * kernels.width;
    TileCall part = call;
    part.columns = static_cast<int>(width);
    part.panel_stride = kernels.width * depth;
    for (; column + width <= last; column += width) {
      part.c = call.c;
      part.bias = call.bias;
      part.residual = call.residual;
      int64_t at = 0;
      do {
        part.offset = at;
        part.run = std::min(kAbreastDepth, depth - at);
        part.panel = call.panel + at * kernels.width;
        part.accumulate = at > 0;
        part.finish = at + part.run == depth;
        tile(part);
        at += part.run;
      } while (at < depth);
      advance(width);
    }
  }
  int units = kernels.width / kernels.unit;
  for (; column < last; column += kernels.width) {
    if (n - column < kernels.width) {
      call.columns = static_cast<int>(n - column);
      units = (call.columns + kernels.unit - 1) / kernels.unit;
    }
    kernels.tiles[units - 1][m - 1](call);
    advance(kernels.width);
  }
  if (e.then) e.then(e.context, 0, m, first, last - first);
}

}  // namespace

void product_of_matrices(const ProductKernels& kernels, int64_t m, int64_t n, int64_t k,
                         const float* a, int64_t a_stride, const float* panels, float* c,
                         int64_t c_stride, const Epilogue& epilogue) {
  const bool small = m * n * k < 2 * kProductWorkPerThread;
  if (m <= kernels.height && (small || m <= kFewRows)) {
    if (m == 0 || n == 0) return;
    const int64_t depth = divide_up(k, kernels.elements);
    const bool copied = kernels.elements > 1;
    Workspace<float> copy(copied ? m * (depth + detail::kRowGap) : 0);
    if (copied) {
      const float* rows[ProductKernels::kMostRows];
      for (int64_t r = 0; r < m; ++r) rows[r] = a + r * a_stride;
      const Product whole = {&kernels, m, n, 1, k, panels, c, c_stride, &epilogue};
      a_stride = depth + detail::kRowGap;
      detail::copy_rows(whole, RowTiles(m, m), 1, 0, k, rows, copy.data(), a_stride);
      a = copy.data();
    }
    if (small)
      return product_of_few_rows(kernels, m, n, depth, a, a_stride, panels, c, c_stride, epilogue,
                                 0, n);
    const int64_t width = kernels.width;
    const int64_t grain = std::max<int64_t>(1, kProductWorkPerThread / (m * k * width));
    parallel_for(0, divide_up(n, width), grain, [&](int64_t first, int64_t last) {
      product_of_few_rows(kernels, m, n, depth, a, a_stride, panels, c, c_stride, epilogue,
                          first * width, std::min(n, last * width));
    });
    return;
  }
  Product product = {&kernels, m, n, 1, k, panels, c, c_stride, &epilogue};
  product.copy_rows = m > kernels.height && n >= 4 * kernels.width && rows_collide(a_stride);
  product_of_rows(product, a, a_stride);
}

void product_on_this_thread(const ProductKernels& kernels, int64_t m, int64_t n, int64_t k,
                            const float* a, int64_t a_stride, const float* panels, float* c,
                            int64_t c_stride) {
  const Epilogue none;
  Product product = {&kernels, m, n, 1, k, panels, c, c_stride, &none};
  product.threads = false;
  product_of_rows(product, a, a_stride);
}

}  // namespace ingot

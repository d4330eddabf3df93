#include "kernels/product.h"

#include <algorithm>

namespace ingot {

namespace {

// Rows this near to a multiple of a page apart share the sets of the first-level cache.
constexpr int64_t kPageFloats = 1024;
constexpr int64_t kNearPage = 16;

bool rows_collide(int64_t stride) {
  const int64_t rest = (stride < 0 ? -stride : stride) % kPageFloats;
  return rest < kNearPage || rest > kPageFloats - kNearPage;
}

}  // namespace

int64_t panels_size(const ProductKernels& kernels, int64_t k, int64_t n) {
  return k * divide_up(n, kernels.unit) * kernels.unit;
}

void pack_panels(const ProductKernels& kernels, int64_t k, int64_t n, MatrixView<float> b,
                 const float* column_scale, float* panels) {
  // Rows of a panel at a time, so that columns of B are read in runs and rows of the panel stay
  // in the first-level cache.
  constexpr int64_t kStrip = 32;
  constexpr int64_t kPackedPerThread = 1 << 15;
  const int64_t width = kernels.width;
  const int64_t grain = divide_up(kPackedPerThread, k * width + 1);
  parallel_for(0, divide_up(n, width), grain, [&](int64_t first, int64_t last) {
    for (int64_t p = first; p < last; ++p) {
      const int64_t columns = std::min(width, n - p * width);
      const int64_t panel_width = divide_up(columns, kernels.unit) * kernels.unit;
      float* panel = panels + p * k * width;
      for (int64_t i0 = 0; i0 < k; i0 += kStrip) {
        const int64_t i1 = std::min(k, i0 + kStrip);
        for (int64_t j = 0; j < panel_width; ++j) {
          float* to = panel + i0 * panel_width + j;
          if (j >= columns) {
            for (int64_t i = i0; i < i1; ++i, to += panel_width) *to = 0;
            continue;
          }
          const float scale = column_scale ? column_scale[p * width + j] : 1.0f;
          const float* from = b.data + i0 * b.row_stride + (p * width + j) * b.column_stride;
          for (int64_t i = i0; i < i1; ++i, to += panel_width, from += b.row_stride)
            *to = *from * scale;
        }
      }
    }
  });
}

namespace {

// With at most this many rows the panels, read once, are all the traffic: no blocks.
constexpr int64_t kFewRows = 4;

void product_of_rows(const Product& product, const float* a, int64_t a_stride) {
  run_product(product, [a, a_stride](int64_t row, const RowTiles& tiles, int64_t, int64_t,
                                     const float** to) {
    const int64_t end = row + tiles.count * tiles.low + tiles.taller;
    for (; row < end; ++row) *to++ = a + row * a_stride;
  });
}

// All of C's columns [first, last) for as many rows as one tile has.
void product_of_few_rows(const ProductKernels& kernels, int64_t m, int64_t n, int64_t k,
                         const float* a, int64_t a_stride, const float* panels, float* c,
                         int64_t c_stride, const Epilogue& e, int64_t first, int64_t last) {
  const float* rows[ProductKernels::kMostRows];
  for (int64_t r = 0; r < m; ++r) rows[r] = a + r * a_stride;
  TileCall call;
  call.rows = rows;
  call.taps = 1;
  call.offset = 0;
  call.run = k;
  call.panel = panels + first * k;
  call.tap_stride = 0;
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
  int units = kernels.width / kernels.unit;
  for (int64_t column = first; column < last; column += kernels.width) {
    if (n - column < kernels.width) {
      call.columns = static_cast<int>(n - column);
      units = (call.columns + kernels.unit - 1) / kernels.unit;
    }
    kernels.tiles[units - 1][m - 1](call);
    call.panel += kernels.width * k;
    call.c += kernels.width;
    if (call.bias) call.bias += kernels.width;
    if (call.residual) call.residual += kernels.width;
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
    if (small)
      return product_of_few_rows(kernels, m, n, k, a, a_stride, panels, c, c_stride, epilogue, 0,
                                 n);
    const int64_t width = kernels.width;
    const int64_t grain = std::max<int64_t>(1, kProductWorkPerThread / (m * k * width));
    parallel_for(0, divide_up(n, width), grain, [&](int64_t first, int64_t last) {
      product_of_few_rows(kernels, m, n, k, a, a_stride, panels, c, c_stride, epilogue,
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

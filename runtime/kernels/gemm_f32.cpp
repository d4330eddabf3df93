#include <algorithm>

#include "base/thread_pool.h"
#include "kernels/gemm.h"
#include "kernels/gemm_f32_simd.h"
#include "kernels/small_product.h"
#include "kernels/workspace.h"

namespace ingot {

namespace {

// Blocks of the packed product: an A block stays in the second-level cache, a B block in the
// third. kBlockM and kBlockN are multiples of every table's tile.
constexpr int64_t kBlockM = 120;
constexpr int64_t kBlockN = 2048;
constexpr int64_t kBlockK = 384;

// Up to this many rows, reading B in place beats packing it.
constexpr int64_t kFewRows = 8;

// Multiply-adds that are worth waking another thread for.
constexpr int64_t kWorkPerThread = 1 << 18;

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// `total` in the fewest equal pieces of at most `limit`, each but the last a multiple of `unit`.
int64_t piece_of(int64_t total, int64_t limit, int64_t unit) {
  return divide_up(divide_up(total, divide_up(total, limit)), unit) * unit;
}

GemmEpilogue<float> shifted(const GemmEpilogue<float>& e, int64_t row, int64_t column) {
  return {e.alpha, e.beta, e.row_bias ? e.row_bias + row : nullptr,
          e.column_bias ? e.column_bias + column : nullptr};
}

// Dot products of rows of A and columns of B, both contiguous along k.
void product_of_dots(const GemmF32Kernels& kernels, int64_t m, int64_t n, int64_t k,
                     MatrixView<float> a, MatrixView<float> b, float* c, int64_t c_stride,
                     const GemmEpilogue<float>& e) {
  if (m * n * k <= kWorkPerThread) {
    kernels.dots(m, n, k, a.data, a.row_stride, b.data, b.column_stride, c, c_stride, e);
  } else if (n >= m) {
    const int64_t grain = std::max<int64_t>(divide_up(kWorkPerThread, m * k + 1), 16);
    parallel_for(0, n, grain, [&](int64_t first, int64_t last) {
      kernels.dots(m, last - first, k, a.data, a.row_stride, b.data + first * b.column_stride,
                   b.column_stride, c + first, c_stride, shifted(e, 0, first));
    });
  } else {
    const int64_t grain = std::max<int64_t>(divide_up(kWorkPerThread, n * k + 1), 16);
    parallel_for(0, m, grain, [&](int64_t first, int64_t last) {
      kernels.dots(last - first, n, k, a.data + first * a.row_stride, a.row_stride, b.data,
                   b.column_stride, c + first * c_stride, c_stride, shifted(e, first, 0));
    });
  }
}

// At most one tile of rows against row-major B, read in place.
void product_with_rows_in_place(const GemmF32Kernels& kernels, int64_t m, int64_t n, int64_t k,
                                MatrixView<float> a, MatrixView<float> b, float* c,
                                int64_t c_stride, const GemmEpilogue<float>& e) {
  const int rows = static_cast<int>(m);
  const int64_t width = kernels.tile_columns;
  Workspace<float> panel(k * kernels.panel_rows(rows));
  kernels.pack_a(rows, k, a, panel.data());
  const int64_t grain = std::max<int64_t>(divide_up(kWorkPerThread, m * k * width + 1), 1);
  parallel_for(0, divide_up(n, width), grain, [&](int64_t first, int64_t last) {
    for (int64_t p = first; p < last; ++p) {
      const int64_t column = p * width;
      const int columns = static_cast<int>(std::min(width, n - column));
      const GemmEpilogue<float> tile_epilogue = shifted(e, 0, column);
      if (columns == width) {
        kernels.tile(rows, columns, k, panel.data(), b.data + column, b.row_stride, c + column,
                     c_stride, tile_epilogue);
      } else {
        Workspace<float> edge(k * width);
        kernels.pack_b(k, columns, b.at(0, column), edge.data());
        kernels.tile(rows, columns, k, panel.data(), edge.data(), width, c + column, c_stride,
                     tile_epilogue);
      }
    }
  });
}

void product_of_packed(const GemmF32Kernels& kernels, int64_t m, int64_t n, int64_t k,
                       MatrixView<float> a, MatrixView<float> b, float* c, int64_t c_stride,
                       const GemmEpilogue<float>& e) {
  const int64_t height = kernels.tile_rows;
  const int64_t width = kernels.tile_columns;
  const int64_t block_m = piece_of(m, kBlockM, height);
  const int64_t block_n = piece_of(n, kBlockN, width);
  const int64_t block_k = piece_of(k, kBlockK, 1);
  const bool parallel = m * n * k >= 2 * kWorkPerThread;
  const int64_t m_blocks = divide_up(m, block_m);
  Workspace<float> packed_b(block_n * block_k);
  for (int64_t column0 = 0; column0 < n; column0 += block_n) {
    const int64_t columns = std::min(block_n, n - column0);
    const int64_t panels = divide_up(columns, width);
    // Pieces of a block row, so that every thread finds several.
    const int64_t wanted = parallel ? 4 * pool_threads() : 1;
    const int64_t groups = std::min(panels, divide_up(wanted, m_blocks));
    const int64_t group = divide_up(panels, groups);
    for (int64_t k0 = 0; k0 < k; k0 += block_k) {
      const int64_t depth = std::min(block_k, k - k0);
      GemmEpilogue<float> part = {e.alpha, k0 == 0 ? e.beta : 1.0f, nullptr, nullptr};
      if (k0 + depth == k) {
        part.row_bias = e.row_bias;
        part.column_bias = e.column_bias;
      }
      const int64_t pack_grain =
          parallel ? std::max<int64_t>(divide_up(kWorkPerThread / 8, depth * width), 1) : panels;
      parallel_for(0, panels, pack_grain, [&](int64_t first, int64_t last) {
        for (int64_t p = first; p < last; ++p) {
          const int count = static_cast<int>(std::min(width, columns - p * width));
          kernels.pack_b(depth, count, b.at(k0, column0 + p * width),
                         packed_b.data() + p * width * depth);
        }
      });
      const int64_t tasks = m_blocks * groups;
      parallel_for(0, tasks, parallel ? 1 : tasks, [&](int64_t first, int64_t last) {
        Workspace<float> packed_a(block_m * depth);
        int64_t packed_block = -1;
        for (int64_t task = first; task < last; ++task) {
          const int64_t block = task / groups;
          const int64_t row0 = block * block_m;
          const int64_t rows = std::min(block_m, m - row0);
          if (block != packed_block) {
            for (int64_t r = 0; r < rows; r += height)
              kernels.pack_a(static_cast<int>(std::min(height, rows - r)), depth,
                             a.at(row0 + r, k0), packed_a.data() + r * depth);
            packed_block = block;
          }
          const int64_t last_panel = std::min(panels, (task % groups + 1) * group);
          for (int64_t p = task % groups * group; p < last_panel; ++p) {
            const int64_t column = column0 + p * width;
            const int count = static_cast<int>(std::min(width, columns - p * width));
            for (int64_t r = 0; r < rows; r += height)
              kernels.tile(static_cast<int>(std::min(height, rows - r)), count, depth,
                           packed_a.data() + r * depth, packed_b.data() + p * width * depth, width,
                           c + (row0 + r) * c_stride + column, c_stride,
                           shifted(part, row0 + r, column));
          }
        }
      });
    }
  }
}

}  // namespace

template <>
void gemm(int64_t m, int64_t n, int64_t k, MatrixView<float> a, MatrixView<float> b, float* c,
          int64_t c_stride, const GemmEpilogue<float>& epilogue) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    // Nothing is read; the pointers may be null, so no row lies beyond the first.
    a.row_stride = a.column_stride = b.row_stride = b.column_stride = 0;
  }
  if (n == 1 && m > 1 && c_stride == 1) {
    // A column vector: compute it as a row.
    return gemm(n, m, k, b.transposed(), a.transposed(), c, m,
                GemmEpilogue<float>{epilogue.alpha, epilogue.beta, epilogue.column_bias,
                                    epilogue.row_bias});
  }
  const GemmF32Kernels& kernels = gemm_f32_kernels();
  const bool dots_possible = (a.column_stride == 1 && b.row_stride == 1) || k <= 1;
  if (dots_possible && (m <= kFewRows || n <= kFewRows))
    return product_of_dots(kernels, m, n, k, a, b, c, c_stride, epilogue);
  if (b.column_stride == 1 && m <= std::min<int64_t>(kFewRows, kernels.tile_rows))
    return product_with_rows_in_place(kernels, m, n, k, a, b, c, c_stride, epilogue);
  // What other threads could save of such a product is less than waking them costs.
  constexpr int64_t kSmall = 8 * kWorkPerThread;
  const bool plain =
      epilogue.alpha == 1 && epilogue.beta == 0 && !epilogue.row_bias && !epilogue.column_bias;
  if (plain && is_small_product(m, n, k, a) && m * n * k <= kSmall) {
    Workspace<float> panels(small_product_workspace(n, k));
    return small_product(m, n, k, a, b, c, c_stride, panels.data());
  }
  if (k == 0) return product_of_dots(kernels, m, n, k, a, b, c, c_stride, epilogue);
  product_of_packed(kernels, m, n, k, a, b, c, c_stride, epilogue);
}

}  // namespace ingot

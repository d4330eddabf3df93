// The loops around the register tiles: blocks for the caches and pieces for the threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/epilogue.h"
#include "kernels/gemm.h"
#include "kernels/product_simd.h"
#include "kernels/workspace.h"

namespace ingot {

// Multiply-adds that are worth waking another thread for.
inline constexpr int64_t kProductWorkPerThread = 1 << 17;

constexpr int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// `total` in the fewest equal pieces of at most `limit`, each but the last a multiple of `unit`.
constexpr int64_t even_piece(int64_t total, int64_t limit, int64_t unit) {
  return total <= 0 ? unit : divide_up(divide_up(total, divide_up(total, limit)), unit) * unit;
}

// Floats of B[k, n] in panels.
int64_t panels_size(const ProductKernels& kernels, int64_t k, int64_t n);

// Rearranges B, its columns scaled by column_scale (null: 1), and rounds it if the kernels do.
void pack_panels(const ProductKernels& kernels, int64_t k, int64_t n, MatrixView<float> b,
                 const float* column_scale, float* panels);

// C[m, n] = epilogue(A[m, k] · B) with B in panels.
void product_of_matrices(const ProductKernels& kernels, int64_t m, int64_t n, int64_t k,
                         const float* a, int64_t a_stride, const float* panels, float* c,
                         int64_t c_stride, const Epilogue& epilogue);

// C[m, n] = A[m, k] · B with B in panels, without help of other threads.
void product_on_this_thread(const ProductKernels& kernels, int64_t m, int64_t n, int64_t k,
                            const float* a, int64_t a_stride, const float* panels, float* c,
                            int64_t c_stride);

// Rows cut into tiles of heights that differ by at most one, the taller first.
struct RowTiles {
  RowTiles(int64_t rows, int64_t most)
      : count(divide_up(rows, most)), low(rows / count), taller(rows % count) {}
  int64_t height(int64_t tile) const { return low + (tile < taller ? 1 : 0); }

  int64_t count;
  int64_t low;
  int64_t taller;
};

// `groups` products side by side: group g makes columns [g * n, (g + 1) * n) of C from its own
// panels. Row m of A is `taps` runs of `run` floats, found by a functor
//
//   rows(row, tiles, tap, taps, pointers)
//
// that writes for tile after tile, for tap after tap from `tap`, and for row after row of the
// tile the pointer to its first float; those of group g lie g * group_step floats further.
struct Product {
  const ProductKernels* kernels;
  int64_t m;
  int64_t n;  // of one group
  int64_t taps;
  int64_t run;
  const float* panels;
  float* c;
  int64_t c_stride;
  const Epilogue* epilogue;
  int64_t groups = 1;
  int64_t group_step = 0;
  // Rows of A are copied block by block before use: for strides at which they would displace
  // each other from the first-level cache, and for kernels of several elements per float. For
  // one group only.
  bool copy_rows = false;
  bool threads = true;  // the pool may help

  bool copies() const { return copy_rows || kernels->elements > 1; }
  int64_t panel_depth() const { return divide_up(taps * run, kernels->elements); }
};

namespace detail {

inline constexpr int64_t kMostPointers = 1536;
// Keeps copied rows apart from each other's cache sets.
inline constexpr int64_t kRowGap = 16;

struct ProductBlocks {
  int64_t groups;  // more than one only with all their columns
  int64_t rows;
  int64_t columns;
  int64_t taps;
  int64_t depth;  // elements of a run, or of all taps' runs behind each other if rows are copied

  // Floats from copied row to row.
  int64_t copy_stride(const ProductKernels& kernels) const {
    return divide_up(depth, kernels.elements) + kRowGap;
  }
};

inline ProductBlocks product_blocks(const Product& p) {
  const ProductKernels& k = *p.kernels;
  ProductBlocks b;
  const int64_t depth = k.block_depth;
  if (p.copies()) {
    const int64_t run = std::max<int64_t>(p.run, 1);
    const int64_t most = std::min(depth * k.elements, (kMostPointers / k.height - 1) * run);
    b.depth = even_piece(p.taps * p.run, most, k.elements);
    // A block may begin and end within a run.
    b.taps = std::min(p.taps, divide_up(b.depth - 1, run) + 1);
  } else if (p.run > depth || p.taps == 1) {
    b.taps = 1;
    b.depth = even_piece(p.run, depth, 1);
  } else {
    b.depth = p.run;
    b.taps = std::min(std::max<int64_t>(depth / std::max<int64_t>(p.run, 1), 1),
                      kMostPointers / k.height);
    b.taps = even_piece(p.taps, b.taps, 1);
  }
  const int64_t most_rows = std::min(k.block_rows, kMostPointers / b.taps / k.height * k.height);
  b.rows = even_piece(p.m, most_rows, p.m > most_rows ? k.height : 1);
  // A copy serves more columns than the second-level cache would like.
  b.columns = even_piece(p.n, p.copies() ? 3 * k.block_columns : k.block_columns, k.width);
  b.groups = std::clamp<int64_t>(k.block_columns / p.n, 1, p.groups);
  const bool large = p.groups * p.m * p.n * p.taps * p.run >= 2 * kProductWorkPerThread;
  const int threads = p.threads && large ? pool_threads() : 1;
  if (threads > 1) {
    // Several pieces for every thread: fewer groups and columns, then fewer rows, then single
    // panels.
    const int64_t wanted = 4 * int64_t{threads};
    const auto pieces = [&] {
      return divide_up(p.groups, b.groups) * divide_up(p.m, b.rows) * divide_up(p.n, b.columns);
    };
    const int64_t least_columns = std::min(b.columns, 4 * int64_t{k.width});
    const int64_t least_rows = std::min(b.rows, 4 * int64_t{k.height});
    while (pieces() < wanted && b.groups > 1) b.groups = divide_up(b.groups, 2);
    while (pieces() < wanted && b.columns > least_columns)
      b.columns = std::max(least_columns, divide_up(b.columns / 2, k.width) * k.width);
    while (pieces() < wanted && b.rows > least_rows)
      b.rows = std::max(least_rows, divide_up(b.rows, 2));
    while (pieces() < wanted && b.columns > k.width)
      b.columns = divide_up(b.columns / 2, k.width) * k.width;
  }
  return b;
}

// Rows [row, row + rows) and columns [column, column + columns), whole panels or up to n, of
// groups [group0, group1) of C.
struct ProductArea {
  int64_t group0;
  int64_t group1;
  int64_t row;
  int64_t rows;
  int64_t column;
  int64_t columns;
};

// Adds to the area what `call` says of A, found through the functor's `pointers`, times the
// panels from float `depth` of each column on.
void run_tiles(const Product& p, const ProductArea& area, const RowTiles& tiles,
               const float** pointers, int64_t depth, TileCall call);

// Copies the `count` elements after the first `skipped` of what the functor's pointers to `taps`
// runs lead to, row behind row from `copy` on, `stride` floats apart. The pointers become one
// per row, to its copy.
void copy_rows(const Product& p, const RowTiles& tiles, int64_t taps, int64_t skipped,
               int64_t count, const float** pointers, float* copy, int64_t stride);

// `copy`: room for copies of the rows of A, if they are copied.
template <class Rows>
void product_block(const Product& p, const ProductBlocks& blocks, const Rows& rows,
                   const ProductArea& area, float* copy) {
  const RowTiles tiles(area.rows, p.kernels->height);
  const float* pointers[kMostPointers];
  TileCall call;
  call.accumulate = false;
  if (p.copies()) {
    const int64_t all = p.taps * p.run;
    int64_t from = 0;
    do {
      const int64_t count = std::min(blocks.depth, all - from);
      const int64_t tap = count ? from / p.run : 0;
      const int64_t taps = count ? divide_up(from + count, p.run) - tap : 0;
      rows(area.row, tiles, tap, taps, pointers);
      copy_rows(p, tiles, taps, from - tap * p.run, count, pointers, copy,
                blocks.copy_stride(*p.kernels));
      call.taps = 1;
      call.offset = 0;
      call.run = divide_up(count, p.kernels->elements);
      call.finish = from + count == all;
      run_tiles(p, area, tiles, pointers, from / p.kernels->elements, call);
      call.accumulate = true;
      from += count;
    } while (from < all);
  } else {
    for (int64_t tap = 0; tap < p.taps; tap += blocks.taps) {
      call.taps = std::min(blocks.taps, p.taps - tap);
      rows(area.row, tiles, tap, call.taps, pointers);
      int64_t from = 0;
      do {
        call.run = std::min(blocks.depth, p.run - from);
        call.offset = from;
        call.finish = tap + call.taps == p.taps && from + call.run == p.run;
        run_tiles(p, area, tiles, pointers, tap * p.run + from, call);
        call.accumulate = true;
        from += call.run;
      } while (from < p.run);
    }
  }
  const Epilogue& e = *p.epilogue;
  if (e.then) {
    const int64_t groups = area.group1 - area.group0;
    e.then(e.context, area.row, area.rows, area.group0 * p.n + area.column,
           groups == 1 ? area.columns : groups * p.n);
  }
}

}  // namespace detail

// Makes all of C on this thread and those of the pool.
template <class Rows>
void run_product(const Product& p, const Rows& rows) {
  if (p.m == 0 || p.n == 0 || p.groups == 0) return;
  const detail::ProductBlocks blocks = detail::product_blocks(p);
  const int64_t row_blocks = divide_up(p.m, blocks.rows);
  const int64_t column_blocks = divide_up(p.n, blocks.columns);
  const int64_t tasks = divide_up(p.groups, blocks.groups) * column_blocks * row_blocks;
  const int64_t work = p.groups * p.m * p.n * p.taps * p.run;
  const auto run = [&](int64_t first, int64_t last) {
    Workspace<float> copy(p.copies() ? blocks.rows * blocks.copy_stride(*p.kernels) : 0);
    for (int64_t task = first; task < last; ++task) {
      const int64_t row = task % row_blocks * blocks.rows;
      const int64_t column = task / row_blocks % column_blocks * blocks.columns;
      const int64_t group = task / (row_blocks * column_blocks) * blocks.groups;
      const detail::ProductArea area = {.group0 = group,
                                        .group1 = std::min(p.groups, group + blocks.groups),
                                        .row = row,
                                        .rows = std::min(blocks.rows, p.m - row),
                                        .column = column,
                                        .columns = std::min(blocks.columns, p.n - column)};
      detail::product_block(p, blocks, rows, area, copy.data());
    }
  };
  if (!p.threads || tasks == 1 || work < 2 * kProductWorkPerThread) return run(0, tasks);
  parallel_for(0, tasks, std::max<int64_t>(1, kProductWorkPerThread / (work / tasks + 1)), run);
}

}  // namespace ingot

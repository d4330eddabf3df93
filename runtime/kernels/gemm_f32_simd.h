// The vector half of the f32 GEMM: one table per instruction set.
#pragma once

#include <cstdint>

#include "kernels/gemm.h"

namespace ingot {

struct GemmF32Kernels {
  // The register tile: rows of a packed A panel, columns of a packed B panel.
  int tile_rows;
  int tile_columns;

  // C[rows, columns] = epilogue(A · B) for one tile. A panel: k steps of the height that
  // `panel_rows(rows)` gives. B: k rows of `tile_columns` readable elements, `b_stride` apart.
  // The epilogue's biases point at the tile's first row and column.
  void (*tile)(int rows, int columns, int64_t k, const float* a_panel, const float* b,
               int64_t b_stride, float* c, int64_t c_stride, const GemmEpilogue<float>& epilogue);

  // Copies A[rows, k] to a panel, short panels filled with zeros to `panel_rows(rows)`.
  void (*pack_a)(int rows, int64_t k, MatrixView<float> a, float* panel);
  // Copies B[k, columns] to a panel of k rows of `tile_columns`, filled with zeros.
  void (*pack_b)(int64_t k, int columns, MatrixView<float> b, float* panel);

  // C[rows, n] = epilogue(A · B) without packing, where the k axis of both is contiguous:
  // dot products of rows of A and columns of B.
  void (*dots)(int64_t rows, int64_t n, int64_t k, const float* a, int64_t a_stride, const float* b,
               int64_t b_stride, float* c, int64_t c_stride, const GemmEpilogue<float>& epilogue);

  // Height of the panel that holds `rows` rows of A.
  int (*panel_rows)(int rows);
};

// The kernels for the SimdLevel in use.
const GemmF32Kernels& gemm_f32_kernels();

}  // namespace ingot

// The register tiles of f32 products: one table of them per instruction set.
//
// A tile computes C[rows, columns] += sum over taps and over a run of floats behind each tap:
// A is not a matrix but, for every tap, one pointer per row. A plain product has one tap whose
// run is K; a convolution has one tap per kernel position and a run of channels.
//
// B comes in panels of `width` columns, the run of each tap row by row. The last panel is
// narrower: the columns left, rounded up to a multiple of `unit`, filled with zeros.
#pragma once

#include <cstdint>

#include "kernels/simd.h"

namespace ingot {

struct TileCall {
  const float* const* rows;  // [taps][rows of the tile]
  int64_t taps;
  int64_t offset;      // floats from each pointer to the first that is read
  int64_t run;         // floats read
  const float* panel;  // [taps * run][panel width]
  int64_t tap_stride;  // floats of the panel from tap to tap
  float* c;
  int64_t c_stride;
  int columns;            // of C; at most the panel's width
  bool accumulate;        // onto what is in C
  bool finish;            // apply bias, residual and clamp
  const float* bias;      // at the first column; null: none
  const float* residual;  // at the first element; null: none
  int64_t residual_stride;
  float low;
  float high;
};

using TileFunction = void (*)(const TileCall& call);

struct ProductKernels {
  static constexpr int kMostRows = 12;
  static constexpr int kMostUnits = 4;

  SimdLevel level;
  int height;  // rows of the tallest tile
  int unit;    // panel widths are multiples of it
  int width;   // columns of a full panel
  // Parts of C and depth of B that are computed at once, by the sizes of the caches.
  int64_t block_rows;
  int64_t block_columns;
  int64_t block_depth;
  // [panel width / unit - 1][rows - 1]
  TileFunction tiles[kMostUnits][kMostRows];
};

// The kernels for the SimdLevel in use.
const ProductKernels& product_kernels();

}  // namespace ingot

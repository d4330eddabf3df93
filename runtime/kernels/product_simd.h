// The register tiles of products: one table of them per instruction set and precision.
//
// A tile computes C[rows, columns] += sum over taps and over a run of floats behind each tap:
// A is not a matrix but, for every tap, one pointer per row. A plain product has one tap whose
// run is K; a convolution has one tap per kernel position and a run of channels.
//
// B comes in panels of `width` columns, the run of each tap row by row. The last panel is
// narrower: the columns left, rounded up to a multiple of `unit`, filled with zeros.
//
// In bf16 each float of A and B is the bits of two elements that follow each other along K, the
// first in the lower half; C and all sums are f32.
#pragma once

#include <cstdint>

#include <ingot/precision.h>

#include "kernels/simd.h"

namespace ingot {

struct TileCall {
  const float* const* rows;  // [taps][rows of the tile]
  int64_t taps;
  int64_t offset;        // floats from each pointer to the first that is read
  int64_t run;           // floats read
  const float* panel;    // [taps * run][panel width]
  int64_t tap_stride;    // floats of the panel from tap to tap
  int64_t panel_stride;  // floats from panel to panel, where a tile has several
  const float* ahead;    // fetched to the first-level cache meanwhile, if there is memory
  int64_t ahead_step;    // floats further for every float of a run
  float* c;
  int64_t c_stride;
  int columns;            // of C; at most the width of the panel or panels
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
  static constexpr int kRowsAbreast = 2;

  SimdLevel level;
  int elements;  // of K in each float of A and B; above 1 A is always copied
  int height;    // rows of the tallest tile
  int unit;      // panel widths are multiples of it
  int width;     // columns of a full panel
  // Parts of C and floats of B's depth that are computed at once, by the sizes of the caches.
  int64_t block_rows;
  int64_t block_columns;
  int64_t block_depth;
  // Copies `count` elements of A as tiles read them, to elements [at, at + count) of `to`.
  void (*copy)(const float* from, int64_t count, float* to, int64_t at);
  // [panel width / unit - 1][rows - 1]
  TileFunction tiles[kMostUnits][kMostRows];
  // [rows - 1]: tiles of several full panels at once. Few rows wait for memory, which gives several
  // streams a third more than one. One panel: there is none.
  struct Abreast {
    int panels;
    TileFunction tile;
  };
  Abreast abreast[kRowsAbreast];
};

// The kernels for the SimdLevel in use. Throws Error (unsupported) if the machine lacks them.
const ProductKernels& product_kernels(Precision precision = Precision::f32);
bool has_product_kernels(Precision precision);

// From now on bf16 products are computed by f32 operations, which every machine has, or by the
// machine's own: so that tests reach both.
void emulate_bf16_products(bool emulate);

}  // namespace ingot

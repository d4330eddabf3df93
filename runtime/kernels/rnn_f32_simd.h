// The vector half of PackedRnn: one table per instruction set.
#pragma once

#include <cstdint>

#include "kernels/rnn.h"

namespace ingot {

// Weights and gates come in panels of `lanes` hidden elements: a panel of w_hh holds, for each
// of the P rows of the product, the panel's elements of gate 0, then gate 1, and so on; a row
// of gates holds the same for every panel.
struct RnnStep {
  int64_t rows;           // sequences
  int64_t projected;      // P
  const float* weights;   // panels [P, gates, lanes]
  const float* new_bias;  // gru: [panels, lanes], of the new gate's hidden product
  const float* gates;     // [rows, panels, gates, lanes]: input product and biases
  const float* h;         // [rows, stride]
  float* c;               // [rows, stride], lstm
  float* next;            // [rows, stride]: the new h
  int64_t stride;
};

struct RnnKernels {
  int64_t lanes;
  // The panels [first, last) of one step.
  void (*step)(RnnKind kind, const RnnStep& step, int64_t panels, int64_t first, int64_t last);
};

// The kernels for the SimdLevel in use.
const RnnKernels& rnn_kernels();

}  // namespace ingot

// Right-hand sides of systems of equations: matrices, or vectors where PyTorch takes them for such.
#pragma once

#include "linalg/matrices.h"

namespace ingot::linalg {

// True if b is one vector, or a batch of vectors with the batch sizes of a.
bool is_vector_side(const Tensor& a, const Tensor& b);

// A vector as a matrix of one column.
Tensor as_column(const Tensor& b);

// The sizes of X in A X = B (left) or X A = B: those of B with A's batch sizes broadcast.
// Raises if B does not fit.
TensorInfo solution_of(const Tensor& a, const Tensor& b, bool left);

}  // namespace ingot::linalg

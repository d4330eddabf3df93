// Eigenvalues and eigenvectors of one Hermitian matrix.
#pragma once

#include "linalg/matrices.h"

namespace ingot::linalg {

template <class T>
struct Eigh {
  Vec<double> values;  // ascending
  Mat<T> vectors;      // one per column; empty unless wanted
};

// Reads the lower triangle. NaN everywhere if it is not finite.
template <class T>
Eigh<T> eigh_of(const Mat<T>& a, bool with_vectors);

}  // namespace ingot::linalg

// Singular values and vectors of one matrix.
#pragma once

#include "linalg/matrices.h"

namespace ingot::linalg {

enum class SvdPart { values, thin, full };

// a = u diag(s) v^H, s descending; u and v are empty if only the values are wanted.
template <class T>
struct Svd {
  Mat<T> u;
  Vec<double> s;
  Mat<T> v;
};

// `a` must be finite.
template <class T>
Svd<T> svd_of(const Mat<T>& a, SvdPart part);

}  // namespace ingot::linalg

// LU factors with row interchanges, as LAPACK's getrf has them.
#pragma once

#include "linalg/matrices.h"

namespace ingot::linalg {

// Overwrites `a` with L (its unit diagonal left out) and U. `pivots` receives for each of the
// min(rows, columns) steps the row, counted from 1, that was exchanged with the step's own. Returns
// 0, or the number of the first diagonal element of U, from 1, that is zero.
template <class T>
int32_t lu_in_place(MatRef<T> a, int32_t* pivots);

// Overwrites `b` with the solution of A X = B, or of A^H X = B, from A's factors.
template <class T>
void lu_solve_in_place(const Mat<T>& lu, const int32_t* pivots, bool adjoint, Mat<T>& b);

// Raises unless each pivot is the number of a row, from 1.
void check_pivots(const Tensor& pivots, int64_t rows);

// LU and pivots of every matrix, into `lu` (matrices like a) and `pivots` (i32), and info (i32)
// unless null.
void factor_all(const Tensor& a, Tensor& lu, Tensor& pivots, Tensor* info);

}  // namespace ingot::linalg

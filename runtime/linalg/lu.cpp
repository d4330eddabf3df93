#include "linalg/lu.h"

#include <array>

#include <Eigen/LU>

#include <ingot/op.h>

namespace ingot::linalg {
namespace {

double size_of_number(double x) { return std::abs(x); }
double size_of_number(Complex x) { return std::abs(x.real()) + std::abs(x.imag()); }

// The row of the largest element, the first of equal ones.
template <class Column>
Index largest(const Column& column) {
  Index best = 0;
  for (Index i = 1; i < column.size(); ++i)
    if (size_of_number(column[i]) > size_of_number(column[best])) best = i;
  return best;
}

template <class Matrix>
void exchange_rows(Matrix&& matrix, const int32_t* pivots, Index count) {
  for (Index i = 0; i < count; ++i)
    if (pivots[i] - 1 != i) matrix.row(i).swap(matrix.row(pivots[i] - 1));
}
template <class Matrix>
void exchange_rows_back(Matrix&& matrix, const int32_t* pivots, Index count) {
  for (Index i = count; i-- > 0;)
    if (pivots[i] - 1 != i) matrix.row(i).swap(matrix.row(pivots[i] - 1));
}

template <class T>
int32_t lu_by_columns(MatRef<T> a, int32_t* pivots) {
  const Index rows = a.rows(), columns = a.cols();
  int32_t info = 0;
  for (Index j = 0; j < std::min(rows, columns); ++j) {
    const Index below = rows - j - 1;
    const Index pivot = j + largest(a.col(j).tail(rows - j));
    pivots[j] = static_cast<int32_t>(pivot + 1);
    if (a(pivot, j) != T(0)) {
      if (pivot != j) a.row(j).swap(a.row(pivot));
      a.col(j).tail(below) /= a(j, j);
    } else if (info == 0) {
      info = static_cast<int32_t>(j + 1);
    }
    a.bottomRightCorner(below, columns - j - 1).noalias() -=
        a.col(j).tail(below) * a.row(j).tail(columns - j - 1);
  }
  return info;
}

}  // namespace

// Left half, then what it does to the right half, then the rest (LAPACK's getrf2).
template <class T>
int32_t lu_in_place(MatRef<T> a, int32_t* pivots) {
  constexpr Index kNarrow = 16;
  const Index steps = std::min(a.rows(), a.cols());
  if (steps <= kNarrow) return lu_by_columns<T>(a, pivots);
  const Index half = steps / 2, right = a.cols() - half, below = a.rows() - half;
  const int32_t first = lu_in_place<T>(a.leftCols(half), pivots);
  exchange_rows(a.rightCols(right), pivots, half);
  auto top = a.topRightCorner(half, right);
  a.topLeftCorner(half, half).template triangularView<Eigen::UnitLower>().solveInPlace(top);
  auto rest = a.bottomRightCorner(below, right);
  rest.noalias() -= a.bottomLeftCorner(below, half) * top;
  const int32_t second = lu_in_place<T>(rest, pivots + half);
  exchange_rows(a.bottomLeftCorner(below, half), pivots + half, steps - half);
  for (Index i = half; i < steps; ++i) pivots[i] += static_cast<int32_t>(half);
  if (first != 0) return first;
  return second == 0 ? 0 : second + static_cast<int32_t>(half);
}
template int32_t lu_in_place<double>(MatRef<double>, int32_t*);
template int32_t lu_in_place<Complex>(MatRef<Complex>, int32_t*);

template <class T>
void lu_solve_in_place(const Mat<T>& lu, const int32_t* pivots, bool adjoint, Mat<T>& b) {
  if (adjoint) {
    lu.template triangularView<Eigen::Upper>().adjoint().solveInPlace(b);
    lu.template triangularView<Eigen::UnitLower>().adjoint().solveInPlace(b);
    exchange_rows_back(b, pivots, lu.rows());
  } else {
    exchange_rows(b, pivots, lu.rows());
    lu.template triangularView<Eigen::UnitLower>().solveInPlace(b);
    lu.template triangularView<Eigen::Upper>().solveInPlace(b);
  }
}
template void lu_solve_in_place<double>(const Mat<double>&, const int32_t*, bool, Mat<double>&);
template void lu_solve_in_place<Complex>(const Mat<Complex>&, const int32_t*, bool, Mat<Complex>&);

void check_pivots(const Tensor& pivots, int64_t rows) {
  for (int64_t i = 0; i < pivots.numel(); ++i) {
    const int32_t row = pivots.data<int32_t>()[i];
    INGOT_CHECK(row >= 1 && row <= rows, "pivots must be numbers of rows, from 1 to ", rows,
                ", got ", row);
  }
}

void factor_all(const Tensor& a, Tensor& lu, Tensor& pivots, Tensor* info) {
  const int64_t steps = smaller_side(a);
  dispatch(a.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(a);
    Output<T> out(lu);
    for_each(in.count, cube(steps), [&](int64_t i) {
      Mat<T> matrix = in[i];
      const int32_t code = lu_in_place<T>(matrix, pivots.data<int32_t>() + i * steps);
      if (info) info->data<int32_t>()[i] = code;
      out.matrix(i) = matrix;
    });
  });
}

namespace {

void check_pivoting(bool pivot) {
  INGOT_CHECK(pivot, "LU factors without pivoting (pivot=False) exist on GPUs only");
}

std::array<TensorInfo, 3> factor_meta(const Tensor& a, bool pivot, bool) {
  check_matrix(a, "A");
  check_pivoting(pivot);
  return {a.info(), vectors(DType::i32, batch_of(a), smaller_side(a)),
          numbers(DType::i32, batch_of(a))};
}
void factor(const Tensor& a, bool, bool check_errors, Tensor& lu, Tensor& pivots, Tensor& info) {
  factor_all(a, lu, pivots, &info);
  if (check_errors) raise_if_failed(info, "torch.linalg.lu_factor_ex", a.rank() == 2);
}
INGOT_OP(
    "aten::linalg_lu_factor_ex(Tensor A, *, bool pivot=True, bool check_errors=False) -> "
    "(Tensor LU, Tensor pivots, Tensor info)",
    Structured<factor_meta, factor>);

// P, L and U of one matrix from its factors; null: not wanted.
template <class T>
void unpack(const Mat<T>& lu, const int32_t* pivots, Output<T>* p, Output<T>* l, Output<T>* u,
            int64_t i) {
  const Index rows = lu.rows(), columns = lu.cols(), steps = std::min(rows, columns);
  if (p) {
    Mat<T> permutation = Mat<T>::Identity(rows, rows);
    exchange_rows_back(permutation, pivots, steps);
    p->matrix(i) = permutation;
  }
  if (l) l->matrix(i) = lu.leftCols(steps).template triangularView<Eigen::UnitLower>();
  if (u) u->matrix(i) = lu.topRows(steps).template triangularView<Eigen::Upper>();
}

std::array<TensorInfo, 3> lu_meta(const Tensor& a, bool pivot) {
  check_matrix(a, "A");
  check_pivoting(pivot);
  const Dims batch = batch_of(a);
  const int64_t rows = rows_of(a), columns = columns_of(a), steps = smaller_side(a);
  return {matrices(a.dtype(), batch, rows, rows), matrices(a.dtype(), batch, rows, steps),
          matrices(a.dtype(), batch, steps, columns)};
}
void lu(const Tensor& a, bool, Tensor& p, Tensor& l, Tensor& u) {
  dispatch(a.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(a);
    Output<T> p_out(p), l_out(l), u_out(u);
    for_each(in.count, cube(smaller_side(a)), [&](int64_t i) {
      Mat<T> matrix = in[i];
      std::vector<int32_t> pivots(static_cast<size_t>(smaller_side(a)));
      lu_in_place<T>(matrix, pivots.data());
      unpack<T>(matrix, pivots.data(), &p_out, &l_out, &u_out, i);
    });
  });
}
INGOT_OP("aten::linalg_lu(Tensor A, *, bool pivot=True) -> (Tensor P, Tensor L, Tensor U)",
         Structured<lu_meta, lu>);

std::array<TensorInfo, 3> unpack_meta(const Tensor& lu, const Tensor& pivots, bool unpack_data,
                                      bool unpack_pivots) {
  check_matrix(lu, "LU_data");
  const Dims batch = batch_of(lu);
  const DType dtype = lu.dtype();
  if (unpack_pivots) {
    INGOT_CHECK(pivots.dtype() == DType::i32, "LU_pivots must be i32, got ", pivots);
    INGOT_CHECK(pivots.sizes() == vectors(DType::i32, batch, smaller_side(lu)).sizes,
                "LU_pivots must have a row of ", smaller_side(lu), " for each matrix of ", lu,
                ", got ", pivots);
  }
  const int64_t rows = rows_of(lu), columns = columns_of(lu), steps = smaller_side(lu);
  return {unpack_pivots ? matrices(dtype, batch, rows, rows) : nothing(dtype),
          unpack_data ? matrices(dtype, batch, rows, steps) : nothing(dtype),
          unpack_data ? matrices(dtype, batch, steps, columns) : nothing(dtype)};
}
void unpack_op(const Tensor& lu, const Tensor& pivots, bool unpack_data, bool unpack_pivots,
               Tensor& p, Tensor& l, Tensor& u) {
  const Tensor rows = as_dense(pivots, DType::i32);
  if (unpack_pivots) check_pivots(rows, rows_of(lu));
  dispatch(lu.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(lu);
    Output<T> p_out(p), l_out(l), u_out(u);
    for_each(in.count, rows_of(lu) * columns_of(lu), [&](int64_t i) {
      unpack<T>(in[i], rows.data<int32_t>() + i * smaller_side(lu),
                unpack_pivots ? &p_out : nullptr, unpack_data ? &l_out : nullptr,
                unpack_data ? &u_out : nullptr, i);
    });
  });
}
INGOT_OP(
    "aten::lu_unpack(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool "
    "unpack_pivots=True) -> (Tensor P, Tensor L, Tensor U)",
    Structured<unpack_meta, unpack_op>);

}  // namespace
}  // namespace ingot::linalg

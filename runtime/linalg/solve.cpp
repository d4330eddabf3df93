// Systems of linear equations and inverses, from LU factors.
#include <array>

#include <Eigen/LU>

#include <ingot/op.h>
#include "linalg/lu.h"
#include "linalg/right_side.h"

namespace ingot::linalg {

bool is_vector_side(const Tensor& a, const Tensor& b) {
  return b.rank() == 1 || (b.rank() == a.rank() - 1 && b.sizes() == batch_of(a, 1));
}

Tensor as_column(const Tensor& b) {
  Dims sizes = b.sizes(), strides = b.strides();
  sizes.push_back(1);
  strides.push_back(1);
  return b.as_strided(sizes, strides, 0);
}

TensorInfo solution_of(const Tensor& a, const Tensor& b, bool left) {
  check_matrix(b, "B");
  check_same_dtype(a, b);
  const int64_t size = left ? rows_of(b) : columns_of(b);
  INGOT_CHECK(size == rows_of(a),
              left ? "A X = B needs as many rows in B as A has, got "
                   : "X A = B needs as many columns in B as A has, got ",
              a, " and ", b);
  return matrices(b.dtype(), broadcast(batch_of(a), batch_of(b)), rows_of(b), columns_of(b));
}

namespace {

// Where the factors of the matrix are that belongs to number i of the broadcast batch.
Tensor numbers_of_matrices(const Tensor& a, const Dims& batch) {
  Tensor order = Tensor::empty(DType::i64, batch_of(a));
  for (int64_t i = 0; i < order.numel(); ++i) order.data<int64_t>()[i] = i;
  return with_batch(order, batch, 0).contiguous();
}

// X in A X = B, A^H X = B (adjoint), X A = B or X A^H = B, from the factors.
template <class T>
void solve_all(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left, bool adjoint,
               Tensor& out) {
  const int64_t n = rows_of(lu);
  const Dims batch = batch_of(out);
  const Matrices<T> factors(lu), sides(b, batch);
  const Tensor which = numbers_of_matrices(lu, batch);
  const int32_t* const rows = pivots.data<int32_t>();
  Output<T> result(out);
  for_each(sides.count, n * n * (left ? sides.columns : sides.rows), [&](int64_t i) {
    const int64_t k = which.data<int64_t>()[i];
    const Mat<T> matrix = factors[k];
    if (left) {
      Mat<T> x = sides[i];
      lu_solve_in_place<T>(matrix, rows + k * n, adjoint, x);
      result.matrix(i) = x;
    } else {
      Mat<T> x = sides[i].adjoint();
      lu_solve_in_place<T>(matrix, rows + k * n, !adjoint, x);
      result.matrix(i) = x.adjoint();
    }
  });
}

std::array<TensorInfo, 4> solve_meta(const Tensor& a, const Tensor& b, bool left, bool) {
  check_square(a, "A");
  const bool vector = is_vector_side(a, b);
  INGOT_CHECK(left || !vector, "B must be matrices where left is False, got ", b);
  TensorInfo result = solution_of(a, vector ? as_column(b) : b, left);
  if (vector) result.sizes.erase(result.sizes.size() - 1);
  return {result, a.info(), vectors(DType::i32, batch_of(a), rows_of(a)),
          numbers(DType::i32, batch_of(a))};
}
void solve(const Tensor& a, const Tensor& b, bool left, bool check_errors, Tensor& result,
           Tensor& lu, Tensor& pivots, Tensor& info) {
  dispatch(a.dtype(), [&]<class T>(std::type_identity<T>) {
    Tensor factors = Tensor::empty(kDType<T>, a.sizes());
    factor_all(a, factors, pivots, &info);
    if (is_vector_side(a, b)) {
      Tensor column = as_column(result);
      solve_all<T>(factors, pivots, as_column(b), left, false, column);
    } else {
      solve_all<T>(factors, pivots, b, left, false, result);
    }
    copy_into(factors, lu);
  });
  if (check_errors) raise_if_failed(info, "torch.linalg.solve_ex", a.rank() == 2);
}
INGOT_OP(
    "aten::_linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> "
    "(Tensor result, Tensor LU, Tensor pivots, Tensor info)",
    Structured<solve_meta, solve>);

TensorInfo lu_solve_meta(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left, bool) {
  check_square(lu, "LU");
  INGOT_CHECK(pivots.dtype() == DType::i32, "pivots must be i32, got ", pivots);
  INGOT_CHECK(pivots.sizes() == batch_of(lu, 1), "pivots must have a row of ", rows_of(lu),
              " for each matrix of ", lu, ", got ", pivots);
  return solution_of(lu, b, left);
}
void lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left, bool adjoint,
              Tensor& out) {
  const Tensor rows = as_dense(pivots, DType::i32);
  check_pivots(rows, rows_of(lu));
  dispatch(lu.dtype(),
           [&]<class T>(std::type_identity<T>) { solve_all<T>(lu, rows, b, left, adjoint, out); });
}
INGOT_OP(
    "aten::linalg_lu_solve(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool "
    "adjoint=False) -> Tensor",
    Structured<lu_solve_meta, lu_solve>);

std::array<TensorInfo, 2> inverse_meta(const Tensor& a, bool) {
  check_square(a, "A");
  return {a.info(), numbers(DType::i32, batch_of(a))};
}
void inverse(const Tensor& a, bool check_errors, Tensor& inverse, Tensor& info) {
  const int64_t n = rows_of(a);
  dispatch(a.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(a);
    Output<T> out(inverse);
    for_each(in.count, cube(n), [&](int64_t i) {
      Mat<T> matrix = in[i], result = Mat<T>::Identity(n, n);
      std::vector<int32_t> pivots(static_cast<size_t>(n));
      info.data<int32_t>()[i] = lu_in_place<T>(matrix, pivots.data());
      lu_solve_in_place<T>(matrix, pivots.data(), false, result);
      out.matrix(i) = result;
    });
  });
  if (check_errors) raise_if_failed(info, "linalg.inv_ex", a.rank() == 2);
}
INGOT_OP(
    "aten::linalg_inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)",
    Structured<inverse_meta, inverse>);

}  // namespace
}  // namespace ingot::linalg

// Cholesky factors of Hermitian positive-definite matrices, and what is solved with them.
#include <array>
#include <cmath>

#include <ingot/op.h>
#include "linalg/right_side.h"

namespace ingot::linalg {
namespace {

template <class T>
int32_t cholesky_by_columns(MatRef<T> a) {
  const Index n = a.rows();
  for (Index j = 0; j < n; ++j) {
    const Index below = n - j - 1;
    const double square = std::real(a(j, j)) - a.row(j).head(j).squaredNorm();
    if (!(square > 0)) return static_cast<int32_t>(j + 1);
    const double root = std::sqrt(square);
    a(j, j) = root;
    auto column = a.col(j).tail(below);
    if (j > 0) column.noalias() -= a.bottomLeftCorner(below, j) * a.row(j).head(j).adjoint();
    column /= root;
  }
  return 0;
}

// Overwrites the lower triangle with L; the upper one is neither read nor written. Returns 0, or
// the order of the first leading minor that is not positive.
template <class T>
int32_t cholesky_in_place(MatRef<T> a) {
  constexpr Index kSmall = 16;
  const Index n = a.rows(), half = n / 2, rest = n - half;
  if (n <= kSmall) return cholesky_by_columns<T>(a);
  if (const int32_t info = cholesky_in_place<T>(a.topLeftCorner(half, half))) return info;
  auto left = a.bottomLeftCorner(rest, half);
  a.topLeftCorner(half, half)
      .template triangularView<Eigen::Lower>()
      .adjoint()
      .template solveInPlace<Eigen::OnTheRight>(left);
  a.bottomRightCorner(rest, rest).template selfadjointView<Eigen::Lower>().rankUpdate(left, -1);
  const int32_t info = cholesky_in_place<T>(a.bottomRightCorner(rest, rest));
  return info == 0 ? 0 : info + static_cast<int32_t>(half);
}

// Factors into `out`, failures into `info` (i32).
void factor_all(const Tensor& self, bool upper, Tensor& out, Tensor& info) {
  dispatch(self.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(self);
    Output<T> result(out);
    for_each(in.count, cube(in.rows), [&](int64_t i) {
      Mat<T> matrix = in[i];
      if (upper) matrix.adjointInPlace();
      info.data<int32_t>()[i] = cholesky_in_place<T>(matrix);
      Mat<T> lower = matrix.template triangularView<Eigen::Lower>();
      if (upper) lower.adjointInPlace();
      result.matrix(i) = lower;
    });
  });
}

std::array<TensorInfo, 2> factor_meta(const Tensor& self, bool, bool) {
  check_square(self, "A");
  return {self.info(), numbers(DType::i32, batch_of(self))};
}
void factor(const Tensor& self, bool upper, bool check_errors, Tensor& l, Tensor& info) {
  factor_all(self, upper, l, info);
  if (check_errors) raise_if_failed(info, "linalg.cholesky_ex", self.rank() == 2);
}
INGOT_OP(
    "aten::linalg_cholesky_ex(Tensor self, *, bool upper=False, bool check_errors=False) -> "
    "(Tensor L, Tensor info)",
    Structured<factor_meta, factor>);

TensorInfo cholesky_meta(const Tensor& self, bool) {
  check_square(self, "self");
  return self.info();
}
void cholesky(const Tensor& self, bool upper, Tensor& out) {
  Tensor info = Tensor::empty(numbers(DType::i32, batch_of(self)));
  factor_all(self, upper, out, info);
  raise_if_failed(info, "cholesky", self.rank() == 2);
}
INGOT_OP("aten::cholesky(Tensor self, bool upper=False) -> Tensor",
         Structured<cholesky_meta, cholesky>);

// Overwrites b with X in L L^H X = B, or U^H U X = B.
template <class T>
void solve_in_place(const Mat<T>& factor, bool upper, Mat<T>& b) {
  if (upper) {
    factor.template triangularView<Eigen::Upper>().adjoint().solveInPlace(b);
    factor.template triangularView<Eigen::Upper>().solveInPlace(b);
  } else {
    factor.template triangularView<Eigen::Lower>().solveInPlace(b);
    factor.template triangularView<Eigen::Lower>().adjoint().solveInPlace(b);
  }
}

void inverse(const Tensor& self, bool upper, Tensor& out) {
  dispatch(self.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(self);
    Output<T> result(out);
    for_each(in.count, cube(in.rows), [&](int64_t i) {
      Mat<T> x = Mat<T>::Identity(in.rows, in.rows);
      solve_in_place<T>(in[i], upper, x);
      result.matrix(i) = x;
    });
  });
}
INGOT_OP("aten::cholesky_inverse(Tensor self, bool upper=False) -> Tensor",
         Structured<cholesky_meta, inverse>);

TensorInfo solve_meta(const Tensor& self, const Tensor& input2, bool) {
  check_square(input2, "input2");
  return solution_of(input2, self, true);
}
void solve(const Tensor& self, const Tensor& input2, bool upper, Tensor& out) {
  dispatch(self.dtype(), [&]<class T>(std::type_identity<T>) {
    const Dims batch = batch_of(out);
    const Matrices<T> factors(input2, batch), sides(self, batch);
    Output<T> result(out);
    for_each(sides.count, factors.rows * sides.rows * sides.columns, [&](int64_t i) {
      Mat<T> x = sides[i];
      solve_in_place<T>(factors[i], upper, x);
      result.matrix(i) = x;
    });
  });
}
INGOT_OP("aten::cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor",
         Structured<solve_meta, solve>);

}  // namespace
}  // namespace ingot::linalg

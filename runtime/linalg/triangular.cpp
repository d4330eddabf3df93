// Systems of equations with triangular matrices.
#include <array>

#include <ingot/op.h>
#include "linalg/right_side.h"

namespace ingot::linalg {
namespace {

enum class Transposed { no, yes };

template <class T, unsigned kMode>
void solve_mode(const Mat<T>& a, Transposed transposed, Mat<T>& b) {
  if (transposed == Transposed::yes)
    a.template triangularView<kMode>().transpose().solveInPlace(b);
  else
    a.template triangularView<kMode>().solveInPlace(b);
}

// Overwrites b with X in A X = B or A^T X = B. Only the named triangle of `a` is read.
template <class T>
void solve_in_place(const Mat<T>& a, bool upper, bool unit, Transposed transposed, Mat<T>& b) {
  if (unit)
    upper ? solve_mode<T, Eigen::UnitUpper>(a, transposed, b)
          : solve_mode<T, Eigen::UnitLower>(a, transposed, b);
  else
    upper ? solve_mode<T, Eigen::Upper>(a, transposed, b)
          : solve_mode<T, Eigen::Lower>(a, transposed, b);
}

TensorInfo solve_meta(const Tensor& a, const Tensor& b, bool, bool left, bool) {
  check_square(a, "A");
  return solution_of(a, b, left);
}
void solve(const Tensor& a, const Tensor& b, bool upper, bool left, bool unitriangular,
           Tensor& out) {
  dispatch(a.dtype(), [&]<class T>(std::type_identity<T>) {
    const Dims batch = batch_of(out);
    const Matrices<T> factors(a, batch), sides(b, batch);
    Output<T> result(out);
    for_each(sides.count, factors.rows * sides.rows * sides.columns, [&](int64_t i) {
      if (left) {
        Mat<T> x = sides[i];
        solve_in_place<T>(factors[i], upper, unitriangular, Transposed::no, x);
        result.matrix(i) = x;
      } else {  // X A = B is A^T X^T = B^T
        Mat<T> x = sides[i].transpose();
        solve_in_place<T>(factors[i], upper, unitriangular, Transposed::yes, x);
        result.matrix(i) = x.transpose();
      }
    });
  });
}
INGOT_OP(
    "aten::linalg_solve_triangular(Tensor self, Tensor B, *, bool upper, bool left=True, bool "
    "unitriangular=False) -> Tensor",
    Structured<solve_meta, solve>);

std::array<TensorInfo, 2> triangular_solve_meta(const Tensor& self, const Tensor& a, bool, bool,
                                                bool) {
  check_square(a, "A");
  const TensorInfo solution = solution_of(a, self, true);
  const Dims batch = broadcast(batch_of(a), batch_of(self));
  return {solution, matrices(a.dtype(), batch, rows_of(a), rows_of(a))};
}
void triangular_solve(const Tensor& self, const Tensor& a, bool upper, bool transpose,
                      bool unitriangular, Tensor& solution, Tensor& coefficients) {
  dispatch(a.dtype(), [&]<class T>(std::type_identity<T>) {
    const Dims batch = batch_of(solution);
    const Matrices<T> factors(a, batch), sides(self, batch);
    Output<T> result(solution);
    for_each(sides.count, factors.rows * sides.rows * sides.columns, [&](int64_t i) {
      Mat<T> x = sides[i];
      solve_in_place<T>(factors[i], upper, unitriangular,
                        transpose ? Transposed::yes : Transposed::no, x);
      result.matrix(i) = x;
    });
  });
  copy_into(a, coefficients);
}
INGOT_OP(
    "aten::triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, bool "
    "unitriangular=False) -> (Tensor solution, Tensor cloned_coefficient)",
    Structured<triangular_solve_meta, triangular_solve>);

}  // namespace
}  // namespace ingot::linalg

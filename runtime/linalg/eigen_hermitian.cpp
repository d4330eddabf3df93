#include <array>
#include <limits>

#include <Eigen/Eigenvalues>

#include <ingot/op.h>
#include "linalg/eigen_values.h"

namespace ingot::linalg {

template <class T>
Eigh<T> eigh_of(const Mat<T>& a, bool with_vectors) {
  const Index n = a.rows();
  if (n == 0) return {Vec<double>(), Mat<T>(0, 0)};
  const Mat<T> lower = a.template triangularView<Eigen::Lower>();
  if (!lower.allFinite()) {
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    return {Vec<double>::Constant(n, kNan),
            with_vectors ? Mat<T>(Mat<T>::Constant(n, n, T(kNan))) : Mat<T>()};
  }
  const Eigen::SelfAdjointEigenSolver<Mat<T>> solver(
      lower, with_vectors ? Eigen::ComputeEigenvectors : Eigen::EigenvaluesOnly);
  if (solver.info() != Eigen::Success)
    fail(ErrorCode::runtime,
         "linalg.eigh: the algorithm did not converge: the matrix is "
         "ill-conditioned or has too many repeated eigenvalues");
  return {solver.eigenvalues(), with_vectors ? solver.eigenvectors() : Mat<T>()};
}
template Eigh<double> eigh_of(const Mat<double>&, bool);
template Eigh<Complex> eigh_of(const Mat<Complex>&, bool);

namespace {

bool is_upper(std::string_view triangle) {
  const bool upper = triangle == "U" || triangle == "u";
  INGOT_CHECK(upper || triangle == "L" || triangle == "l", "UPLO must be 'L' or 'U', got '",
              triangle, "'");
  return upper;
}

std::array<TensorInfo, 2> eigh_meta(const Tensor& a, std::string_view triangle, bool compute_v) {
  check_square(a, "A");
  is_upper(triangle);
  return {vectors(real_of(a.dtype()), batch_of(a), rows_of(a)),
          compute_v ? a.info() : nothing(a.dtype())};
}
void eigh(const Tensor& a, std::string_view triangle, bool compute_v, Tensor& values,
          Tensor& vectors) {
  dispatch(a.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(a);
    Output<double> values_out(values);
    Output<T> vectors_out(vectors);
    for_each(in.count, cube(in.rows), [&](int64_t i) {
      Mat<T> matrix = in[i];
      if (is_upper(triangle)) matrix.adjointInPlace();
      const Eigh<T> result = eigh_of<T>(matrix, compute_v);
      values_out.vector(i) = result.values;
      if (compute_v) vectors_out.matrix(i) = result.vectors;
    });
  });
}
INGOT_OP(
    "aten::_linalg_eigh(Tensor A, str UPLO=\"L\", bool compute_v=True) -> (Tensor eigenvalues, "
    "Tensor eigenvectors)",
    Structured<eigh_meta, eigh>);

}  // namespace
}  // namespace ingot::linalg

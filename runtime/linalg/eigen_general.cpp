// Eigenvalues and eigenvectors of any square matrices.
#include <array>
#include <vector>

#include <Eigen/Eigenvalues>

#include <ingot/op.h>
#include "linalg/matrices.h"

namespace ingot::linalg {
namespace {

struct Pairs {
  Vec<Complex> values;
  Mat<Complex> vectors;
};

template <class Solver>
void check_converged(const Solver& solver) {
  if (solver.info() != Eigen::Success)
    fail(ErrorCode::runtime, "linalg.eig: the algorithm did not converge");
}

Pairs pairs_of(const Mat<double>& a, bool with_vectors) {
  const Eigen::EigenSolver<Mat<double>> solver(a, with_vectors);
  check_converged(solver);
  return {solver.eigenvalues(), with_vectors ? solver.eigenvectors() : Mat<Complex>()};
}

// Eigen sorts the pairs; LAPACK's order is that of the Schur form.
struct ComplexSolver : Eigen::ComplexEigenSolver<Mat<Complex>> {
  using ComplexEigenSolver::ComplexEigenSolver;
  Vec<Complex> in_order() const { return m_schur.matrixT().diagonal(); }
};

Pairs pairs_of(const Mat<Complex>& a, bool with_vectors) {
  const ComplexSolver solver(a, with_vectors);
  check_converged(solver);
  Pairs pairs{solver.in_order(), Mat<Complex>()};
  if (!with_vectors) return pairs;
  pairs.vectors.resize(a.rows(), a.cols());
  const Vec<Complex> sorted = solver.eigenvalues();
  std::vector<bool> taken(static_cast<size_t>(a.rows()));
  for (Index k = 0; k < a.rows(); ++k) {
    Index at = 0;
    // NaN is found nowhere and takes the last.
    while (at + 1 < a.rows() && (taken[static_cast<size_t>(at)] || sorted[at] != pairs.values[k]))
      ++at;
    taken[static_cast<size_t>(at)] = true;
    pairs.vectors.col(k) = solver.eigenvectors().col(at);
  }
  return pairs;
}

// Vectors of length 1 whose largest element is real, as LAPACK's geev gives them.
void normalize(Mat<Complex>& vectors) {
  for (Index k = 0; k < vectors.cols(); ++k) {
    auto column = vectors.col(k);
    Index largest = 0;
    column.cwiseAbs2().maxCoeff(&largest);
    const Complex pivot = column[largest];
    if (pivot.imag() != 0) {
      column *= std::conj(pivot) / std::abs(pivot);
      column[largest].imag(0);
    }
    column.normalize();
  }
}

// `vectors` null: not wanted.
void eigen_all(const Tensor& self, Tensor& values, Tensor* vectors) {
  if (self.numel() == 0) return;
  dispatch(self.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(self);
    Output<Complex> values_out(values);
    Output<Complex> vectors_out(vectors ? *vectors : values);
    for_each(in.count, cube(in.rows), [&](int64_t i) {
      const Mat<T> matrix = in[i];
      INGOT_CHECK(matrix.allFinite(), "linalg.eig: the matrix has elements that are not finite");
      Pairs pairs = pairs_of(matrix, vectors != nullptr);
      values_out.vector(i) = pairs.values;
      if (!vectors) return;
      normalize(pairs.vectors);
      vectors_out.matrix(i) = pairs.vectors;
    });
  });
}

TensorInfo values_meta(const Tensor& self) {
  check_square(self, "self");
  return vectors(complex_of(self.dtype()), batch_of(self), rows_of(self));
}
void values(const Tensor& self, Tensor& out) { eigen_all(self, out, nullptr); }
INGOT_OP("aten::_linalg_eigvals(Tensor self) -> Tensor", Structured<values_meta, values>);

std::array<TensorInfo, 2> eig_meta(const Tensor& self) {
  const TensorInfo values = values_meta(self);
  return {values, {values.dtype, self.sizes()}};
}
void eig(const Tensor& self, Tensor& values, Tensor& vectors) { eigen_all(self, values, &vectors); }
INGOT_OP("aten::linalg_eig(Tensor self) -> (Tensor eigenvalues, Tensor eigenvectors)",
         Structured<eig_meta, eig>);

}  // namespace
}  // namespace ingot::linalg

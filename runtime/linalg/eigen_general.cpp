// Eigenvalues and eigenvectors of any square matrices.
#include <array>

#include <Eigen/Eigenvalues>

#include <ingot/op.h>
#include "linalg/matrices.h"

namespace ingot::linalg {
namespace {

template <class T>
using Solver =
    std::conditional_t<kComplex<T>, Eigen::ComplexEigenSolver<Mat<T>>, Eigen::EigenSolver<Mat<T>>>;

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
      const Solver<T> solver(matrix, vectors != nullptr);
      if (solver.info() != Eigen::Success)
        fail(ErrorCode::runtime, "linalg.eig: the algorithm did not converge");
      values_out.vector(i) = solver.eigenvalues();
      if (!vectors) return;
      Mat<Complex> columns = solver.eigenvectors();
      normalize(columns);
      vectors_out.matrix(i) = columns;
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

// Eigenvalues and eigenvectors of any square matrices.
#include <array>
#include <type_traits>
#include <vector>

#include <Eigen/Eigenvalues>

#include <ingot/op.h>
#include "linalg/eigen_order.h"
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

template <class Solver, class T>
Pairs pairs_of(const Mat<T>& a, bool with_vectors) {
  const Solver solver(a, with_vectors);
  check_converged(solver);
  return {solver.eigenvalues(), with_vectors ? solver.eigenvectors() : Mat<Complex>()};
}
Pairs pairs_of(const Mat<double>& a, bool with_vectors) {
  return pairs_of<Eigen::EigenSolver<Mat<double>>>(a, with_vectors);
}
Pairs pairs_of(const Mat<Complex>& a, bool with_vectors) {
  // Eigen divides by the norm.
  if (a.isZero(0))
    return {Vec<Complex>::Zero(a.rows()), Mat<Complex>::Identity(a.rows(), a.cols())};
  return pairs_of<Eigen::ComplexEigenSolver<Mat<Complex>>>(a, with_vectors);
}

// Eigenvalues of `a`, as elements of T, in LAPACK's order.
template <class T, class From>
std::vector<Complex> order_of(const Mat<From>& a) {
  std::vector<T> elements;
  for (Index i = 0; i < a.rows(); ++i)
    for (Index j = 0; j < a.cols(); ++j) elements.push_back(static_cast<T>(a(i, j)));
  return eigenvalues_in_order(std::move(elements), a.rows());
}

// Each eigenvalue takes the place of the nearest in `order`, with its vector.
Pairs put_in_order(const Pairs& pairs, const std::vector<Complex>& order) {
  if (order.empty()) return pairs;
  Pairs result{Vec<Complex>(pairs.values.size()),
               Mat<Complex>(pairs.vectors.rows(), pairs.vectors.cols())};
  std::vector<bool> taken(order.size());
  for (size_t place = 0; place < order.size(); ++place) {
    size_t nearest = order.size();
    double least = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      const double distance = std::abs(pairs.values[static_cast<Index>(i)] - order[place]);
      if (taken[i] || (nearest < order.size() && !(distance < least))) continue;
      nearest = i;
      least = distance;
    }
    taken[nearest] = true;
    const auto from = static_cast<Index>(nearest), to = static_cast<Index>(place);
    result.values[to] = pairs.values[from];
    if (pairs.vectors.size() > 0) result.vectors.col(to) = pairs.vectors.col(from);
  }
  return result;
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
      using Single = std::conditional_t<kComplex<T>, std::complex<float>, float>;
      const bool single = real_of(self.dtype()) == DType::f32;
      Pairs pairs = put_in_order(pairs_of(matrix, vectors != nullptr),
                                 single ? order_of<Single>(matrix) : order_of<T>(matrix));
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

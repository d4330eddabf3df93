// Least squares, with LAPACK's drivers: gelsy and gels from complete orthogonal factors, gelsd and
// gelss from singular values.
#include <array>
#include <optional>

#include <Eigen/QR>

#include <ingot/op.h>
#include "linalg/right_side.h"
#include "linalg/svd.h"

namespace ingot::linalg {
namespace {

// X of least norm among those with least |B - A X|, and what was found on the way.
template <class T>
struct Solution {
  Mat<T> x;
  int64_t rank = 0;
  Vec<double> singular_values;
};

template <class T>
Solution<T> by_factors(const Mat<T>& a, const Mat<T>& b, double rcond) {
  Eigen::CompleteOrthogonalDecomposition<Mat<T>> factors;
  factors.setThreshold(rcond);
  factors.compute(a);
  return {factors.solve(b), factors.rank(), {}};
}

template <class T>
Solution<T> by_singular_values(const Mat<T>& a, const Mat<T>& b, double rcond) {
  const Svd<T> parts = svd_of<T>(a, SvdPart::thin);
  const double limit = rcond * parts.s[0];
  const Vec<double> inverse =
      parts.s.unaryExpr([&](double value) { return value > limit ? 1 / value : 0.0; });
  return {parts.v * (inverse.cast<T>().asDiagonal() * (parts.u.adjoint() * b)),
          (parts.s.array() > limit).count(), parts.s};
}

std::array<Tensor, 4> lstsq(const Tensor& self, const Tensor& b, std::optional<double> rcond,
                            std::optional<std::string_view> driver) {
  const std::string_view name = driver.value_or("gelsy");
  const bool by_values = name == "gelsd" || name == "gelss", full_rank = name == "gels";
  INGOT_CHECK(by_values || full_rank || name == "gelsy",
              "driver must be 'gels', 'gelsy', 'gelsd' or 'gelss', got '", name, "'");
  check_matrix(self, "A");
  const bool vector = is_vector_side(self, b);
  const Tensor side = vector ? as_column(b) : b;
  check_matrix(side, "B");
  check_same_dtype(self, b);
  INGOT_CHECK(side.rank() == self.rank(), "B must have as many dimensions as A, or one less, got ",
              self, " and ", b);
  INGOT_CHECK(rows_of(side) == rows_of(self), "B must have as many rows as A, got ", self, " and ",
              b);

  const Dims batch = broadcast(batch_of(self), batch_of(side));
  const int64_t rows = rows_of(self), columns = columns_of(self), sides = columns_of(side);
  const DType dtype = self.dtype(), real = real_of(dtype);
  const double usual = epsilon_of(dtype) * static_cast<double>(std::max(rows, columns));
  Tensor solution = Tensor::empty(matrices(dtype, batch, columns, sides));
  Tensor residuals = Tensor::empty(vectors(real, batch, sides));
  Tensor ranks = Tensor::zeros(DType::i64, batch);
  Tensor singular = Tensor::empty(vectors(real, batch, smaller_side(self)));
  dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(self, batch), right(side, batch);
    Output<T> x_out(solution);
    Output<double> residuals_out(residuals), singular_out(singular);
    for_each(in.count, cube(smaller_side(self)), [&](int64_t i) {
      const Mat<T> a = in[i], target = right[i];
      INGOT_CHECK(a.allFinite(), "A has elements that are not finite");
      Solution<T> found{Mat<T>::Zero(columns, sides), 0, {}};
      if (a.size() > 0)
        found = by_values ? by_singular_values<T>(a, target, rcond.value_or(usual))
                          : by_factors<T>(a, target, full_rank ? 0 : rcond.value_or(usual));
      x_out.matrix(i) = found.x;
      ranks.data<int64_t>()[i] = found.rank;
      residuals_out.vector(i) = (target - a * found.x).colwise().squaredNorm();
      if (by_values && a.size() > 0) singular_out.vector(i) = found.singular_values;
    });
  });

  bool with_residuals = rows > columns && name != "gelsy";
  for (int64_t i = 0; by_values && i < ranks.numel(); ++i)
    if (ranks.data<int64_t>()[i] != columns) with_residuals = false;
  if (!with_residuals) residuals = Tensor::empty(nothing(real));
  if (full_rank) ranks = Tensor::empty(nothing(DType::i64));
  if (!by_values) singular = Tensor::empty(nothing(real));
  if (vector) {
    const Dims sizes = vectors(dtype, batch, columns).sizes;
    Dims strides = solution.strides();
    strides.erase(strides.size() - 1);
    solution = solution.as_strided(sizes, strides, 0);
  }
  return {solution, residuals, ranks, singular};
}
INGOT_OP(
    "aten::linalg_lstsq(Tensor self, Tensor b, float? rcond=None, *, str? driver=None) -> (Tensor "
    "solution, Tensor residuals, Tensor rank, Tensor singular_values)",
    Function<lstsq>);

}  // namespace
}  // namespace ingot::linalg

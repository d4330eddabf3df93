#include "linalg/svd.h"

#include <array>
#include <optional>

#include <Eigen/SVD>

#include <ingot/op.h>

namespace ingot::linalg {
namespace {

template <class T, class Solver>
Svd<T> results_of(const Solver& solver, SvdPart part) {
  Svd<T> result;
  result.s = solver.singularValues();
  if (part != SvdPart::values) {
    result.u = solver.matrixU();
    result.v = solver.matrixV();
  }
  return result;
}

}  // namespace

template <class T>
Svd<T> svd_of(const Mat<T>& a, SvdPart part) {
  unsigned options = 0;
  if (part == SvdPart::thin) options = Eigen::ComputeThinU | Eigen::ComputeThinV;
  if (part == SvdPart::full) options = Eigen::ComputeFullU | Eigen::ComputeFullV;
  if (a.size() == 0) {
    const Index u = part == SvdPart::full ? a.rows() : 0, v = part == SvdPart::full ? a.cols() : 0;
    return {Mat<T>::Identity(a.rows(), u), Vec<double>(), Mat<T>::Identity(a.cols(), v)};
  }
  constexpr Index kSmall = 32;
  if (std::min(a.rows(), a.cols()) > kSmall) {
    const Eigen::BDCSVD<Mat<T>> solver(a, options);
    if (solver.info() == Eigen::Success && solver.singularValues().allFinite())
      return results_of<T>(solver, part);
  }
  // Slow for large matrices, but it always arrives.
  return results_of<T>(Eigen::JacobiSVD<Mat<T>>(a, options), part);
}
template Svd<double> svd_of(const Mat<double>&, SvdPart);
template Svd<Complex> svd_of(const Mat<Complex>&, SvdPart);

namespace {

using Driver = std::optional<std::string_view>;

std::array<TensorInfo, 3> svd_meta(const Tensor& a, bool full_matrices, bool compute_uv,
                                   Driver driver) {
  check_matrix(a, "A");
  INGOT_CHECK(!driver, "driver '", driver.value_or(""), "' exists on GPUs only; leave it None");
  const Dims batch = batch_of(a);
  const int64_t rows = rows_of(a), columns = columns_of(a), values = smaller_side(a);
  const TensorInfo s = vectors(real_of(a.dtype()), batch, values);
  if (!compute_uv) return {nothing(a.dtype()), s, nothing(a.dtype())};
  return {matrices(a.dtype(), batch, rows, full_matrices ? rows : values), s,
          matrices(a.dtype(), batch, full_matrices ? columns : values, columns)};
}
void svd(const Tensor& a, bool full_matrices, bool compute_uv, Driver, Tensor& u, Tensor& s,
         Tensor& vh) {
  const SvdPart part = !compute_uv     ? SvdPart::values
                       : full_matrices ? SvdPart::full
                                       : SvdPart::thin;
  dispatch(a.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(a);
    Output<T> u_out(u), v_out(vh);
    Output<double> s_out(s);
    for_each(in.count, cube(smaller_side(a)), [&](int64_t i) {
      const Mat<T> matrix = in[i];
      if (!matrix.allFinite())
        fail(ErrorCode::runtime,
             "linalg.svd: the singular values do not exist: the matrix has elements that are not "
             "finite");
      const Svd<T> result = svd_of<T>(matrix, part);
      s_out.vector(i) = result.s;
      if (!compute_uv) return;
      u_out.matrix(i) = result.u;
      v_out.matrix(i) = result.v.adjoint();
    });
  });
}
INGOT_OP(
    "aten::_linalg_svd(Tensor A, bool full_matrices=False, bool compute_uv=True, *, str? "
    "driver=None) -> (Tensor U, Tensor S, Tensor Vh)",
    Structured<svd_meta, svd>);

}  // namespace
}  // namespace ingot::linalg

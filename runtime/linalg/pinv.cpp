// Pseudo-inverses, from singular values or, of Hermitian matrices, from eigenvalues.
#include <optional>

#include <ingot/op.h>
#include "linalg/eigen_values.h"
#include "linalg/svd.h"

namespace ingot::linalg {
namespace {

// A tolerance for each matrix: an argument broadcast to the batch, or one number for all.
class Tolerance {
 public:
  Tolerance(const Tensor* given, const Dims& batch, double otherwise) : otherwise_(otherwise) {
    if (given) values_ = with_batch(*given, batch, 0).to(DType::f64).contiguous();
  }
  double operator[](int64_t i) const { return values_ ? values_.data<double>()[i] : otherwise_; }

 private:
  Tensor values_;
  double otherwise_;
};

TensorInfo pinv_meta(const Tensor& self, const Tensor* atol, const Tensor* rtol, bool hermitian) {
  if (hermitian)
    check_square(self, "self");
  else
    check_matrix(self, "self");
  const Dims batch = batch_of(self);
  for (const Tensor* tolerance : {atol, rtol}) {
    if (!tolerance) continue;
    INGOT_CHECK(!is_complex(tolerance->dtype()), "atol and rtol must be real, got ", *tolerance);
    INGOT_CHECK(broadcast(batch, tolerance->sizes()) == batch,
                "atol and rtol must broadcast to the batch sizes of self, ", self, ", got ",
                *tolerance);
  }
  return matrices(self.dtype(), batch, columns_of(self), rows_of(self));
}
void pinv(const Tensor& self, const Tensor* atol, const Tensor* rtol, bool hermitian, Tensor& out) {
  if (self.numel() == 0) return;
  const Dims batch = batch_of(self);
  const double usual =
      epsilon_of(self.dtype()) * static_cast<double>(std::max(rows_of(self), columns_of(self)));
  const Tolerance absolute(atol, batch, 0), relative(rtol, batch, usual);
  dispatch(self.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(self);
    Output<T> result(out);
    for_each(in.count, cube(smaller_side(self)), [&](int64_t i) {
      const Mat<T> matrix = in[i];
      // matrix = left diag(values) right^H
      Mat<T> left, right;
      Vec<double> values;
      if (hermitian) {
        Eigh<T> parts = eigh_of<T>(matrix, true);
        values = parts.values;
        left = right = std::move(parts.vectors);
      } else {
        INGOT_CHECK(matrix.allFinite(), "the matrix has elements that are not finite");
        Svd<T> parts = svd_of<T>(matrix, SvdPart::thin);
        values = parts.s;
        left = std::move(parts.u);
        right = std::move(parts.v);
      }
      // A tolerance that is given alone stands alone.
      const double relative_here = !rtol && absolute[i] > 0 ? 0 : relative[i];
      const double limit = std::max(absolute[i], relative_here * values.cwiseAbs().maxCoeff());
      const Vec<double> inverse =
          values.unaryExpr([&](double value) { return std::abs(value) > limit ? 1 / value : 0.0; });
      result.matrix(i) = right * inverse.cast<T>().asDiagonal() * left.adjoint();
    });
  });
}
INGOT_OP(
    "aten::linalg_pinv.atol_rtol_tensor(Tensor self, *, Tensor? atol=None, Tensor? rtol=None, "
    "bool hermitian=False) -> Tensor",
    Structured<pinv_meta, pinv>);

}  // namespace
}  // namespace ingot::linalg

// The exponential of matrices (scaling and squaring of Padé approximants; Higham, "The scaling and
// squaring method for the matrix exponential revisited", 2005).
#include <unsupported/Eigen/MatrixFunctions>

#include <ingot/op.h>
#include "linalg/matrices.h"

namespace ingot::linalg {
namespace {

TensorInfo matrix_exp_meta(const Tensor& self) {
  check_square(self, "self", true);
  return self.info();
}
void matrix_exp(const Tensor& self, Tensor& out) {
  if (self.numel() == 0) return;
  dispatch(self.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(self);
    Output<T> result(out);
    for_each(in.count, cube(in.rows), [&](int64_t i) {
      const Mat<T> matrix = in[i];
      if (matrix.allFinite())
        result.matrix(i) = matrix.exp();
      else
        result.matrix(i).setConstant(T(std::numeric_limits<double>::quiet_NaN()));
    });
  });
}
INGOT_OP("aten::linalg_matrix_exp(Tensor self) -> Tensor", Structured<matrix_exp_meta, matrix_exp>);

}  // namespace
}  // namespace ingot::linalg

// QR factors and products of Householder reflections, as LAPACK's geqrf, orgqr and ormqr: column k
// of a factor holds, below its diagonal, the vector v of H = I - tau v v^H, whose element k is 1.
#include <array>

#include <Eigen/QR>

#include <ingot/op.h>
#include "linalg/matrices.h"

namespace ingot::linalg {
namespace {

// Overwrites `a` with R and the vectors below its diagonal; returns tau.
template <class T>
Vec<T> factor_in_place(Mat<T>& a) {
  Eigen::HouseholderQR<Eigen::Ref<Mat<T>>> qr(a);
  // Eigen's reflections take x to R, LAPACK's take R to x.
  return qr.hCoeffs().conjugate();
}

// H_1 H_2 ... as an operator on `rows` numbers; refers to its arguments.
template <class Vectors, class T>
auto reflections(const Vectors& vectors, const Vec<T>& tau) {
  return Eigen::HouseholderSequence<const Vectors, const Vec<T>>(vectors, tau)
      .setLength(tau.size());
}

std::array<TensorInfo, 2> geqrf_meta(const Tensor& self) {
  check_matrix(self, "self");
  return {self.info(), vectors(self.dtype(), batch_of(self), smaller_side(self))};
}
void geqrf(const Tensor& self, Tensor& a, Tensor& tau) {
  if (self.numel() == 0) return;
  dispatch(self.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(self);
    Output<T> a_out(a), tau_out(tau);
    for_each(in.count, cube(smaller_side(self)), [&](int64_t i) {
      Mat<T> matrix = in[i];
      tau_out.vector(i) = factor_in_place<T>(matrix);
      a_out.matrix(i) = matrix;
    });
  });
}
INGOT_OP("aten::geqrf(Tensor self) -> (Tensor a, Tensor tau)", Structured<geqrf_meta, geqrf>);

std::array<TensorInfo, 2> qr_meta(const Tensor& a, std::string_view mode) {
  check_matrix(a, "A");
  INGOT_CHECK(mode == "reduced" || mode == "complete" || mode == "r",
              "mode must be 'reduced', 'complete' or 'r', got '", mode, "'");
  const int64_t width = mode == "complete" ? rows_of(a) : smaller_side(a);
  return {mode == "r" ? nothing(a.dtype()) : matrices(a.dtype(), batch_of(a), rows_of(a), width),
          matrices(a.dtype(), batch_of(a), width, columns_of(a))};
}
void qr(const Tensor& a, std::string_view mode, Tensor& q, Tensor& r) {
  const int64_t width = rows_of(r);
  dispatch(a.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(a);
    Output<T> q_out(q), r_out(r);
    for_each(in.count, cube(in.rows), [&](int64_t i) {
      Mat<T> product = Mat<T>::Identity(in.rows, width);
      if (in.rows > 0 && in.columns > 0) {
        Mat<T> matrix = in[i];
        const Vec<T> tau = factor_in_place<T>(matrix);
        r_out.matrix(i) = matrix.topRows(width).template triangularView<Eigen::Upper>();
        if (mode != "r") product.applyOnTheLeft(reflections(matrix, tau));
      }
      if (mode != "r") q_out.matrix(i) = product;
    });
  });
}
INGOT_OP("aten::linalg_qr(Tensor A, str mode=\"reduced\") -> (Tensor Q, Tensor R)",
         Structured<qr_meta, qr>);

// Raises unless tau holds for each matrix of `input` at most as many numbers as it has vectors.
void check_reflections(const Tensor& input, const Tensor& tau, std::string_view name) {
  check_matrix(input, name);
  check_same_dtype(input, tau);
  INGOT_CHECK(tau.rank() == input.rank() - 1 && batch_of(tau, 1) == batch_of(input), "tau, ", tau,
              ", must be a vector for each matrix of ", name, ", ", input);
  INGOT_CHECK(columns_of(tau) <= smaller_side(input), "tau must have at most as many elements as ",
              name, " has rows and columns, got ", tau, " and ", input);
}

TensorInfo product_meta(const Tensor& input, const Tensor& tau) {
  check_reflections(input, tau, "input");
  INGOT_CHECK(rows_of(input) >= columns_of(input),
              "input must have at least as many rows as columns, got ", input);
  return input.info();
}
void product(const Tensor& input, const Tensor& tau, Tensor& out) {
  if (input.numel() == 0) return;
  dispatch(input.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(input);
    const Vectors<T> factors(tau);
    Output<T> result(out);
    for_each(in.count, cube(in.columns), [&](int64_t i) {
      const Mat<T> matrix = in[i];
      const Vec<T> coefficients = factors[i];
      Mat<T> q = Mat<T>::Identity(in.rows, in.columns);
      if (coefficients.size() > 0) q.applyOnTheLeft(reflections(matrix, coefficients));
      result.matrix(i) = q;
    });
  });
}
INGOT_OP("aten::linalg_householder_product(Tensor input, Tensor tau) -> Tensor",
         Structured<product_meta, product>);

TensorInfo ormqr_meta(const Tensor& self, const Tensor& input2, const Tensor& input3, bool left,
                      bool) {
  check_reflections(self, input2, "self");
  check_matrix(input3, "input3");
  check_same_dtype(self, input3);
  INGOT_CHECK(batch_of(input3) == batch_of(self),
              "self and input3 must have the same batch sizes, got ", self, " and ", input3);
  INGOT_CHECK((left ? rows_of(input3) : columns_of(input3)) == rows_of(self), "input3 must have ",
              rows_of(self), left ? " rows" : " columns", ", as many as self has rows, got ",
              input3);
  return input3.info();
}
void ormqr(const Tensor& self, const Tensor& input2, const Tensor& input3, bool left,
           bool transpose, Tensor& out) {
  if (out.numel() == 0) return;
  dispatch(self.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(self), others(input3);
    const Vectors<T> factors(input2);
    Output<T> result(out);
    for_each(others.count, others.rows * others.columns * in.columns, [&](int64_t i) {
      const Mat<T> matrix = in[i];
      const Vec<T> coefficients = factors[i];
      Mat<T> c = others[i];
      const auto q = reflections(matrix, coefficients);
      if (coefficients.size() == 0)
        ;  // Q is the identity
      else if (left)
        transpose ? c.applyOnTheLeft(q.adjoint()) : c.applyOnTheLeft(q);
      else
        transpose ? c.applyOnTheRight(q.adjoint()) : c.applyOnTheRight(q);
      result.matrix(i) = c;
    });
  });
}
INGOT_OP(
    "aten::ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool "
    "transpose=False) -> Tensor",
    Structured<ormqr_meta, ormqr>);

}  // namespace
}  // namespace ingot::linalg

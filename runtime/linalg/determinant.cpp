// Determinants, from LU factors.
#include <array>
#include <cmath>
#include <limits>

#include <ingot/op.h>
#include "linalg/lu.h"

namespace ingot::linalg {
namespace {

// 1 or -1: the determinant of the row interchanges.
double sign_of(const int32_t* pivots, int64_t count) {
  double sign = 1;
  for (int64_t i = 0; i < count; ++i)
    if (pivots[i] != i + 1) sign = -sign;
  return sign;
}

std::array<TensorInfo, 3> det_meta(const Tensor& a) {
  check_square(a, "A");
  return {numbers(a.dtype(), batch_of(a)), a.info(), vectors(DType::i32, batch_of(a), rows_of(a))};
}
void det(const Tensor& a, Tensor& result, Tensor& lu, Tensor& pivots) {
  const int64_t n = rows_of(a);
  dispatch(a.dtype(), [&]<class T>(std::type_identity<T>) {
    // In double all the way: the factors that are an output may be f32.
    Tensor factors = Tensor::empty(kDType<T>, a.sizes());
    factor_all(a, factors, pivots, nullptr);
    const Matrices<T> in(factors);
    Output<T> out(result);
    for (int64_t i = 0; i < in.count; ++i)
      out.number(i) = sign_of(pivots.data<int32_t>() + i * n, n) * in[i].diagonal().prod();
    copy_into(factors, lu);
  });
}
INGOT_OP("aten::_linalg_det(Tensor A) -> (Tensor result, Tensor LU, Tensor pivots)",
         Structured<det_meta, det>);

std::array<TensorInfo, 4> slogdet_meta(const Tensor& a) {
  check_square(a, "A");
  return {numbers(a.dtype(), batch_of(a)), numbers(real_of(a.dtype()), batch_of(a)), a.info(),
          vectors(DType::i32, batch_of(a), rows_of(a))};
}
void slogdet(const Tensor& a, Tensor& sign, Tensor& logabsdet, Tensor& lu, Tensor& pivots) {
  const int64_t n = rows_of(a);
  dispatch(a.dtype(), [&]<class T>(std::type_identity<T>) {
    Tensor factors = Tensor::empty(kDType<T>, a.sizes());
    factor_all(a, factors, pivots, nullptr);
    const Matrices<T> in(factors);
    Output<T> sign_out(sign);
    Output<double> log_out(logabsdet);
    for (int64_t i = 0; i < in.count; ++i) {
      T direction = sign_of(pivots.data<int32_t>() + i * n, n);
      double sum = 0;
      for (int64_t k = 0; k < n; ++k) {
        const T u = in[i](k, k);
        const double size = std::abs(u);
        direction *= size == 0 ? T(0) : u / size;
        sum += std::log(size);
      }
      sign_out.number(i) = direction;
      log_out.number(i) = sum;
    }
    copy_into(factors, lu);
  });
}
INGOT_OP(
    "aten::_linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet, Tensor LU, Tensor pivots)",
    Structured<slogdet_meta, slogdet>);

}  // namespace
}  // namespace ingot::linalg

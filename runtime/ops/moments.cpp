// Variances, norms and log-sum-exp over dimensions.
#include <cmath>

#include "ops/elementwise.h"
#include "ops/functions.h"
#include "ops/promotion.h"
#include "ops/reduce.h"
#include "ops/view.h"

namespace ingot {
namespace {

using MaybeDims = std::optional<IntList>;
using MaybeDType = std::optional<DType>;
using MaybeScalar = std::optional<Scalar>;

// Sums of deviations from the first element and of their squares, in double.
template <class T, bool kWithMean>
struct Variance {
  struct Acc {
    double origin, sum, squares;
  };
  using Out0 = T;
  using Out1 = std::conditional_t<kWithMean, T, void>;
  double correction;
  bool root;  // standard deviation
  Acc start() const { return {0, 0, 0}; }
  void step(Acc& acc, T value, int64_t index) const {
    const double x = static_cast<double>(value);
    if (index == 0 && std::isfinite(x)) acc.origin = x;
    const double deviation = x - acc.origin;
    acc.sum += deviation;
    acc.squares += deviation * deviation;
  }
  void finish(const Acc& acc, int64_t count, T& out) const {
    const auto n = static_cast<double>(count);
    const double squares = acc.squares - acc.sum * (acc.sum / n);
    const double variance = (squares < 0 ? 0 : squares) / std::max(n - correction, 0.0);
    out = static_cast<T>(root ? std::sqrt(variance) : variance);
  }
  void finish(const Acc& acc, int64_t count, T& out, T& mean) const {
    finish(acc, count, out);
    mean = static_cast<T>(acc.origin + acc.sum / static_cast<double>(count));
  }
};

TensorInfo variance_info(const Tensor& self, DimSet dims, bool keepdim) {
  INGOT_CHECK(!is_integral(self.dtype()), "a floating dtype is needed, got ", self);
  const DType dtype = is_complex(self.dtype()) ? real_of(self.dtype()) : self.dtype();
  return {dtype, reduced_sizes(self, dims, keepdim)};
}
// Of complex numbers: the sum of the parts' variances. `mean` may be null.
template <bool kRoot>
void complex_variance(const Tensor& self, DimSet dims, double correction, Tensor& out,
                      Tensor* mean) {
  Dims sizes = out.sizes();
  sizes.push_back(2);
  Tensor parts = Tensor::empty(DType::f64, sizes);
  Tensor means = Tensor::empty(DType::f64, sizes);
  reduce<double>(view_as_real(self), dims, Variance<double, true>{correction, false}, parts,
                 &means);
  if (mean) convert(means.data(), DType::c128, mean->data(), mean->dtype(), mean->numel());
  double* const variances = parts.data<double>();
  for (int64_t i = 0; i < out.numel(); ++i) {
    const double variance = variances[2 * i] + variances[2 * i + 1];
    variances[i] = kRoot ? std::sqrt(variance) : variance;
  }
  convert(variances, DType::f64, out.data(), out.dtype(), out.numel());
}
template <bool kRoot>
void variance(const Tensor& self, DimSet dims, double correction, Tensor& out) {
  if (is_complex(self.dtype()))
    return complex_variance<kRoot>(self, dims, correction, out, nullptr);
  dispatch_floating(compute_dtype(self.dtype()), [&]<class T>(std::type_identity<T>) {
    reduce<T>(self, dims, Variance<T, false>{correction, kRoot}, out);
  });
}
template <bool kRoot>
void variance_mean(const Tensor& self, DimSet dims, double correction, Tensor& out, Tensor& mean) {
  if (is_complex(self.dtype())) return complex_variance<kRoot>(self, dims, correction, out, &mean);
  dispatch_floating(compute_dtype(self.dtype()), [&]<class T>(std::type_identity<T>) {
    reduce<T>(self, dims, Variance<T, true>{correction, kRoot}, out, &mean);
  });
}

double correction_of(const MaybeScalar& correction) {
  return correction ? correction->to_double() : 1.0;
}

// The three overloads: (unbiased), dim, correction.
TensorInfo var_meta(const Tensor& self, bool) {
  return variance_info(self, dims_to_reduce(self, MaybeDims{}), false);
}
TensorInfo var_dim_meta(const Tensor& self, MaybeDims dim, bool, bool keepdim) {
  return variance_info(self, dims_to_reduce(self, dim), keepdim);
}
TensorInfo var_correction_meta(const Tensor& self, MaybeDims dim, MaybeScalar, bool keepdim) {
  return variance_info(self, dims_to_reduce(self, dim), keepdim);
}
template <bool kRoot>
void var(const Tensor& self, bool unbiased, Tensor& out) {
  variance<kRoot>(self, dims_to_reduce(self, MaybeDims{}), unbiased, out);
}
template <bool kRoot>
void var_dim(const Tensor& self, MaybeDims dim, bool unbiased, bool, Tensor& out) {
  variance<kRoot>(self, dims_to_reduce(self, dim), unbiased, out);
}
template <bool kRoot>
void var_correction(const Tensor& self, MaybeDims dim, MaybeScalar correction, bool, Tensor& out) {
  variance<kRoot>(self, dims_to_reduce(self, dim), correction_of(correction), out);
}
#define INGOT_VARIANCE(name, root)                                      \
  INGOT_OP("aten::" name "(Tensor self, bool unbiased=True) -> Tensor", \
           Structured<var_meta, var<root>>);                            \
  INGOT_OP("aten::" name                                                \
           ".dim(Tensor self, int[1]? dim, bool unbiased=True, bool "   \
           "keepdim=False) -> Tensor",                                  \
           Structured<var_dim_meta, var_dim<root>>);                    \
  INGOT_OP("aten::" name                                                \
           ".correction(Tensor self, int[1]? dim=None, *, Scalar? "     \
           "correction=None, bool keepdim=False) -> Tensor",            \
           Structured<var_correction_meta, var_correction<root>>)
INGOT_VARIANCE("var", false);
INGOT_VARIANCE("std", true);

// The same with the mean beside it.
using TwoInfos = std::array<TensorInfo, 2>;
TwoInfos with_mean(const Tensor& self, const TensorInfo& info) {
  return {info, TensorInfo{self.dtype(), info.sizes}};
}
TwoInfos var_mean_meta(const Tensor& self, bool unbiased) {
  return with_mean(self, var_meta(self, unbiased));
}
TwoInfos var_mean_dim_meta(const Tensor& self, MaybeDims dim, bool unbiased, bool keepdim) {
  return with_mean(self, var_dim_meta(self, dim, unbiased, keepdim));
}
TwoInfos var_mean_correction_meta(const Tensor& self, MaybeDims dim, MaybeScalar correction,
                                  bool keepdim) {
  return with_mean(self, var_correction_meta(self, dim, correction, keepdim));
}
template <bool kRoot>
void var_mean(const Tensor& self, bool unbiased, Tensor& out, Tensor& mean) {
  variance_mean<kRoot>(self, dims_to_reduce(self, MaybeDims{}), unbiased, out, mean);
}
template <bool kRoot>
void var_mean_dim(const Tensor& self, MaybeDims dim, bool unbiased, bool, Tensor& out,
                  Tensor& mean) {
  variance_mean<kRoot>(self, dims_to_reduce(self, dim), unbiased, out, mean);
}
template <bool kRoot>
void var_mean_correction(const Tensor& self, MaybeDims dim, MaybeScalar correction, bool,
                         Tensor& out, Tensor& mean) {
  variance_mean<kRoot>(self, dims_to_reduce(self, dim), correction_of(correction), out, mean);
}
#define INGOT_VARIANCE_MEAN(name, root)                                           \
  INGOT_OP("aten::" name "(Tensor self, bool unbiased=True) -> (Tensor, Tensor)", \
           Structured<var_mean_meta, var_mean<root>>);                            \
  INGOT_OP("aten::" name                                                          \
           ".dim(Tensor self, int[1]? dim, bool unbiased=True, bool "             \
           "keepdim=False) -> (Tensor, Tensor)",                                  \
           Structured<var_mean_dim_meta, var_mean_dim<root>>);                    \
  INGOT_OP("aten::" name                                                          \
           ".correction(Tensor self, int[1]? dim=None, *, Scalar? "               \
           "correction=None, bool keepdim=False) -> (Tensor, Tensor)",            \
           Structured<var_mean_correction_meta, var_mean_correction<root>>)
INGOT_VARIANCE_MEAN("var_mean", false);
INGOT_VARIANCE_MEAN("std_mean", true);

// (sum |x|^p)^(1/p) and its limits: 0 counts, infinity takes the largest, -infinity the smallest.
template <class T>
struct Norm {
  using Acc = double;
  using Out0 = T;
  using Out1 = void;
  double p;
  double start() const { return std::isinf(p) && p < 0 ? -p : 0; }
  void step(double& acc, T value, int64_t) const {
    const double x = std::abs(static_cast<double>(value));
    if (p == 2)
      acc += x * x;
    else if (p == 1)
      acc += x;
    else if (p == 0)
      acc += x != 0;
    else if (std::isinf(p))
      acc = p > 0 ? fn::maximum(acc, x) : fn::minimum(acc, x);
    else
      acc += std::pow(x, p);
  }
  void finish(const double& acc, int64_t, T& out) const {
    const bool plain = p == 1 || p == 0 || std::isinf(p);
    out = static_cast<T>(plain ? acc : p == 2 ? std::sqrt(acc) : std::pow(acc, 1 / p));
  }
};

TensorInfo norm_info(const Tensor& self, double p, DimSet dims, bool keepdim, MaybeDType dtype) {
  const DType common = dtype.value_or(self.dtype());
  const DType result = is_complex(common) ? real_of(common) : common;
  INGOT_CHECK(!is_integral(result) && !(dtype && is_integral(self.dtype())),
              "a floating dtype is needed, got ", self);
  if (p < 0 || std::isinf(p)) check_not_empty(self, dims);
  return {result, reduced_sizes(self, dims, keepdim)};
}
constexpr Elementwise kLength =
    elementwise<1, 0, kComplexWide>(Promotion::common, [](auto x) { return std::abs(x); });
void norm(const Tensor& tensor, double p, DimSet dims, Tensor& out) {
  const Tensor self = is_complex(tensor.dtype()) ? elementwise(kLength, {&tensor}) : tensor;
  dispatch_floating(compute_dtype(out.dtype()), [&]<class T>(std::type_identity<T>) {
    reduce<T>(self, dims, Norm<T>{p}, out);
  });
}
double power_of(const MaybeScalar& p) { return p ? p->to_double() : 2.0; }

TensorInfo vector_norm_meta(const Tensor& self, Scalar ord, MaybeDims dim, bool keepdim,
                            MaybeDType dtype) {
  return norm_info(self, ord.to_double(), dims_to_reduce(self, dim), keepdim, dtype);
}
void vector_norm(const Tensor& self, Scalar ord, MaybeDims dim, bool, MaybeDType, Tensor& out) {
  norm(self, ord.to_double(), dims_to_reduce(self, dim), out);
}
INGOT_OP(
    "aten::linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool "
    "keepdim=False, *, ScalarType? dtype=None) -> Tensor",
    Structured<vector_norm_meta, vector_norm>);
TensorInfo norm_scalar_meta(const Tensor& self, Scalar p) {
  return vector_norm_meta(self, p, {}, false, {});
}
void norm_scalar(const Tensor& self, Scalar p, Tensor& out) {
  vector_norm(self, p, {}, false, {}, out);
}
INGOT_OP("aten::norm.Scalar(Tensor self, Scalar p=2) -> Tensor",
         Structured<norm_scalar_meta, norm_scalar>);
TensorInfo norm_dtype_meta(const Tensor& self, MaybeScalar p, DType dtype) {
  return vector_norm_meta(self, power_of(p), {}, false, dtype);
}
void norm_dtype(const Tensor& self, MaybeScalar p, DType, Tensor& out) {
  vector_norm(self, power_of(p), {}, false, {}, out);
}
INGOT_OP("aten::norm.ScalarOpt_dtype(Tensor self, Scalar? p, *, ScalarType dtype) -> Tensor",
         Structured<norm_dtype_meta, norm_dtype>);
TensorInfo norm_dim_meta(const Tensor& self, MaybeScalar p, IntList dim, bool keepdim) {
  return vector_norm_meta(self, power_of(p), dim, keepdim, {});
}
void norm_dim(const Tensor& self, MaybeScalar p, IntList dim, bool keepdim, Tensor& out) {
  vector_norm(self, power_of(p), dim, keepdim, {}, out);
}
INGOT_OP(
    "aten::norm.ScalarOpt_dim(Tensor self, Scalar? p, int[1] dim, bool keepdim=False) -> "
    "Tensor",
    Structured<norm_dim_meta, norm_dim>);
TensorInfo norm_dim_dtype_meta(const Tensor& self, MaybeScalar p, IntList dim, bool keepdim,
                               DType dtype) {
  return vector_norm_meta(self, power_of(p), dim, keepdim, dtype);
}
void norm_dim_dtype(const Tensor& self, MaybeScalar p, IntList dim, bool keepdim, DType,
                    Tensor& out) {
  vector_norm(self, power_of(p), dim, keepdim, {}, out);
}
INGOT_OP(
    "aten::norm.ScalarOpt_dim_dtype(Tensor self, Scalar? p, int[1] dim, bool keepdim, *, "
    "ScalarType dtype) -> Tensor",
    Structured<norm_dim_dtype_meta, norm_dim_dtype>);

TensorInfo frobenius_norm_meta(const Tensor& self, IntList dim, bool keepdim) {
  return vector_norm_meta(self, 2.0, dim, keepdim, {});
}
void frobenius_norm(const Tensor& self, IntList dim, bool keepdim, Tensor& out) {
  vector_norm(self, 2.0, dim, keepdim, {}, out);
}
INGOT_OP("aten::frobenius_norm.dim(Tensor self, int[1] dim, bool keepdim=False) -> Tensor",
         Structured<frobenius_norm_meta, frobenius_norm>);

constexpr Elementwise kDifference = elementwise<2, 0, kFloats | kComplexWide>(
    Promotion::common, [](auto a, auto b) { return a - b; });
TensorInfo dist_meta(const Tensor& self, const Tensor& other, Scalar p) {
  const Operand operands[] = {{&self}, {&other}};
  return norm_scalar_meta(Tensor::meta(infer_elementwise(kDifference, operands)), p);
}
void dist(const Tensor& self, const Tensor& other, Scalar p, Tensor& out) {
  norm_scalar(elementwise(kDifference, {&self, &other}), p, out);
}
INGOT_OP("aten::dist(Tensor self, Tensor other, Scalar p=2) -> Tensor",
         Structured<dist_meta, dist>);

// The sum is kept relative to the largest element so far.
template <class T>
struct LogSumExp {
  struct Acc {
    T largest;
    double sum;
  };
  using Out0 = T;
  using Out1 = void;
  Acc start() const { return {-std::numeric_limits<T>::infinity(), 0}; }
  void step(Acc& acc, T value, int64_t) const {
    if (value > acc.largest)
      acc = {value, acc.sum * static_cast<double>(std::exp(acc.largest - value)) + 1};
    else if (value == acc.largest)
      acc.sum += 1;
    else
      acc.sum += static_cast<double>(std::exp(value - acc.largest));
  }
  void finish(const Acc& acc, int64_t, T& out) const {
    out = static_cast<T>(static_cast<double>(acc.largest) + std::log(acc.sum));
  }
};
struct ComplexLogSumExp {
  using Acc = std::complex<double>;
  using Out0 = Acc;
  using Out1 = void;
  Acc start() const { return -std::numeric_limits<double>::infinity(); }
  void step(Acc& acc, Acc value, int64_t) const { acc = fn::log_add_exp(acc, value); }
  // The logarithm's angle is its principal value.
  void finish(const Acc& acc, int64_t, Acc& out) const {
    constexpr double kTurn = 6.28318530717958647693;
    out = {acc.real(), std::remainder(acc.imag(), kTurn)};
  }
};
TensorInfo logsumexp_meta(const Tensor& self, IntList dim, bool keepdim) {
  return {floating_result(self.dtype()),
          reduced_sizes(self, dims_to_reduce(self, std::span<const int64_t>(dim)), keepdim)};
}
void logsumexp(const Tensor& self, IntList dim, bool, Tensor& out) {
  if (is_complex(out.dtype()))
    return reduce<std::complex<double>>(self, dims_to_reduce(self, std::span<const int64_t>(dim)),
                                        ComplexLogSumExp(), out);
  dispatch_floating(compute_dtype(out.dtype()), [&]<class T>(std::type_identity<T>) {
    reduce<T>(self, dims_to_reduce(self, std::span<const int64_t>(dim)), LogSumExp<T>(), out);
  });
}
INGOT_OP("aten::logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor",
         Structured<logsumexp_meta, logsumexp>);
INGOT_OP("aten::special_logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor",
         Structured<logsumexp_meta, logsumexp>);

}  // namespace
}  // namespace ingot

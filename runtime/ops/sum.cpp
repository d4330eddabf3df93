// Sums, means, products, counts and truth over dimensions.
#include <cmath>

#include "kernels/rows_f32.h"
#include "ops/functions.h"
#include "ops/plan/reduce_node.h"
#include "ops/reduce.h"
#include "ops/view.h"

namespace ingot {
namespace {

// Floats are summed in double (f32 through f32::sum); integers wrap.
template <class T>
using Wide = std::conditional_t<std::is_integral_v<T>, uint64_t, double>;

template <class T>
constexpr bool skipped(T value) {
  return value != value;
}

template <class T>
struct Sum {
  using Acc = Wide<T>;
  using Out0 = T;
  using Out1 = void;
  Acc start() const { return 0; }
  void step(Acc& acc, T value, int64_t) const { acc += static_cast<Acc>(value); }
  void steps(Acc& acc, const T* values, int64_t n, int64_t) const {
    if constexpr (std::is_same_v<T, float>) {
      acc += f32::sum(values, n);
      return;
    }
    constexpr int64_t kLanes = 8;
    Acc lanes[kLanes] = {};
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes)
      for (int64_t k = 0; k < kLanes; ++k) lanes[k] += static_cast<Acc>(values[i + k]);
    for (; i < n; ++i) acc += static_cast<Acc>(values[i]);
    for (const Acc lane : lanes) acc += lane;
  }
  void column_steps(Acc* accs, const T* values, int64_t n) const {
    if constexpr (std::is_same_v<T, float>)
      f32::add_to_sums(values, n, accs);
    else
      for (int64_t i = 0; i < n; ++i) accs[i] += static_cast<Acc>(values[i]);
  }
  void merge(Acc& acc, const Acc& later) const { acc += later; }
  void finish(const Acc& acc, int64_t, T& out) const { out = static_cast<T>(acc); }
};

template <class T>
struct Mean : Sum<T> {
  void finish(const typename Sum<T>::Acc& acc, int64_t count, T& out) const {
    out = static_cast<T>(static_cast<double>(acc) / static_cast<double>(count));
  }
};

template <class T>
struct NanSum : Sum<T> {
  void step(typename Sum<T>::Acc& acc, T value, int64_t) const {
    if (!skipped(value)) acc += static_cast<typename Sum<T>::Acc>(value);
  }
  void steps(typename Sum<T>::Acc& acc, const T* values, int64_t n, int64_t) const {
    for (int64_t i = 0; i < n; ++i) step(acc, values[i], i);
  }
  void column_steps(typename Sum<T>::Acc* accs, const T* values, int64_t n) const {
    for (int64_t i = 0; i < n; ++i) step(accs[i], values[i], i);
  }
};

template <class T>
struct NanMean {
  struct Acc {
    double sum;
    int64_t count;
  };
  using Out0 = T;
  using Out1 = void;
  Acc start() const { return {0, 0}; }
  void step(Acc& acc, T value, int64_t) const {
    if (skipped(value)) return;
    acc.sum += static_cast<double>(value);
    ++acc.count;
  }
  void finish(const Acc& acc, int64_t, T& out) const {
    out = static_cast<T>(acc.sum / static_cast<double>(acc.count));
  }
};

template <class T>
struct Product {
  using Acc = Wide<T>;
  using Out0 = T;
  using Out1 = void;
  Acc start() const { return 1; }
  void step(Acc& acc, T value, int64_t) const { acc *= static_cast<Acc>(value); }
  void finish(const Acc& acc, int64_t, T& out) const { out = static_cast<T>(acc); }
};

struct ComplexProduct {
  using Acc = std::complex<double>;
  using Out0 = Acc;
  using Out1 = void;
  Acc start() const { return 1; }
  void step(Acc& acc, Acc value, int64_t) const { acc = fn::mul(acc, value); }
  void finish(const Acc& acc, int64_t, Acc& out) const { out = acc; }
};

template <class T>
struct CountNonzero {
  using Acc = int64_t;
  using Out0 = int64_t;
  using Out1 = void;
  Acc start() const { return 0; }
  void step(Acc& acc, T value, int64_t) const { acc += value != 0; }
  void finish(const Acc& acc, int64_t, int64_t& out) const { out = acc; }
};

template <class T>
struct Any : CountNonzero<T> {
  void finish(const int64_t& acc, int64_t, int64_t& out) const { out = acc != 0; }
};
template <class T>
struct All : CountNonzero<T> {
  void finish(const int64_t& acc, int64_t count, int64_t& out) const { out = acc == count; }
};

// Truth and counts see complex numbers as bool.
Tensor truth_of(const Tensor& self) {
  return is_complex(self.dtype()) ? self.to(DType::boolean) : self;
}

// Elements are converted to out's dtype before they are summed. Complex sums are those of the
// parts, in a last dimension that is kept; products have a kind of their own.
template <template <class> class R>
void reduce_as_result(const Tensor& self, DimSet dims, Tensor& out) {
  if (is_complex(out.dtype())) {
    if constexpr (std::is_same_v<R<float>, Product<float>>) {
      reduce<std::complex<double>>(self, dims, ComplexProduct(), out);
    } else {
      Tensor parts = view_as_real(out);
      reduce_as_result<R>(view_as_real(self.to(out.dtype())), dims, parts);
    }
    return;
  }
  dispatch_compute(compute_dtype(out.dtype()),
                   [&]<class T>(std::type_identity<T>) { reduce<T>(self, dims, R<T>(), out); });
}
template <template <class> class R>
void reduce_as_self(const Tensor& tensor, DimSet dims, Tensor& out) {
  const Tensor self = truth_of(tensor);
  dispatch_compute(compute_dtype(self.dtype()),
                   [&]<class T>(std::type_identity<T>) { reduce<T>(self, dims, R<T>(), out); });
}

using MaybeDims = std::optional<IntList>;
using MaybeDType = std::optional<DType>;

// Integers and bool sum to i64.
DType sum_dtype(const Tensor& self, MaybeDType dtype) {
  return dtype.value_or(is_integral(self.dtype()) ? DType::i64 : self.dtype());
}
DType mean_dtype(const Tensor& self, MaybeDType dtype) {
  const DType result = dtype.value_or(self.dtype());
  INGOT_CHECK(!is_integral(result), "the mean of ", self,
              " has no dtype of its own: give a "
              "floating dtype");
  return result;
}

// aten::sum and nansum; mean and nanmean; each with and without dims.
template <DType (*kDType)(const Tensor&, MaybeDType)>
TensorInfo dims_meta(const Tensor& self, MaybeDims dim, bool keepdim, MaybeDType dtype) {
  return {kDType(self, dtype), reduced_sizes(self, dims_to_reduce(self, dim), keepdim)};
}
template <template <class> class R>
void dims_kernel(const Tensor& self, MaybeDims dim, bool, MaybeDType, Tensor& out) {
  reduce_as_result<R>(self, dims_to_reduce(self, dim), out);
}
template <DType (*kDType)(const Tensor&, MaybeDType)>
TensorInfo whole_meta(const Tensor& self, MaybeDType dtype) {
  return {kDType(self, dtype), {}};
}
template <template <class> class R>
void whole_kernel(const Tensor& self, MaybeDType, Tensor& out) {
  reduce_as_result<R>(self, dims_to_reduce(self, MaybeDims{}), out);
}
// The dimensions are argument 1 of those forms that have any.
template <plan::ReduceNode::Kind kKind, bool kHasDims>
bool lower_rows(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  const Value& dtype = in[kHasDims ? 3 : 1];
  if (!dtype.is_none() && Unbox<DType>::get(dtype) != DType::f32) return false;
  const Tensor& self = in[0].tensor();
  DimSet dims = dims_to_reduce(self, MaybeDims{});
  if constexpr (kHasDims) dims = dims_to_reduce(self, Unbox<MaybeDims>::get(in[1]));
  *out = plan::record_reduction(recorder, kKind, self, dims, recorder.infer(in)[0].sizes);
  return out->defined();
}
constexpr auto kSumRows = plan::ReduceNode::Kind::sum;
constexpr auto kMeanRows = plan::ReduceNode::Kind::mean;

INGOT_OP("aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor",
         Structured<whole_meta<sum_dtype>, whole_kernel<Sum>, lower_rows<kSumRows, false>>);
INGOT_OP(
    "aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? "
    "dtype=None) -> Tensor",
    Structured<dims_meta<sum_dtype>, dims_kernel<Sum>, lower_rows<kSumRows, true>>);
INGOT_OP(
    "aten::nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? "
    "dtype=None) -> Tensor",
    Structured<dims_meta<sum_dtype>, dims_kernel<NanSum>>);
INGOT_OP("aten::mean(Tensor self, *, ScalarType? dtype=None) -> Tensor",
         Structured<whole_meta<mean_dtype>, whole_kernel<Mean>, lower_rows<kMeanRows, false>>);
INGOT_OP(
    "aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? "
    "dtype=None) -> Tensor",
    Structured<dims_meta<mean_dtype>, dims_kernel<Mean>, lower_rows<kMeanRows, true>>);
INGOT_OP(
    "aten::nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? "
    "dtype=None) -> Tensor",
    Structured<dims_meta<mean_dtype>, dims_kernel<NanMean>>);
INGOT_OP("aten::prod(Tensor self, *, ScalarType? dtype=None) -> Tensor",
         Structured<whole_meta<sum_dtype>, whole_kernel<Product>>);

TensorInfo prod_meta(const Tensor& self, int64_t dim, bool keepdim, MaybeDType dtype) {
  return {sum_dtype(self, dtype),
          reduced_sizes(self, dims_to_reduce(self, std::span(&dim, 1)), keepdim)};
}
void prod(const Tensor& self, int64_t dim, bool, MaybeDType, Tensor& out) {
  reduce_as_result<Product>(self, dims_to_reduce(self, std::span(&dim, 1)), out);
}
INGOT_OP(
    "aten::prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? "
    "dtype=None) -> Tensor",
    Structured<prod_meta, prod>);

TensorInfo count_meta(const Tensor& self, std::optional<int64_t> dim) {
  if (!dim) return {DType::i64, {}};
  return {DType::i64, reduced_sizes(self, dims_to_reduce(self, std::span(&*dim, 1)), false)};
}
void count(const Tensor& self, std::optional<int64_t> dim, Tensor& out) {
  const auto dims = dim ? std::span<const int64_t>(&*dim, 1) : std::span<const int64_t>();
  reduce_as_self<CountNonzero>(self, dims_to_reduce(self, dims), out);
}
INGOT_OP("aten::count_nonzero(Tensor self, int? dim=None) -> Tensor",
         Structured<count_meta, count>);
TensorInfo count_dims_meta(const Tensor& self, IntList dim) {
  return {DType::i64,
          reduced_sizes(self, dims_to_reduce(self, std::span<const int64_t>(dim)), false)};
}
void count_dims(const Tensor& self, IntList dim, Tensor& out) {
  reduce_as_self<CountNonzero>(self, dims_to_reduce(self, std::span<const int64_t>(dim)), out);
}
INGOT_OP("aten::count_nonzero.dim_IntList(Tensor self, int[] dim) -> Tensor",
         Structured<count_dims_meta, count_dims>);

// PyTorch keeps u8 here, its bool of old.
DType truth_dtype(const Tensor& self) {
  return self.dtype() == DType::u8 ? DType::u8 : DType::boolean;
}
TensorInfo truth_meta(const Tensor& self) { return {truth_dtype(self), {}}; }
TensorInfo truth_dim_meta(const Tensor& self, int64_t dim, bool keepdim) {
  return {truth_dtype(self),
          reduced_sizes(self, dims_to_reduce(self, std::span(&dim, 1)), keepdim)};
}
TensorInfo truth_dims_meta(const Tensor& self, MaybeDims dim, bool keepdim) {
  return {truth_dtype(self), reduced_sizes(self, dims_to_reduce(self, dim), keepdim)};
}
template <template <class> class R>
void truth(const Tensor& self, Tensor& out) {
  reduce_as_self<R>(self, dims_to_reduce(self, MaybeDims{}), out);
}
template <template <class> class R>
void truth_dim(const Tensor& self, int64_t dim, bool, Tensor& out) {
  reduce_as_self<R>(self, dims_to_reduce(self, std::span(&dim, 1)), out);
}
template <template <class> class R>
void truth_dims(const Tensor& self, MaybeDims dim, bool, Tensor& out) {
  reduce_as_self<R>(self, dims_to_reduce(self, dim), out);
}
#define INGOT_TRUTH(name, reducer)                                                            \
  INGOT_OP("aten::" name "(Tensor self) -> Tensor", Structured<truth_meta, truth<reducer>>);  \
  INGOT_OP("aten::" name ".dim(Tensor self, int dim, bool keepdim=False) -> Tensor",          \
           Structured<truth_dim_meta, truth_dim<reducer>>);                                   \
  INGOT_OP("aten::" name ".dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor", \
           Structured<truth_dims_meta, truth_dims<reducer>>)
INGOT_TRUTH("any", Any);
INGOT_TRUTH("all", All);

TensorInfo trace_meta(const Tensor& self) {
  INGOT_CHECK(self.rank() == 2, "a matrix is needed, got ", self);
  return {sum_dtype(self, {}), {}};
}
void trace(const Tensor& self, Tensor& out) {
  const Tensor diagonal = self.as_strided(Dims{std::min(self.size(0), self.size(1))},
                                          Dims{self.stride(0) + self.stride(1)}, 0);
  reduce_as_result<Sum>(diagonal, 1, out);
}
INGOT_OP("aten::trace(Tensor self) -> Tensor", Structured<trace_meta, trace>);

}  // namespace
}  // namespace ingot

// Largest and smallest elements over dimensions, and where they are.
#include "kernels/f32_loops.h"
#include "kernels/rows_f32.h"
#include "ops/functions.h"
#include "ops/plan/reduce_node.h"
#include "ops/reduce.h"

namespace ingot {
namespace {

// NaN is beyond every number; of equal elements the first counts.
template <bool kLargest, class T>
bool beyond(T value, T best) {
  if (fn::is_nan(best)) return false;
  return fn::is_nan(value) || (kLargest ? value > best : value < best);
}

template <bool kLargest, class T>
struct Extreme {
  struct Acc {
    T value;
    int64_t index;  // -1: none yet
  };
  using Out0 = T;
  using Out1 = int64_t;
  Acc start() const { return {T(0), -1}; }
  void step(Acc& acc, T value, int64_t index) const {
    if (acc.index < 0 || beyond<kLargest>(value, acc.value)) acc = {value, index};
  }
  void finish(const Acc& acc, int64_t, T& value, int64_t& index) const {
    value = acc.value;
    index = acc.index;
  }
};

template <bool kLargest, class T>
struct ExtremeValue {
  using Acc = T;
  using Out0 = T;
  using Out1 = void;
  using Limits = std::numeric_limits<T>;
  Acc start() const {
    if constexpr (Limits::has_infinity) return kLargest ? -Limits::infinity() : Limits::infinity();
    return kLargest ? Limits::min() : Limits::max();
  }
  void step(Acc& acc, T value, int64_t) const {
    acc = kLargest ? fn::maximum(acc, value) : fn::minimum(acc, value);
  }
  void steps(Acc& acc, const T* values, int64_t n, int64_t) const {
    if constexpr (std::is_same_v<T, float>) {
      step(acc, kLargest ? f32::largest(values, n) : f32::smallest(values, n), 0);
      return;
    }
    constexpr int64_t kLanes = 8;
    T lanes[kLanes];
    for (T& lane : lanes) lane = acc;
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes)
      for (int64_t k = 0; k < kLanes; ++k) step(lanes[k], values[i + k], 0);
    for (; i < n; ++i) step(acc, values[i], 0);
    for (const T lane : lanes) step(acc, lane, 0);
  }
  void column_steps(Acc* accs, const T* values, int64_t n) const {
    if constexpr (std::is_same_v<T, float>) {
      const void* const both[] = {accs, values};
      (kLargest ? f32::maximum : f32::minimum)(n, accs, both, nullptr);
    } else {
      for (int64_t i = 0; i < n; ++i) step(accs[i], values[i], 0);
    }
  }
  void merge(Acc& acc, const Acc& later) const { step(acc, later, 0); }
  void finish(const Acc& acc, int64_t, T& out) const { out = acc; }
};

template <bool kLargest, class T>
struct ExtremeIndex : Extreme<kLargest, T> {
  using Out0 = int64_t;
  using Out1 = void;
  void finish(const typename Extreme<kLargest, T>::Acc& acc, int64_t, int64_t& index) const {
    index = acc.index;
  }
};

template <class T>
struct Range {
  struct Acc {
    T low, high;
  };
  using Out0 = T;
  using Out1 = T;
  Acc start() const { return {ExtremeValue<false, T>().start(), ExtremeValue<true, T>().start()}; }
  void step(Acc& acc, T value, int64_t) const {
    acc = {fn::minimum(acc.low, value), fn::maximum(acc.high, value)};
  }
  void finish(const Acc& acc, int64_t, T& low, T& high) const {
    low = acc.low;
    high = acc.high;
  }
};

DimSet all_dims(const Tensor& self) { return dims_to_reduce(self, std::span<const int64_t>()); }
DimSet one_dim(const Tensor& self, int64_t dim) { return dims_to_reduce(self, std::span(&dim, 1)); }
DimSet maybe_dim(const Tensor& self, std::optional<int64_t> dim) {
  return dim ? one_dim(self, *dim) : all_dims(self);
}

TensorInfo value_info(const Tensor& self, DimSet dims, bool keepdim) {
  check_not_empty(self, dims);
  return {self.dtype(), reduced_sizes(self, dims, keepdim)};
}

template <bool kLargest>
void values(const Tensor& self, DimSet dims, Tensor& out) {
  dispatch_compute(compute_dtype(self.dtype()), [&]<class T>(std::type_identity<T>) {
    reduce<T>(self, dims, ExtremeValue<kLargest, T>(), out);
  });
}

TensorInfo whole_meta(const Tensor& self) { return value_info(self, all_dims(self), false); }
template <bool kLargest>
void whole(const Tensor& self, Tensor& out) {
  values<kLargest>(self, all_dims(self), out);
}
INGOT_OP("aten::max(Tensor self) -> Tensor", Structured<whole_meta, whole<true>>);
INGOT_OP("aten::min(Tensor self) -> Tensor", Structured<whole_meta, whole<false>>);

TensorInfo dims_meta(const Tensor& self, IntList dim, bool keepdim) {
  return value_info(self, dims_to_reduce(self, std::span<const int64_t>(dim)), keepdim);
}
template <bool kLargest>
void dims(const Tensor& self, IntList dim, bool, Tensor& out) {
  values<kLargest>(self, dims_to_reduce(self, std::span<const int64_t>(dim)), out);
}
template <plan::ReduceNode::Kind kKind>
bool lower_dims(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  const IntList dim = Unbox<IntList>::get(in[1]);
  const Tensor& self = in[0].tensor();
  *out = plan::record_reduction(recorder, kKind, self,
                                dims_to_reduce(self, std::span<const int64_t>(dim)),
                                recorder.infer(in)[0].sizes);
  return out->defined();
}
INGOT_OP("aten::amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor",
         Structured<dims_meta, dims<true>, lower_dims<plan::ReduceNode::Kind::largest>>);
INGOT_OP("aten::amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor",
         Structured<dims_meta, dims<false>, lower_dims<plan::ReduceNode::Kind::smallest>>);

std::array<TensorInfo, 2> indexed_meta(const Tensor& self, int64_t dim, bool keepdim) {
  const TensorInfo info = value_info(self, one_dim(self, dim), keepdim);
  return {info, TensorInfo{DType::i64, info.sizes}};
}
template <bool kLargest>
void indexed(const Tensor& self, int64_t dim, bool, Tensor& values, Tensor& indices) {
  dispatch_compute(compute_dtype(self.dtype()), [&]<class T>(std::type_identity<T>) {
    reduce<T>(self, one_dim(self, dim), Extreme<kLargest, T>(), values, &indices);
  });
}
INGOT_OP(
    "aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor "
    "indices)",
    Structured<indexed_meta, indexed<true>>);
INGOT_OP(
    "aten::min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor "
    "indices)",
    Structured<indexed_meta, indexed<false>>);

TensorInfo index_meta(const Tensor& self, std::optional<int64_t> dim, bool keepdim) {
  return {DType::i64, value_info(self, maybe_dim(self, dim), keepdim).sizes};
}
template <bool kLargest>
void index(const Tensor& self, std::optional<int64_t> dim, bool, Tensor& out) {
  // Without a dimension the position counts in row-major order: walk it in that order.
  const Tensor source = dim ? self : self.contiguous();
  dispatch_compute(compute_dtype(self.dtype()), [&]<class T>(std::type_identity<T>) {
    reduce<T>(source, maybe_dim(self, dim), ExtremeIndex<kLargest, T>(), out);
  });
}
INGOT_OP("aten::argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor",
         Structured<index_meta, index<true>>);
INGOT_OP("aten::argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor",
         Structured<index_meta, index<false>>);

std::array<TensorInfo, 2> range_meta(const Tensor& self, std::optional<int64_t> dim, bool keepdim) {
  const TensorInfo info = value_info(self, maybe_dim(self, dim), keepdim);
  return {info, info};
}
void range(const Tensor& self, std::optional<int64_t> dim, bool, Tensor& low, Tensor& high) {
  dispatch_compute(compute_dtype(self.dtype()), [&]<class T>(std::type_identity<T>) {
    reduce<T>(self, maybe_dim(self, dim), Range<T>(), low, &high);
  });
}
INGOT_OP(
    "aten::aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor "
    "max)",
    Structured<range_meta, range>);

}  // namespace
}  // namespace ingot

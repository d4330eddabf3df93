// Running sums, products and extremes along one dimension.
#include <cmath>
#include <vector>

#include "ops/functions.h"
#include "ops/promotion.h"
#include "ops/reduce.h"
#include "ops/view.h"

namespace ingot {
namespace {

using MaybeDType = std::optional<DType>;

// A scanner has Acc, start() and step(Acc&, T, index), which returns the running value.
template <class T>
struct RunningSum {
  using Acc = std::conditional_t<std::is_integral_v<T>, uint64_t, double>;
  Acc start() const { return 0; }
  T step(Acc& acc, T value, int64_t) const {
    return static_cast<T>(acc += static_cast<Acc>(value));
  }
};
template <class T>
struct RunningProduct {
  using Acc = std::conditional_t<std::is_integral_v<T>, uint64_t, double>;
  Acc start() const { return 1; }
  T step(Acc& acc, T value, int64_t) const {
    return static_cast<T>(acc *= static_cast<Acc>(value));
  }
};
struct RunningComplexProduct {
  using Acc = std::complex<double>;
  Acc start() const { return 1; }
  Acc step(Acc& acc, Acc value, int64_t) const { return acc = fn::mul(acc, value); }
};
template <class T>
struct RunningLogSumExp {
  using Acc = T;
  Acc start() const { return -std::numeric_limits<double>::infinity(); }
  T step(Acc& acc, T value, int64_t) const { return acc = fn::log_add_exp(acc, value); }
};
// Of equal elements the last counts; the position is beside the value.
template <bool kLargest, class T>
struct RunningExtreme {
  struct Acc {
    T value;
    int64_t index;
  };
  Acc start() const { return {T(0), -1}; }
  T step(Acc& acc, T value, int64_t index) const {
    const bool reached = kLargest ? value >= acc.value : value <= acc.value;
    if (acc.index < 0 || fn::is_nan(value) || (!fn::is_nan(acc.value) && reached))
      acc = {value, index};
    return acc.value;
  }
};

// Elements are converted to T first. `indices` receives Acc::index of extremes.
template <class T, class S>
void scan(const Tensor& self, int64_t dim, const S& scanner, Tensor& out,
          Tensor* indices = nullptr) {
  if (self.numel() == 0) return;
  constexpr DType kType = dtype_of<T>::value;
  const Tensor source = self.to(kType).contiguous();
  Tensor target = out.dtype() == kType ? out : Tensor::empty(kType, out.sizes());
  const int at = wrap_dim(dim, self.rank());
  const int64_t length = self.rank() == 0 ? 1 : self.size(at);
  int64_t inner = 1;
  for (int d = at + 1; d < self.rank(); ++d) inner *= self.size(d);
  parallel_for(0, self.numel() / (length * inner),
               std::max<int64_t>((1 << 15) / (length * inner), 1),
               [&](int64_t first, int64_t last) {
                 std::vector<typename S::Acc> accs(static_cast<size_t>(inner));
                 for (int64_t outer = first; outer < last; ++outer) {
                   for (auto& acc : accs) acc = scanner.start();
                   for (int64_t k = 0; k < length; ++k) {
                     const int64_t row = (outer * length + k) * inner;
                     for (int64_t i = 0; i < inner; ++i) {
                       auto& acc = accs[static_cast<size_t>(i)];
                       target.data<T>()[row + i] = scanner.step(acc, source.data<T>()[row + i], k);
                       if constexpr (requires { acc.index; })
                         indices->data<int64_t>()[row + i] = acc.index;
                     }
                   }
                 }
               });
  if (out.dtype() != kType) copy_into(target, out);
}

template <template <class> class S>
void accumulate(const Tensor& self, int64_t dim, Tensor& out) {
  if (is_complex(out.dtype())) {
    if constexpr (std::is_same_v<S<float>, RunningProduct<float>>) {
      scan<std::complex<double>>(self, dim, RunningComplexProduct(), out);
    } else {
      // In the kept last dimension are the parts.
      Tensor parts = view_as_real(out);
      const int at = wrap_dim(dim, self.rank());
      const Tensor source = view_as_real(self.to(out.dtype()));
      if (self.rank() > 0)
        accumulate<S>(source, at, parts);
      else
        copy_into(source, parts);
    }
    return;
  }
  dispatch_compute(compute_dtype(out.dtype()),
                   [&]<class T>(std::type_identity<T>) { scan<T>(self, dim, S<T>(), out); });
}

TensorInfo accumulate_meta(const Tensor& self, int64_t dim, MaybeDType dtype) {
  wrap_dim(dim, self.rank());
  return {dtype.value_or(is_integral(self.dtype()) ? DType::i64 : self.dtype()), self.sizes()};
}
template <template <class> class S>
void accumulate_kernel(const Tensor& self, int64_t dim, MaybeDType, Tensor& out) {
  accumulate<S>(self, dim, out);
}
template <template <class> class S>
Tensor accumulate_in_place(const Tensor& self, int64_t dim, MaybeDType dtype) {
  check_writable(self);
  wrap_dim(dim, self.rank());
  INGOT_CHECK(!dtype || *dtype == self.dtype(), "dtype must be self's, ", self.dtype(),
              ", in place, got ", dtype.value_or(self.dtype()));
  Tensor result = Tensor::empty(self.info());
  accumulate<S>(self, dim, result);
  Tensor target = self;
  copy_into(result, target);
  return target;
}
INGOT_OP("aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor",
         Structured<accumulate_meta, accumulate_kernel<RunningSum>>);
INGOT_OP("aten::cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor",
         Structured<accumulate_meta, accumulate_kernel<RunningProduct>>);
INGOT_OP("aten::cumsum_(Tensor(a!) self, int dim, *, ScalarType? dtype=None) -> Tensor(a!)",
         Function<accumulate_in_place<RunningSum>>);
INGOT_OP("aten::cumprod_(Tensor(a!) self, int dim, *, ScalarType? dtype=None) -> Tensor(a!)",
         Function<accumulate_in_place<RunningProduct>>);

TensorInfo logcumsumexp_meta(const Tensor& self, int64_t dim) {
  wrap_dim(dim, self.rank());
  INGOT_CHECK(!is_integral(self.dtype()), "a floating dtype is needed, got ", self);
  return self.info();
}
void logcumsumexp(const Tensor& self, int64_t dim, Tensor& out) {
  if (is_complex(out.dtype())) {
    using T = std::complex<double>;
    return scan<T>(self, dim, RunningLogSumExp<T>(), out);
  }
  dispatch_floating(compute_dtype(out.dtype()), [&]<class T>(std::type_identity<T>) {
    scan<T>(self, dim, RunningLogSumExp<T>(), out);
  });
}
INGOT_OP("aten::logcumsumexp(Tensor self, int dim) -> Tensor",
         Structured<logcumsumexp_meta, logcumsumexp>);

std::array<TensorInfo, 2> extreme_meta(const Tensor& self, int64_t dim) {
  wrap_dim(dim, self.rank());
  return {self.info(), TensorInfo{DType::i64, self.sizes()}};
}
template <bool kLargest>
void extreme(const Tensor& self, int64_t dim, Tensor& values, Tensor& indices) {
  dispatch_compute(compute_dtype(self.dtype()), [&]<class T>(std::type_identity<T>) {
    scan<T>(self, dim, RunningExtreme<kLargest, T>(), values, &indices);
  });
}
INGOT_OP("aten::cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)",
         Structured<extreme_meta, extreme<true>>);
INGOT_OP("aten::cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)",
         Structured<extreme_meta, extreme<false>>);

}  // namespace
}  // namespace ingot

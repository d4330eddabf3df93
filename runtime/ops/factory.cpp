// Tensors made from sizes and numbers.
#include <algorithm>
#include <cmath>
#include <cstring>

#include <ingot/op.h>

#include "ops/factory.h"
#include "ops/fill.h"
#include "ops/shape.h"
#include "tensor/convert.h"

namespace ingot {
namespace {

// Filled with one number.
TensorInfo full_meta(const IntList& size, Scalar value, INGOT_OPTION_PARAMS) {
  return info_of(size, dtype, device, value.dtype());
}
void full(const IntList&, Scalar value, MaybeDType, MaybeInt, MaybeInt, MaybeBool, Tensor& out) {
  fill(out, value);
}
INGOT_OP("aten::full(SymInt[] size, Scalar fill_value, *, " INGOT_OPTIONS ") -> Tensor",
         Structured<full_meta, full>);

TensorInfo sized_meta(const IntList& size, INGOT_OPTION_PARAMS) {
  return info_of(size, dtype, device);
}
template <int64_t kNumber>
void sized(const IntList&, MaybeDType, MaybeInt, MaybeInt, MaybeBool, Tensor& out) {
  fill(out, kNumber);
}
INGOT_OP("aten::zeros(SymInt[] size, *, " INGOT_OPTIONS ") -> Tensor",
         Structured<sized_meta, sized<0>>);
INGOT_OP("aten::ones(SymInt[] size, *, " INGOT_OPTIONS ") -> Tensor",
         Structured<sized_meta, sized<1>>);

TensorInfo like_meta(const Tensor& self, INGOT_OPTION_PARAMS, MaybeInt) {
  return info_of(self.sizes(), dtype, device, self.dtype());
}
template <int64_t kNumber>
void like(const Tensor&, MaybeDType, MaybeInt, MaybeInt, MaybeBool, MaybeInt, Tensor& out) {
  fill(out, kNumber);
}
INGOT_OP(INGOT_LIKE("zeros", ""), Structured<like_meta, like<0>>);
INGOT_OP(INGOT_LIKE("ones", ""), Structured<like_meta, like<1>>);
TensorInfo full_like_meta(const Tensor& self, Scalar, INGOT_OPTION_PARAMS, MaybeInt) {
  return info_of(self.sizes(), dtype, device, self.dtype());
}
void full_like(const Tensor&, Scalar value, MaybeDType, MaybeInt, MaybeInt, MaybeBool, MaybeInt,
               Tensor& out) {
  fill(out, value);
}
INGOT_OP(INGOT_LIKE("full", "Scalar fill_value, "), Structured<full_like_meta, full_like>);

TensorInfo new_meta(const Tensor& self, const IntList& size, INGOT_OPTION_PARAMS) {
  return info_of(size, dtype, device, self.dtype());
}
template <int64_t kNumber>
void new_filled(const Tensor&, const IntList&, MaybeDType, MaybeInt, MaybeInt, MaybeBool,
                Tensor& out) {
  fill(out, kNumber);
}
INGOT_OP("aten::new_zeros(Tensor self, SymInt[] size, *, " INGOT_OPTIONS ") -> Tensor",
         Structured<new_meta, new_filled<0>>);
INGOT_OP("aten::new_ones(Tensor self, SymInt[] size, *, " INGOT_OPTIONS ") -> Tensor",
         Structured<new_meta, new_filled<1>>);
TensorInfo new_full_meta(const Tensor& self, const IntList& size, Scalar, INGOT_OPTION_PARAMS) {
  return info_of(size, dtype, device, self.dtype());
}
void new_full(const Tensor&, const IntList&, Scalar value, MaybeDType, MaybeInt, MaybeInt,
              MaybeBool, Tensor& out) {
  fill(out, value);
}
INGOT_OP("aten::new_full(Tensor self, SymInt[] size, Scalar fill_value, *, " INGOT_OPTIONS
         ") -> Tensor",
         Structured<new_full_meta, new_full>);

// Uninitialised.
TensorInfo empty_meta(const IntList& size, INGOT_OPTION_PARAMS, MaybeInt) {
  return info_of(size, dtype, device);
}
void empty(const IntList&, MaybeDType, MaybeInt, MaybeInt, MaybeBool, MaybeInt, Tensor&) {}
INGOT_OP("aten::empty.memory_format(SymInt[] size, *, " INGOT_OPTIONS
         ", MemoryFormat? memory_format=None) -> Tensor",
         Structured<empty_meta, empty>);
void empty_like(const Tensor&, MaybeDType, MaybeInt, MaybeInt, MaybeBool, MaybeInt, Tensor&) {}
INGOT_OP(INGOT_LIKE("empty", ""), Structured<like_meta, empty_like>);
void new_empty(const Tensor&, const IntList&, MaybeDType, MaybeInt, MaybeInt, MaybeBool, Tensor&) {}
INGOT_OP("aten::new_empty(Tensor self, SymInt[] size, *, " INGOT_OPTIONS ") -> Tensor",
         Structured<new_meta, new_empty>);

Tensor strided(const TensorInfo& info, std::span<const int64_t> stride) {
  INGOT_CHECK(stride.size() == static_cast<size_t>(info.sizes.size()), "sizes ", info.sizes,
              " and strides ", stride, " differ in length");
  int64_t elements = 1;
  for (int d = 0; d < info.sizes.size(); ++d) {
    const int64_t step = stride[static_cast<size_t>(d)];
    INGOT_CHECK(step >= 0, "strides must not be negative, got ", stride);
    int64_t reach;
    INGOT_CHECK(!__builtin_mul_overflow(info.sizes[d] - 1, step, &reach) &&
                    !__builtin_add_overflow(elements, reach, &elements),
                "sizes ", info.sizes, " with strides ", stride, " are too large");
  }
  if (numel_of(info.sizes) == 0) elements = 0;
  return Tensor::empty(info.dtype, {elements}).as_strided(info.sizes, stride, 0);
}
Tensor empty_strided(const IntList& size, const IntList& stride, INGOT_OPTION_PARAMS) {
  return strided(info_of(size, dtype, device), stride);
}
INGOT_OP("aten::empty_strided(SymInt[] size, SymInt[] stride, *, " INGOT_OPTIONS ") -> Tensor",
         Function<empty_strided>);
Tensor new_empty_strided(const Tensor& self, const IntList& size, const IntList& stride,
                         INGOT_OPTION_PARAMS) {
  return strided(info_of(size, dtype, device, self.dtype()), stride);
}
INGOT_OP("aten::new_empty_strided(Tensor self, SymInt[] size, SymInt[] stride, *, " INGOT_OPTIONS
         ") -> Tensor",
         Function<new_empty_strided>);
Tensor empty_permuted(const IntList& size, const IntList& layout, INGOT_OPTION_PARAMS) {
  const TensorInfo info = info_of(size, dtype, device);
  const Dims order = wrap_dims(layout, info.sizes.size());
  INGOT_CHECK(order.size() == info.sizes.size(), "physical_layout must name every dimension of ",
              info.sizes, ", got ", order);
  Dims stride = info.sizes;
  int64_t step = 1;
  for (int i = order.size() - 1; i >= 0; --i) {
    stride[static_cast<int>(order[i])] = step;
    step *= std::max<int64_t>(info.sizes[static_cast<int>(order[i])], 1);
  }
  return strided(info, stride);
}
INGOT_OP("aten::empty_permuted(SymInt[] size, int[] physical_layout, *, " INGOT_OPTIONS
         ") -> Tensor",
         Function<empty_permuted>);

// Writes value(i), an integer or a double, converted to out's dtype.
template <class F>
void generate(Tensor& out, F&& value) {
  constexpr int64_t kStep = 512;
  using Element = decltype(value(int64_t{0}));
  Element tile[kStep];
  constexpr DType kFrom = dtype_of<Element>::value;
  const auto size = static_cast<int64_t>(size_of(out.dtype()));
  for (int64_t begin = 0; begin < out.numel(); begin += kStep) {
    const int64_t count = std::min(kStep, out.numel() - begin);
    for (int64_t i = 0; i < count; ++i) tile[i] = value(begin + i);
    convert(tile, kFrom, out.data<std::byte>() + begin * size, out.dtype(), count);
  }
}

bool whole(const Scalar& number) { return number.is_int() || number.is_bool(); }

// start, start + step, ... before end (or up to it, for `range`). The length is computed as
// PyTorch does: in integers for i64, else in double from the unconverted numbers.
TensorInfo sequence_meta(Scalar start, Scalar end, Scalar step, DType type) {
  const double from = start.to_double();
  const double to = end.to_double();
  const double by = step.to_double();
  INGOT_CHECK(by != 0, "step must not be 0");
  INGOT_CHECK(std::isfinite(from) && std::isfinite(to), "start and end must be finite, got ", from,
              " and ", to);
  INGOT_CHECK(by > 0 ? to >= from : to <= from, "from ", from, " to ", to, " by ", by,
              " leads nowhere: step must have the sign of end - start");
  double length = std::ceil((to - from) / by);
  if (type == DType::i64) {
    const int64_t stride = saturated_int(step);
    INGOT_CHECK(stride != 0, "step must not be 0 as an integer");
    const __int128 distance = static_cast<__int128>(saturated_int(end)) - saturated_int(start);
    const __int128 steps = (distance + stride - (stride > 0 ? 1 : -1)) / stride;
    INGOT_CHECK(steps <= INT64_MAX, "a tensor of ", length, " elements is too large");
    return {type, {static_cast<int64_t>(steps)}};
  }
  INGOT_CHECK(length < 0x1p62, "a tensor of ", length, " elements is too large");
  return {type, {static_cast<int64_t>(length)}};
}
void sequence(Scalar start, Scalar step, Tensor& out) {
  if (is_integral(out.dtype())) {
    const auto from = static_cast<uint64_t>(saturated_int(start));
    const auto by = static_cast<uint64_t>(saturated_int(step));
    generate(out,
             [=](int64_t i) { return static_cast<int64_t>(from + static_cast<uint64_t>(i) * by); });
  } else {
    const double from = start.to_double();
    const double by = step.to_double();
    generate(out, [=](int64_t i) { return from + static_cast<double>(i) * by; });
  }
}
TensorInfo arange_step_meta(Scalar start, Scalar end, Scalar step, INGOT_OPTION_PARAMS) {
  const bool integers = whole(start) && whole(end) && whole(step);
  const DType type = info_of({}, dtype, device, integers ? DType::i64 : DType::f32).dtype;
  return sequence_meta(start, end, step, type);
}
void arange_step(Scalar start, Scalar, Scalar step, MaybeDType, MaybeInt, MaybeInt, MaybeBool,
                 Tensor& out) {
  sequence(start, step, out);
}
INGOT_OP("aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, *, " INGOT_OPTIONS
         ") -> Tensor",
         Structured<arange_step_meta, arange_step>);
TensorInfo arange_start_meta(Scalar start, Scalar end, INGOT_OPTION_PARAMS) {
  return arange_step_meta(start, end, int64_t{1}, dtype, {}, device, {});
}
void arange_start(Scalar start, Scalar, MaybeDType, MaybeInt, MaybeInt, MaybeBool, Tensor& out) {
  sequence(start, int64_t{1}, out);
}
INGOT_OP("aten::arange.start(Scalar start, Scalar end, *, " INGOT_OPTIONS ") -> Tensor",
         Structured<arange_start_meta, arange_start>);
TensorInfo arange_meta(Scalar end, INGOT_OPTION_PARAMS) {
  return arange_start_meta(int64_t{0}, end, dtype, {}, device, {});
}
void arange(Scalar, MaybeDType, MaybeInt, MaybeInt, MaybeBool, Tensor& out) {
  sequence(int64_t{0}, int64_t{1}, out);
}
INGOT_OP("aten::arange(Scalar end, *, " INGOT_OPTIONS ") -> Tensor",
         Structured<arange_meta, arange>);

// The i-th of evenly spaced numbers, counted from the nearer end so that both ends are exact.
struct Spaced {
  double from, to, by;
  int64_t steps;
  // Integer results have integer ends.
  Spaced(const Scalar& start, const Scalar& end, int64_t count, bool integers)
      : from(integers ? static_cast<double>(saturated_int(start)) : start.to_double()),
        to(integers ? static_cast<double>(saturated_int(end)) : end.to_double()),
        by(count > 1 ? (to - from) / static_cast<double>(count - 1) : 0),
        steps(count) {}
  double operator()(int64_t i) const {
    return i < steps / 2 || steps == 1 ? from + by * static_cast<double>(i)
                                       : to - by * static_cast<double>(steps - 1 - i);
  }
};
TensorInfo linspace_meta(Scalar, Scalar, int64_t steps, INGOT_OPTION_PARAMS) {
  INGOT_CHECK(steps >= 0, "steps must not be negative, got ", steps);
  return info_of(Dims{steps}, dtype, device);
}
void linspace(Scalar start, Scalar end, int64_t steps, MaybeDType, MaybeInt, MaybeInt, MaybeBool,
              Tensor& out) {
  generate(out, Spaced(start, end, steps, is_integral(out.dtype())));
}
INGOT_OP("aten::linspace(Scalar start, Scalar end, int steps, *, " INGOT_OPTIONS ") -> Tensor",
         Structured<linspace_meta, linspace>);
TensorInfo logspace_meta(Scalar start, Scalar end, int64_t steps, double, INGOT_OPTION_PARAMS) {
  return linspace_meta(start, end, steps, dtype, {}, device, {});
}
void logspace(Scalar start, Scalar end, int64_t steps, double base, MaybeDType, MaybeInt, MaybeInt,
              MaybeBool, Tensor& out) {
  const Spaced exponent(start, end, steps, is_integral(out.dtype()));
  generate(out, [&](int64_t i) { return std::pow(base, exponent(i)); });
}
INGOT_OP("aten::logspace(Scalar start, Scalar end, int steps, float base=10., *, " INGOT_OPTIONS
         ") -> Tensor",
         Structured<logspace_meta, logspace>);

// Ones on the diagonal.
TensorInfo eye_m_meta(int64_t n, int64_t m, INGOT_OPTION_PARAMS) {
  return info_of(Dims{n, m}, dtype, device);
}
void eye_m(int64_t n, int64_t m, MaybeDType, MaybeInt, MaybeInt, MaybeBool, Tensor& out) {
  fill(out, int64_t{0});
  Tensor diagonal = out.as_strided(Dims{std::min(n, m)}, Dims{m + 1}, 0);
  fill(diagonal, int64_t{1});
}
INGOT_OP("aten::eye.m(SymInt n, SymInt m, *, " INGOT_OPTIONS ") -> Tensor",
         Structured<eye_m_meta, eye_m>);
TensorInfo eye_meta(int64_t n, INGOT_OPTION_PARAMS) { return info_of(Dims{n, n}, dtype, device); }
void eye(int64_t n, MaybeDType, MaybeInt, MaybeInt, MaybeBool, Tensor& out) {
  eye_m(n, n, {}, {}, {}, {}, out);
}
INGOT_OP("aten::eye(SymInt n, *, " INGOT_OPTIONS ") -> Tensor", Structured<eye_meta, eye>);

}  // namespace
}  // namespace ingot

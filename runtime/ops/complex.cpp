// Complex numbers out of real ones and back: parts, views, angles, conjugates; views of bytes as
// another dtype.
#include <algorithm>
#include <cmath>
#include <complex>

#include "ops/dispatch.h"
#include "ops/families.h"
#include "ops/functions.h"
#include "ops/promotion.h"
#include "ops/view.h"
#include "tensor/iterate.h"

namespace ingot {
namespace {

// Conjugates of complex numbers are copies where PyTorch has lazy views (conj, _conj); that
// nobody writes into either is for the front ends to see to.
constexpr Elementwise kConj =
    elementwise<1, 0, kBool | kReal | kComplex>(Promotion::common, [](auto x) {
      if constexpr (std::is_arithmetic_v<decltype(x)>)
        return x;
      else
        return std::conj(x);
    });
Tensor conj(const Tensor& self) {
  return is_complex(self.dtype()) ? elementwise(kConj, {&self}) : self;
}
INGOT_OP("aten::conj(Tensor(a) self) -> Tensor(a)", Function<conj>);
INGOT_ELEMENTWISE(kConj, "aten::_conj(Tensor(a) self) -> Tensor(a)");
INGOT_UNARY_PURE_NAME(_conj_copy, kConj);
INGOT_UNARY_PURE_NAME(_conj_physical, kConj);
INGOT_UNARY_NAME(conj_physical, kConj);

// The angle of a real number is 0 or pi.
INGOT_UNARY_PURE(angle, floating, kFloats | kComplexWide, [](auto x) {
  if constexpr (std::is_arithmetic_v<decltype(x)>)
    return x != x ? x : x < 0 ? decltype(x)(3.14159265358979323846) : decltype(x)(0);
  else
    return std::arg(x);
});

DType complex_of(DType real) {
  INGOT_CHECK(real == DType::f32 || real == DType::f64,
              "complex numbers are made of f32 or f64 numbers, got ", real);
  return real == DType::f32 ? DType::c64 : DType::c128;
}

// Strides of nothing may be anything.
int64_t times(int64_t elements, int64_t factor) {
  INGOT_CHECK(!__builtin_mul_overflow(elements, factor, &elements),
              "the sizes or strides of a view are beyond 64 bits");
  return elements;
}

// A view with the bytes read as another dtype, in whose elements strides and offset are.
Tensor view_bytes(const Tensor& self, DType dtype, const Dims& sizes, const Dims& strides,
                  int64_t offset) {
  const int64_t begin = self.data<std::byte>() - self.storage()->data;
  INGOT_CHECK(begin % static_cast<int64_t>(size_of(dtype)) == 0, "a view as ", dtype,
              " cannot begin within an element: clone the tensor first");
  const int64_t none[] = {0};
  const int64_t one[] = {1};
  Tensor bytes = self.as_strided(none, one, 0);
  bytes.impl()->info.dtype = dtype;
  return bytes.as_strided(sizes, strides, offset);
}

}  // namespace

Tensor view_as_real(const Tensor& self) {
  INGOT_CHECK(is_complex(self.dtype()), "the input must be complex, got ", self);
  Dims sizes = self.sizes();
  Dims strides = self.strides();
  for (int64_t& stride : strides) stride = times(stride, 2);
  sizes.push_back(2);
  strides.push_back(1);
  return view_bytes(self, real_of(self.dtype()), sizes, strides, 0);
}

namespace {

Tensor view_as_complex(const Tensor& self) {
  const DType dtype = complex_of(self.dtype());
  INGOT_CHECK(self.rank() > 0 && self.sizes().back() == 2,
              "the last dimension must have size 2, got ", self);
  Dims sizes = self.sizes();
  Dims strides = self.strides();
  INGOT_CHECK(strides.back() == 1, "the last dimension must have stride 1, got ",
              std::span<const int64_t>(strides), ": use contiguous() first");
  sizes.erase(sizes.size() - 1);
  strides.erase(strides.size() - 1);
  for (int d = 0; d < strides.size(); ++d) {
    INGOT_CHECK(strides[d] % 2 == 0 || sizes[d] == 1 || self.numel() == 0,
                "all strides but the last must be even, got ",
                std::span<const int64_t>(self.strides()), ": use contiguous() first");
    strides[d] /= 2;
  }
  return view_bytes(self, dtype, sizes, strides, 0);
}

// The same bytes as elements of another dtype. Those of another size run along the last dimension,
// which then grows or shrinks. A bool is made of 0 or 1 only, which other dtypes do not promise.
Tensor view_dtype(const Tensor& self, DType dtype) {
  INGOT_CHECK(dtype != DType::boolean || self.dtype() == dtype, "the bytes of ", self,
              " cannot be viewed as bool: compare them, x != 0");
  const auto from = static_cast<int64_t>(size_of(self.dtype()));
  const auto to = static_cast<int64_t>(size_of(dtype));
  INGOT_CHECK(reinterpret_cast<uintptr_t>(self.data()) % static_cast<size_t>(to) == 0, "a view as ",
              dtype, " cannot begin within an element: clone the tensor first");
  if (from == to) return view_bytes(self, dtype, self.sizes(), self.strides(), 0);
  INGOT_CHECK(self.rank() > 0, "a tensor without dimensions, ", self, ", cannot be viewed as ",
              dtype, ", whose elements have another size");
  INGOT_CHECK(self.strides().back() == 1 || self.sizes().back() == 1,
              "the last dimension must have stride 1 for a view as ", dtype, ", got ",
              std::span<const int64_t>(self.strides()), ": use contiguous() first");
  Dims sizes = self.sizes();
  Dims strides = self.strides();
  const int64_t grow = std::max<int64_t>(from / to, 1);
  const int64_t shrink = std::max<int64_t>(to / from, 1);
  INGOT_CHECK(sizes.back() % shrink == 0, "the last dimension of ", self, " must be a multiple of ",
              shrink, " for a view as ", dtype);
  sizes.back() = times(sizes.back(), grow) / shrink;
  strides.back() = 1;
  for (int d = 0; d < self.rank() - 1; ++d) {
    INGOT_CHECK(strides[d] % shrink == 0 || sizes[d] == 1, "the strides must be multiples of ",
                shrink, " for a view as ", dtype, ", got ",
                std::span<const int64_t>(self.strides()), ": use contiguous() first");
    strides[d] = times(strides[d], grow) / shrink;
  }
  return view_bytes(self, dtype, sizes, strides, 0);
}

Tensor part(const Tensor& self, int64_t offset) {
  Dims strides = self.strides();
  for (int64_t& stride : strides) stride = times(stride, 2);
  return view_bytes(self, real_of(self.dtype()), self.sizes(), strides, offset);
}
Tensor real(const Tensor& self) { return is_complex(self.dtype()) ? part(self, 0) : self; }
Tensor imag(const Tensor& self) {
  INGOT_CHECK(is_complex(self.dtype()),
              "the imaginary part is only defined for complex tensors, got ", self);
  return part(self, 1);
}

INGOT_OP("aten::view_as_real(Tensor(a) self) -> Tensor(a)", Function<view_as_real>);
INGOT_OP("aten::view_as_complex(Tensor(a) self) -> Tensor(a)", Function<view_as_complex>);
INGOT_OP("aten::view.dtype(Tensor(a) self, ScalarType dtype) -> Tensor(a)", Function<view_dtype>);
INGOT_OP("aten::real(Tensor(a) self) -> Tensor(a)", Function<real>);
INGOT_OP("aten::imag(Tensor(a) self) -> Tensor(a)", Function<imag>);

Tensor view_as_real_copy(const Tensor& self) { return view_as_real(self).clone(); }
Tensor view_as_complex_copy(const Tensor& self) { return view_as_complex(self).clone(); }
INGOT_OP("aten::view_as_real_copy(Tensor self) -> Tensor", Function<view_as_real_copy>);
INGOT_OP("aten::view_as_complex_copy(Tensor self) -> Tensor", Function<view_as_complex_copy>);

// Two real tensors as one complex one.
TensorInfo pair_meta(const Tensor& first, const Tensor& second) {
  INGOT_CHECK(first.dtype() == second.dtype(), "both inputs must have one dtype, got ", first,
              " and ", second);
  return {complex_of(first.dtype()), broadcast(first.sizes(), second.sizes())};
}
template <bool kPolar>
void pair(const Tensor& first, const Tensor& second, Tensor& out) {
  dispatch_floating(first.dtype(), [&]<class T>(std::type_identity<T>) {
    TileReader a(first, out.sizes(), first.dtype());
    TileReader b(second, out.sizes(), first.dtype());
    auto* results = out.data<std::complex<T>>();
    const int64_t step = tile_elements(sizeof(T));
    for (int64_t at = 0; at < out.numel(); at += step) {
      const int64_t count = std::min(step, out.numel() - at);
      const T* x = static_cast<const T*>(a.read(at, count));
      const T* y = static_cast<const T*>(b.read(at, count));
      for (int64_t i = 0; i < count; ++i)
        results[at + i] = kPolar ? std::complex<T>(x[i] * std::cos(y[i]), x[i] * std::sin(y[i]))
                                 : std::complex<T>(x[i], y[i]);
    }
  });
}
INGOT_OP("aten::complex(Tensor real, Tensor imag) -> Tensor", Structured<pair_meta, pair<false>>);
INGOT_OP("aten::polar(Tensor abs, Tensor angle) -> Tensor", Structured<pair_meta, pair<true>>);

}  // namespace
}  // namespace ingot

// Normal random numbers. ATen draws 16 and more of them in row-major order another way than few.
#include <cmath>
#include <numbers>

#include "ops/factory.h"
#include "ops/random.h"
#include "ops/shape.h"
#include "ops/view.h"
#include "tensor/iterate.h"

namespace ingot {
namespace {

// Box and Muller's transform of 16 uniform numbers: the first 8 give radii, the others angles.
template <class T>
void sixteen(T* values, T mean, T std) {
  for (int i = 0; i < 8; ++i) {
    const T radius = std::sqrt(T(-2) * std::log(1 - values[i]));
    const T angle = T(2 * std::numbers::pi) * values[i + 8];
    values[i] = radius * std::cos(angle) * std + mean;
    values[i + 8] = radius * std::sin(angle) * std + mean;
  }
}

template <class T>
T uniform(Generator& generator) {
  if constexpr (std::is_same_v<T, double>)
    return generator.uniform();
  else
    return generator.uniform_float();
}

// count >= 16. What is left after the last 16 shares a block of new numbers with those before it.
// `in_blocks`: uniform numbers are drawn block by block, as ATen does for 16-bit floats.
template <class T>
void draw_many(T* to, int64_t count, T mean, T std, bool in_blocks) {
  const Draws generator;
  const int64_t whole = count - count % 16;
  const int64_t first = in_blocks ? whole : count;
  for (int64_t i = 0; i < first; ++i) to[i] = uniform<T>(*generator);
  for (int64_t i = 0; i < whole; i += 16) sixteen(to + i, mean, std);
  if (whole == count) return;
  for (int64_t i = count - 16; i < count; ++i) to[i] = uniform<T>(*generator);
  sixteen(to + count - 16, mean, std);
}

template <class T>
void draw_many(Tensor& out, double mean, double std) {
  const bool direct = out.dtype() == dtype_of<T>::value;
  Tensor values = direct ? out : Tensor::empty(dtype_of<T>::value, out.sizes());
  draw_many(values.data<T>(), values.numel(), static_cast<T>(mean), static_cast<T>(std), !direct);
  if (!direct) copy_into(values, out);
}

}  // namespace

void draw_normal(Tensor& out, double mean, double std) {
  INGOT_CHECK(std >= 0, "the standard deviation must not be negative, got ", std);
  const DType dtype = out.dtype();
  INGOT_CHECK(!is_integral(dtype), "normal numbers cannot be drawn as ", dtype);
  if (is_complex(dtype)) {
    Tensor parts = view_as_real(out);
    draw_normal(parts, mean, std / std::numbers::sqrt2);
  } else if (out.numel() < 16 || !out.is_contiguous()) {
    draw<double>(out, [&](Generator& g) { return g.normal() * std + mean; });
  } else if (dtype == DType::f64) {
    draw_many<double>(out, mean, std);
  } else {
    draw_many<float>(out, mean, std);
  }
}

namespace {

Tensor normal_float_float(double mean, double std, const IntList& size, const MaybeGenerator&,
                          INGOT_OPTION_PARAMS) {
  Tensor out = Tensor::empty(info_of(size, dtype, device));
  draw_normal(out, mean, std);
  return out;
}
INGOT_OP(
    "aten::normal.float_float(float mean, float std, SymInt[] size, *, Generator? "
    "generator=None, " INGOT_OPTIONS ") -> Tensor",
    Random<Function<normal_float_float>>);
Tensor randn(const IntList& size, INGOT_OPTION_PARAMS) {
  return normal_float_float(0, 1, size, MaybeGenerator(), dtype, {}, device, {});
}
INGOT_OP("aten::randn(SymInt[] size, *, " INGOT_OPTIONS ") -> Tensor", Random<Function<randn>>);
Tensor randn_like(const Tensor& self, INGOT_OPTION_PARAMS, MaybeInt) {
  return randn(IntList(self.sizes()), dtype ? dtype : self.dtype(), {}, device, {});
}
INGOT_OP(INGOT_LIKE("randn", ""), Random<Function<randn_like>>);
INGOT_OP("aten::randn.generator(SymInt[] size, *, " INGOT_DRAWN ") -> Tensor",
         Random<WithGenerator<Function<randn>, 1>>);
INGOT_OP("aten::randn_like.generator(Tensor self, *, " INGOT_DRAWN_LIKE ") -> Tensor",
         Random<WithGenerator<Function<randn_like>, 1>>);

Tensor normal_(const Tensor& self, double mean, double std, const MaybeGenerator&) {
  check_writable(self);
  Tensor out = self;
  draw_normal(out, mean, std);
  return self;
}
INGOT_OP(
    "aten::normal_(Tensor(a!) self, float mean=0., float std=1., *, Generator? generator=None) -> "
    "Tensor(a!)",
    Random<Function<normal_>>);
Tensor normal_functional(const Tensor& self, double mean, double std,
                         const MaybeGenerator& generator) {
  return normal_(Tensor::empty(self.info()), mean, std, generator);
}
INGOT_OP(
    "aten::normal_functional(Tensor self, float mean=0., float std=1., *, Generator? "
    "generator=None) -> Tensor",
    Random<Function<normal_functional>>);

// Standard normal numbers of the sizes that mean and std broadcast to, scaled and moved.
Tensor around(const Tensor& mean, const Tensor& std, DType dtype) {
  INGOT_CHECK(!is_complex(std.dtype()), "the standard deviation must be real, got ", std);
  Tensor out = Tensor::empty(dtype, broadcast(mean.sizes(), std.sizes()));
  draw_normal(out, 0, 1);
  const DType wide = is_complex(dtype) ? DType::c128 : DType::f64;
  Tensor values = out.to(wide);
  Tensor scales = Tensor::empty(DType::f64, out.sizes());
  Tensor means = Tensor::empty(wide, out.sizes());
  copy_into(std, scales);
  copy_into(mean, means);
  const int64_t parts = is_complex(dtype) ? 2 : 1;
  for (int64_t i = 0; i < out.numel(); ++i) {
    const double scale = scales.data<double>()[i];
    INGOT_CHECK(!(scale < 0), "standard deviations must not be negative, got ", scale);
    for (int64_t k = i * parts; k < (i + 1) * parts; ++k)
      values.data<double>()[k] = values.data<double>()[k] * scale + means.data<double>()[k];
  }
  copy_into(values, out);
  return out;
}
Tensor number(double value) {
  Tensor one = Tensor::empty(DType::f64, {});
  *one.data<double>() = value;
  return one;
}
Tensor normal_tensor_tensor(const Tensor& mean, const Tensor& std, const MaybeGenerator&) {
  return around(mean, std, mean.dtype());
}
Tensor normal_tensor_float(const Tensor& mean, double std, const MaybeGenerator&) {
  return around(mean, number(std), mean.dtype());
}
Tensor normal_float_tensor(double mean, const Tensor& std, const MaybeGenerator&) {
  return around(number(mean), std, std.dtype());
}
INGOT_OP(
    "aten::normal.Tensor_Tensor(Tensor mean, Tensor std, *, Generator? generator=None) -> Tensor",
    Random<Function<normal_tensor_tensor>>);
INGOT_OP(
    "aten::normal.Tensor_float(Tensor mean, float std=1., *, Generator? generator=None) -> Tensor",
    Random<Function<normal_tensor_float>>);
INGOT_OP(
    "aten::normal.float_Tensor(float mean, Tensor std, *, Generator? generator=None) -> Tensor",
    Random<Function<normal_float_tensor>>);

Tensor log_normal_(const Tensor& self, double mean, double std, const MaybeGenerator&) {
  check_writable(self);
  INGOT_CHECK(std > 0, "the standard deviation must be positive, got ", std);
  INGOT_CHECK(is_floating(self.dtype()), "random floats cannot be drawn as ", self.dtype());
  Tensor out = self;
  draw<double>(out, [&](Generator& g) { return std::exp(g.normal() * std + mean); });
  return self;
}
Tensor log_normal(const Tensor& self, double mean, double std, const MaybeGenerator& generator) {
  return log_normal_(Tensor::empty(self.info()), mean, std, generator);
}
INGOT_OP(
    "aten::log_normal_(Tensor(a!) self, float mean=1., float std=2., *, Generator? "
    "generator=None) -> Tensor(a!)",
    Random<Function<log_normal_>>);
INGOT_OP(
    "aten::log_normal(Tensor self, float mean=1., float std=2., *, Generator? generator=None) -> "
    "Tensor",
    Random<Function<log_normal>>);

}  // namespace
}  // namespace ingot

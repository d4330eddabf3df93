// Choices and combinations of three tensors, element by element.
#include <cmath>

#include "ops/families.h"
#include "ops/functions.h"
#include "ops/promotion.h"

namespace ingot {
namespace {

// Selection by a mask.
constexpr Elementwise kWhere = elementwise<3, 0, kBool | kReal | kComplex, 0>(
    Promotion::common, [](bool condition, auto a, auto b) { return fn::select(condition, a, b); },
    vectorized<f32::where>);
#define INGOT_WHERE(overload, self, other)                                                     \
  INGOT_ELEMENTWISE(kWhere, "aten::where." overload "(Tensor condition, " self " self, " other \
                            " other) -> Tensor")
INGOT_WHERE("self", "Tensor", "Tensor");
INGOT_WHERE("ScalarSelf", "Scalar", "Tensor");
INGOT_WHERE("ScalarOther", "Tensor", "Scalar");
INGOT_WHERE("Scalar", "Scalar", "Scalar");

constexpr Elementwise kMaskedFill = elementwise<3, 0, kBool | kReal | kComplex, 1>(
    Promotion::self, [](auto x, bool mask, auto value) { return fn::select(mask, value, x); },
    vectorized<f32::masked_fill>);
const Elementwise& choose_masked_fill(const Arguments& in, Scalar*) {
  const DType self = in[0].tensor().dtype();
  DType value;
  if (in[2].is_tensor()) {
    INGOT_CHECK(in[2].tensor().rank() == 0, "value must have no dimensions, got ", in[2].tensor());
    value = in[2].tensor().dtype();
  } else {
    value = Scalar(in[2]).dtype();
  }
  INGOT_CHECK(in[1].tensor().dtype() == DType::boolean, "the mask must be of dtype bool, got ",
              in[1].tensor());
  INGOT_CHECK(!is_complex(value) || is_complex(self), "a value of dtype ", value,
              " cannot be stored into ", in[0].tensor());
  return kMaskedFill;
}
INGOT_ELEMENTWISE_BY(choose_masked_fill, 3,
                     "aten::masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor");
INGOT_ELEMENTWISE_BY(choose_masked_fill, 3,
                     "aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor");
INGOT_ELEMENTWISE_BY(choose_masked_fill, 3,
                     "aten::masked_fill_.Tensor(Tensor(a!) self, Tensor mask, Tensor value) -> "
                     "Tensor(a!)");
INGOT_ELEMENTWISE_BY(choose_masked_fill, 3,
                     "aten::masked_fill_.Scalar(Tensor(a!) self, Tensor mask, Scalar value) -> "
                     "Tensor(a!)");

// Bounds. The upper one wins.
constexpr Elementwise kClamp = elementwise<3, 0, kReal>(
    Promotion::common,
    [](auto x, auto low, auto high) { return fn::minimum(fn::maximum(x, low), high); },
    vectorized<f32::clamp>);
constexpr Elementwise kClampOnlyMin = elementwise<3, 0, kReal>(
    Promotion::common, [](auto x, auto low, auto) { return fn::maximum(x, low); },
    vectorized<f32::maximum>);
constexpr Elementwise kClampOnlyMax = elementwise<3, 0, kReal>(
    Promotion::common, [](auto x, auto, auto high) { return fn::minimum(x, high); },
    vectorized<f32::clamp_only_max>);
constexpr Elementwise kClampMin = elementwise<2, 0, kRealAndBool>(
    Promotion::common, [](auto x, auto low) { return fn::maximum(x, low); },
    vectorized<f32::maximum>);
constexpr Elementwise kClampMax = elementwise<2, 0, kRealAndBool>(
    Promotion::common, [](auto x, auto high) { return fn::minimum(x, high); },
    vectorized<f32::minimum>);
const Elementwise& choose_clamp(const Arguments& in, Scalar*) {
  INGOT_CHECK(!in[1].is_none() || !in[2].is_none(), "at least one of min and max must be given");
  return in[1].is_none() ? kClampOnlyMax : in[2].is_none() ? kClampOnlyMin : kClamp;
}
#define INGOT_CLAMP(name)                                                              \
  INGOT_ELEMENTWISE_BY(choose_clamp, 3,                                                \
                       "aten::" name                                                   \
                       "(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor"); \
  INGOT_ELEMENTWISE_BY(choose_clamp, 3,                                                \
                       "aten::" name                                                   \
                       ".Tensor(Tensor self, Tensor? min=None, "                       \
                       "Tensor? max=None) -> Tensor");                                 \
  INGOT_ELEMENTWISE_BY(choose_clamp, 3,                                                \
                       "aten::" name                                                   \
                       "_(Tensor(a!) self, Scalar? min=None, "                         \
                       "Scalar? max=None) -> Tensor(a!)");                             \
  INGOT_ELEMENTWISE_BY(choose_clamp, 3,                                                \
                       "aten::" name                                                   \
                       "_.Tensor(Tensor(a!) self, Tensor? "                            \
                       "min=None, Tensor? max=None) -> Tensor(a!)")
INGOT_CLAMP("clamp");
INGOT_CLAMP("clip");
#define INGOT_CLAMP_SIDE(name, row, side)                                                    \
  INGOT_ELEMENTWISE(row, "aten::" name "(Tensor self, Scalar " side ") -> Tensor");          \
  INGOT_ELEMENTWISE(row, "aten::" name ".Tensor(Tensor self, Tensor " side ") -> Tensor");   \
  INGOT_ELEMENTWISE(row, "aten::" name "_(Tensor(a!) self, Scalar " side ") -> Tensor(a!)"); \
  INGOT_ELEMENTWISE(row, "aten::" name "_.Tensor(Tensor(a!) self, Tensor " side ") -> Tensor(a!)")
INGOT_CLAMP_SIDE("clamp_min", kClampMin, "min");
INGOT_CLAMP_SIDE("clamp_max", kClampMax, "max");

// Linear interpolation, from the nearer end.
constexpr Elementwise kLerp = elementwise<3, 0, kFloats | kComplexWide>(
    Promotion::common,
    [](auto start, auto end, auto weight) {
      const auto difference = end - start;
      using T = decltype(weight);
      return std::abs(weight) < 0.5f ? start + fn::mul(weight, difference)
                                     : end - fn::mul(difference, T(1) - weight);
    },
    vectorized<f32::lerp>);
const Elementwise& choose_lerp(const Arguments& in, Scalar*) {
  const DType dtype = in[0].tensor().dtype();
  INGOT_CHECK(
      in[1].tensor().dtype() == dtype && (!in[2].is_tensor() || in[2].tensor().dtype() == dtype),
      "end and weight must have self's dtype ", dtype, ", got ", in[1].describe(), " and ",
      in[2].describe());
  return kLerp;
}
INGOT_ELEMENTWISE_BY(choose_lerp, 3,
                     "aten::lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor");
INGOT_ELEMENTWISE_BY(choose_lerp, 3,
                     "aten::lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor");
INGOT_ELEMENTWISE_BY(
    choose_lerp, 3, "aten::lerp_.Tensor(Tensor(a!) self, Tensor end, Tensor weight) -> Tensor(a!)");
INGOT_ELEMENTWISE_BY(
    choose_lerp, 3, "aten::lerp_.Scalar(Tensor(a!) self, Tensor end, Scalar weight) -> Tensor(a!)");

// Fused products and quotients.
constexpr Elementwise kAddcmul = elementwise<3, 1, kReal | kComplexWide>(
    Promotion::common,
    [](auto self, auto a, auto b, auto value) {
      return fn::add(self, fn::mul(fn::mul(value, a), b));
    },
    vectorized<f32::addcmul>);
constexpr Elementwise kAddcdiv = elementwise<3, 1, kFloats | kComplexWide>(
    Promotion::common,
    [](auto self, auto a, auto b, auto value) { return self + value * fn::divide(a, b); },
    vectorized<f32::addcdiv>);
const Elementwise& choose_addcdiv(const Arguments& in, Scalar* params) {
  INGOT_CHECK(!is_integral(in[1].tensor().dtype()) || !is_integral(in[2].tensor().dtype()),
              "tensor1 and tensor2 must not both be integers: convert one to a floating dtype");
  params[0] = Scalar(in[3]);
  return kAddcdiv;
}
INGOT_ELEMENTWISE(kAddcmul,
                  "aten::addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar "
                  "value=1) -> Tensor");
INGOT_ELEMENTWISE(kAddcmul,
                  "aten::addcmul_(Tensor(a!) self, Tensor tensor1, Tensor tensor2, *, "
                  "Scalar value=1) -> Tensor(a!)");
INGOT_ELEMENTWISE_BY(choose_addcdiv, 3,
                     "aten::addcdiv(Tensor self, Tensor tensor1, Tensor "
                     "tensor2, *, Scalar value=1) -> Tensor");
INGOT_ELEMENTWISE_BY(choose_addcdiv, 3,
                     "aten::addcdiv_(Tensor(a!) self, Tensor tensor1, Tensor "
                     "tensor2, *, Scalar value=1) -> Tensor(a!)");

}  // namespace
}  // namespace ingot

// Comparisons and logic of two tensors: results of dtype bool.
#include <algorithm>
#include <cmath>

#include "ops/families.h"
#include "ops/functions.h"

namespace ingot {
namespace {

// PyTorch's long names are the same functions.
#define INGOT_COMPARISON(name, long_name, dtypes, ...) \
  INGOT_BINARY(name, common, dtypes, __VA_ARGS__);     \
  INGOT_BINARY_NAME(long_name, row_##name)

INGOT_BINARY(
    eq, common, kBool | kReal | kComplexWide, [](auto a, auto b) { return a == b; },
    vectorized<f32::eq>);
INGOT_COMPARISON(
    ne, not_equal, kBool | kReal | kComplexWide, [](auto a, auto b) { return a != b; },
    vectorized<f32::ne>);
INGOT_COMPARISON(
    lt, less, kBool | kReal, [](auto a, auto b) { return a < b; }, vectorized<f32::lt>);
INGOT_COMPARISON(
    le, less_equal, kBool | kReal, [](auto a, auto b) { return a <= b; }, vectorized<f32::le>);
INGOT_COMPARISON(
    gt, greater, kBool | kReal, [](auto a, auto b) { return a > b; }, vectorized<f32::gt>);
INGOT_COMPARISON(
    ge, greater_equal, kBool | kReal, [](auto a, auto b) { return a >= b; }, vectorized<f32::ge>);

INGOT_BINARY_PLAIN(logical_and, common, kBool | kReal | kComplexWide,
                   [](auto a, auto b) { return a != decltype(a)(0) && b != decltype(b)(0); });
INGOT_BINARY_PLAIN(logical_or, common, kBool | kReal | kComplexWide,
                   [](auto a, auto b) { return a != decltype(a)(0) || b != decltype(b)(0); });
INGOT_BINARY_PLAIN(logical_xor, common, kBool | kReal | kComplexWide,
                   [](auto a, auto b) { return (a != decltype(a)(0)) != (b != decltype(b)(0)); });

// |a - b| <= atol + rtol |b|, or equal; the tolerances are not rounded to integers.
constexpr Elementwise kIsClose = elementwise<2, 3, kFloats | kComplexWide>(
    Promotion::floating, [](auto a, auto b, auto rtol, auto atol, auto equal_nan) {
      if (a == b || (equal_nan != decltype(a)(0) && fn::is_nan(a) && fn::is_nan(b))) return true;
      return std::isfinite(std::abs(a)) && std::isfinite(std::abs(b)) &&
             std::abs(a - b) <= std::real(atol) + std::abs(rtol * b);
    });
void check_close(const Tensor& self, const Tensor& other, double rtol, double atol) {
  INGOT_CHECK(self.dtype() == other.dtype(), "tensors of one dtype are compared, got ", self,
              " and ", other);
  INGOT_CHECK(rtol >= 0 && atol >= 0, "rtol and atol must not be negative, got ", rtol, " and ",
              atol);
}
const Elementwise& choose_is_close(const Arguments& in, Scalar* params) {
  check_close(in[0].tensor(), in[1].tensor(), in[2].to_double(), in[3].to_double());
  for (size_t i = 0; i < 3; ++i) params[i] = Scalar(in[i + 2]);
  return kIsClose;
}
INGOT_ELEMENTWISE_BY(choose_is_close, 2,
                     "aten::isclose(Tensor self, Tensor other, float rtol=1.0000000000000001e-05, "
                     "float atol=1e-08, bool equal_nan=False) -> Tensor");

// Answers about whole tensors.
bool all_true(const Tensor& tensor) {
  const auto* elements = tensor.data<uint8_t>();
  return std::all_of(elements, elements + tensor.numel(), [](uint8_t e) { return e != 0; });
}
bool allclose(const Tensor& self, const Tensor& other, double rtol, double atol, bool equal_nan) {
  check_close(self, other, rtol, atol);
  const Scalar params[] = {rtol, atol, equal_nan};
  return all_true(elementwise(kIsClose, {&self, &other}, params));
}
INGOT_OP(
    "aten::allclose(Tensor self, Tensor other, float rtol=1.0000000000000001e-05, float "
    "atol=1e-08, bool equal_nan=False) -> bool",
    Function<allclose>);
bool equal_tensors(const Tensor& self, const Tensor& other) {
  INGOT_CHECK(self.dtype() == other.dtype(), "tensors of one dtype are compared, got ", self,
              " and ", other);
  return self.sizes() == other.sizes() && all_true(elementwise(row_eq, {&self, &other}));
}
INGOT_OP("aten::equal(Tensor self, Tensor other) -> bool", Function<equal_tensors>);

}  // namespace
}  // namespace ingot

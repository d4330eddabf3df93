// Comparisons and logic on numbers and strings. Mixed ints and floats compare by exact value.
#include <compare>
#include <complex>

#include <ingot/op.h>
#include "ops/python_error.h"
#include "ops/scalar_number.h"
#include "ops/step.h"

namespace ingot {
namespace {

std::partial_ordering order(double a, double b) { return a <=> b; }
std::partial_ordering order(int64_t a, int64_t b) { return a <=> b; }
std::partial_ordering order(int64_t a, double b) {
  constexpr int64_t kExact = int64_t{1} << 53;
  if (a >= -kExact && a <= kExact) [[likely]]
    return static_cast<double>(a) <=> b;
  if (std::isnan(b)) return std::partial_ordering::unordered;
  if (b >= 0x1p63) return std::partial_ordering::less;
  if (b < -0x1p63) return std::partial_ordering::greater;
  const auto truncated = static_cast<int64_t>(b);
  if (a != truncated) return a <=> truncated;
  return 0.0 <=> b - static_cast<double>(truncated);
}
std::partial_ordering order(double a, int64_t b) { return 0 <=> order(b, a); }
std::partial_ordering order(std::string_view a, std::string_view b) { return a <=> b; }
std::partial_ordering order_scalars(const Value& a, const Value& b) {
  if (is_whole(a)) return is_whole(b) ? order(whole(a), whole(b)) : order(whole(a), b.to_double());
  return is_whole(b) ? order(a.to_double(), whole(b)) : order(a.to_double(), b.to_double());
}

using Relation = bool (*)(std::partial_ordering);

template <Relation relation, class A, class B>
bool compare(A a, B b) {
  return relation(order(a, b));
}
template <Relation relation>
bool compare_scalars(const Value& a, const Value& b) {
  return relation(order_scalars(a, b));
}

bool eq_any(const Value& a, const Value& b) {
  if (a.tag() == Tag::complex || b.tag() == Tag::complex)
    return (is_whole(a) ? number(a) : a.to_complex()) == (is_whole(b) ? number(b) : b.to_complex());
  return equal(a, b);
}
bool ne_any(const Value& a, const Value& b) { return !eq_any(a, b); }
bool eq_bool(bool a, bool b) { return a == b; }
bool ne_bool(bool a, bool b) { return a != b; }
bool and_bool(bool a, bool b) { return a && b; }
bool or_bool(bool a, bool b) { return a || b; }
bool not_bool(bool a) { return !a; }

bool is_same(const Value& a, const Value& b) {
  if (a.tag() != b.tag()) return false;
  if (a.is_tensor()) return a.tensor().impl() == b.tensor().impl();
  return a.object() ? a.object() == b.object() : equal(a, b);
}
bool is_not_same(const Value& a, const Value& b) { return !is_same(a, b); }

#define INGOT_COMPARE_OPS(name, relation)                                                        \
  INGOT_OP(name ".int(int a, int b) -> bool", Stepped<compare<relation, int64_t, int64_t>>);     \
  INGOT_OP(name ".float(float a, float b) -> bool", Stepped<compare<relation, double, double>>); \
  INGOT_OP(name ".int_float(int a, float b) -> bool",                                            \
           Stepped<compare<relation, int64_t, double>>);                                         \
  INGOT_OP(name ".float_int(float a, int b) -> bool",                                            \
           Stepped<compare<relation, double, int64_t>>);                                         \
  INGOT_OP(name ".str(str a, str b) -> bool",                                                    \
           Stepped<compare<relation, std::string_view, std::string_view>>)

INGOT_COMPARE_OPS("aten::eq", std::is_eq);
INGOT_COMPARE_OPS("aten::ne", std::is_neq);
INGOT_COMPARE_OPS("aten::lt", std::is_lt);
INGOT_COMPARE_OPS("aten::le", std::is_lteq);
INGOT_COMPARE_OPS("aten::gt", std::is_gt);
INGOT_COMPARE_OPS("aten::ge", std::is_gteq);
INGOT_OP("aten::lt(Scalar a, Scalar b) -> bool", Function<compare_scalars<std::is_lt>>);
INGOT_OP("aten::le(Scalar a, Scalar b) -> bool", Function<compare_scalars<std::is_lteq>>);
INGOT_OP("aten::gt(Scalar a, Scalar b) -> bool", Function<compare_scalars<std::is_gt>>);
INGOT_OP("aten::ge(Scalar a, Scalar b) -> bool", Function<compare_scalars<std::is_gteq>>);

#define INGOT_EQUALITY_OPS(name, function, on_bool)                                \
  INGOT_OP(name "(Scalar a, Scalar b) -> bool", Function<function>);               \
  INGOT_OP(name ".bool(bool a, bool b) -> bool", Stepped<on_bool>);                \
  INGOT_OP(name ".device(Device a, Device b) -> bool", Function<function>);        \
  INGOT_OP(name ".complex(complex a, complex b) -> bool", Function<function>);     \
  INGOT_OP(name ".float_complex(float a, complex b) -> bool", Function<function>); \
  INGOT_OP(name ".complex_float(complex a, float b) -> bool", Function<function>); \
  INGOT_OP(name ".int_list(int[] a, int[] b) -> bool", Function<function>);        \
  INGOT_OP(name ".float_list(float[] a, float[] b) -> bool", Function<function>);  \
  INGOT_OP(name ".bool_list(bool[] a, bool[] b) -> bool", Function<function>);     \
  INGOT_OP(name ".str_list(str[] a, str[] b) -> bool", Function<function>)

INGOT_EQUALITY_OPS("aten::eq", eq_any, eq_bool);
INGOT_EQUALITY_OPS("aten::ne", ne_any, ne_bool);

INGOT_OP("aten::__and__.bool(bool a, bool b) -> bool", Stepped<and_bool>);
INGOT_OP("aten::__or__.bool(bool a, bool b) -> bool", Stepped<or_bool>);
INGOT_OP("aten::__xor__.bool(bool a, bool b) -> bool", Stepped<ne_bool>);
INGOT_OP("aten::__not__(bool self) -> bool", Stepped<not_bool>);
INGOT_OP("aten::__is__(t1 self, t2 obj) -> bool", Stepped<is_same>);
INGOT_OP("aten::__isnot__(t1 self, t2 obj) -> bool", Stepped<is_not_same>);

}  // namespace
}  // namespace ingot

// Lists whose elements have an order or a sum: sort, min, max, sum, any, all, ranges.
#include <algorithm>
#include <complex>
#include <limits>

#include <ingot/op.h>
#include "ops/container.h"
#include "ops/python_error.h"
#include "ops/scalar_number.h"

namespace ingot {

bool less(const Value& a, const Value& b) {
  if (is_whole(a) && is_whole(b)) return whole(a) < whole(b);
  if (a.is_string()) return a.to_string() < b.to_string();
  const auto sequence = [](const Value& v) -> const std::vector<Value>* {
    return v.is_list() ? &v.to_list().elements : v.is_tuple() ? &v.to_tuple().elements : nullptr;
  };
  if (const std::vector<Value>* left = sequence(a)) {
    const std::vector<Value>* right = sequence(b);
    if (a.tag() != b.tag())
      raise_python("TypeError", "'<' not supported between a ", name_of(a.tag()), " and a ",
                   name_of(b.tag()));
    const size_t shared = std::min(left->size(), right->size());
    for (size_t i = 0; i < shared; ++i)
      if (!equal((*left)[i], (*right)[i])) return less((*left)[i], (*right)[i]);
    return left->size() < right->size();
  }
  if (a.is_none() || a.is_dict() || a.is_tensor() || a.tag() == Tag::complex)
    raise_python("TypeError", "values of type ", name_of(a.tag()), " have no order");
  return number(a) < number(b);
}

namespace {

void sort(const Value& self, bool reverse) {
  std::vector<Value>& elements = elements_of(self);
  // Sorting works on a copy, so that an error leaves the list as it was.
  std::vector<Value> sorted = elements;
  // Backwards twice keeps equal elements in their order, as Python does.
  if (reverse) std::reverse(sorted.begin(), sorted.end());
  std::stable_sort(sorted.begin(), sorted.end(), less);
  if (reverse) std::reverse(sorted.begin(), sorted.end());
  elements = std::move(sorted);
}

Value sorted(const Value& input) {
  Value copy = Value::list(elements_of(input));
  sort(copy, false);
  return copy;
}

const std::vector<Value>& not_empty(const Value& self, const char* function) {
  const std::vector<Value>& elements = elements_of(self);
  if (elements.empty()) raise_python("ValueError", function, " arg is an empty sequence");
  return elements;
}
Value min_of(const Value& self) {
  const std::vector<Value>& elements = not_empty(self, "min()");
  return *std::min_element(elements.begin(), elements.end(), less);
}
Value max_of(const Value& self) {
  const std::vector<Value>& elements = not_empty(self, "max()");
  return *std::max_element(elements.begin(), elements.end(), less);
}
Value min_of_two(const Value& l, const Value& r) { return less(r, l) ? r : l; }
Value max_of_two(const Value& l, const Value& r) { return less(l, r) ? r : l; }

int64_t sum_whole(const Value& self) {
  int64_t sum = 0;
  for (const Value& element : elements_of(self))
    if (__builtin_add_overflow(sum, whole(element), &sum))
      raise_python("OverflowError", "the sum does not fit in 64 bits");
  return sum;
}
double sum_float(const Value& self) {
  double sum = 0;
  for (const Value& element : elements_of(self)) sum += number(element);
  return sum;
}
Value sum_complex(const Value& self) {
  std::complex<double> sum = 0;
  for (const Value& element : elements_of(self)) sum += element.to_complex();
  return sum;
}

bool truth(const Value& v) {
  return v.is_string() ? !v.to_string().empty() : is_whole(v) ? whole(v) != 0 : v.to_double() != 0;
}
bool all_of(const Value& self) {
  const std::vector<Value>& elements = elements_of(self);
  return std::all_of(elements.begin(), elements.end(), truth);
}
bool any_of(const Value& self) {
  const std::vector<Value>& elements = elements_of(self);
  return std::any_of(elements.begin(), elements.end(), truth);
}

int64_t range_length(int64_t lo, int64_t hi, int64_t step) {
  if (step == 0) raise_python("ValueError", "range() arg 3 must not be zero");
  // Unsigned: the distance and the negated step fit for every int64.
  uint64_t count = 0;
  if (step > 0 && lo < hi)
    count =
        (static_cast<uint64_t>(hi) - static_cast<uint64_t>(lo) - 1) / static_cast<uint64_t>(step) +
        1;
  if (step < 0 && hi < lo)
    count = (static_cast<uint64_t>(lo) - static_cast<uint64_t>(hi) - 1) /
                (0 - static_cast<uint64_t>(step)) +
            1;
  if (count > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
    raise_python("OverflowError", "range(", lo, ", ", hi, ", ", step, ") is too long");
  return static_cast<int64_t>(count);
}
// Within a range's length this never overflows; wrapping keeps other input defined.
int64_t derive_index(int64_t index, int64_t start, int64_t step) {
  return static_cast<int64_t>(static_cast<uint64_t>(start) +
                              static_cast<uint64_t>(index) * static_cast<uint64_t>(step));
}
Value range_list(int64_t n) {
  const size_t count = n > 0 ? static_cast<size_t>(n) : 0;
  check_length(count, 1);
  std::vector<Value> elements(count);
  for (size_t i = 0; i < count; ++i) elements[i] = static_cast<int64_t>(i);
  return Value::list(std::move(elements));
}

#define INGOT_ORDER_OPS(type)                                                                     \
  INGOT_OP("aten::sort." type "(" type "[](a!) self, bool reverse=False) -> ()", Function<sort>); \
  INGOT_OP("aten::sorted." type "(" type "[](a) input) -> " type "[]", Function<sorted>)
INGOT_ORDER_OPS("int");
INGOT_ORDER_OPS("float");
INGOT_ORDER_OPS("bool");
INGOT_ORDER_OPS("str");
INGOT_OP("aten::sort.any(t[](a!) self, bool reverse=False) -> ()", Function<sort>);
INGOT_OP("aten::sorted.any(t[](a) self) -> t[]", Function<sorted>);

#define INGOT_EXTREME_OPS(type)                                                    \
  INGOT_OP("prim::min.self_" type "(" type "[] self) -> " type, Function<min_of>); \
  INGOT_OP("prim::max.self_" type "(" type "[] self) -> " type, Function<max_of>); \
  INGOT_OP("prim::min." type "_list(" type "[] l, " type "[] r) -> " type "[]",    \
           Function<min_of_two>);                                                  \
  INGOT_OP("prim::max." type "_list(" type "[] l, " type "[] r) -> " type "[]",    \
           Function<max_of_two>);                                                  \
  INGOT_OP("aten::all." type "(" type "[] self) -> bool", Function<all_of>);       \
  INGOT_OP("aten::any." type "(" type "[] self) -> bool", Function<any_of>)
INGOT_EXTREME_OPS("int");
INGOT_EXTREME_OPS("float");
INGOT_EXTREME_OPS("bool");
INGOT_OP("aten::any.str(str[] self) -> bool", Function<any_of>);
INGOT_OP("aten::sum.int(int[] self) -> int", Function<sum_whole>);
INGOT_OP("aten::sum.bool(bool[] self) -> int", Function<sum_whole>);
INGOT_OP("aten::sum.float(float[] self) -> float", Function<sum_float>);
INGOT_OP("aten::sum.complex(complex[] self) -> complex", Function<sum_complex>);

INGOT_OP("prim::less(Any a, Any b) -> bool", Function<less>);
INGOT_OP("aten::__range_length(int lo, int hi, int step) -> int", Function<range_length>);
INGOT_OP("aten::__derive_index(int index, int start, int step) -> int", Function<derive_index>);
INGOT_OP("prim::rangelist(int n) -> int[]", Function<range_list>);

}  // namespace
}  // namespace ingot

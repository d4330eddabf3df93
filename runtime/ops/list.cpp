// Methods and operators of lists. Elements may be of any type.
#include <algorithm>

#include <ingot/op.h>
#include "ops/container.h"
#include "ops/python_error.h"
#include "ops/step.h"
#include "ops/text.h"

namespace ingot {

void check_length(size_t count, size_t times) {
  constexpr size_t kMaxLength = size_t{1} << 31;
  if (times != 0 && count > kMaxLength / times)
    raise_python("MemoryError", "a container of ", count, " x ", times, " elements is too long");
}

Value copy_containers(const Value& value) {
  const auto copies = [](const std::vector<Value>& elements) {
    std::vector<Value> result;
    result.reserve(elements.size());
    for (const Value& element : elements) result.push_back(copy_containers(element));
    return result;
  };
  switch (value.tag()) {
    case Tag::list: return Value::list(copies(value.to_list().elements));
    case Tag::tuple: {
      auto* tuple = new Tuple(copies(value.to_tuple().elements));
      tuple->names = value.to_tuple().names;
      return Value(tuple);
    }
    case Tag::dict: {
      auto* dict = new Dict();
      Value result(dict);
      for (const auto& [key, item] : value.to_dict().items()) dict->set(key, copy_containers(item));
      return result;
    }
    default: return value;
  }
}

namespace {

Value getitem(const Value& list, int64_t idx) {
  const std::vector<Value>& elements = elements_of(list);
  return elements[wrap_index(idx, static_cast<int64_t>(elements.size()), "list index")];
}

void set_item(const Value& list, int64_t idx, const Value& el) {
  std::vector<Value>& elements = elements_of(list);
  elements[wrap_index(idx, static_cast<int64_t>(elements.size()), "list assignment index")] = el;
}

void append(const Value& self, const Value& el) { elements_of(self).push_back(Value(el)); }

void extend(const Value& self, const Value& other) {
  std::vector<Value>& to = elements_of(self);
  const size_t count = elements_of(other).size();
  check_length(to.size() + count, 1);
  to.reserve(std::max(to.size() + count, to.capacity() < to.size() + count ? 2 * to.size() : 0));
  // By index: `other` may be the list itself.
  for (size_t i = 0; i < count; ++i) to.push_back(Value(elements_of(other)[i]));
}

Value add_in_place(const Value& self, const Value& b) {
  extend(self, b);
  return self;
}

Value add(const Value& a, const Value& b) {
  const std::vector<Value>& first = elements_of(a);
  const std::vector<Value>& second = elements_of(b);
  std::vector<Value> all;
  all.reserve(first.size() + second.size());
  all.insert(all.end(), first.begin(), first.end());
  all.insert(all.end(), second.begin(), second.end());
  return Value::list(std::move(all));
}

Value repeat(const Value& list, int64_t n) {
  const std::vector<Value>& elements = elements_of(list);
  const size_t times = n > 0 ? static_cast<size_t>(n) : 0;
  check_length(elements.size(), times);
  std::vector<Value> all;
  all.reserve(elements.size() * times);
  if (!elements.empty())
    for (size_t i = 0; i < times; ++i) all.insert(all.end(), elements.begin(), elements.end());
  return Value::list(std::move(all));
}
Value repeat_right(int64_t n, const Value& list) { return repeat(list, n); }
Value repeat_in_place(const Value& list, int64_t n) {
  elements_of(list) = elements_of(repeat(list, n));
  return list;
}

Value pop(const Value& self, int64_t idx) {
  std::vector<Value>& elements = elements_of(self);
  if (elements.empty()) raise_python("IndexError", "pop from empty list");
  const int64_t at = wrap_index(idx, static_cast<int64_t>(elements.size()), "pop index");
  Value popped = std::move(elements[at]);
  elements.erase(elements.begin() + at);
  return popped;
}

void delete_item(const Value& self, int64_t idx) {
  std::vector<Value>& elements = elements_of(self);
  const auto length = static_cast<int64_t>(elements.size());
  elements.erase(elements.begin() + wrap_index(idx, length, "list assignment index"));
}

void insert(const Value& self, int64_t idx, const Value& el) {
  std::vector<Value>& elements = elements_of(self);
  const auto length = static_cast<int64_t>(elements.size());
  const int64_t at = std::clamp<int64_t>(idx < 0 ? idx + length : idx, 0, length);
  elements.insert(elements.begin() + at, Value(el));
}

size_t find(const std::vector<Value>& elements, const Value& el) {
  for (size_t i = 0; i < elements.size(); ++i)
    if (equal(elements[i], el)) return i;
  return elements.size();
}

void remove(const Value& self, const Value& el) {
  std::vector<Value>& elements = elements_of(self);
  const size_t at = find(elements, el);
  if (at == elements.size()) raise_python("ValueError", "list.remove(x): x not in list");
  elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(at));
}

int64_t index(const Value& self, const Value& el) {
  const std::vector<Value>& elements = elements_of(self);
  const size_t at = find(elements, el);
  if (at == elements.size()) raise_python("ValueError", repr(el), " is not in list");
  return static_cast<int64_t>(at);
}

int64_t count(const Value& self, const Value& el) {
  int64_t found = 0;
  for (const Value& element : elements_of(self)) found += equal(element, el);
  return found;
}

bool contains(const Value& list, const Value& item) {
  const std::vector<Value>& elements = elements_of(list);
  return find(elements, item) < elements.size();
}

bool equal_values(const Value& a, const Value& b) { return equal(a, b); }

void reverse(const Value& self) {
  std::reverse(elements_of(self).begin(), elements_of(self).end());
}
void clear(const Value& self) { elements_of(self).clear(); }
Value copy(const Value& self) { return Value::list(elements_of(self)); }
int64_t length(const Value& a) { return static_cast<int64_t>(elements_of(a).size()); }

Value slice(const Value& list, std::optional<int64_t> start, std::optional<int64_t> end,
            int64_t step) {
  const std::vector<Value>& elements = elements_of(list);
  const SliceRange range = slice_range(start, end, step, static_cast<int64_t>(elements.size()));
  std::vector<Value> part;
  part.reserve(static_cast<size_t>(range.count));
  for (int64_t i = 0; i < range.count; ++i) part.push_back(elements[range.start + i * range.step]);
  return Value::list(std::move(part));
}

// l[start:end:step] = values. Without a step the list may change its length.
void set_slice(const Value& self, std::optional<int64_t> start, std::optional<int64_t> end,
               int64_t step, const Value& values) {
  std::vector<Value>& elements = elements_of(self);
  const std::vector<Value> given = elements_of(values);  // may be the list itself
  const SliceRange range = slice_range(start, end, step, static_cast<int64_t>(elements.size()));
  if (step == 1) {
    check_length(elements.size() + given.size(), 1);
    const auto first = elements.begin() + range.start;
    elements.insert(elements.erase(first, first + range.count), given.begin(), given.end());
    return;
  }
  if (static_cast<int64_t>(given.size()) != range.count)
    raise_python("ValueError", "attempt to assign sequence of size ", given.size(),
                 " to extended slice of size ", range.count);
  for (int64_t i = 0; i < range.count; ++i) elements[range.start + i * range.step] = given[i];
}

void delete_slice(const Value& self, std::optional<int64_t> start, std::optional<int64_t> end,
                  int64_t step) {
  std::vector<Value>& elements = elements_of(self);
  const SliceRange range = slice_range(start, end, step, static_cast<int64_t>(elements.size()));
  std::vector<bool> gone(elements.size());
  for (int64_t i = 0; i < range.count; ++i) gone[range.start + i * range.step] = true;
  std::vector<Value> left;
  for (size_t i = 0; i < elements.size(); ++i)
    if (!gone[i]) left.push_back(elements[i]);
  elements = std::move(left);
}

Value unwrap_optional(const Value& optional) {
  if (optional.is_none()) raise_python("ValueError", "expected a value, got None");
  return optional;
}

INGOT_OP("aten::__getitem__.t(t[](a) list, int idx) -> t(*)", SteppedSymbolic<getitem>);
INGOT_OP("aten::select.t(t[](a) list, int idx) -> t(*)", SteppedSymbolic<getitem>);
INGOT_OP("aten::_set_item.t(t[](a!) l, int idx, t(b -> *) el) -> t[](a!)",
         SteppedInPlace<set_item>);
INGOT_OP("aten::Delete.t(t[](a!) self, int idx) -> ()", Stepped<delete_item>);
INGOT_OP("aten::append.t(t[](a!) self, t(c -> *) el) -> t[](a!)", SteppedInPlace<append>);
INGOT_OP("aten::extend.t(t[](a!) self, t[] other) -> ()", Function<extend>);
INGOT_OP("aten::add.t(t[] a, t[] b) -> t[]", SteppedSymbolic<add>);
INGOT_OP("aten::add_.t(t[](a!) self, t[] b) -> t[]", Function<add_in_place>);
INGOT_OP("aten::mul.left_t(t[] l, int n) -> t[]", Function<repeat>);
INGOT_OP("aten::mul.right_(int n, t[] l) -> t[]", Function<repeat_right>);
INGOT_OP("aten::mul_.t(t[](a!) l, int n) -> t[](a!)", Function<repeat_in_place>);
INGOT_OP("aten::pop.t(t[](a!) self, int idx=-1) -> t(*)", Stepped<pop>);
INGOT_OP("aten::insert.t(t[](a!) self, int idx, t(b -> *) el) -> ()", Function<insert>);
INGOT_OP("aten::reverse.t(t[](a!) self) -> ()", Function<reverse>);
INGOT_OP("aten::clear.t(t[](a!) self) -> ()", Function<clear>);
INGOT_OP("aten::copy.t(t[](a) self) -> t[]", Symbolic<copy>);
INGOT_OP("aten::list.t(t[] l) -> t[]", Symbolic<copy>);
INGOT_OP("aten::len.t(t[] a) -> int", SteppedSymbolic<length>);
INGOT_OP("aten::len.any(Any[] a) -> int", SteppedSymbolic<length>);
INGOT_OP("aten::slice.t(t[] l, int? start=None, int? end=None, int step=1) -> t[]",
         Function<slice>);
INGOT_OP("aten::_unwrap_optional(t(a)? optional) -> t(a)", Symbolic<unwrap_optional>);

INGOT_OP("prim::set_slice(t[](a!) l, int? start, int? end, int step, t[] values) -> ()",
         Function<set_slice>);
INGOT_OP("prim::delete_slice(t[](a!) l, int? start, int? end, int step) -> ()",
         Function<delete_slice>);

#define INGOT_SEARCH_OPS(type, name)                                                           \
  INGOT_OP("aten::remove." name "(" type "[](a!) self, " type " el) -> ()", Function<remove>); \
  INGOT_OP("aten::index.list_" name "(" type "[] self, " type " el) -> int", Function<index>); \
  INGOT_OP("aten::count." name "(" type "[] self, " type " el) -> int", Function<count>)
INGOT_SEARCH_OPS("int", "int");
INGOT_SEARCH_OPS("float", "float");
INGOT_SEARCH_OPS("bool", "bool");
INGOT_SEARCH_OPS("str", "str");
INGOT_OP("aten::__contains__.int_list(int[] l, int item) -> bool", Stepped<contains>);
INGOT_OP("aten::__contains__.float_list(float[] l, float item) -> bool", Stepped<contains>);
INGOT_OP("aten::__contains__.str_list(str[] l, str item) -> bool", Stepped<contains>);
// Elements of any other type, compared as Python compares tuples, lists and dicts.
INGOT_SEARCH_OPS("t", "any");
INGOT_OP("aten::__contains__.any_list(t[] l, t item) -> bool", Function<contains>);
INGOT_OP("prim::equal(Any a, Any b) -> bool", Function<equal_values>);

}  // namespace
}  // namespace ingot

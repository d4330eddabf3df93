#include <ingot/value.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include <ingot/check.h>

namespace ingot {

std::string_view name_of(Tag tag) {
  switch (tag) {
    case Tag::none: return "None";
    case Tag::boolean: return "bool";
    case Tag::integer: return "int";
    case Tag::floating: return "float";
    case Tag::tensor: return "Tensor";
    case Tag::complex: return "complex";
    case Tag::string: return "str";
    case Tag::list: return "list";
    case Tag::dict: return "dict";
    case Tag::tuple: return "tuple";
    case Tag::instance: return "object";
  }
  return "?";
}

Value::Value(std::complex<double> value) : Value(static_cast<Object*>(new Complex(value))) {}
Value::Value(std::string value) : Value(static_cast<Object*>(new String(std::move(value)))) {}
Value::Value(std::string_view value) : Value(std::string(value)) {}

Value Value::list(std::vector<Value> elements) {
  return Value(static_cast<Object*>(new List(std::move(elements))));
}

Value Value::tuple(std::vector<Value> elements) {
  return Value(static_cast<Object*>(new Tuple(std::move(elements))));
}

Value Value::dict(std::vector<std::pair<Value, Value>> items) {
  auto* dict = new Dict;
  Value value(static_cast<Object*>(dict));
  for (auto& [key, item] : items) dict->set(key, std::move(item));
  return value;
}

void Value::wrong_tag(Tag expected) const {
  fail(ErrorCode::invalid_argument, "expected ", name_of(expected), ", got ",
       is_tensor() ? describe() : std::string(name_of(tag_)));
}

namespace {

// Containers may nest deeply; children wait in a list, so that freeing does not recurse.
void destroy_object(Object* object) {
  thread_local std::vector<Value>* pending = nullptr;
  std::vector<Value> mine;
  std::vector<Value>* const queue = pending ? pending : &mine;
  const bool outermost = !pending;
  pending = queue;
  switch (object->tag) {
    case Tag::complex: delete static_cast<Complex*>(object); break;
    case Tag::string: delete static_cast<String*>(object); break;
    case Tag::list: {
      auto* list = static_cast<List*>(object);
      for (Value& v : list->elements)
        if (v.object()) queue->push_back(std::move(v));
      delete list;
      break;
    }
    case Tag::tuple: {
      auto* tuple = static_cast<Tuple*>(object);
      for (Value& v : tuple->elements)
        if (v.object()) queue->push_back(std::move(v));
      delete tuple;
      break;
    }
    case Tag::dict: {
      auto* dict = static_cast<Dict*>(object);
      for (auto& [key, v] : dict->items())
        if (v.object()) queue->push_back(std::move(v));
      delete dict;
      break;
    }
    case Tag::instance: {
      auto* instance = static_cast<Instance*>(object);
      for (std::optional<Value>& v : instance->slots)
        if (v && v->object()) queue->push_back(std::move(*v));
      delete instance;
      break;
    }
    default: break;
  }
  if (!outermost) return;
  while (!queue->empty()) {
    Value next = std::move(queue->back());
    queue->pop_back();
  }
  pending = nullptr;
}

std::string number_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, result.ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// As Python's repr, except that all but ASCII's control characters stay as they are.
std::string quoted(std::string_view text) {
  const bool has_single = text.find('\'') != text.npos;
  const char quote = has_single && text.find('"') == text.npos ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\')
      out += {'\\', c};
    else if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\t')
      out += "\\t";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      out += concat("\\x", "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]);
    else
      out += c;
  }
  return out + quote;
}

std::string join(const std::vector<Value>& values) {
  std::string text;
  for (const Value& v : values) {
    if (!text.empty()) text += ", ";
    text += v.describe();
  }
  return text;
}

}  // namespace

void Value::release_reference() {
  if (tag_ == Tag::tensor) {
    if (bits_.tensor->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
      detail::destroy(bits_.tensor);
  } else if (bits_.object->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    destroy_object(bits_.object);
  }
}

std::complex<double> Value::to_complex() const {
  if (tag_ == Tag::floating) return bits_.floating;
  if (tag_ == Tag::integer) return static_cast<double>(bits_.integer);
  expect(Tag::complex);
  return static_cast<const Complex*>(bits_.object)->value;
}

std::string_view Value::to_string() const {
  expect(Tag::string);
  return static_cast<const String*>(bits_.object)->value;
}
const List& Value::to_list() const {
  expect(Tag::list);
  return *static_cast<const List*>(bits_.object);
}
List& Value::to_list() {
  expect(Tag::list);
  return *static_cast<List*>(bits_.object);
}
const Tuple& Value::to_tuple() const {
  expect(Tag::tuple);
  return *static_cast<const Tuple*>(bits_.object);
}
const Dict& Value::to_dict() const {
  expect(Tag::dict);
  return *static_cast<const Dict*>(bits_.object);
}
Dict& Value::to_dict() {
  expect(Tag::dict);
  return *static_cast<Dict*>(bits_.object);
}

const Instance& Value::to_instance() const {
  expect(Tag::instance);
  return *static_cast<const Instance*>(bits_.object);
}
Instance& Value::to_instance() {
  expect(Tag::instance);
  return *static_cast<Instance*>(bits_.object);
}

const Value& Instance::get(std::string_view field) const {
  const auto& fields = names->fields;
  const auto found = std::find(fields.begin(), fields.end(), field);
  if (found == fields.end())
    fail(ErrorCode::invalid_argument, "an object of the class ", names->name, " has no attribute '",
         field, "'");
  const std::optional<Value>& slot = slots[static_cast<size_t>(found - fields.begin())];
  if (!slot)
    fail(ErrorCode::invalid_argument, "the attribute '", field, "' of a ", names->name,
         " has not been set");
  return *slot;
}

namespace {

// Instances inside an instance show their class only: they may refer back to it.
std::string describe_instance(const Instance& instance) {
  thread_local bool inside = false;
  std::string text = instance.names->name + "(";
  if (inside) return text + "...)";
  inside = true;
  for (size_t i = 0; i < instance.slots.size(); ++i)
    if (instance.slots[i])
      text += concat(text.back() == '(' ? "" : ", ", instance.names->fields[i], "=",
                     instance.slots[i]->describe());
  inside = false;
  return text + ")";
}

}  // namespace

std::string Value::describe() const {
  switch (tag_) {
    case Tag::none: return "None";
    case Tag::boolean: return bits_.boolean ? "True" : "False";
    case Tag::integer: return std::to_string(bits_.integer);
    case Tag::floating: return number_repr(bits_.floating);
    case Tag::tensor: return tensor().describe();
    case Tag::complex: {
      const auto c = to_complex();
      return concat("(", number_repr(c.real()), c.imag() < 0 ? "" : "+", number_repr(c.imag()),
                    "j)");
    }
    case Tag::string: return quoted(to_string());
    case Tag::list: return concat("[", join(to_list().elements), "]");
    case Tag::tuple: {
      const Tuple& tuple = to_tuple();
      if (!tuple.names)
        return concat("(", join(tuple.elements), tuple.elements.size() == 1 ? ",)" : ")");
      std::string text = tuple.names->name + "(";
      for (size_t i = 0; i < tuple.elements.size(); ++i)
        text += concat(i ? ", " : "", tuple.names->fields[i], "=", tuple.elements[i].describe());
      return text + ")";
    }
    case Tag::dict: {
      std::string text = "{";
      for (const auto& [key, value] : to_dict().items())
        text += concat(text.size() > 1 ? ", " : "", key.describe(), ": ", value.describe());
      return text + "}";
    }
    case Tag::instance: return describe_instance(to_instance());
  }
  return "?";
}

bool equal(const Value& a, const Value& b) {
  const auto number = [](const Value& v) { return v.is_bool() || v.is_int() || v.is_double(); };
  if (number(a) && number(b)) {
    if (!a.is_double() && !b.is_double())
      return (a.is_bool() ? a.to_bool() : a.to_int()) == (b.is_bool() ? b.to_bool() : b.to_int());
    if (a.is_double() && b.is_double()) return a.to_double() == b.to_double();
    // By exact value: not every integer is a double.
    const double x = a.is_double() ? a.to_double() : b.to_double();
    const Value& other = a.is_double() ? b : a;
    const int64_t whole = other.is_bool() ? other.to_bool() : other.to_int();
    return x >= -0x1p63 && x < 0x1p63 && static_cast<int64_t>(x) == whole &&
           static_cast<double>(whole) == x;
  }
  const auto real = [](const Value& z) { return Value(z.to_complex().real()); };
  if (a.tag() == Tag::complex && number(b)) return a.to_complex().imag() == 0 && equal(real(a), b);
  if (b.tag() == Tag::complex && number(a)) return b.to_complex().imag() == 0 && equal(a, real(b));
  if (a.tag() != b.tag()) return false;
  const auto all_equal = [](const std::vector<Value>& x, const std::vector<Value>& y) {
    if (x.size() != y.size()) return false;
    for (size_t i = 0; i < x.size(); ++i)
      if (!equal(x[i], y[i])) return false;
    return true;
  };
  switch (a.tag()) {
    case Tag::none: return true;
    case Tag::tensor: return a.tensor().impl() == b.tensor().impl();
    case Tag::instance: return a.object() == b.object();
    case Tag::complex: return a.to_complex() == b.to_complex();
    case Tag::string: return a.to_string() == b.to_string();
    case Tag::list: return all_equal(a.to_list().elements, b.to_list().elements);
    case Tag::tuple: return all_equal(a.to_tuple().elements, b.to_tuple().elements);
    case Tag::dict: {
      const Dict& x = a.to_dict();
      const Dict& y = b.to_dict();
      if (x.items().size() != y.items().size()) return false;
      for (const auto& [key, value] : x.items()) {
        const int64_t at = y.find(key);
        if (at < 0 || !equal(value, y.items()[at].second)) return false;
      }
      return true;
    }
    default: return false;
  }
}

}  // namespace ingot

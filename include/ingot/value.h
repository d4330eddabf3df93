// Values that programs take, return and compute with: tensors, numbers, strings, containers.
#pragma once

#include <atomic>
#include <complex>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <ingot/error.h>
#include <ingot/tensor.h>

namespace ingot {

class Value;

// What a Value holds at run time.
enum class Tag : uint8_t {
  none,
  boolean,
  integer,
  floating,
  tensor,
  complex,
  string,
  list,
  dict,
  tuple,
  instance
};

// "int", "Tensor", ...: the name in program text.
INGOT_API std::string_view name_of(Tag tag);

// A heap object behind a Value; shared by reference as in Python.
struct Object {
  explicit Object(Tag t) : tag(t) {}
  std::atomic<int64_t> references{1};
  const Tag tag;
};

struct String;
struct Complex;
struct List;
class Dict;
struct Tuple;
struct Instance;

// One value: 16 bytes, a tag and either the number itself or a counted reference.
class INGOT_API Value {
 public:
  Value() = default;  // None
  Value(bool value) : tag_(Tag::boolean) { bits_.boolean = value; }
  Value(int64_t value) : tag_(Tag::integer) { bits_.integer = value; }
  Value(int value) : Value(static_cast<int64_t>(value)) {}
  Value(double value) : tag_(Tag::floating) { bits_.floating = value; }
  Value(std::complex<double> value);
  Value(Tensor tensor) : tag_(tensor.defined() ? Tag::tensor : Tag::none) {
    bits_.tensor = tensor.detach();
  }
  Value(std::string value);
  Value(std::string_view value);
  Value(const char* value) : Value(std::string_view(value)) {}
  // Takes over the caller's reference to `object`.
  explicit Value(Object* object) : tag_(object->tag) { bits_.object = object; }

  static Value list(std::vector<Value> elements);
  static Value tuple(std::vector<Value> elements);
  static Value dict(std::vector<std::pair<Value, Value>> items);

  Value(const Value& other) : tag_(other.tag_), bits_(other.bits_) { retain(); }
  Value(Value&& other) noexcept : tag_(std::exchange(other.tag_, Tag::none)), bits_(other.bits_) {}
  Value& operator=(const Value& other) {
    Value copy(other);
    swap(copy);
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    Value moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~Value() { release(); }
  void swap(Value& other) noexcept {
    std::swap(tag_, other.tag_);
    std::swap(bits_, other.bits_);
  }

  Tag tag() const { return tag_; }
  bool is_none() const { return tag_ == Tag::none; }
  bool is_bool() const { return tag_ == Tag::boolean; }
  bool is_int() const { return tag_ == Tag::integer; }
  bool is_double() const { return tag_ == Tag::floating; }
  bool is_tensor() const { return tag_ == Tag::tensor; }
  bool is_string() const { return tag_ == Tag::string; }
  bool is_list() const { return tag_ == Tag::list; }
  bool is_tuple() const { return tag_ == Tag::tuple; }
  bool is_dict() const { return tag_ == Tag::dict; }
  bool is_instance() const { return tag_ == Tag::instance; }

  // Each throws Error (invalid_argument) naming both types if the value is of another kind.
  bool to_bool() const { return expect(Tag::boolean), bits_.boolean; }
  int64_t to_int() const { return expect(Tag::integer), bits_.integer; }
  double to_double() const { return expect(Tag::floating), bits_.floating; }
  std::complex<double> to_complex() const;
  Tensor to_tensor() const { return tensor(); }
  std::string_view to_string() const;
  const List& to_list() const;
  List& to_list();
  const Tuple& to_tuple() const;
  const Dict& to_dict() const;
  Dict& to_dict();
  const Instance& to_instance() const;
  Instance& to_instance();

  // The tensor without touching its reference count.
  const Tensor& tensor() const {
    expect(Tag::tensor);
    static_assert(sizeof(Tensor) == sizeof(void*));
    return *reinterpret_cast<const Tensor*>(&bits_.tensor);
  }
  // The heap object (string, list, dict, tuple, complex, instance) or null.
  Object* object() const { return tag_ > Tag::tensor ? bits_.object : nullptr; }

  // Python's repr, tensors as their description: for error sentences and ingot-run.
  std::string describe() const;

 private:
  void expect(Tag tag) const {
    if (tag_ != tag) wrong_tag(tag);
  }
  [[noreturn]] void wrong_tag(Tag expected) const;
  void retain() const {
    if (tag_ < Tag::tensor) return;
    if (tag_ == Tag::tensor)
      bits_.tensor->references.fetch_add(1, std::memory_order_relaxed);
    else
      bits_.object->references.fetch_add(1, std::memory_order_relaxed);
  }
  void release() {
    if (tag_ >= Tag::tensor) release_reference();
  }
  void release_reference();

  Tag tag_ = Tag::none;
  union Bits {
    bool boolean;
    int64_t integer;
    double floating;
    detail::TensorImpl* tensor;
    Object* object;
  } bits_{.integer = 0};
};

struct String : Object {
  explicit String(std::string v) : Object(Tag::string), value(std::move(v)) {}
  std::string value;
};

struct Complex : Object {
  explicit Complex(std::complex<double> v) : Object(Tag::complex), value(v) {}
  std::complex<double> value;
};

struct List : Object {
  explicit List(std::vector<Value> e) : Object(Tag::list), elements(std::move(e)) {}
  std::vector<Value> elements;
};

// Fields of a named tuple keep their order; `names` is empty for a plain tuple.
struct Tuple : Object {
  explicit Tuple(std::vector<Value> e) : Object(Tag::tuple), elements(std::move(e)) {}
  std::vector<Value> elements;
  std::shared_ptr<const struct TupleNames> names;
};

// The type of a named tuple or a class: its name and the names of its fields.
struct TupleNames {
  std::string name;
  std::vector<std::string> fields;
};

// An instance of a class of the program. `slots` has one place per field of `names`; a slot is
// empty until the program sets the attribute. Instances that refer to each other in a cycle are
// never freed.
struct INGOT_API Instance : Object {
  explicit Instance(std::shared_ptr<const TupleNames> n)
      : Object(Tag::instance), names(std::move(n)), slots(names->fields.size()) {}
  // The attribute. Throws Error (invalid_argument) if there is none, or if it is not set.
  const Value& get(std::string_view field) const;

  std::shared_ptr<const TupleNames> names;
  std::vector<std::optional<Value>> slots;
};

// Keeps insertion order, as Python's dict. Keys: bool, int, float, complex, string, None, tensors
// and instances (by identity), and tuples of these.
class INGOT_API Dict : public Object {
 public:
  Dict() : Object(Tag::dict) {}
  const std::vector<std::pair<Value, Value>>& items() const { return items_; }
  std::vector<std::pair<Value, Value>>& items() { return items_; }
  // Index into items(), or -1.
  int64_t find(const Value& key) const;
  // Adds or replaces.
  void set(const Value& key, Value value);
  // False if there was no such key.
  bool erase(const Value& key);
  void clear();

 private:
  struct Hash {
    size_t operator()(const Value& key) const;
  };
  struct Equal {
    bool operator()(const Value& a, const Value& b) const;
  };
  std::vector<std::pair<Value, Value>> items_;
  std::unordered_map<Value, size_t, Hash, Equal> index_;
};

// Python's == on values other than tensors and instances (which compare by identity).
INGOT_API bool equal(const Value& a, const Value& b);

}  // namespace ingot

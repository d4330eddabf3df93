#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include <ingot/check.h>
#include "convert.h"
#include "dlpack.h"
#include "errors.h"
#include "numpy.h"

namespace nb = nanobind;

namespace ingot::python {

namespace {

// Counts nesting, so that a list inside itself is an error and no crash.
class Nesting {
 public:
  Nesting() {
    if (Py_EnterRecursiveCall(" while converting a value for Ingot")) {
      PyErr_Clear();
      fail(ErrorCode::invalid_argument, "a value is nested too deeply, or contains itself");
    }
  }
  ~Nesting() { Py_LeaveRecursiveCall(); }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;
};

const Type* strip_optional(const Type* type) {
  while (type && type->kind == TypeKind::optional) type = type->elements[0].get();
  return type;
}

bool is_kind(const Type* type, TypeKind kind) { return type && type->kind == kind; }

const Type* element_of(const Type* type, TypeKind kind, size_t index) {
  return is_kind(type, kind) && index < type->elements.size() ? type->elements[index].get()
                                                              : nullptr;
}

std::string utf8_of(PyObject* text) {
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(text, &size);
  if (!data) fail(ErrorCode::invalid_argument, "a string is no valid text: ", take_python_error());
  return std::string(data, static_cast<size_t>(size));
}

Value from_int(PyObject* object, const Type* expected) {
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
  INGOT_CHECK(!overflow, "an integer does not fit in 64 bits");
  if (is_kind(expected, TypeKind::floating)) return Value(static_cast<double>(value));
  if (is_kind(expected, TypeKind::complex))
    return Value(std::complex<double>(static_cast<double>(value)));
  return Value(static_cast<int64_t>(value));
}

Value from_float(PyObject* object, const Type* expected) {
  const double value = PyFloat_AS_DOUBLE(object);
  if (is_kind(expected, TypeKind::complex)) return Value(std::complex<double>(value));
  return Value(value);
}

// Whether it is a number for which a tensor without dimensions may be given.
bool is_number(const Type* type) {
  return is_kind(type, TypeKind::integer) || is_kind(type, TypeKind::floating) ||
         is_kind(type, TypeKind::complex) || is_kind(type, TypeKind::boolean);
}

template <class GetItem>
std::vector<Value> from_items(Py_ssize_t size, const GetItem& item, const Type* expected,
                              Conversion& conversion) {
  const Nesting nesting;
  std::vector<Value> values;
  values.reserve(static_cast<size_t>(size));
  const bool list = is_kind(expected, TypeKind::list);
  const bool tuple = is_kind(expected, TypeKind::tuple) || is_kind(expected, TypeKind::named_tuple);
  for (Py_ssize_t i = 0; i < size; ++i) {
    const size_t index = static_cast<size_t>(i);
    const Type* element = nullptr;
    if (list) element = expected->elements[0].get();
    if (tuple && index < expected->elements.size()) element = expected->elements[index].get();
    const nb::object held = item(i);  // conversion may run Python code that drops it
    values.push_back(from_python(held.ptr(), element, conversion));
  }
  return values;
}

Value named(Value tuple, std::string name, std::vector<std::string> fields) {
  static_cast<Tuple*>(tuple.object())->names =
      std::make_shared<const TupleNames>(TupleNames{std::move(name), std::move(fields)});
  return tuple;
}

Value from_tuple(PyObject* object, const Type* expected, Conversion& conversion) {
  std::vector<Value> values = from_items(
      PyTuple_GET_SIZE(object),
      [&](Py_ssize_t i) { return nb::borrow(PyTuple_GET_ITEM(object, i)); }, expected, conversion);
  if (is_kind(expected, TypeKind::list)) return Value::list(std::move(values));
  Value tuple = Value::tuple(std::move(values));
  if (PyTuple_CheckExact(object)) return tuple;
  const nb::object fields = nb::getattr(nb::handle(object), "_fields", nb::none());
  if (!PyTuple_Check(fields.ptr())) return tuple;
  std::vector<std::string> names;
  for (const nb::handle field : fields) names.push_back(utf8_of(field.ptr()));
  return named(std::move(tuple), utf8_of(nb::handle(object).type().attr("__name__").ptr()),
               std::move(names));
}

bool is_key(const Value& value) {
  if (!value.is_tuple())
    return value.is_none() || value.is_bool() || value.is_int() || value.is_double() ||
           value.is_string() || value.is_tensor() || value.is_instance() ||
           value.tag() == Tag::complex;
  const std::vector<Value>& elements = value.to_tuple().elements;
  return std::all_of(elements.begin(), elements.end(), is_key);
}

void check_key(const Value& converted, PyObject* key) {
  INGOT_CHECK(is_key(converted), "a dict or set holds a key of type ", Py_TYPE(key)->tp_name,
              "; keys must be numbers, str, None, tensors, instances or tuples of them");
}

// A set is a dict whose values are None.
Value from_set(PyObject* object, const Type* expected, Conversion& conversion) {
  const Nesting nesting;
  const Type* key_type = element_of(expected, TypeKind::dict, 0);
  std::vector<std::pair<Value, Value>> items;
  for (const nb::handle key : nb::borrow<nb::iterable>(object)) {
    Value converted = from_python(key.ptr(), key_type, conversion);
    check_key(converted, key.ptr());
    items.emplace_back(std::move(converted), Value());
  }
  return Value::dict(std::move(items));
}

Value from_dict(PyObject* object, const Type* expected, Conversion& conversion) {
  const Nesting nesting;
  const Type* key_type = element_of(expected, TypeKind::dict, 0);
  const Type* value_type = element_of(expected, TypeKind::dict, 1);
  std::vector<std::pair<Value, Value>> items;
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  for (Py_ssize_t position = 0; PyDict_Next(object, &position, &key, &value);) {
    const nb::object held_key = nb::borrow(key);
    const nb::object held_value = nb::borrow(value);
    Value converted = from_python(key, key_type, conversion);
    check_key(converted, key);
    items.emplace_back(std::move(converted), from_python(value, value_type, conversion));
  }
  return Value::dict(std::move(items));
}

// A dataclass instance, as a tuple of its fields in order.
Value from_dataclass(PyObject* object, const Type* expected, Conversion& conversion) {
  const nb::handle source(object);
  std::vector<std::string> names;
  std::vector<nb::object> fields;
  for (const nb::handle name : source.attr("__dataclass_fields__")) {
    names.push_back(utf8_of(name.ptr()));
    fields.push_back(nb::getattr(source, name));
  }
  std::vector<Value> values = from_items(
      static_cast<Py_ssize_t>(fields.size()),
      [&](Py_ssize_t i) { return fields[static_cast<size_t>(i)]; }, expected, conversion);
  return named(Value::tuple(std::move(values)), utf8_of(source.type().attr("__name__").ptr()),
               std::move(names));
}

// A copy of a Python object as an instance of the program's class. Attributes that it lacks stay
// unset; those that the class lacks are left out.
Value from_object(PyObject* object, const ClassType& expected, Conversion& conversion) {
  const auto known = conversion.copies.find(object);
  if (known != conversion.copies.end() &&
      std::as_const(known->second.instance).to_instance().names == expected.names)
    return known->second.instance;
  const Nesting nesting;
  auto* instance = new Instance(expected.names);
  Value result(static_cast<Object*>(instance));
  for (size_t i = 0; i < expected.types.size(); ++i) {
    const std::string& name = expected.names->fields[i];
    const nb::object held = nb::steal(PyObject_GetAttrString(object, name.c_str()));
    if (!held.is_valid()) {
      if (!PyErr_ExceptionMatches(PyExc_AttributeError)) throw nb::python_error();
      PyErr_Clear();
      continue;
    }
    const Type& type = *expected.types[i];
    Value value = from_python(held.ptr(), &type, conversion);
    INGOT_CHECK(holds(type, value), "the attribute '", name, "' of a ", expected.names->name,
                " must be ", type.str(), ", got ", value.describe());
    instance->slots[i] = std::move(value);
  }
  conversion.copies.insert_or_assign(object, Conversion::Copied{nb::borrow(object), result});
  return result;
}

// The class of a program, among the alternatives too, that an instance of a Python class is.
const ClassType* class_for(PyObject* object, const Type* expected) {
  if (!expected) return nullptr;
  if (expected->kind == TypeKind::object) return expected->object_class;
  if (expected->kind != TypeKind::union_) return nullptr;
  // An ingot.Object says what it was an instance of.
  const nb::handle type = nb::handle(object).type();
  const bool ours = nb::hasattr(type, "class_name") && nb::hasattr(type, "_class_name");
  std::string name = utf8_of(
      (ours ? nb::getattr(nb::handle(object), "class_name") : nb::getattr(type, "__name__")).ptr());
  name = name.substr(name.rfind('.') + 1);
  for (const TypePtr& option : expected->elements) {
    if (option->kind != TypeKind::object) continue;
    const std::string_view full = option->object_class->names->name;
    if (full.substr(full.rfind('.') + 1) == name) return option->object_class;
  }
  return nullptr;
}

struct TorchConstant {
  const char* text;
  DType dtype;
};
constexpr std::array<TorchConstant, 12> kTorchDTypes = {{
    {"torch.float32", DType::f32},
    {"torch.float64", DType::f64},
    {"torch.float16", DType::f16},
    {"torch.bfloat16", DType::bf16},
    {"torch.int64", DType::i64},
    {"torch.int32", DType::i32},
    {"torch.int16", DType::i16},
    {"torch.int8", DType::i8},
    {"torch.uint8", DType::u8},
    {"torch.bool", DType::boolean},
    {"torch.complex64", DType::c64},
    {"torch.complex128", DType::c128},
}};

// PyTorch's enumerations are numbers in programs.
bool from_torch_constant(PyObject* object, Value& out) {
  const std::string_view type = Py_TYPE(object)->tp_name;
  if (!type.starts_with("torch.")) return false;
  const auto text = [&] { return utf8_of(nb::str(nb::handle(object)).ptr()); };
  if (type == "torch.dtype") {
    const std::string name = text();
    for (const TorchConstant& row : kTorchDTypes) {
      if (name == row.text) {
        out = Value(static_cast<int64_t>(row.dtype));
        return true;
      }
    }
    fail(ErrorCode::invalid_argument, name, " is not supported");
  }
  if (type == "torch.device") {
    const std::string name = text();
    INGOT_CHECK(name.starts_with("cpu"), "device ", name, " is not supported; use cpu");
    out = Value(0);
    return true;
  }
  if (type == "torch.layout") {
    INGOT_CHECK(text() == "torch.strided", text(), " is not supported; use torch.strided");
    out = Value(0);
    return true;
  }
  if (type == "torch.memory_format") {
    const std::string name = text();
    if (name == "torch.contiguous_format")
      out = Value(0);
    else if (name == "torch.preserve_format")
      out = Value(1);
    else
      fail(ErrorCode::invalid_argument, name, " is not supported");
    return true;
  }
  return false;
}

// The tensor that get_state() gives; one for every time that the generator is given.
Value from_generator(PyObject* object, Conversion& conversion) {
  const auto known = std::ranges::find_if(conversion.generators, [object](const auto& given) {
    return given.generator.ptr() == object;
  });
  if (known != conversion.generators.end()) return Value(conversion.met(known->state.ptr()));
  const nb::object state = nb::handle(object).attr("get_state")();
  const Tensor tensor = tensor_from_torch(state.ptr());
  conversion.generators.push_back({nb::borrow(object), state});
  conversion.lenders.push_back({tensor, tensor.data<const std::byte>(), state});
  return Value(tensor);
}

bool has_attribute(PyTypeObject* type, const char* name) {
  return nb::hasattr(nb::handle(reinterpret_cast<PyObject*>(type)), name);
}

bool is_enum(PyObject* object) {
  static const auto* const base = new nb::object(nb::module_::import_("enum").attr("Enum"));
  return PyObject_IsInstance(object, base->ptr()) == 1;
}

Value from_other(PyObject* object, const Type* expected, Conversion& conversion) {
  if (is_torch_tensor(object)) {
    conversion.torch = true;
    Tensor tensor = conversion.met(object);
    const bool met = tensor.defined();
    if (!met) tensor = tensor_from_torch(object);
    if (is_number(expected) && tensor.rank() == 0) {
      const nb::object number = nb::handle(object).attr("item")();
      return from_python(number.ptr(), expected, conversion);
    }
    // Resolved copies are read-only; they are not the object's memory.
    if (tensor.writable() && !met)
      conversion.lenders.push_back({tensor, tensor.data<const std::byte>(), nb::borrow(object)});
    return Value(std::move(tensor));
  }
  if (is_numpy_scalar(object)) {
    if (is_kind(expected, TypeKind::tensor)) return Value(tensor_from_numpy_scalar(object));
    const nb::object number = number_from_numpy_scalar(object);
    if (!is_numpy_scalar(number.ptr())) return from_python(number.ptr(), expected, conversion);
  }
  if (PyBool_Check(object)) return Value(object == Py_True);
  if (PyLong_Check(object)) return from_int(object, expected);
  if (PyFloat_Check(object)) return from_float(object, expected);
  if (PyComplex_Check(object))
    return Value(
        std::complex<double>(PyComplex_RealAsDouble(object), PyComplex_ImagAsDouble(object)));
  if (PyUnicode_Check(object)) return Value(utf8_of(object));
  if (PyList_Check(object)) {
    const nb::object tuple = nb::steal(PyList_AsTuple(object));
    if (!tuple.is_valid()) throw nb::python_error();
    return Value::list(from_items(
        PyTuple_GET_SIZE(tuple.ptr()),
        [&](Py_ssize_t i) { return nb::borrow(PyTuple_GET_ITEM(tuple.ptr(), i)); }, expected,
        conversion));
  }
  if (PyTuple_Check(object)) return from_tuple(object, expected, conversion);
  if (PyDict_Check(object)) return from_dict(object, expected, conversion);
  if (PyAnySet_Check(object) && !is_kind(expected, TypeKind::list) &&
      !is_kind(expected, TypeKind::tuple))
    return from_set(object, expected, conversion);
  if (is_ndarray(object)) return Value(tensor_from_ndarray(object));  // a subclass
  if (is_enum(object)) {
    // As the compiler chose: values where all members have them of one plain kind, else names.
    bool plain = true;
    for (const nb::handle member : nb::iter(nb::handle(object).type())) {
      PyObject* const value = nb::getattr(member, "value").ptr();
      plain = plain && (is_kind(expected, TypeKind::integer)    ? PyLong_CheckExact(value)
                        : is_kind(expected, TypeKind::floating) ? PyFloat_CheckExact(value)
                                                                : PyUnicode_CheckExact(value));
    }
    return from_python(nb::getattr(nb::handle(object), plain ? "value" : "name").ptr(), expected,
                       conversion);
  }
  Value constant;
  if (from_torch_constant(object, constant)) return constant;
  PyTypeObject* type = Py_TYPE(object);
  if (std::string_view(type->tp_name) == "torch._C.Generator")
    return from_generator(object, conversion);
  if (const ClassType* wanted = class_for(object, expected))
    return from_object(object, *wanted, conversion);
  if (has_attribute(type, "__dlpack__")) return Value(tensor_from_dlpack(object));
  if (has_attribute(type, "__dataclass_fields__"))
    return from_dataclass(object, expected, conversion);
  throw Error(ErrorCode::invalid_argument,
              concat("a value of type ", type->tp_name, " cannot be given to a program"))
      .with_hint(
          "use tensors (torch, NumPy, DLPack), numbers, strings, None, and lists, tuples "
          "and dicts of them");
}

}  // namespace

Tensor Conversion::met(const PyObject* object) const {
  const auto found = std::ranges::find_if(
      lenders, [object](const Lender& lender) { return lender.object.ptr() == object; });
  return found == lenders.end() ? Tensor() : found->tensor;
}

void Conversion::give_back() const {
  for (const Given& given : generators) given.generator.attr("set_state")(given.state);
}

Value from_python(PyObject* object, const Type* expected, Conversion& conversion) {
  expected = strip_optional(expected);
  const PyTypeObject* type = Py_TYPE(object);
  if (object == Py_None) return Value();
  if (type == &PyFloat_Type) return from_float(object, expected);
  if (type == &PyLong_Type) return from_int(object, expected);
  if (type == &PyBool_Type) return Value(object == Py_True);
  if (is_ndarray_exact(object)) return Value(tensor_from_ndarray(object));
  return from_other(object, expected, conversion);
}

}  // namespace ingot::python

#include <algorithm>
#include <map>
#include <string>

#include <ingot/check.h>
#include "convert.h"
#include "dlpack.h"
#include "errors.h"
#include "numpy.h"

namespace nb = nanobind;

namespace ingot::python {

namespace {

nb::object from_utf8(std::string_view text) {
  nb::object result =
      nb::steal(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
  if (!result.is_valid()) throw nb::python_error();
  return result;
}

nb::object checked(PyObject* object) {
  if (!object) throw nb::python_error();
  return nb::steal(object);
}

// The class of ingot/results.py for these names; made once.
nb::handle named_tuple_class(const TupleNames& names) {
  static auto* classes = new std::map<std::string, nb::object>();
  std::string key = names.name;
  for (const std::string& field : names.fields) {
    key += ',';
    key += field;
  }
  nb::object& found = (*classes)[key];
  if (!found.is_valid()) {
    nb::list fields;
    for (const std::string& field : names.fields) fields.append(from_utf8(field));
    found = nb::module_::import_("ingot.results")
                .attr("named_tuple_class")(from_utf8(names.name), nb::tuple(fields));
  }
  return found;
}

const Type* element_type(const Type* type, size_t index) {
  return type && index < type->elements.size() ? type->elements[index].get() : nullptr;
}

nb::object from_tuple(const Tuple& tuple, const Conversion& conversion, const Type* type) {
  const size_t size = tuple.elements.size();
  nb::object result = checked(PyTuple_New(static_cast<Py_ssize_t>(size)));
  for (size_t i = 0; i < size; ++i) {
    PyTuple_SET_ITEM(
        result.ptr(), static_cast<Py_ssize_t>(i),
        to_python(tuple.elements[i], conversion, element_type(type, i)).release().ptr());
  }
  if (!tuple.names) return result;
  return checked(PyObject_Call(named_tuple_class(*tuple.names).ptr(), result.ptr(), nullptr));
}

nb::object from_list(const List& list, const Conversion& conversion, const Type* type) {
  const size_t size = list.elements.size();
  nb::object result = checked(PyList_New(static_cast<Py_ssize_t>(size)));
  for (size_t i = 0; i < size; ++i) {
    PyList_SET_ITEM(result.ptr(), static_cast<Py_ssize_t>(i),
                    to_python(list.elements[i], conversion, element_type(type, 0)).release().ptr());
  }
  return result;
}

// Counts nesting: chains of objects may be longer than the stack allows.
class Nesting {
 public:
  Nesting() {
    if (Py_EnterRecursiveCall(" while converting a result of Ingot")) {
      PyErr_Clear();
      fail(ErrorCode::unsupported, "a result is a chain of objects too long to convert");
    }
  }
  ~Nesting() { Py_LeaveRecursiveCall(); }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;
};

// An ingot.Object; one for each instance, so that identity and cycles are kept.
nb::object from_instance(const Value& value, const Conversion& conversion, const Type* type) {
  const Instance& instance = value.to_instance();
  const auto known = conversion.objects.find(&instance);
  if (known != conversion.objects.end()) return known->second;
  const Nesting nesting;
  static const auto* const object_class =
      new nb::object(nb::module_::import_("ingot.results").attr("Object"));
  nb::object result = (*object_class)(from_utf8(instance.names->name));
  conversion.objects.emplace(&instance, result);
  const nb::object attributes = nb::getattr(result, "__dict__");
  const ClassType* const declared = type ? type->object_class : nullptr;
  for (size_t i = 0; i < instance.slots.size(); ++i)
    if (instance.slots[i])
      attributes[from_utf8(instance.names->fields[i])] =
          to_python(*instance.slots[i], conversion, declared ? declared->types[i].get() : nullptr);
  return result;
}

// A dict whose values are None is a set of the language.
nb::object from_dict(const Dict& dict, const Conversion& conversion, const Type* type) {
  const Type* const key_type = element_type(type, 0);
  const Type* const value_type = element_type(type, 1);
  if (value_type && value_type->kind == TypeKind::none) {
    nb::object set = checked(PySet_New(nullptr));
    for (const std::pair<Value, Value>& item : dict.items())
      if (PySet_Add(set.ptr(), to_python(item.first, conversion, key_type).ptr()) != 0)
        throw nb::python_error();
    return set;
  }
  nb::dict result;
  for (const std::pair<Value, Value>& item : dict.items())
    result[to_python(item.first, conversion, key_type)] =
        to_python(item.second, conversion, value_type);
  return result;
}

nb::object from_tensor(const Tensor& tensor, const Conversion& conversion) {
  for (const Conversion::Lender& lender : conversion.lenders) {
    if (lender.tensor.storage() != tensor.storage()) continue;
    const nb::handle source = lender.object;
    const auto item = static_cast<int64_t>(size_of(tensor.dtype()));
    const int64_t before = nb::cast<int64_t>(source.attr("storage_offset")()) *
                           nb::cast<int64_t>(source.attr("element_size")());
    const int64_t offset =
        (static_cast<const std::byte*>(tensor.data()) - lender.data + before) / item;
    nb::list sizes;
    nb::list strides;
    for (int d = 0; d < tensor.rank(); ++d) {
      sizes.append(tensor.size(d));
      strides.append(tensor.stride(d));
    }
    const nb::object own = source.attr("detach")();
    if (lender.tensor.dtype() == tensor.dtype())
      return own.attr("as_strided")(sizes, strides, offset);
    const nb::object other = to_python(Tensor::empty(tensor.dtype(), {0}), true);
    return other.attr("set_")(own.attr("untyped_storage")(), offset, sizes, strides);
  }
  return to_python(tensor, conversion.torch);
}

}  // namespace

nb::object to_python(const Tensor& tensor, bool torch) {
  return torch ? torch_from_tensor(tensor) : ndarray_from_tensor(tensor);
}

nb::object to_python(const Value& value, const Conversion& conversion, const Type* type) {
  if (type && type->kind == TypeKind::optional) type = type->elements[0].get();
  if (type && type->kind == TypeKind::union_) {
    const auto found = std::find_if(type->elements.begin(), type->elements.end(),
                                    [&](const TypePtr& each) { return holds(*each, value); });
    type = found == type->elements.end() ? nullptr : found->get();
  }
  switch (value.tag()) {
    case Tag::none: return nb::none();
    case Tag::boolean: return nb::bool_(value.to_bool());
    case Tag::integer: return checked(PyLong_FromLongLong(value.to_int()));
    case Tag::floating: return checked(PyFloat_FromDouble(value.to_double()));
    case Tag::complex: {
      const std::complex<double> number = value.to_complex();
      return checked(PyComplex_FromDoubles(number.real(), number.imag()));
    }
    case Tag::string: return from_utf8(value.to_string());
    case Tag::tensor: return from_tensor(value.tensor(), conversion);
    case Tag::list: return from_list(value.to_list(), conversion, type);
    case Tag::tuple: return from_tuple(value.to_tuple(), conversion, type);
    case Tag::dict: return from_dict(value.to_dict(), conversion, type);
    case Tag::instance: return from_instance(value, conversion, type);
  }
  fail(ErrorCode::internal, "a result has an unknown tag");
}

}  // namespace ingot::python

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

nb::object from_tuple(const Tuple& tuple, const Conversion& conversion) {
  const size_t size = tuple.elements.size();
  nb::object result = checked(PyTuple_New(static_cast<Py_ssize_t>(size)));
  for (size_t i = 0; i < size; ++i) {
    PyTuple_SET_ITEM(result.ptr(), static_cast<Py_ssize_t>(i),
                     to_python(tuple.elements[i], conversion).release().ptr());
  }
  if (!tuple.names) return result;
  return checked(PyObject_Call(named_tuple_class(*tuple.names).ptr(), result.ptr(), nullptr));
}

nb::object from_list(const List& list, const Conversion& conversion) {
  const size_t size = list.elements.size();
  nb::object result = checked(PyList_New(static_cast<Py_ssize_t>(size)));
  for (size_t i = 0; i < size; ++i) {
    PyList_SET_ITEM(result.ptr(), static_cast<Py_ssize_t>(i),
                    to_python(list.elements[i], conversion).release().ptr());
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
nb::object from_instance(const Value& value, const Conversion& conversion) {
  const Instance& instance = value.to_instance();
  const auto known = conversion.objects.find(&instance);
  if (known != conversion.objects.end()) return known->second;
  const Nesting nesting;
  static const auto* const object_class =
      new nb::object(nb::module_::import_("ingot.results").attr("Object"));
  nb::object result = (*object_class)(from_utf8(instance.names->name));
  conversion.objects.emplace(&instance, result);
  const nb::object attributes = nb::getattr(result, "__dict__");
  for (size_t i = 0; i < instance.slots.size(); ++i)
    if (instance.slots[i])
      attributes[from_utf8(instance.names->fields[i])] = to_python(*instance.slots[i], conversion);
  return result;
}

nb::object from_dict(const Dict& dict, const Conversion& conversion) {
  nb::dict result;
  for (const std::pair<Value, Value>& item : dict.items())
    result[to_python(item.first, conversion)] = to_python(item.second, conversion);
  return result;
}

// The whole storage of a torch tensor, as complex or real numbers as `dtype` is.
nb::object as_torch_complex(nb::handle source, DType dtype) {
  nb::object whole = source.attr("detach")();
  const bool complex = nb::cast<bool>(whole.attr("is_complex")());
  if (complex == is_complex(dtype)) return whole;
  const nb::module_ torch = nb::module_::import_("torch");
  if (complex) return torch.attr("view_as_real")(whole);
  const int64_t pairs = nb::cast<int64_t>(whole.attr("untyped_storage")().attr("nbytes")()) /
                        static_cast<int64_t>(size_of(dtype));
  return torch.attr("view_as_complex")(
      whole.attr("as_strided")(nb::make_tuple(pairs, 2), nb::make_tuple(2, 1), 0));
}

nb::object from_tensor(const Tensor& tensor, const Conversion& conversion) {
  for (const Conversion::Lender& lender : conversion.lenders) {
    if (lender.storage != tensor.storage()) continue;
    const nb::handle source(lender.object);
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
    return as_torch_complex(source, tensor.dtype()).attr("as_strided")(sizes, strides, offset);
  }
  return to_python(tensor, conversion.torch);
}

}  // namespace

nb::object to_python(const Tensor& tensor, bool torch) {
  return torch ? torch_from_tensor(tensor) : ndarray_from_tensor(tensor);
}

nb::object to_python(const Value& value, const Conversion& conversion) {
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
    case Tag::list: return from_list(value.to_list(), conversion);
    case Tag::tuple: return from_tuple(value.to_tuple(), conversion);
    case Tag::dict: return from_dict(value.to_dict(), conversion);
    case Tag::instance: return from_instance(value, conversion);
  }
  fail(ErrorCode::internal, "a result has an unknown tag");
}

}  // namespace ingot::python

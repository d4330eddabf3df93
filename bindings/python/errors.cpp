#include "errors.h"

#include <string_view>

namespace nb = nanobind;

namespace ingot::python {

namespace {

// The classes of ingot/errors.py; they live as long as the process.
PyObject* error_class = nullptr;
PyObject* guard_error_class = nullptr;

nb::object to_str(std::string_view text) {
  // User's source lines may hold any bytes.
  return nb::steal(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

}  // namespace

void set_python_error(const Error& error) {
  PyObject* type = error.code() == ErrorCode::guard ? guard_error_class : error_class;
  const nb::object instance = nb::steal(PyObject_CallFunctionObjArgs(
      type, to_str(error.message()).ptr(), to_str(name_of(error.code())).ptr(),
      to_str(error.location()).ptr(), to_str(error.hint()).ptr(), nullptr));
  if (!instance.is_valid()) return;
  if (!error.kind().empty()) instance.attr("kind") = to_str(error.kind());
  PyErr_SetObject(type, instance.ptr());
}

std::string take_python_error() {
  const nb::python_error error;
  const nb::object text = nb::steal(PyObject_Str(error.value().ptr()));
  if (!text.is_valid()) {
    PyErr_Clear();
    return "unknown error";
  }
  const char* utf8 = PyUnicode_AsUTF8(text.ptr());
  if (!utf8) {
    PyErr_Clear();
    return "unknown error";
  }
  const std::string_view all(utf8);
  return std::string(all.substr(0, all.find('\n')));
}

void bind_errors(nb::module_& module) {
  const nb::module_ errors = nb::module_::import_("ingot.errors");
  error_class = nb::object(errors.attr("Error")).release().ptr();
  guard_error_class = nb::object(errors.attr("GuardError")).release().ptr();
  module.attr("Error") = nb::borrow(error_class);
  module.attr("GuardError") = nb::borrow(guard_error_class);
  nb::register_exception_translator([](const std::exception_ptr& pointer, void*) {
    try {
      std::rethrow_exception(pointer);
    } catch (const Error& error) {
      set_python_error(error);
    }
  });
}

}  // namespace ingot::python

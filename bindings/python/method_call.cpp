#include "method_call.h"

#include <array>
#include <exception>

#include <nanobind/stl/string.h>

#include <ingot/check.h>
#include "convert.h"

namespace nb = nanobind;

namespace ingot::python {

// A name of a file, whatever its bytes, as the text that Python's keywords are compared with.
static nb::object interned(const std::string& name) {
  PyObject* text =
      PyUnicode_DecodeUTF8(name.data(), static_cast<Py_ssize_t>(name.size()), "replace");
  if (!text) throw nb::python_error();
  PyUnicode_InternInPlace(&text);
  return nb::steal(text);
}

namespace {

// Most methods have few inputs: their values need no heap memory.
constexpr size_t kInlineInputs = 8;

std::string count_of(size_t count, const char* what) {
  return concat(count, " ", what, count == 1 ? "" : "s");
}

}  // namespace

MethodCall::MethodCall(Module module, const Method& method)
    : module_(std::move(module)),
      method_(method),
      result_type_(method.values[method.body.outputs[0]].type.get()) {
  for (size_t i = 0; i < method.inputs.size(); ++i) {
    inputs_.push_back(
        {interned(method.inputs[i].name), method.values[method.body.inputs[i]].type.get()});
  }
}

std::string MethodCall::input_names() const {
  std::string names;
  for (const MethodInput& input : method_.inputs) {
    if (!names.empty()) names += ", ";
    names += input.name;
  }
  return names;
}

void MethodCall::check_keywords(PyObject* args, PyObject* kwargs) const {
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  for (Py_ssize_t position = 0; PyDict_Next(kwargs, &position, &key, &value);) {
    const char* name = PyUnicode_AsUTF8(key);
    if (!name) throw nb::python_error();
    size_t index = 0;
    while (index < inputs_.size() && method_.inputs[index].name != name) ++index;
    INGOT_CHECK(index < inputs_.size(), method_.name, " has no input named '", name,
                "'; its inputs are (", input_names(), ")");
    INGOT_CHECK(index >= static_cast<size_t>(PyTuple_GET_SIZE(args)), method_.name,
                " got the input '", name, "' twice");
  }
}

void MethodCall::bind(PyObject* args, PyObject* kwargs, Value* values,
                      Conversion& conversion) const {
  const size_t given = static_cast<size_t>(PyTuple_GET_SIZE(args));
  INGOT_CHECK(given <= inputs_.size(), method_.name, " takes ", count_of(inputs_.size(), "input"),
              " (", input_names(), "), but ", given, given == 1 ? " was given" : " were given");
  Py_ssize_t keywords = kwargs ? PyDict_GET_SIZE(kwargs) : 0;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    PyObject* object = nullptr;
    if (i < given) {
      object = PyTuple_GET_ITEM(args, static_cast<Py_ssize_t>(i));
    } else if (keywords > 0) {
      object = PyDict_GetItemWithError(kwargs, inputs_[i].name.ptr());
      if (object)
        --keywords;
      else if (PyErr_Occurred())
        throw nb::python_error();
    }
    if (object) {
      try {
        values[i] = from_python(object, inputs_[i].type, conversion);
      } catch (Error& error) {
        throw error.with_prefix(concat(method_.name, ", input '", method_.inputs[i].name, "': "));
      }
    } else {
      if (keywords > 0) check_keywords(args, kwargs);  // perhaps a misspelt name
      INGOT_CHECK(method_.inputs[i].has_default, method_.name, " needs the input '",
                  method_.inputs[i].name, "'; its inputs are (", input_names(), ")");
      values[i] = method_.inputs[i].fallback;
    }
  }
  if (keywords > 0) check_keywords(args, kwargs);
}

nb::object MethodCall::operator()(PyObject* args, PyObject* kwargs) const {
  std::array<Value, kInlineInputs> inline_values;
  std::vector<Value> heap_values;
  Value* values = inline_values.data();
  if (inputs_.size() > kInlineInputs) {
    heap_values.resize(inputs_.size());
    values = heap_values.data();
  }
  Conversion conversion;
  bind(args, kwargs, values, conversion);
  Value result;
  std::exception_ptr failure;
  try {
    const nb::gil_scoped_release released;
    result = module_.run(method_.name, std::span<const Value>(values, inputs_.size()));
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    try {
      conversion.give_back();
    } catch (const nb::python_error&) {  // the first failure says more
    }
    std::rethrow_exception(failure);
  }
  conversion.give_back();
  return to_python(result, conversion, result_type_);
}

nb::list MethodCall::profile(const nb::args& args, const nb::kwargs& kwargs) const {
  std::vector<Value> values(inputs_.size());
  Conversion conversion;
  bind(args.ptr(), kwargs.ptr(), values.data(), conversion);
  std::vector<ProfileEvent> events;
  {
    const nb::gil_scoped_release released;
    events = module_.profile(method_.name, values);
  }
  nb::list steps;
  for (const ProfileEvent& event : events)
    steps.append(nb::make_tuple(event.text, event.location, event.planned, event.start,
                                event.duration, event.flops, event.bytes));
  return steps;
}

}  // namespace ingot::python

// Calling a method of a module from Python: arguments to inputs, a run, the result back.
#pragma once

#include <string>
#include <vector>

#include <nanobind/nanobind.h>

#include <ingot/module.h>

#include "convert.h"
#include "file/program.h"

namespace ingot::python {

// One method, with what each call needs looked up once. Keeps the module alive.
class MethodCall {
 public:
  // `method` is one of `module`'s program.
  MethodCall(Module module, const Method& method);

  const std::string& name() const { return method_.name; }

  // Calls with a tuple and a dict (or null). The GIL is released during the run. Throws Error:
  // invalid_argument if the arguments do not fit the inputs, and all that Module::run throws.
  nanobind::object operator()(PyObject* args, PyObject* kwargs) const;

  // The steps of one call, each (text, location, planned, start, duration, flops, bytes).
  nanobind::list profile(const nanobind::args& args, const nanobind::kwargs& kwargs) const;

 private:
  struct Input {
    nanobind::object name;  // interned
    const Type* type;
  };

  // Fills `values`, one per input.
  void bind(PyObject* args, PyObject* kwargs, Value* values, Conversion& conversion) const;
  // Throws Error for a keyword that is no input, or one given by position too.
  void check_keywords(PyObject* args, PyObject* kwargs) const;
  std::string input_names() const;

  Module module_;
  const Method& method_;
  std::vector<Input> inputs_;
  const Type* result_type_;
};

}  // namespace ingot::python

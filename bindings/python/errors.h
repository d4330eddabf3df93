// ingot::Error and Python's exceptions.
#pragma once

#include <string>

#include <nanobind/nanobind.h>

#include <ingot/error.h>

namespace ingot::python {

// Sets the Python error that stands for `error`: ingot.GuardError for guards, ingot.Error else.
void set_python_error(const Error& error);

// Fetches the pending Python exception and gives the first line of its text.
std::string take_python_error();

// Puts Error and GuardError into the module and translates C++ exceptions into them.
void bind_errors(nanobind::module_& module);

// Runs `body`, which returns a PyObject* or int, for a C slot: C++ exceptions become a Python
// error and the value `failed`.
template <class Body, class R = std::invoke_result_t<Body>>
R guard_slot(R failed, const Body& body) noexcept {
  try {
    return body();
  } catch (const Error& error) {
    set_python_error(error);
  } catch (nanobind::python_error& error) {
    error.restore();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return failed;
}

}  // namespace ingot::python

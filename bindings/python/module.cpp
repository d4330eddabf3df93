// The native module: `ingot._ingot`.
#include <nanobind/nanobind.h>

#include "catalogue.h"
#include "errors.h"
#include "native_module.h"

namespace nb = nanobind;

NB_MODULE(_ingot, module) {
  module.doc() = "The runtime of Ingot; use the package `ingot`.";
  nb::set_leak_warnings(false);  // modules may live until the process ends
  ingot::python::bind_errors(module);
  ingot::python::bind_catalogue(module);
  ingot::python::bind_modules(module);
}

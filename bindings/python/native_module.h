// Loaded programs and modules as Python classes.
#pragma once

#include <nanobind/nanobind.h>

namespace ingot::python {

void bind_modules(nanobind::module_& module);

}  // namespace ingot::python

// The op catalogue for Python: what there is, and one op at a time for tests and tools.
#pragma once

#include <nanobind/nanobind.h>

namespace ingot::python {

void bind_catalogue(nanobind::module_& module);

}  // namespace ingot::python

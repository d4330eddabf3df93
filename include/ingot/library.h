// Shared libraries that add ops to the catalogue: components of Ingot, and custom ops.
#pragma once

#include <string>

#include <ingot/export.h>

namespace ingot {

// Loads a shared library; from now on programs may use the ops that it registers. It stays loaded
// until the process ends; loading it again does nothing. Like any library it runs code of its own:
// load only what you trust. A file never names libraries: the program that runs a model does.
//
//   ingot::load_library("libingot-linalg.so");   // found as dlopen finds libraries
//   ingot::load_library("/opt/app/my_ops.so");
//
// Throws Error: io (missing, not a library, lacks symbols), invalid_argument (it registers an op
// that the catalogue has; none of its ops is kept then).
INGOT_API void load_library(const std::string& path);

}  // namespace ingot

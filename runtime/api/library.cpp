#include <ingot/library.h>

#include <dlfcn.h>

#include <ingot/check.h>
#include <ingot/op.h>

namespace ingot {

void load_library(const std::string& path) {
  ArrivingOps arriving;
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* const reason = dlerror();
    fail(ErrorCode::io, "the library ", path,
         " cannot be loaded: ", reason ? reason : "unknown reason");
  }
  try {
    arriving.admit();
  } catch (Error& error) {
    dlclose(library);
    throw error.with_prefix(concat("the library ", path, " cannot be loaded: "));
  }
}

}  // namespace ingot

#include <ingot/error.h>

namespace ingot {

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return "invalid_argument";
    case ErrorCode::guard: return "guard";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::io: return "io";
    case ErrorCode::corrupt_file: return "corrupt_file";
    case ErrorCode::version: return "version";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::runtime: return "runtime";
    case ErrorCode::out_of_memory: return "out_of_memory";
    case ErrorCode::internal: return "internal";
  }
  return "unknown";
}

void Error::compose() {
  what_ = message_;
  if (!location_.empty()) {
    what_ += '\n';
    what_ += location_;
  }
  if (!hint_.empty()) {
    what_ += "\nhint: ";
    what_ += hint_;
  }
}

}  // namespace ingot

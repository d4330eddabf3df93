#include <ingot/check.h>

namespace ingot::detail {

void append(std::string& out, std::span<const int64_t> values) {
  out += '[';
  for (size_t i = 0; i < values.size(); ++i) {
    if (i) out += ", ";
    out += std::to_string(values[i]);
  }
  out += ']';
}

}  // namespace ingot::detail

// Libraries beside libingot that hold ops of their own.
#pragma once

#include <string_view>

namespace ingot {

// The component, "libingot-linalg", that has the op of this name; "" if none has.
std::string_view component_of(std::string_view op);

}  // namespace ingot

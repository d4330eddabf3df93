// Values written as Python writes them: for ingot-run's command line.
#pragma once

#include <string_view>

#include <ingot/value.h>

namespace ingot {

// None, True, False, numbers, quoted strings, lists, tuples and dicts of these, and @FILE.npy
// for a tensor. Throws Error (invalid_argument) that names the place, or what read_npy throws.
Value parse_literal(std::string_view text);

}  // namespace ingot

// Python's format specification mini-language, and its % formatting.
#pragma once

#include <string>
#include <string_view>

#include <ingot/value.h>

namespace ingot {

// How one value is to be written: [[fill]align][sign][z][#][0][width][,|_][.precision][type].
struct FormatSpec {
  std::string fill = " ";
  char align = 0;      // '<', '>', '^', '='; 0: by the value's kind
  bool zeros = false;  // numbers are filled between sign and digits if no align says otherwise
  char sign = '-';     // '+', '-', ' '
  bool alternate = false;
  bool no_negative_zero = false;
  int64_t width = 0;
  char grouping = 0;       // ',' or '_'
  int64_t precision = -1;  // -1: none
  char type = 0;
};

// Raises ValueError if the text is no specification.
FormatSpec parse_format_spec(std::string_view text);

// format(value, spec) of Python. Raises ValueError where the type does not fit the value.
std::string format_value(const Value& value, const FormatSpec& spec);

}  // namespace ingot

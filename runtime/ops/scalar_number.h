// Reading a number whose kind is only known at run time.
#pragma once

#include <cmath>

#include <ingot/value.h>

#include "ops/python_error.h"

namespace ingot {

inline bool is_whole(const Value& v) { return v.is_int() || v.is_bool(); }
// The integer in an int or bool.
inline int64_t whole(const Value& v) { return v.is_bool() ? v.to_bool() : v.to_int(); }
// The float in an int, bool or float.
inline double number(const Value& v) {
  return is_whole(v) ? static_cast<double>(whole(v)) : v.to_double();
}

// int(value) of Python. Raises if the value is not finite or does not fit.
inline int64_t truncate_to_int(double value) {
  if (std::isnan(value)) [[unlikely]]
    raise_python("ValueError", "cannot convert float NaN to integer");
  if (std::isinf(value)) [[unlikely]]
    raise_python("OverflowError", "cannot convert float infinity to integer");
  if (!(value >= -0x1p63 && value < 0x1p63)) [[unlikely]]
    raise_python("OverflowError", "the float ", value, " does not fit in a 64-bit integer");
  return static_cast<int64_t>(value);
}

}  // namespace ingot

// Failures of scalar and container ops, worded as Python words them.
#pragma once

#include <cstdint>
#include <optional>

#include <ingot/check.h>

namespace ingot {

// Raises Error(runtime) with "ValueError: math domain error"; `kind` is Python's class name.
template <class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void raise_python(const char* kind, const Parts&... parts) {
  std::string text = concat(parts...);
  throw Error(ErrorCode::runtime, concat(kind, ": ", text)).with_kind(kind, std::move(text));
}

// A Python index (negative: from the end) as a position in [0, length). Raises IndexError, where
// `what` is "list index" or the like.
inline int64_t wrap_index(int64_t index, int64_t length, const char* what) {
  const int64_t position = index < 0 ? index + length : index;
  if (position < 0 || position >= length) [[unlikely]]
    raise_python("IndexError", what, " out of range");
  return position;
}

// The positions that a Python slice selects: start, start + step, ..., `count` of them, all in
// [0, length). Raises ValueError if the step is 0.
struct SliceRange {
  int64_t start = 0;
  int64_t step = 1;
  int64_t count = 0;
};

inline SliceRange slice_range(std::optional<int64_t> start, std::optional<int64_t> end,
                              int64_t step, int64_t length) {
  if (step == 0) raise_python("ValueError", "slice step cannot be zero");
  const int64_t first = step < 0 ? -1 : 0;
  const int64_t last = step < 0 ? length - 1 : length;
  const auto clamp = [&](std::optional<int64_t> bound, int64_t absent) {
    if (!bound) return absent;
    const int64_t position = *bound < 0 ? *bound + length : *bound;
    return position < first ? first : position > last ? last : position;
  };
  const int64_t from = clamp(start, step < 0 ? last : first);
  const int64_t to = clamp(end, step < 0 ? first : last);
  // Unsigned: the distance and the negated step fit for every int64.
  if (step > 0 && from < to)
    return {from, step, static_cast<int64_t>((static_cast<uint64_t>(to) - from - 1) / step + 1)};
  if (step < 0 && to < from) {
    const uint64_t stride = 0 - static_cast<uint64_t>(step);
    return {from, step, static_cast<int64_t>((static_cast<uint64_t>(from) - to - 1) / stride + 1)};
  }
  return {from, step, 0};
}

}  // namespace ingot

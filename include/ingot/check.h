// Sentences and checks that raise ingot::Error.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <ingot/error.h>
#include <ingot/tensor.h>

namespace ingot {

namespace detail {

inline void append(std::string& out, std::string_view text) { out += text; }
inline void append(std::string& out, const std::string& text) { out += text; }
inline void append(std::string& out, const char* text) { out += text; }
inline void append(std::string& out, bool value) { out += value ? "True" : "False"; }
inline void append(std::string& out, const Tensor& tensor) { out += tensor.describe(); }
inline void append(std::string& out, const TensorInfo& info) { out += describe(info); }
inline void append(std::string& out, DType dtype) { out += name_of(dtype); }
template <class T>
requires std::is_arithmetic_v<T>
void append(std::string& out, T value) { out += std::to_string(value); }
// "[2, 3]"
INGOT_API void append(std::string& out, std::span<const int64_t> values);
inline void append(std::string& out, const Dims& dims) {
  append(out, std::span<const int64_t>(dims));
}

}  // namespace detail

// One string of all parts: text, numbers, sizes, dtypes, tensors.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::string out;
  (detail::append(out, parts), ...);
  return out;
}

template <class... Parts>
[[noreturn]] void fail(ErrorCode code, const Parts&... parts) {
  throw Error(code, concat(parts...));
}

// The same for what PyTorch raises as another class than RuntimeError: `kind` is "IndexError".
template <class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail_as(const char* kind, const Parts&... parts) {
  std::string text = concat(parts...);
  throw Error(ErrorCode::invalid_argument, text).with_kind(kind, text);
}

}  // namespace ingot

// Raises Error(invalid_argument) with the sentence made of the further arguments, which are
// only evaluated then. Inside an op the executor puts the op's name, the inputs and the
// user's line around the sentence.
#define INGOT_CHECK(condition, ...)                                     \
  do {                                                                  \
    if (!(condition)) [[unlikely]]                                      \
      ::ingot::fail(::ingot::ErrorCode::invalid_argument, __VA_ARGS__); \
  } while (false)

// The one exception type of Ingot.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include <ingot/export.h>

namespace ingot {

enum class ErrorCode : int {
  invalid_argument = 1,  // the caller's values do not fit: count, kind, dtype, shape
  guard = 2,             // an assumption of the capture does not hold for these inputs
  not_found = 3,         // no such method, op, state entry or extra file
  io = 4,                // the operating system refused to read or write
  corrupt_file = 5,      // the bytes are no valid program
  version = 6,           // the file is newer than this library
  unsupported = 7,       // valid, but not implemented here
  runtime = 8,           // the program raised: raise, assert, index out of range
  out_of_memory = 9,
  internal = 10,  // a bug of Ingot
};

// "guard", "corrupt_file", ...
INGOT_API std::string_view name_of(ErrorCode code);

// A failure that a user can act on. `what()` is the whole report: the sentence,
// then the user's source lines (innermost first), then the hint.
class INGOT_API Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message)
      : code_(code), message_(std::move(message)), text_(message_) {
    compose();
  }

  ErrorCode code() const noexcept { return code_; }
  // The sentence alone.
  const std::string& message() const noexcept { return message_; }
  // The user's Python lines, one per stack frame, innermost first; "" if unknown.
  const std::string& location() const noexcept { return location_; }
  // What to do about it; "" if there is nothing to add.
  const std::string& hint() const noexcept { return hint_; }
  // The Python class of an exception that the program raised, "ValueError"; "" for others.
  const std::string& kind() const noexcept { return kind_; }
  // What str(exception) gives in Python: the sentence without class and op.
  const std::string& text() const noexcept { return text_; }
  const char* what() const noexcept override { return what_.c_str(); }

  Error& with_kind(std::string kind, std::string text) {
    kind_ = std::move(kind);
    text_ = std::move(text);
    return *this;
  }
  Error& with_location(std::string location) {
    location_ = std::move(location);
    compose();
    return *this;
  }
  Error& with_hint(std::string hint) {
    hint_ = std::move(hint);
    compose();
    return *this;
  }
  // Puts "aten::add: " before the sentence.
  Error& with_prefix(std::string_view prefix) {
    message_.insert(0, prefix);
    compose();
    return *this;
  }

 private:
  void compose();

  ErrorCode code_;
  std::string message_;
  std::string kind_;
  std::string text_;
  std::string location_;
  std::string hint_;
  std::string what_;
};

}  // namespace ingot

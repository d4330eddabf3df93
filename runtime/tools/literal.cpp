#include "tools/literal.h"

#include <charconv>
#include <limits>
#include <string>
#include <vector>

#include <ingot/check.h>
#include "tools/npy.h"

namespace ingot {
namespace {

constexpr int kDeepestNesting = 100;

void append_utf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Value whole() {
    Value value = element(0);
    skip_space();
    if (at_ < text_.size()) wrong("nothing more was expected");
    return value;
  }

 private:
  [[noreturn]] void wrong(std::string_view what) const {
    fail(ErrorCode::invalid_argument, "the value ", text_, " is not written as in Python: ", what,
         " at character ", at_ + 1);
  }

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
  }

  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  Value element(int depth) {
    if (depth > kDeepestNesting) wrong("the nesting is too deep");
    skip_space();
    if (at_ >= text_.size()) wrong("a value was expected");
    switch (text_[at_]) {
      case '[': ++at_; return Value::list(sequence(']', depth).first);
      case '(': {
        ++at_;
        auto [elements, has_comma] = sequence(')', depth);
        if (elements.size() == 1 && !has_comma) return elements[0];
        return Value::tuple(std::move(elements));
      }
      case '{': ++at_; return dict(depth);
      case '\'':
      case '"': return Value(string(text_[at_++]));
      default: return word();
    }
  }

  std::pair<std::vector<Value>, bool> sequence(char end, int depth) {
    std::vector<Value> elements;
    bool has_comma = false;
    while (!take(end)) {
      if (!elements.empty() && !has_comma) wrong("a comma or the end was expected");
      elements.push_back(element(depth + 1));
      has_comma = take(',');
    }
    return {std::move(elements), has_comma};
  }

  Value dict(int depth) {
    std::vector<std::pair<Value, Value>> items;
    bool has_comma = false;
    while (!take('}')) {
      if (!items.empty() && !has_comma) wrong("a comma or the end was expected");
      Value key = element(depth + 1);
      if (!key.is_bool() && !key.is_int() && !key.is_double() && !key.is_string())
        wrong("keys are numbers or strings");
      if (!take(':')) wrong("a colon was expected");
      items.emplace_back(std::move(key), element(depth + 1));
      has_comma = take(',');
    }
    return Value::dict(std::move(items));
  }

  std::string string(char quote) {
    std::string out;
    while (true) {
      if (at_ >= text_.size()) wrong("the string does not end");
      const char c = text_[at_++];
      if (c == quote) return out;
      if (c == '\\')
        escape(out);
      else
        out += c;
    }
  }

  void escape(std::string& out) {
    if (at_ >= text_.size()) wrong("the string does not end");
    const char c = text_[at_++];
    switch (c) {
      case 'n': out += '\n'; return;
      case 'r': out += '\r'; return;
      case 't': out += '\t'; return;
      case '\\':
      case '\'':
      case '"': out += c; return;
      case 'x': return append_utf8(out, hex(2));
      case 'u': return append_utf8(out, hex(4));
      case 'U': return append_utf8(out, hex(8));
      default: wrong("this escape is unknown");
    }
  }

  uint32_t hex(size_t digits) {
    uint32_t code = 0;
    const char* const first = text_.data() + at_;
    const char* const last = first + std::min(digits, text_.size() - at_);
    const auto [end, failed] = std::from_chars(first, last, code, 16);
    if (failed != std::errc() || end != first + digits || code > 0x10FFFF)
      wrong("a character's code was expected");
    at_ += digits;
    return code;
  }

  Value word() {
    const size_t start = at_;
    at_ = std::min(text_.find_first_of(",:)]} \t\r\n", at_), text_.size());
    const std::string_view word = text_.substr(start, at_ - start);
    if (word == "None") return {};
    if (word == "True") return Value(true);
    if (word == "False") return Value(false);
    if (word == "nan") return Value(std::numeric_limits<double>::quiet_NaN());
    if (word.starts_with('@')) return Value(read_npy(std::string(word.substr(1))));
    const char* const end = word.data() + word.size();
    int64_t integer;
    if (const auto [p, failed] = std::from_chars(word.data(), end, integer);
        failed == std::errc() && p == end)
      return Value(integer);
    double real;
    if (const auto [p, failed] = std::from_chars(word.data(), end, real);
        failed == std::errc() && p == end)
      return Value(real);
    at_ = start;
    wrong("a value was expected");
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Value parse_literal(std::string_view text) { return Parser(text).whole(); }

}  // namespace ingot

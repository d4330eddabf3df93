// Strings by the kinds of their code points: case, isalpha and its kin, ord and chr, bases.
#include <limits>

#include <ingot/op.h>
#include "ops/python_error.h"
#include "ops/text.h"
#include "ops/unicode.h"

namespace ingot {
namespace {

using Text = std::string_view;

// Lower case of the code point that ends at `at`. A sigma that ends a word is written "ς".
void append_lower_in(Text self, size_t start, char32_t c, size_t at, std::string& out) {
  constexpr char32_t kSigma = 0x3a3;
  constexpr char32_t kFinalSigma = 0x3c2;
  if (c != kSigma) return append_lower(c, out);
  bool after_letter = false;
  for (size_t i = 0; i < start;) after_letter = is_cased(decode(self, i));
  const bool before_letter = at < self.size() && is_cased(decode(self, at));
  if (after_letter && !before_letter)
    encode(kFinalSigma, out);
  else
    append_lower(c, out);
}

std::string upper(Text self) {
  std::string out;
  for (size_t at = 0; at < self.size();) append_upper(decode(self, at), out);
  return out;
}
std::string lower(Text self) {
  std::string out;
  for (size_t at = 0; at < self.size();) {
    const size_t start = at;
    const char32_t c = decode(self, at);
    append_lower_in(self, start, c, at, out);
  }
  return out;
}
std::string swapcase(Text self) {
  std::string out;
  for (size_t at = 0; at < self.size();) {
    const size_t start = at;
    const char32_t c = decode(self, at);
    if (is_upper(c))
      append_lower_in(self, start, c, at, out);
    else if (is_lower(c))
      append_upper(c, out);
    else
      encode(c, out);
  }
  return out;
}
std::string capitalize(Text self) {
  std::string out;
  for (size_t at = 0; at < self.size();) {
    const size_t start = at;
    const char32_t c = decode(self, at);
    if (start == 0)
      append_title(c, out);
    else
      append_lower_in(self, start, c, at, out);
  }
  return out;
}
std::string title(Text self) {
  std::string out;
  bool in_word = false;
  for (size_t at = 0; at < self.size();) {
    const size_t start = at;
    const char32_t c = decode(self, at);
    if (in_word)
      append_lower_in(self, start, c, at, out);
    else
      append_title(c, out);
    in_word = is_cased(c);
  }
  return out;
}

bool is_alphanumeric(char32_t c) {
  return is_alpha(c) || is_decimal(c) || is_digit(c) || is_numeric(c);
}

// True if there is a code point and all have the property.
template <bool (*property)(char32_t)>
bool all(Text self) {
  for (size_t at = 0; at < self.size();)
    if (!property(decode(self, at))) return false;
  return !self.empty();
}
bool isprintable(Text self) { return self.empty() || all<is_printable>(self); }

bool islower(Text self) {
  bool any = false;
  for (size_t at = 0; at < self.size();) {
    const char32_t c = decode(self, at);
    if (is_upper(c) || is_title(c)) return false;
    any |= is_lower(c);
  }
  return any;
}
bool isupper(Text self) {
  bool any = false;
  for (size_t at = 0; at < self.size();) {
    const char32_t c = decode(self, at);
    if (is_lower(c) || is_title(c)) return false;
    any |= is_upper(c);
  }
  return any;
}
bool istitle(Text self) {
  bool any = false;
  bool in_word = false;
  for (size_t at = 0; at < self.size();) {
    const char32_t c = decode(self, at);
    const bool starts = is_upper(c) || is_title(c);
    if ((starts && in_word) || (is_lower(c) && !in_word)) return false;
    in_word = is_cased(c);
    any |= in_word;
  }
  return any;
}
bool isidentifier(Text self) {
  if (self.empty()) return false;
  size_t at = 0;
  if (!is_identifier_start(decode(self, at))) return false;
  while (at < self.size())
    if (!is_identifier_part(decode(self, at))) return false;
  return true;
}

int64_t ord(Text string) {
  size_t at = 0;
  const char32_t c = string.empty() ? 0 : decode(string, at);
  if (string.empty() || at != string.size())
    raise_python("TypeError", "ord() expected a character, but string of length ",
                 count_code_points(string), " found");
  return c;
}
std::string chr(int64_t i) {
  if (i < 0 || i > 0x10ffff) raise_python("ValueError", "chr() arg not in range(0x110000): ", i);
  std::string out;
  encode(static_cast<char32_t>(i), out);
  return out;
}

// "-0x1f"
template <int kBits>
std::string in_base(int64_t i) {
  std::string digits;
  uint64_t rest = i < 0 ? 0 - static_cast<uint64_t>(i) : static_cast<uint64_t>(i);
  do {
    digits.insert(digits.begin(), "0123456789abcdef"[rest & ((1 << kBits) - 1)]);
    rest >>= kBits;
  } while (rest > 0);
  return concat(i < 0 ? "-" : "", kBits == 1 ? "0b" : kBits == 3 ? "0o" : "0x", digits);
}

INGOT_OP("aten::upper(str self) -> str", Function<upper>);
INGOT_OP("aten::lower(str self) -> str", Function<lower>);
INGOT_OP("aten::swapcase(str self) -> str", Function<swapcase>);
INGOT_OP("aten::capitalize(str self) -> str", Function<capitalize>);
INGOT_OP("aten::title(str self) -> str", Function<title>);
INGOT_OP("aten::isalpha(str self) -> bool", Function<all<is_alpha>>);
INGOT_OP("aten::isalnum(str self) -> bool", Function<all<is_alphanumeric>>);
INGOT_OP("aten::isdecimal(str self) -> bool", Function<all<is_decimal>>);
INGOT_OP("aten::isdigit(str self) -> bool", Function<all<is_digit>>);
INGOT_OP("aten::isnumeric(str self) -> bool", Function<all<is_numeric>>);
INGOT_OP("aten::isspace(str self) -> bool", Function<all<is_space>>);
INGOT_OP("aten::isprintable(str self) -> bool", Function<isprintable>);
INGOT_OP("aten::islower(str self) -> bool", Function<islower>);
INGOT_OP("aten::isupper(str self) -> bool", Function<isupper>);
INGOT_OP("aten::istitle(str self) -> bool", Function<istitle>);
INGOT_OP("aten::isidentifier(str self) -> bool", Function<isidentifier>);
INGOT_OP("aten::ord(str string) -> int", Function<ord>);
INGOT_OP("aten::chr(int i) -> str", Function<chr>);
INGOT_OP("aten::hex(int i) -> str", Function<in_base<4>>);
INGOT_OP("aten::oct(int i) -> str", Function<in_base<3>>);
INGOT_OP("aten::bin(int i) -> str", Function<in_base<1>>);

}  // namespace
}  // namespace ingot

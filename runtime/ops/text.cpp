#include "ops/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <complex>

#include <ingot/check.h>
#include "ops/unicode.h"

namespace ingot {
namespace {

bool is_ascii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

char32_t decode(std::string_view text, size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const size_t more = lead >= 0xf0 && lead < 0xf5   ? 3
                      : lead >= 0xe0 && lead < 0xf0 ? 2
                      : lead >= 0xc2 && lead < 0xe0 ? 1
                                                    : 0;
  if (more == 0 || at + more > text.size()) return lead;
  char32_t c = lead & (0x3f >> more);
  for (size_t i = 0; i < more; ++i) {
    if (!continues(text[at + i])) return lead;
    c = c << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3f);
  }
  at += more;
  return c;
}

void encode(char32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

int64_t count_code_points(std::string_view text) {
  if (is_ascii(text)) return static_cast<int64_t>(text.size());
  int64_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) decode(text, at);
  return count;
}

size_t byte_of(std::string_view text, int64_t index) {
  const size_t ascii = std::min(text.size(), static_cast<size_t>(index));
  if (is_ascii(text.substr(0, ascii))) return ascii;
  size_t at = 0;
  for (; index > 0 && at < text.size(); --index) decode(text, at);
  return at;
}

std::string_view strip_space(std::string_view text) {
  size_t end = 0;
  size_t first = text.size();
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    if (is_space(decode(text, at))) continue;
    first = std::min(first, start);
    end = at;
  }
  return first < end ? text.substr(first, end - first) : std::string_view();
}

std::string repr(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  const auto hex = [&out](const char* prefix, uint32_t value, int digits) {
    out += prefix;
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
      out += "0123456789abcdef"[value >> shift & 15];
  };
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const char32_t c = decode(text, at);
    if (c == static_cast<unsigned char>(quote) || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (is_printable(c)) {
      out += text.substr(start, at - start);
    } else if (c < 0x100) {
      hex("\\x", c, 2);
    } else if (c < 0x10000) {
      hex("\\u", c, 4);
    } else {
      hex("\\U", c, 8);
    }
  }
  return out + quote;
}

std::string repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  // Python writes an exponent below 1e-4 and from 1e16 on.
  const double magnitude = std::fabs(value);
  const bool fixed = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e16);
  char buffer[64];
  const auto result =
      std::to_chars(buffer, buffer + sizeof buffer, value,
                    fixed ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer, result.ptr);
  if (fixed && text.find('.') == std::string::npos) text += ".0";
  return text;
}

namespace {

std::string repr(std::complex<double> value) {
  // Python leaves the ".0" out within a complex number, and a zero real part too.
  const auto part = [](double x) {
    std::string text = ingot::repr(x);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text;
  };
  const std::string imag = part(value.imag()) + "j";
  if (value.real() == 0 && !std::signbit(value.real())) return imag;
  return concat("(", part(value.real()), imag[0] == '-' ? "" : "+", imag, ")");
}

void append_all(std::string& out, const std::vector<Value>& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ", ";
    out += repr(values[i]);
  }
}

std::string repr(const Tuple& tuple) {
  std::string out = tuple.names ? tuple.names->name + "(" : "(";
  if (tuple.names) {
    for (size_t i = 0; i < tuple.elements.size(); ++i)
      out += concat(i > 0 ? ", " : "", tuple.names->fields[i], "=", ingot::repr(tuple.elements[i]));
  } else {
    append_all(out, tuple.elements);
    if (tuple.elements.size() == 1) out += ",";
  }
  return out + ")";
}

}  // namespace

std::string repr(const Value& value) {
  switch (value.tag()) {
    case Tag::floating: return repr(value.to_double());
    case Tag::tensor: return tensor_text(value.tensor());
    case Tag::complex: return repr(value.to_complex());
    case Tag::string: return repr(value.to_string());
    case Tag::tuple: return repr(value.to_tuple());
    case Tag::list: {
      std::string out = "[";
      append_all(out, value.to_list().elements);
      return out + "]";
    }
    case Tag::dict: {
      std::string out = "{";
      for (const auto& [key, item] : value.to_dict().items())
        out += concat(out.size() > 1 ? ", " : "", repr(key), ": ", repr(item));
      return out + "}";
    }
    default: return value.describe();
  }
}

std::string str(const Value& value) {
  return value.is_string() ? std::string(value.to_string()) : repr(value);
}

}  // namespace ingot

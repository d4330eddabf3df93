#include "ops/format_spec.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "ops/python_error.h"
#include "ops/scalar_number.h"
#include "ops/text.h"

namespace ingot {
namespace {

bool is_align(char c) { return c == '<' || c == '>' || c == '^' || c == '='; }
bool is_number_digit(char c) { return c >= '0' && c <= '9'; }

// Keeps the memory that a format may ask for reasonable.
constexpr int64_t kMaxWidth = 1 << 20;

int64_t read_number(std::string_view text, size_t& at) {
  int64_t value = 0;
  for (; at < text.size() && is_number_digit(text[at]); ++at) {
    value = value * 10 + (text[at] - '0');
    if (value > kMaxWidth) raise_python("ValueError", "Too many decimal digits in format string");
  }
  return value;
}

// A number's parts before padding and grouping.
struct Digits {
  std::string prefix;  // "0x"
  std::string whole;   // "1234"
  std::string rest;    // ".5e+10", "%", or all of "inf"
  bool negative = false;
};

std::string pad(std::string text, const FormatSpec& spec, char align, size_t sign_length) {
  const int64_t missing = spec.width - count_code_points(text);
  if (missing <= 0) return text;
  const auto fill = [&spec](int64_t count) {
    std::string out;
    for (int64_t i = 0; i < count; ++i) out += spec.fill;
    return out;
  };
  switch (align) {
    case '<': return text + fill(missing);
    case '^': return fill(missing / 2) + text + fill(missing - missing / 2);
    case '=': return text.substr(0, sign_length) + fill(missing) + text.substr(sign_length);
    default: return fill(missing) + text;
  }
}

std::string group(std::string_view digits, char separator, size_t every) {
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % every == 0) out += separator;
    out += digits[i];
  }
  return out;
}

std::string write_number(Digits digits, const FormatSpec& spec) {
  std::string head = digits.negative ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign);
  head += digits.prefix;
  const char align = spec.align ? spec.align : spec.zeros ? '=' : '>';
  const bool based = spec.type == 'x' || spec.type == 'X' || spec.type == 'b' || spec.type == 'o';
  const size_t every = based ? 4 : 3;
  if (spec.grouping && !digits.whole.empty()) {
    // Zeros that fill up the width are grouped like the other digits.
    if (align == '=' && spec.fill == "0") {
      const auto wanted = spec.width - static_cast<int64_t>(head.size() + digits.rest.size());
      while (static_cast<int64_t>(group(digits.whole, spec.grouping, every).size()) < wanted)
        digits.whole.insert(digits.whole.begin(), '0');
    }
    digits.whole = group(digits.whole, spec.grouping, every);
  }
  return pad(head + digits.whole + digits.rest, spec, align, head.size());
}

[[noreturn]] void unknown_type(const FormatSpec& spec, const char* kind) {
  raise_python("ValueError", "Unknown format code '", std::string(1, spec.type),
               "' for object of type '", kind, "'");
}

std::string format_int(int64_t value, const FormatSpec& spec) {
  if (spec.precision >= 0)
    raise_python("ValueError", "Precision not allowed in integer format specifier");
  if (spec.type == 'c') {
    if (value < 0 || value > 0x10ffff)
      raise_python("OverflowError", "%c arg not in range(0x110000)");
    std::string text;
    encode(static_cast<char32_t>(value), text);
    return pad(std::move(text), spec, spec.align ? spec.align : '<', 0);
  }
  const int base = spec.type == 'b'                       ? 2
                   : spec.type == 'o'                     ? 8
                   : spec.type == 'x' || spec.type == 'X' ? 16
                                                          : 10;
  if (spec.grouping == ',' && base != 10)
    raise_python("ValueError", "Cannot specify ',' with '", std::string(1, spec.type), "'.");
  Digits digits;
  digits.negative = value < 0;
  const uint64_t magnitude =
      value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  char buffer[64];
  digits.whole.assign(buffer, std::to_chars(buffer, buffer + sizeof buffer, magnitude, base).ptr);
  if (spec.alternate && base != 10) digits.prefix = std::string("0") + spec.type;
  if (spec.type == 'X')
    for (char& c : digits.whole)
      if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
  return write_number(std::move(digits), spec);
}

// Digits of a finite magnitude by the C library, whose formats are Python's.
std::string print_float(double magnitude, char type, int64_t precision, bool alternate) {
  const char format[] = {'%', '#', '.', '*', type, '\0'};
  const char plain[] = {'%', '.', '*', type, '\0'};
  const char* const chosen = alternate ? format : plain;
  const int digits = static_cast<int>(precision);
  std::string text(static_cast<size_t>(std::snprintf(nullptr, 0, chosen, digits, magnitude)), '\0');
  std::snprintf(text.data(), text.size() + 1, chosen, digits, magnitude);
  return text;
}

std::string format_float(double value, const FormatSpec& spec) {
  Digits digits;
  digits.negative = std::signbit(value) && !std::isnan(value);
  const double magnitude = std::fabs(value);
  const bool upper = spec.type == 'E' || spec.type == 'F' || spec.type == 'G';
  std::string text;
  if (!std::isfinite(value)) {
    text = std::isnan(value) ? "nan" : "inf";
    if (upper) text = std::isnan(value) ? "NAN" : "INF";
    if (spec.type == '%') text += '%';
  } else if (spec.type == 0 && spec.precision < 0) {
    text = repr(magnitude);
  } else if (spec.type == '%') {
    text =
        print_float(magnitude * 100, 'f', spec.precision < 0 ? 6 : spec.precision, spec.alternate) +
        "%";
  } else if (spec.type == 0) {
    // Like 'g', but with a point in it and one more digit before an exponent.
    const int64_t precision = std::max<int64_t>(spec.precision, 1);
    text = print_float(magnitude, 'g', precision, spec.alternate);
    const std::string scientific = print_float(magnitude, 'e', precision - 1, spec.alternate);
    const int exponent =
        magnitude == 0 ? 0 : std::stoi(scientific.substr(scientific.find('e') + 1));
    if (exponent == precision - 1 && exponent > 0 && text.find('e') == std::string::npos) {
      text = scientific;
      // Zeros at the end of the fraction go, as 'g' drops them.
      const size_t mark = text.find('e');
      size_t last = mark;
      if (text.find('.') != std::string::npos && !spec.alternate) {
        while (text[last - 1] == '0') --last;
        if (text[last - 1] == '.') --last;
      }
      text.erase(last, mark - last);
    } else if (text.find_first_of(".e") == std::string::npos) {
      text += ".0";
    }
  } else {
    const char type = spec.type == 'n' ? 'g' : spec.type;
    text = print_float(magnitude, type, spec.precision < 0 ? 6 : spec.precision, spec.alternate);
  }
  if (spec.no_negative_zero && text.find_first_of("123456789iInN") == std::string::npos)
    digits.negative = false;
  const size_t end = text.find_first_not_of("0123456789");
  digits.whole = text.substr(0, end);
  if (end != std::string::npos) digits.rest = text.substr(end);
  return write_number(std::move(digits), spec);
}

std::string format_string(std::string_view value, const FormatSpec& spec) {
  if (spec.type != 0 && spec.type != 's') unknown_type(spec, "str");
  if (spec.sign != '-') raise_python("ValueError", "Sign not allowed in string format specifier");
  if (spec.align == '=')
    raise_python("ValueError", "'=' alignment not allowed in string format specifier");
  if (spec.grouping)
    raise_python("ValueError", "Cannot specify '", std::string(1, spec.grouping), "' with 's'.");
  if (spec.precision >= 0) value = value.substr(0, byte_of(value, spec.precision));
  return pad(std::string(value), spec, spec.align ? spec.align : '<', 0);
}

bool plain(const FormatSpec& spec) {
  return !spec.align && !spec.zeros && spec.sign == '-' && !spec.alternate && spec.width == 0 &&
         !spec.grouping && spec.precision < 0 && !spec.type;
}

}  // namespace

FormatSpec parse_format_spec(std::string_view text) {
  FormatSpec spec;
  size_t at = 0;
  bool filled = false;
  if (!text.empty()) {
    size_t after = 0;
    decode(text, after);
    if (after < text.size() && is_align(text[after])) {
      spec.fill = text.substr(0, after);
      filled = true;
      spec.align = text[after];
      at = after + 1;
    } else if (is_align(text[0])) {
      spec.align = text[0];
      at = 1;
    }
  }
  const auto accept = [&](char c) { return at < text.size() && text[at] == c && ++at; };
  if (at < text.size() && (text[at] == '+' || text[at] == '-' || text[at] == ' '))
    spec.sign = text[at++];
  spec.no_negative_zero = accept('z');
  spec.alternate = accept('#');
  if (accept('0')) {
    spec.zeros = true;
    if (!filled) spec.fill = "0";
  }
  spec.width = read_number(text, at);
  if (at < text.size() && (text[at] == ',' || text[at] == '_')) spec.grouping = text[at++];
  if (accept('.')) {
    if (at >= text.size() || !is_number_digit(text[at]))
      raise_python("ValueError", "Format specifier missing precision");
    spec.precision = read_number(text, at);
  }
  if (at < text.size()) spec.type = text[at++];
  if (at < text.size()) raise_python("ValueError", "Invalid format specifier '", text, "'");
  return spec;
}

std::string format_value(const Value& value, const FormatSpec& spec) {
  const auto one_of = [&spec](std::string_view types) {
    return spec.type == 0 || types.find(spec.type) != std::string_view::npos;
  };
  if (value.is_string()) return format_string(value.to_string(), spec);
  if (value.is_bool() && plain(spec)) return repr(value);
  if (is_whole(value)) {
    if (one_of("bcdoxXn")) return format_int(whole(value), spec);
    if (!one_of("eEfFgG%")) unknown_type(spec, value.is_bool() ? "bool" : "int");
    return format_float(number(value), spec);
  }
  if (value.is_double()) {
    if (!one_of("eEfFgGn%")) unknown_type(spec, "float");
    return format_float(value.to_double(), spec);
  }
  if (value.is_tensor() && value.tensor().rank() == 0 && value.tensor().has_data() &&
      !is_complex(value.tensor().dtype())) {
    // PyTorch formats a tensor without dimensions as its number.
    const Tensor& tensor = value.tensor();
    if (tensor.dtype() == DType::boolean) return format_value(tensor.item_int() != 0, spec);
    if (is_integral(tensor.dtype())) return format_value(tensor.item_int(), spec);
    return format_value(tensor.item_double(), spec);
  }
  if (!plain(spec))
    raise_python("TypeError", "unsupported format string passed to ", name_of(value.tag()));
  return str(value);
}

}  // namespace ingot

// Text from values: str(), str.format, %, print, warnings.
#include <cstdio>
#include <mutex>
#include <set>

#include <ingot/op.h>
#include "ops/format_spec.h"
#include "ops/python_error.h"
#include "ops/scalar_number.h"
#include "ops/text.h"

namespace ingot {
namespace {

using Text = std::string_view;

std::string str_of(const Value& elem) { return str(elem); }
std::string repr_of(const Value& elem) { return repr(elem); }

// The values of a str.format call, counted as its fields ask for them.
class Fields {
 public:
  explicit Fields(const Arguments& in) : in_(in) {}

  // `name` is "" or a number.
  const Value& operator[](Text name) {
    size_t index = 0;
    if (name.empty()) {
      if (numbered_) mixed();
      counted_ = true;
      index = next_++;
    } else {
      if (counted_) mixed();
      numbered_ = true;
      for (const char c : name) {
        if (c < '0' || c > '9' || index > kMaxFields)
          raise_python("ValueError", "a replacement field must be empty or a number, got '", name,
                       "'");
        index = index * 10 + static_cast<size_t>(c - '0');
      }
    }
    if (index + 1 >= in_.count)
      raise_python("IndexError", "Replacement index ", index,
                   " out of range for positional args tuple");
    return in_[index + 1];
  }

 private:
  static constexpr size_t kMaxFields = 1 << 20;
  [[noreturn]] static void mixed() {
    raise_python("ValueError", "cannot mix automatic field numbering and manual field numbers");
  }
  const Arguments& in_;
  size_t next_ = 0;
  bool counted_ = false;
  bool numbered_ = false;
};

// Where the field that starts at `at` ends: its closing brace, inner fields skipped.
size_t field_end(Text text, size_t at) {
  int depth = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '{') ++depth;
    if (text[at] == '}' && depth-- == 0) return at;
  }
  raise_python("ValueError", "expected '}' before end of string");
}

std::string expand_fields(Text text, Fields& fields, int depth) {
  if (depth > 2) raise_python("ValueError", "Max string recursion exceeded");
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at++];
    if (c != '{' && c != '}') {
      out += c;
      continue;
    }
    if (at < text.size() && text[at] == c) {
      out += c;
      ++at;
      continue;
    }
    if (c == '}') raise_python("ValueError", "Single '}' encountered in format string");
    const size_t end = field_end(text, at);
    const Text field = text.substr(at, end - at);
    at = end + 1;
    const size_t colon = field.find(':');
    Text name = field.substr(0, colon);
    char conversion = 0;
    if (const size_t mark = name.find('!'); mark != Text::npos) {
      if (mark + 2 != name.size() || (name[mark + 1] != 'r' && name[mark + 1] != 's'))
        raise_python("ValueError", "Unknown conversion specifier '", name.substr(mark), "'");
      conversion = name[mark + 1];
      name = name.substr(0, mark);
    }
    Value value = fields[name];
    if (conversion) value = conversion == 'r' ? repr(value) : str(value);
    std::string spec(colon == Text::npos ? Text() : field.substr(colon + 1));
    if (spec.find('{') != std::string::npos) spec = expand_fields(spec, fields, depth + 1);
    out += format_value(value, parse_format_spec(spec));
  }
  return out;
}

Value format(const Arguments& in) {
  Fields fields(in);
  return expand_fields(in[0].to_string(), fields, 1);
}

// One conversion of "%-5.2f".
std::string percent_value(const Value& value, FormatSpec spec, char type) {
  spec.type = type;
  switch (type) {
    case 's':
    case 'r':
    case 'a': {
      spec.type = 's';
      if (spec.align == '=' || spec.align == 0) spec.align = '>';
      spec.fill = " ";
      spec.sign = '-';
      return format_value(type == 's' ? str(value) : repr(value), spec);
    }
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o': {
      const Value whole_part = value.is_double() ? truncate_to_int(value.to_double()) : value;
      if (!is_whole(whole_part) ||
          (value.is_double() && (type == 'x' || type == 'X' || type == 'o')))
        raise_python("TypeError", "%", std::string(1, type), " format: a number is required, not ",
                     name_of(value.tag()));
      if (type == 'i' || type == 'u') spec.type = 'd';
      // The precision of an integer is the least number of digits.
      if (spec.precision >= 0) {
        FormatSpec digits;
        digits.sign = spec.sign;
        digits.alternate = spec.alternate;
        digits.type = spec.type;
        digits.fill = "0";
        digits.align = '=';
        const bool signed_text = whole(whole_part) < 0 || spec.sign != '-';
        digits.width = spec.precision + signed_text + (spec.alternate && spec.type != 'd' ? 2 : 0);
        spec.type = 's';
        spec.precision = -1;
        spec.sign = '-';
        if (spec.align != '<') spec.align = '>';
        spec.fill = " ";
        return format_value(format_value(whole(whole_part), digits), spec);
      }
      return format_value(whole(whole_part), spec);
    }
    case 'c':
      if (value.is_string()) {
        if (count_code_points(value.to_string()) != 1)
          raise_python("TypeError", "%c requires int or char");
        spec.type = 's';
        if (spec.align == 0 || spec.align == '=') spec.align = '>';
        return format_value(value, spec);
      }
      if (spec.align == 0 || spec.align == '=') spec.align = '>';
      return format_value(value, spec);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
      if (!is_whole(value) && !value.is_double())
        raise_python("TypeError", "must be real number, not ", name_of(value.tag()));
      return format_value(number(value), spec);
    default:
      raise_python("ValueError", "unsupported format character '", std::string(1, type), "'");
  }
}

Value percent_format(const Arguments& in) {
  const Text text = in[0].to_string();
  // "%d %d" % (1, 2) arrives as two arguments or as one tuple.
  std::vector<Value> values;
  if (in.count == 2 && in[1].is_tuple()) {
    values = in[1].to_tuple().elements;
  } else {
    for (size_t i = 1; i < in.count; ++i) values.push_back(in[i]);
  }
  size_t used = 0;
  const auto next = [&]() -> const Value& {
    if (used >= values.size()) raise_python("TypeError", "not enough arguments for format string");
    return values[used++];
  };
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '%') {
      out += text[at++];
      continue;
    }
    ++at;
    FormatSpec spec;
    bool zero = false;
    for (; at < text.size(); ++at) {
      if (text[at] == '-')
        spec.align = '<';
      else if (text[at] == '+')
        spec.sign = '+';
      else if (text[at] == ' ')
        spec.sign = spec.sign == '+' ? '+' : ' ';
      else if (text[at] == '#')
        spec.alternate = true;
      else if (text[at] == '0')
        zero = true;
      else
        break;
    }
    if (zero && spec.align != '<') {
      spec.fill = "0";
      spec.align = '=';
    }
    // Widths and precisions are digits, or '*' and the next value.
    const auto amount = [&](int64_t absent) -> int64_t {
      constexpr int64_t kMaxWidth = 1 << 20;
      int64_t value = absent;
      if (at < text.size() && text[at] == '*') {
        ++at;
        value = next().to_int();
      } else {
        for (; at < text.size() && text[at] >= '0' && text[at] <= '9' && value <= kMaxWidth; ++at)
          value = std::max<int64_t>(value, 0) * 10 + (text[at] - '0');
      }
      if (value > kMaxWidth || value < -kMaxWidth) raise_python("ValueError", "width too big");
      return value;
    };
    spec.width = amount(0);
    if (spec.width < 0) {
      spec.align = '<';
      spec.fill = " ";
      spec.width = -spec.width;
    }
    if (at < text.size() && text[at] == '.') {
      ++at;
      spec.precision = std::max<int64_t>(amount(0), 0);
    }
    if (at >= text.size()) raise_python("ValueError", "incomplete format");
    const char type = text[at++];
    out += type == '%' ? "%" : percent_value(next(), spec, type);
  }
  if (used < values.size())
    raise_python("TypeError", "not all arguments converted during string formatting");
  return out;
}

constexpr size_t kMostWarnings = 1000;

void write_line(std::FILE* file, const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), file);
  std::fflush(file);
}

void write(Text text) { write_line(stdout, std::string(text)); }

void print(const Arguments& in) {
  std::string line;
  for (size_t i = 0; i < in.count; ++i) {
    if (i > 0) line += ' ';
    line += str(in[i]);
  }
  write_line(stdout, line + "\n");
}

// Once for each message, as Python warns once for each place.
void warn(Text message, int64_t) {
  static std::mutex mutex;
  static auto* said = new std::set<std::string, std::less<>>();
  {
    const std::lock_guard lock(mutex);
    if (said->size() >= kMostWarnings || !said->emplace(message).second) return;
  }
  write_line(stderr, concat("Warning: ", message, "\n"));
}

INGOT_OP("aten::str(t elem) -> str", Function<str_of>);
INGOT_OP("aten::format(str self, ...) -> str", Variadic<format>);
INGOT_OP("aten::percentFormat(str self, ...) -> str", Variadic<percent_format>);
INGOT_OP("prim::repr(t elem) -> str", Function<repr_of>);
INGOT_OP("prim::Print(...) -> ()", Variadic<print>);
INGOT_OP("prim::Write(str text) -> ()", Function<write>);
INGOT_OP("aten::warn(str message, int stacklevel=2) -> ()", Function<warn>);

}  // namespace
}  // namespace ingot

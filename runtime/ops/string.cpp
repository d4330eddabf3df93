// Methods and operators of strings. Positions count code points, as in Python.
#include <algorithm>

#include <ingot/op.h>
#include "ops/container.h"
#include "ops/python_error.h"
#include "ops/text.h"
#include "ops/unicode.h"

namespace ingot {
namespace {

using Text = std::string_view;

int64_t length(Text s) { return count_code_points(s); }
std::string add(Text a, Text b) { return concat(a, b); }

std::string repeat(Text s, int64_t n) {
  const size_t times = n > 0 ? static_cast<size_t>(n) : 0;
  check_length(s.size(), times);
  std::string out;
  out.reserve(s.size() * times);
  for (size_t i = 0; i < times && !s.empty(); ++i) out += s;
  return out;
}

std::string getitem(Text s, int64_t index) {
  const size_t start = byte_of(s, wrap_index(index, length(s), "string index"));
  size_t end = start;
  decode(s, end);
  return std::string(s.substr(start, end - start));
}

std::string slice(Text s, std::optional<int64_t> start, std::optional<int64_t> end, int64_t step) {
  const SliceRange range = slice_range(start, end, step, length(s));
  if (range.count == 0) return "";
  if (range.step == 1) {
    const size_t first = byte_of(s, range.start);
    return std::string(s.substr(first, byte_of(s.substr(first), range.count)));
  }
  std::vector<char32_t> points;
  for (size_t at = 0; at < s.size();) points.push_back(decode(s, at));
  std::string out;
  for (int64_t i = 0; i < range.count; ++i) encode(points[range.start + i * range.step], out);
  return out;
}

Value list_of(Text s) {
  std::vector<Value> points;
  for (size_t at = 0; at < s.size();) {
    const size_t start = at;
    decode(s, at);
    points.emplace_back(s.substr(start, at - start));
  }
  return Value::list(std::move(points));
}

// The bytes of code points [start, end) as Python's find() and startswith() bound them. The
// schemas' default end of -1 means the end.
struct Window {
  Window(Text s, int64_t start, int64_t end) {
    const int64_t count = length(s);
    if (start < 0) start = std::max<int64_t>(start + count, 0);
    end = end == -1 ? count : end < 0 ? std::max<int64_t>(end + count, 0) : std::min(end, count);
    valid = start <= end;
    first = start;
    offset = byte_of(s, std::min(start, count));
    if (valid) text = s.substr(offset, byte_of(s.substr(offset), end - start));
  }
  Text text;
  size_t offset = 0;
  int64_t first = 0;
  bool valid = false;
  // The code point at a byte found inside the window; -1 if none was.
  int64_t point(size_t byte) const {
    return byte == Text::npos || !valid ? -1 : first + length(text.substr(0, byte));
  }
};

int64_t find(Text self, Text substr, int64_t start, int64_t end) {
  const Window window(self, start, end);
  return window.point(window.text.find(substr));
}
int64_t rfind(Text self, Text substr, int64_t start, int64_t end) {
  const Window window(self, start, end);
  return window.point(window.text.rfind(substr));
}
int64_t found(int64_t position) {
  if (position < 0) raise_python("ValueError", "substring not found");
  return position;
}
int64_t index(Text self, Text substr, int64_t start, int64_t end) {
  return found(find(self, substr, start, end));
}
int64_t rindex(Text self, Text substr, int64_t start, int64_t end) {
  return found(rfind(self, substr, start, end));
}
int64_t count(Text self, Text substr, int64_t start, int64_t end) {
  const Window window(self, start, end);
  if (!window.valid) return 0;
  if (substr.empty()) return length(window.text) + 1;
  int64_t times = 0;
  for (size_t at = 0; (at = window.text.find(substr, at)) != Text::npos; at += substr.size())
    ++times;
  return times;
}
bool startswith(Text self, Text substr, int64_t start, int64_t end) {
  const Window window(self, start, end);
  return window.valid && window.text.starts_with(substr);
}
bool endswith(Text self, Text substr, int64_t start, int64_t end) {
  const Window window(self, start, end);
  return window.valid && window.text.ends_with(substr);
}

std::string replace(Text self, Text old, Text fresh, int64_t max) {
  std::string out;
  const auto limit = max < 0 ? SIZE_MAX : static_cast<size_t>(max);
  size_t done = 0;
  size_t at = 0;
  if (old.empty()) {
    // Before every code point and at the end.
    for (; at < self.size() && done < limit; ++done) {
      const size_t start = at;
      decode(self, at);
      out += fresh;
      out += self.substr(start, at - start);
    }
    out += self.substr(at);
    if (done < limit) out += fresh;
    return out;
  }
  for (size_t next; done < limit && (next = self.find(old, at)) != Text::npos; ++done) {
    out += self.substr(at, next - at);
    out += fresh;
    at = next + old.size();
  }
  return out += self.substr(at);
}

std::string join(Text self, const Value& values) {
  std::string out;
  bool first = true;
  for (const Value& value : values.to_list().elements) {
    if (!std::exchange(first, false)) out += self;
    out += value.to_string();
  }
  return out;
}

void push(std::vector<Value>& parts, Text part) { parts.emplace_back(part); }

// At runs of white space.
std::vector<Value> split_space(Text s, size_t limit) {
  std::vector<Value> parts;
  size_t at = 0;
  for (;;) {
    size_t start = at;
    while (at < s.size() && (start = at, is_space(decode(s, at)))) start = at;
    if (start >= s.size()) return parts;
    if (parts.size() == limit) {
      push(parts, s.substr(start));
      return parts;
    }
    size_t end = start;
    for (at = start; at < s.size(); end = at)
      if (is_space(decode(s, at))) break;
    push(parts, s.substr(start, end - start));
  }
}

Value split(Text self, std::optional<Text> separator, int64_t max) {
  const auto limit = max < 0 ? SIZE_MAX : static_cast<size_t>(max);
  if (!separator) return Value::list(split_space(self, limit));
  if (separator->empty()) raise_python("ValueError", "empty separator");
  std::vector<Value> parts;
  size_t at = 0;
  for (size_t next; parts.size() < limit && (next = self.find(*separator, at)) != Text::npos;
       at = next + separator->size())
    push(parts, self.substr(at, next - at));
  push(parts, self.substr(at));
  return Value::list(std::move(parts));
}

Value rsplit(Text self, Text separator, int64_t max) {
  const auto limit = max < 0 ? SIZE_MAX : static_cast<size_t>(max);
  if (separator.empty()) raise_python("ValueError", "empty separator");
  std::vector<Value> parts;
  size_t end = self.size();
  while (parts.size() < limit) {
    const size_t next = self.substr(0, end).rfind(separator);
    if (next == Text::npos) break;
    push(parts, self.substr(next + separator.size(), end - next - separator.size()));
    end = next;
  }
  push(parts, self.substr(0, end));
  std::reverse(parts.begin(), parts.end());
  return Value::list(std::move(parts));
}

bool ends_line(char32_t c) {
  return (c >= '\n' && c <= '\r') || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

Value splitlines(Text self, bool keepends) {
  std::vector<Value> lines;
  size_t start = 0;
  for (size_t at = 0; at < self.size();) {
    const size_t end = at;
    const char32_t c = decode(self, at);
    if (!ends_line(c)) continue;
    if (c == '\r' && at < self.size() && self[at] == '\n') ++at;
    push(lines, self.substr(start, (keepends ? at : end) - start));
    start = at;
  }
  if (start < self.size()) push(lines, self.substr(start));
  return Value::list(std::move(lines));
}

std::tuple<std::string, std::string, std::string> partition(Text self, Text separator) {
  if (separator.empty()) raise_python("ValueError", "empty separator");
  const size_t at = self.find(separator);
  if (at == Text::npos) return {std::string(self), "", ""};
  return {std::string(self.substr(0, at)), std::string(separator),
          std::string(self.substr(at + separator.size()))};
}
std::tuple<std::string, std::string, std::string> rpartition(Text self, Text separator) {
  if (separator.empty()) raise_python("ValueError", "empty separator");
  const size_t at = self.rfind(separator);
  if (at == Text::npos) return {"", "", std::string(self)};
  return {std::string(self.substr(0, at)), std::string(separator),
          std::string(self.substr(at + separator.size()))};
}

// The schemas' default set stands for "white space", which in Python is more than these.
bool is_stripped(char32_t c, Text chars) {
  if (chars == " \n\t\f\v") return is_space(c);
  for (size_t at = 0; at < chars.size();)
    if (decode(chars, at) == c) return true;
  return false;
}
Text strip_left(Text self, Text chars) {
  size_t start = 0;
  for (size_t at = 0; at < self.size() && is_stripped(decode(self, at), chars);) start = at;
  return self.substr(start);
}
Text strip_right(Text self, Text chars) {
  size_t end = 0;
  for (size_t at = 0; at < self.size();)
    if (!is_stripped(decode(self, at), chars)) end = at;
  return self.substr(0, end);
}
std::string lstrip(Text self, Text chars) { return std::string(strip_left(self, chars)); }
std::string rstrip(Text self, Text chars) { return std::string(strip_right(self, chars)); }
std::string strip(Text self, Text chars) {
  return std::string(strip_left(strip_right(self, chars), chars));
}

std::string filled(Text self, int64_t before, int64_t after, Text fill) {
  if (length(fill) != 1)
    raise_python("TypeError", "The fill character must be exactly one character long");
  return concat(repeat(fill, before), self, repeat(fill, after));
}
std::string ljust(Text self, int64_t width, Text fill) {
  return filled(self, 0, width - std::min(width, length(self)), fill);
}
std::string rjust(Text self, int64_t width, Text fill) {
  return filled(self, width - std::min(width, length(self)), 0, fill);
}
std::string center(Text self, int64_t width, Text fill) {
  const int64_t missing = width - std::min(width, length(self));
  const int64_t before = missing / 2 + (missing & width & 1);
  return filled(self, before, missing - before, fill);
}
std::string zfill(Text self, int64_t width) {
  const bool sign = self.starts_with('+') || self.starts_with('-');
  const int64_t missing = width - std::min(width, length(self));
  return concat(self.substr(0, sign), repeat("0", missing), self.substr(sign));
}
std::string expandtabs(Text self, int64_t tabsize) {
  std::string out;
  int64_t column = 0;
  for (size_t at = 0; at < self.size();) {
    const char32_t c = decode(self, at);
    if (c == '\t') {
      const int64_t spaces = tabsize > 0 ? tabsize - column % tabsize : 0;
      out += repeat(" ", spaces);
      column += spaces;
    } else {
      encode(c, out);
      column = c == '\n' || c == '\r' ? 0 : column + 1;
    }
  }
  return out;
}

INGOT_OP("aten::len.str(str s) -> int", Function<length>);
INGOT_OP("aten::add.str(str a, str b) -> str", Function<add>);
INGOT_OP("aten::__getitem__.str(str s, int index) -> str", Function<getitem>);
INGOT_OP("prim::StringIndex(str string, int index) -> str", Function<getitem>);
INGOT_OP("aten::slice.str(str string, int? start=None, int? end=None, int step=1) -> str",
         Function<slice>);
INGOT_OP("aten::list(str t) -> str[]", Function<list_of>);
INGOT_OP("aten::find(str self, str substr, int start=0, int end=-1) -> int", Function<find>);
INGOT_OP("aten::rfind(str self, str substr, int start=0, int end=-1) -> int", Function<rfind>);
INGOT_OP("aten::index.str(str self, str substr, int start=0, int end=-1) -> int", Function<index>);
INGOT_OP("aten::rindex(str self, str substr, int start=0, int end=-1) -> int", Function<rindex>);
INGOT_OP("aten::count(str self, str substr, int start=0, int end=-1) -> int", Function<count>);
INGOT_OP("aten::startswith(str self, str substr, int start=0, int end=-1) -> bool",
         Function<startswith>);
INGOT_OP("aten::endswith(str self, str substr, int start=0, int end=-1) -> bool",
         Function<endswith>);
INGOT_OP("aten::replace(str self, str old, str new, int max=-1) -> str", Function<replace>);
INGOT_OP("aten::join(str self, str[] values) -> str", Function<join>);
INGOT_OP("aten::split.str(str self, str? separator=None, int max=-1) -> str[]", Function<split>);
INGOT_OP("aten::rsplit(str self, str separator=\" \", int max=-1) -> str[]", Function<rsplit>);
INGOT_OP("aten::splitlines(str self, bool keepends=False) -> str[]", Function<splitlines>);
INGOT_OP("aten::partition(str self, str separator) -> (str, str, str)", Function<partition>);
INGOT_OP("aten::rpartition(str self, str separator) -> (str, str, str)", Function<rpartition>);
INGOT_OP("aten::strip(str self, str chars=\" \\n\\t\\f\\v\") -> str", Function<strip>);
INGOT_OP("aten::lstrip(str self, str chars=\" \\n\\t\\f\\v\") -> str", Function<lstrip>);
INGOT_OP("aten::rstrip(str self, str chars=\" \\n\\t\\f\\v\") -> str", Function<rstrip>);
INGOT_OP("aten::ljust(str self, int width, str fillchar=\" \") -> str", Function<ljust>);
INGOT_OP("aten::rjust(str self, int width, str fillchar=\" \") -> str", Function<rjust>);
INGOT_OP("aten::center(str self, int width, str fillchar=\" \") -> str", Function<center>);
INGOT_OP("aten::zfill(str self, int width) -> str", Function<zfill>);
INGOT_OP("aten::expandtabs(str self, int tabsize=8) -> str", Function<expandtabs>);

}  // namespace
}  // namespace ingot

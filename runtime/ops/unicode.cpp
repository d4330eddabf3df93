#include "ops/unicode.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>

#include "ops/text.h"

namespace ingot {
namespace {

struct Mapping {
  uint32_t first;
  uint32_t last;
  uint32_t stride;
  int32_t distance;
};
struct Special {
  uint32_t from;
  const char* to;
};

#include "ops/unicode_tables.inc"

enum Property {
  kAlpha,
  kDecimal,
  kDigit,
  kNumeric,
  kLowercase,
  kUppercase,
  kTitlecase,
  kSpace,
  kPrintable,
  kIdentifierStart,
  kIdentifierPart,
};

bool has(char32_t c, Property property) {
  constexpr uint32_t kPoint = (1u << 21) - 1;
  const auto* after =
      std::upper_bound(std::begin(kProperties), std::end(kProperties), c,
                       [](char32_t point, uint32_t entry) { return point < (entry & kPoint); });
  return after[-1] >> (21 + property) & 1;
}

void append_mapped(char32_t c, std::span<const Mapping> mappings, std::span<const Special> specials,
                   std::string& out) {
  const auto special = std::lower_bound(specials.begin(), specials.end(), c,
                                        [](const Special& s, char32_t p) { return s.from < p; });
  if (special != specials.end() && special->from == c) {
    out += special->to;
    return;
  }
  const auto run = std::lower_bound(mappings.begin(), mappings.end(), c,
                                    [](const Mapping& m, char32_t p) { return m.last < p; });
  if (run != mappings.end() && c >= run->first && (c - run->first) % run->stride == 0)
    c = static_cast<char32_t>(static_cast<int32_t>(c) + run->distance);
  encode(c, out);
}

}  // namespace

bool is_alpha(char32_t c) { return has(c, kAlpha); }
bool is_decimal(char32_t c) { return has(c, kDecimal); }
bool is_digit(char32_t c) { return has(c, kDigit); }
bool is_numeric(char32_t c) { return has(c, kNumeric); }
bool is_lower(char32_t c) { return has(c, kLowercase); }
bool is_upper(char32_t c) { return has(c, kUppercase); }
bool is_title(char32_t c) { return has(c, kTitlecase); }
bool is_space(char32_t c) { return has(c, kSpace); }
bool is_printable(char32_t c) { return c < 0x7f ? c >= 0x20 : has(c, kPrintable); }
bool is_identifier_start(char32_t c) { return has(c, kIdentifierStart); }
bool is_identifier_part(char32_t c) { return has(c, kIdentifierPart); }

void append_upper(char32_t c, std::string& out) { append_mapped(c, kUpper, kUpperSpecial, out); }
void append_lower(char32_t c, std::string& out) { append_mapped(c, kLower, kLowerSpecial, out); }
void append_title(char32_t c, std::string& out) { append_mapped(c, kTitle, kTitleSpecial, out); }

}  // namespace ingot

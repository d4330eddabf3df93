// Text as Python sees it: strings are UTF-8 in memory, code points to the program.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <ingot/value.h>

namespace ingot {

// The code point that starts at `at`, which then moves past it. A byte that starts no valid
// sequence counts as a code point of its own. `at` must be inside the text.
char32_t decode(std::string_view text, size_t& at);
// Appends a code point; surrogates are written like others.
void encode(char32_t c, std::string& out);

// Code points of a text, and the byte where the one number `index` starts (the text's size if
// there are fewer).
int64_t count_code_points(std::string_view text);
size_t byte_of(std::string_view text, int64_t index);

// Without Python's white space at both ends.
std::string_view strip_space(std::string_view text);

// Python's repr() and str(). Tensors are printed as PyTorch prints them.
std::string tensor_text(const Tensor& tensor);
std::string repr(std::string_view text);
std::string repr(double value);
std::string repr(const Value& value);
std::string str(const Value& value);

}  // namespace ingot

// Large pages for large memory.
#pragma once

#include <cstddef>

namespace ingot {

inline constexpr size_t kLargePage = size_t{2} << 20;

// Asks the system to back those large pages that lie wholly in the memory by single pages: they
// save address translations, and first touching them is one fault instead of 512. A refusal
// leaves small pages, which work.
void prefer_large_pages(void* memory, size_t bytes);

}  // namespace ingot

// Where each value of a plan lies: values that are never alive together share memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ingot {

// One stretch of memory and the steps, first to last, during which it is taken.
struct Lifetime {
  size_t bytes = 0;
  size_t first = 0;
  size_t last = 0;
  int32_t replaces = -1;  // the lifetime, ending at `first`, whose memory this one may take over
  int64_t offset = -1;    // the answer
};

// Gives each lifetime an offset, a multiple of 64, and returns the bytes needed in all.
// Lifetimes are sorted by `first`. Without `reuse` all lie side by side.
size_t lay_out(std::vector<Lifetime>& lifetimes, bool reuse);

}  // namespace ingot

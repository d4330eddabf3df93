// What a plan runs: a list of steps over memory that is laid out beforehand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace ingot::plan {

// An address that is known only when the plan runs: `offset` bytes into the memory number
// `base` of the run. Base 0 is null, so that the address of a constant is a Place too.
struct Place {
  int32_t base = 0;
  int64_t offset = 0;
};

class Calls;

// The memory of one run.
struct Memory {
  static constexpr int32_t kConstants = 0;
  static constexpr int32_t kArena = 1;
  static constexpr int32_t kFirstInput = 2;  // then the outputs

  std::byte* const* bases;
  Calls* calls;  // see call_node.h

  template <class T>
  T* at(const Place& place) const {
    // Integers, as base 0 is no object that an offset may be added to.
    return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(bases[place.base]) +
                                static_cast<uintptr_t>(place.offset));
  }
};

// Immutable; any number of threads may run it on their own memories.
class Step {
 public:
  virtual ~Step() = default;
  virtual void run(const Memory& memory) const = 0;
};

// What a step does, for profiles.
struct Cost {
  double flops = 0;
  double bytes = 0;  // read and written
};

}  // namespace ingot::plan

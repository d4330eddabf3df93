// The random numbers that programs draw.
#pragma once

#include <cstdint>

#include <ingot/export.h>

namespace ingot {

// Starts the process's generator anew: the same seed gives the same draws, in the order in which
// calls make them. Until then it is seeded by the operating system. The numbers are those that
// PyTorch's CPU generator gives after torch.manual_seed(seed). May be called from any thread.
INGOT_API void manual_seed(uint64_t seed);

}  // namespace ingot

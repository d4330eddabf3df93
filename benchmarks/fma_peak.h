// The rate of multiply-adds that one core reaches with everything in registers.
#pragma once

#include <cstdint>

namespace ingot {

// Executes about `operations` floating-point operations (a multiply-add is two) with the vectors
// of the SimdLevel in use; returns the exact number.
int64_t run_fma_peak(int64_t operations);

}  // namespace ingot

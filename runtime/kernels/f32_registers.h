// Chains of cheap f32 functions whose intermediate results stay in registers: threaded code. A
// chain is an array of steps; each computes a few vectors and hands them to the next in
// registers, so that only operands are read and results that others need are written.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/f32_loops.h"

// The loops that have such a step: the functors of f32_functors-inl.h.
#define INGOT_F32_IN_REGISTERS(X) \
  X(add)                          \
  X(sub)                          \
  X(rsub)                         \
  X(mul)                          \
  X(div)                          \
  X(abs)                          \
  X(neg)                          \
  X(sign)                         \
  X(square)                       \
  X(cube)                         \
  X(reciprocal)                   \
  X(sqrt)                         \
  X(rsqrt)                        \
  X(ceil)                         \
  X(floor)                        \
  X(trunc)                        \
  X(round)                        \
  X(frac)                         \
  X(maximum)                      \
  X(minimum)                      \
  X(clamp)                        \
  X(clamp_only_max)               \
  X(lerp)                         \
  X(addcmul)                      \
  X(addcdiv)                      \
  X(relu)                         \
  X(relu6)                        \
  X(hardtanh)                     \
  X(hardsigmoid)                  \
  X(hardswish)                    \
  X(leaky_relu)                   \
  X(threshold)                    \
  X(prelu)

namespace ingot::f32 {

struct RegisterStep {
  using Run = void (*)();  // called by RegisterKernels::run alone
  struct Place {
    int64_t at = -1;     // index among the addresses of a run; -1: none
    int64_t moves = -1;  // 0: every block reads the first one's elements
  };
  Run run = nullptr;  // null ends a chain
  Place held;         // of the operand in registers, if the step before has not left it there
  Place others[2];    // of the other operands, in order
  Place result;       // where it is needed in memory too
  float params[4] = {};
};

struct RegisterKernels {
  int64_t block;  // elements that a step computes at a time
  // The step of `loop` with operand `held` of it in registers; null if there is none. With
  // `numbers` each of the others is the same in all elements of a block, and read less often.
  RegisterStep::Run (*find)(Loop loop, int held, bool numbers);
  // Runs a chain over `count` elements, a multiple of `block`. Results are those of the loops.
  void (*run)(const RegisterStep* steps, const std::byte* const* addresses, int64_t count);
};

// For the SimdLevel in use.
const RegisterKernels& register_kernels();

}  // namespace ingot::f32

// What callers pass, held against a method's signature.
#pragma once

#include <span>

#include "file/program.h"

namespace ingot {

// Writes inputs, defaults filled in and ints passed for floats converted, to `registers`.
// Throws Error: invalid_argument for a wrong number or kind of input, guard for a dtype,
// rank or size that the program was not captured for, with the user's line that fixed it.
void bind_inputs(const Program& program, const Method& method, std::span<const Value> inputs,
                 Value* registers);

// See Module::example_inputs.
std::vector<Value> zero_inputs(const Method& method);

}  // namespace ingot

// Runs compiled methods in order: any program, generic kernels.
#pragma once

#include <span>
#include <vector>

#include "exec/code.h"
#include "exec/plan/regions.h"
#include "exec/profile.h"
#include "file/program.h"

namespace ingot {

// One caller's view of a program: what it runs on and the state it may change.
struct Run {
  const Program& program;
  const std::vector<Code>& codes;
  Planner& planner;
  std::vector<Value>& state;  // one per state entry; read for mutable entries only
  Profile* profile = nullptr;
};

// Checks the inputs and runs the method. Throws Error with the user's lines.
Value execute(const Run& run, size_t method, std::span<const Value> inputs);

// Calls one op outside any program: `inputs` in schema order, missing ones from defaults.
// Throws Error as in a program.
INGOT_API std::vector<Value> call_op(const Op& op, std::span<const Value> inputs);

}  // namespace ingot

// Makes a plan: runs a region's code on tensors without elements and lays out what it recorded.
#pragma once

#include <memory>
#include <span>

#include <ingot/precision.h>

#include "exec/code.h"
#include "exec/plan/plan.h"
#include "ops/plan/weights.h"

namespace ingot {

// A stretch of code without branches whose instructions a plan can take over.
struct Region {
  uint32_t begin = 0;
  uint32_t end = 0;
  std::vector<int32_t> inputs = {};  // registers that it reads and does not write first
  bool all_inputs = false;           // they are the method's inputs, and the method begins here
  // Those of them that nobody reads after an instruction, and that instruction.
  std::vector<std::pair<uint32_t, int32_t>> dying = {};
};

// The op that makes a new value where `op` writes to its first argument, relu for relu_; null if
// there is none that a plan can hold.
const Op* pure_form(const Op& op);

// A plan for the values that the region's inputs have in `registers`. Null if nothing can be
// planned, so that the region is interpreted. Throws Error as the interpreter would, if the
// inputs fit no op.
std::shared_ptr<const Plan> build_plan(const Code& code, const Region& region,
                                       const Value* registers, plan::Weights& weights,
                                       Precision precision);

}  // namespace ingot

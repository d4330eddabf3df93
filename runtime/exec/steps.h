// Instructions as the interpreter runs them: control flow, moves and ops that have a form for it
// (ops/step.h) are steps of their own, any other instruction is one step that names it.
#pragma once

#include "exec/code.h"

namespace ingot {

// Makes code.steps, where regions are marked. The types of registers and operands are those that
// the verifier proved.
void add_steps(Code& code);

}  // namespace ingot

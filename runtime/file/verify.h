// Checks that a decoded program means something.
#pragma once

#include "file/program.h"

namespace ingot {

// Every value is defined once and before its use, every node fits its op's schema or its
// prim's rules, calls fit their method, state entries fit their types. Throws Error
// (corrupt_file) that names method and node.
void verify_program(const Program& program);

}  // namespace ingot

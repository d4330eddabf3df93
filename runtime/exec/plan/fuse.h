// Joins elementwise nodes into chains and into the matrix products that feed them.
#pragma once

#include "exec/plan/tape.h"

namespace ingot {

// Rewrites tape.nodes. Nodes keep an order in which every value is made before it is read.
void fuse(Tape& tape);
// Drops nodes whose outputs nobody reads.
void drop_dead_nodes(Tape& tape);

}  // namespace ingot

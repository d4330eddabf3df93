// Joins elementwise nodes into chains and into the matrix products that feed them.
#pragma once

#include "exec/plan/tape.h"

namespace ingot {

// Rewrites tape.nodes. Nodes keep an order in which every value is made before it is read.
void fuse(Tape& tape);
// Drops nodes whose outputs nobody reads, but for those that read integers or bools: indices,
// divisors and masks are what an op may find fault with as it runs.
void drop_dead_nodes(Tape& tape);

}  // namespace ingot

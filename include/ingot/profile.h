// What the steps of a run took.
#pragma once

#include <string>

namespace ingot {

// One step of a profiled run: a step of a plan, or an op that was interpreted.
struct ProfileEvent {
  std::string text;      // "linear [128, 768] x [768, 3072] +gelu"
  std::string location;  // the user's lines, innermost first
  bool planned = false;
  double start = 0;     // seconds from the start of the run
  double duration = 0;  // seconds
  double flops = 0;     // of the step; 0: unknown
  double bytes = 0;     // that the step reads and writes at least; 0: unknown
};

}  // namespace ingot

// Switches for the stages of planning, so that tests can hold each against the interpreter.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <ingot/export.h>

namespace ingot {

enum class PlanStage : uint8_t {
  plan,           // off: everything is interpreted
  lower,          // ops' own lowerings; off: every op is a call of its kernel
  channels_last,  // convolutions in channels-last memory
  fuse,           // elementwise chains
  epilogue,       // elementwise ops into matrix products and convolutions
  fold,           // constant scales into weights
  reuse,          // memory of dead values
};

// Names in the order of PlanStage.
INGOT_API std::span<const std::string_view> plan_stages();
// For plans that are made from now on, in this process. Throws Error (not_found).
INGOT_API void set_plan_stage(std::string_view name, bool enabled);
bool plan_stage_enabled(PlanStage stage);

}  // namespace ingot

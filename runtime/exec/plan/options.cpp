#include "exec/plan/options.h"

#include <algorithm>
#include <array>
#include <atomic>

#include <ingot/check.h>

namespace ingot {
namespace {

constexpr std::array<std::string_view, 7> kNames = {"plan",     "lower", "channels_last", "fuse",
                                                    "epilogue", "fold",  "reuse"};
std::atomic<uint32_t> disabled{0};

}  // namespace

std::span<const std::string_view> plan_stages() { return kNames; }

void set_plan_stage(std::string_view name, bool enabled) {
  const auto at = std::find(kNames.begin(), kNames.end(), name);
  if (at == kNames.end()) fail(ErrorCode::not_found, "planning has no stage '", name, "'");
  const uint32_t bit = uint32_t{1} << (at - kNames.begin());
  if (enabled)
    disabled.fetch_and(~bit);
  else
    disabled.fetch_or(bit);
}

bool plan_stage_enabled(PlanStage stage) {
  return !(disabled.load(std::memory_order_relaxed) >> static_cast<int>(stage) & 1);
}

}  // namespace ingot

#include "exec/plan/plan.h"

namespace ingot {

std::unique_ptr<plan::Calls> Plan::take_calls() const {
  if (calls == 0) return nullptr;
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<plan::Calls>(calls);
  std::unique_ptr<plan::Calls> taken = std::move(idle_.back());
  idle_.pop_back();
  return taken;
}

void Plan::give_back(std::unique_ptr<plan::Calls> taken) const {
  if (!taken) return;
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(taken));
}

}  // namespace ingot

// The regions of a module's methods and the plans made for them.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "exec/code.h"
#include "exec/plan/builder.h"
#include "exec/plan/signature.h"
#include "exec/profile.h"

namespace ingot {

// Memory for the values of one run, kept for the next.
struct Arena {
  std::byte* data = nullptr;
  size_t bytes = 0;
  Arena() = default;
  Arena(const Arena&) = delete;
  ~Arena();
  void reserve(size_t wanted);
};

// Shared by all threads that run a module and its forks.
class Planner {
 public:
  // Marks the regions of `codes` in their instructions.
  explicit Planner(std::vector<Code>& codes);
  Planner(const Planner&) = delete;

  // Runs region `number` (Instruction::region) on `registers` and gives the instruction to go on
  // with, or nothing where the interpreter must do it: registers are then unchanged.
  // `observer` may be null.
  bool run(uint32_t number, const Code& code, Value* registers, uint32_t& next,
           const StepObserver* observer);

  // The plan for the values in `registers`; null if there is none.
  std::shared_ptr<const Plan> plan_for(uint32_t number, const Code& code, const Value* registers);
  const Region& region(uint32_t number) const { return caches_[number]->region; }
  size_t count() const { return caches_.size(); }

 private:
  struct Entry {
    Signature signature;
    uint64_t hash;
    std::shared_ptr<const Plan> plan;  // null: to be interpreted
  };
  // Plans of one region, the latest used first.
  struct Cache {
    Region region;
    std::mutex mutex;
    std::list<Entry> entries;
    std::unordered_multimap<uint64_t, std::list<Entry>::iterator> by_hash;
    size_t bytes = 0;
  };

  std::shared_ptr<const Plan> find(Cache& cache, const Code& code, const Value* registers);
  std::unique_ptr<Arena> take_arena(size_t bytes);
  void give_back(std::unique_ptr<Arena> arena);

  std::vector<std::unique_ptr<Cache>> caches_;
  plan::Weights weights_;
  std::mutex arenas_mutex_;
  std::vector<std::unique_ptr<Arena>> arenas_;
};

}  // namespace ingot

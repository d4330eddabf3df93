// The regions of a module's methods and the plans made for them.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <ingot/precision.h>

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

// What one run works with; another run at the same time has another.
struct Session {
  // The plan that a region ran last, and its calls.
  struct Latest {
    std::shared_ptr<const Plan> plan;
    std::unique_ptr<plan::Calls> calls;
    bool checked = false;  // its signature passed the method's own checks of its inputs

    // Whether the plan is for the values that the region's inputs have in `registers`, and for
    // a pool of so many threads.
    bool fits(const Value* registers, const Region& region, int threads) const;
  };
  std::vector<Latest> latest;  // by region
  Arena arena;
  std::vector<std::byte*> bases;
  std::vector<const Tensor*> inputs;
  std::vector<Tensor> outputs;
};

// Shared by all threads that run a module and its forks.
class Planner {
 public:
  // Marks the regions of `codes` in their instructions. `precision`: of all plans.
  Planner(std::vector<Code>& codes, Precision precision);
  Planner(const Planner&) = delete;
  ~Planner();

  // Runs region `number` (Instruction::region - 1) on `registers` and gives the instruction to go
  // on with, or nothing where the interpreter must do it: registers are then unchanged.
  // `checked`: they are inputs that passed the method's checks. `observer` may be null.
  bool run(uint32_t number, const Code& code, Value* registers, uint32_t& next, bool checked,
           const StepObserver* observer);

  // The result of a method that is region `number` and nothing else, if the session at hand has
  // just the plan for inputs of this kind, which the method's checks passed before.
  bool call(uint32_t number, std::span<const Value> inputs, Value& result);

 private:
  struct Entry {
    Signature signature;
    uint64_t hash;
    int threads;
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
  class Borrowed;

  std::shared_ptr<const Plan> find(Cache& cache, const Code& code, const Value* registers);
  Session* take_session();
  void give_back(Session* session);

  Precision precision_;
  std::vector<std::unique_ptr<Cache>> caches_;
  plan::Weights weights_;
  std::atomic<Session*> idle_{nullptr};  // the one given back last
  std::mutex mutex_;                     // guards the others
  std::vector<std::unique_ptr<Session>> others_;
};

}  // namespace ingot

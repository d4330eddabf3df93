// A region of a method for one signature: a flat list of steps over memory laid out beforehand.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <ingot/tensor.h>
#include <ingot/value.h>

#include "exec/plan/signature.h"
#include "ops/plan/call_node.h"
#include "ops/plan/step.h"

namespace ingot {

// What people see of a step.
struct StepInfo {
  std::string text;  // "linear [128, 768] x [768, 768] +add"
  uint32_t origin;   // instruction
  plan::Cost cost;
};

class Plan {
 public:
  // A tensor that leaves the plan: an input, an output's memory or a view of either.
  struct Leaving {
    const detail::TensorImpl* tensor;  // the abstract one that it replaces
    int32_t base;                      // of Memory
    bool whole;
    Dims sizes;
    Dims strides;
    int64_t offset;  // elements from the base's own tensor
  };
  struct Result {
    int32_t register_;
    int32_t leaving;  // index, or -1: `value`, with abstract tensors inside if `composite`
    bool composite;
    Value value;
  };

  Signature signature;
  int threads = 0;  // of the pool; its workspaces are laid out for them
  std::vector<std::unique_ptr<plan::Step>> steps;
  std::vector<StepInfo> infos;  // one per step
  std::vector<Tensor> constants;
  std::vector<TensorInfo> outputs;
  std::vector<Tensor> abstract;  // keeps the addresses in `leaving` taken
  std::vector<Leaving> leaving;
  std::vector<Result> results;
  size_t arena_bytes = 0;
  size_t calls = 0;
  uint32_t end = 0;  // the instruction to go on with
  // The result that the method returns right after the plan; -1: it goes on.
  int32_t returned = -1;
  size_t bytes = 0;  // rough size of all this

  // Calls that no run uses now.
  std::unique_ptr<plan::Calls> take_calls() const;
  void give_back(std::unique_ptr<plan::Calls> calls) const;

 private:
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<plan::Calls>> idle_;
};

}  // namespace ingot

// A kernel on whole tensors, for lowerings that need nothing more.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ops/plan/node.h"

namespace ingot::plan {

class KernelNode final : public Node {
 public:
  // Reads inputs and fills outputs, whose first elements lie at the given addresses.
  using Kernel = std::function<void(const std::byte* const* in, std::byte* const* out)>;

  // `own`: the work, and bytes beside those of the tensors.
  KernelNode(std::string name, std::vector<Tensor> inputs, std::vector<Tensor> outputs,
             Kernel kernel, Cost own = {})
      : name_(std::move(name)),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        kernel_(std::move(kernel)),
        own_(own) {}
  std::vector<Tensor> inputs() const override { return inputs_; }
  std::vector<Tensor> outputs() const override { return outputs_; }
  std::unique_ptr<Step> make(Layout& layout) const override;
  std::string describe() const override;
  Cost cost() const override;

 private:
  std::string name_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
  Kernel kernel_;
  Cost own_;
};

}  // namespace ingot::plan

#include "ops/plan/kernel_node.h"

#include <array>

#include <ingot/check.h>

namespace ingot::plan {
namespace {

constexpr size_t kMost = 8;

class KernelStep final : public Step {
 public:
  KernelStep(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs,
             const KernelNode::Kernel& kernel, Layout& layout)
      : kernel_(kernel) {
    for (const Tensor& tensor : inputs) in_.push_back(layout.place(tensor));
    for (const Tensor& tensor : outputs) out_.push_back(layout.place(tensor));
    INGOT_CHECK(in_.size() <= kMost && out_.size() <= kMost, "a kernel node has too many tensors");
  }
  void run(const Memory& memory) const override {
    std::array<const std::byte*, kMost> in;
    std::array<std::byte*, kMost> out;
    for (size_t i = 0; i < in_.size(); ++i) in[i] = memory.at<const std::byte>(in_[i]);
    for (size_t i = 0; i < out_.size(); ++i) out[i] = memory.at<std::byte>(out_[i]);
    kernel_(in.data(), out.data());
  }

 private:
  KernelNode::Kernel kernel_;
  std::vector<Place> in_;
  std::vector<Place> out_;
};

}  // namespace

std::unique_ptr<Step> KernelNode::make(Layout& layout) const {
  return std::make_unique<KernelStep>(inputs_, outputs_, kernel_, layout);
}

std::string KernelNode::describe() const { return concat(name_, " ", inputs_[0].sizes()); }

Cost KernelNode::cost() const {
  Cost cost = Node::cost();
  cost.flops = own_.flops;
  cost.bytes += own_.bytes;
  return cost;
}

}  // namespace ingot::plan

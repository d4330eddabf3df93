#include "ops/plan/join_node.h"

#include <ingot/check.h>
#include "tensor/reorder.h"

namespace ingot::plan {
namespace {

class JoinStep final : public Step {
 public:
  JoinStep(const std::vector<std::pair<Tensor, Tensor>>& parts, Layout& layout) {
    for (const auto& [from, to] : parts)
      parts_.push_back({layout.place(from), layout.place(to),
                        Reorder(to.sizes(), from.strides(), to.strides(), size_of(to.dtype()))});
  }
  void run(const Memory& memory) const override {
    for (const Part& part : parts_)
      part.reorder.run(memory.at<const std::byte>(part.from), memory.at<std::byte>(part.to));
  }

 private:
  struct Part {
    Place from;
    Place to;
    Reorder reorder;
  };
  std::vector<Part> parts_;
};

}  // namespace

std::vector<Tensor> JoinNode::inputs() const {
  std::vector<Tensor> tensors;
  for (const auto& part : parts_) tensors.push_back(part.first);
  return tensors;
}

std::unique_ptr<Step> JoinNode::make(Layout& layout) const {
  return std::make_unique<JoinStep>(parts_, layout);
}

std::string JoinNode::describe() const { return concat("join ", parts_.size()); }

}  // namespace ingot::plan

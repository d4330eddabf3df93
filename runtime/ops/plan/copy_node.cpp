#include "ops/plan/copy_node.h"

#include "ops/plan/memory_order.h"
#include "tensor/reorder.h"

namespace ingot::plan {
namespace {

class CopyStep final : public Step {
 public:
  CopyStep(const Tensor& from, const Tensor& to, Layout& layout)
      : from_(layout.place(from)),
        to_(layout.place(to)),
        reorder_(to.sizes(), from.strides(), to.strides(), size_of(to.dtype())) {}
  void run(const Memory& memory) const override {
    reorder_.run(memory.at<const std::byte>(from_), memory.at<std::byte>(to_));
  }

 private:
  Place from_;
  Place to_;
  Reorder reorder_;
};

}  // namespace

std::unique_ptr<Step> CopyNode::make(Layout& layout) const {
  return std::make_unique<CopyStep>(from_, to_, layout);
}

std::unique_ptr<Step> PatchNode::make(Layout& layout) const {
  return std::make_unique<CopyStep>(from_, part_, layout);
}

}  // namespace ingot::plan

// Copies between memory orders: what elementwise nodes do badly, transpositions.
#pragma once

#include "ops/plan/node.h"

namespace ingot::plan {

// to[...] = from[...], both of the same sizes and of dtypes of equal size.
class CopyNode final : public Node {
 public:
  CopyNode(Tensor from, Tensor to) : from_(std::move(from)), to_(std::move(to)) {}
  std::vector<Tensor> inputs() const override { return {from_}; }
  std::vector<Tensor> outputs() const override { return {to_}; }
  std::unique_ptr<Step> make(Layout& layout) const override;
  std::string describe() const override { return "reorder"; }

 private:
  Tensor from_;
  Tensor to_;
};

}  // namespace ingot::plan

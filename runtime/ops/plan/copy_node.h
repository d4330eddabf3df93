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

// Writes `from` into a part of memory that holds other elements too: `part`, a view of `whole`.
class PatchNode final : public Node {
 public:
  PatchNode(Tensor from, Tensor part, Tensor whole)
      : from_(std::move(from)), part_(std::move(part)), whole_(std::move(whole)) {}
  std::vector<Tensor> inputs() const override { return {from_, whole_}; }
  std::vector<Tensor> outputs() const override { return {whole_}; }
  std::unique_ptr<Step> make(Layout& layout) const override;
  std::string describe() const override { return "write part"; }

 private:
  Tensor from_;
  Tensor part_;
  Tensor whole_;
};

}  // namespace ingot::plan

// Tensors written side by side into one.
#pragma once

#include <utility>
#include <vector>

#include "ops/plan/recorder.h"

namespace ingot::plan {

// Each part goes to a place of its own, a view of `whole`; together they fill it. Dtypes are one.
class JoinNode final : public Node {
 public:
  JoinNode(std::vector<std::pair<Tensor, Tensor>> parts, Tensor whole)
      : parts_(std::move(parts)), whole_(std::move(whole)) {}
  std::vector<Tensor> inputs() const override;
  std::vector<Tensor> outputs() const override { return {whole_}; }
  std::unique_ptr<Step> make(Layout& layout) const override;
  std::string describe() const override;

 private:
  std::vector<std::pair<Tensor, Tensor>> parts_;  // from, to
  Tensor whole_;
};

}  // namespace ingot::plan

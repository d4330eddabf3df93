// Reductions of rows, alone or of what a chain of elementwise ops makes of them.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ops/plan/elementwise_node.h"
#include "ops/plan/recorder.h"

namespace ingot::plan {

// out[row] = the reduction of `width` adjacent f32 elements of `in`, which has no gaps and ends
// in the reduced dimensions.
class ReduceNode final : public Node {
 public:
  enum class Kind : uint8_t { sum, mean, largest, smallest };

  ReduceNode(Kind kind, int64_t width, Tensor in, Tensor out)
      : kind_(kind), width_(width), in_(std::move(in)), out_(std::move(out)) {}
  std::vector<Tensor> inputs() const override;
  std::vector<Tensor> outputs() const override;
  std::unique_ptr<Step> make(Layout& layout) const override;
  std::string describe() const override;
  ReduceNode* as_reduction() override { return this; }

  const Tensor& in() const { return in_; }
  int64_t width() const { return width_; }
  // The chain whose last node makes in(), which then need not exist in memory.
  void set_chain(std::vector<std::unique_ptr<ElementwiseNode>> nodes) { chain_ = std::move(nodes); }

 private:
  Kind kind_;
  int64_t width_;
  Tensor in_;
  Tensor out_;
  std::vector<std::unique_ptr<ElementwiseNode>> chain_;
};

// The lowering of a reduction of `self` over the dimensions whose bits are set, of sizes `sizes`:
// undefined unless they are the last ones of a row-major f32 tensor.
Tensor record_reduction(Recorder& recorder, ReduceNode::Kind kind, const Tensor& self,
                        uint32_t dims, const Dims& sizes);

}  // namespace ingot::plan

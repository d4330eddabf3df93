// Matrix products and convolutions with constant weights, and what they do to their result on its
// way to memory.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/epilogue.h"
#include "ops/plan/elementwise_node.h"
#include "ops/plan/tile_program.h"
#include "ops/plan/weights.h"

namespace ingot::plan {

// A constant [columns] or number that the product is multiplied by or that is added to it.
struct Fold {
  bool add;
  float sign;     // of what is added
  Tensor vector;  // undefined: `number`
  float number;
};

// Makes an f32 matrix [rows, columns] whose memory is row-major: column c is output feature or
// channel c. The result is, in this order: product with bias, then the folds, then residual and
// clamp, then what the tail computes of it.
class MatrixNode : public Node {
 public:
  // `bias` [columns] may be undefined. `out` fills its memory; columns lie innermost.
  MatrixNode(Weights& weights, int64_t columns, Tensor bias, Tensor out)
      : weights_(weights), columns_(columns), bias_(std::move(bias)), out_(out), product_(out) {}

  // Takes over `node`, which reads this node's present output and whose other operands are
  // there in time, if the order above allows it; out() is then the node's output. `fold`:
  // constants may go into weights and bias.
  bool absorb(const ElementwiseNode& node, bool fold);
  // What absorb() does not take: computed block by block. `keep`: somebody else reads the
  // present output. The nodes are in order, each on out() or an earlier node's output.
  void set_tail(std::vector<std::unique_ptr<ElementwiseNode>> nodes, bool keep);

  const Tensor& out() const { return out_; }
  MatrixNode* as_matrix() override { return this; }
  std::vector<Tensor> inputs() const final;
  std::vector<Tensor> outputs() const final;

  // What a step needs to give its kernel an Epilogue.
  class Finish {
   public:
    Finish(const MatrixNode& node, Layout& layout);
    // Valid while `memory` lives.
    struct Context {
      const TileProgram* tail;
      const Memory* memory;
      int64_t width;
    };
    Epilogue epilogue(const Memory& memory, Context& context) const;

   private:
    Epilogue fixed_;
    std::shared_ptr<const Tensor> bias_;
    std::optional<Place> residual_;
    std::shared_ptr<const TileProgram> tail_;
    int64_t width_;
  };

 protected:
  // Besides the epilogue's.
  virtual std::vector<Tensor> operands() const = 0;
  // Of what absorb() and set_tail() took: "+add+relu".
  std::string describe_finish() const;
  // What the kernel writes.
  const Tensor& product() const { return product_; }
  Weights& weights() const { return weights_; }
  int64_t columns() const { return columns_; }

  // What names the folds among keys of Weights.
  std::vector<Tensor> fold_tensors() const;
  std::vector<int64_t> fold_numbers() const;
  // [columns], what weights are to be multiplied by; empty: 1.
  std::vector<float> fold_scale() const;

 private:
  std::shared_ptr<const Tensor> folded_bias() const;

  Weights& weights_;
  int64_t columns_;
  Tensor bias_;
  std::vector<Fold> folds_;
  Tensor residual_;
  float low_ = -std::numeric_limits<float>::infinity();
  float high_ = std::numeric_limits<float>::infinity();
  std::string taken_;
  Tensor out_;
  std::vector<std::unique_ptr<ElementwiseNode>> tail_;
  Tensor product_;
};

}  // namespace ingot::plan

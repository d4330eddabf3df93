// The nodes of a recorded region: what becomes a step once fusion is done and memory laid out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ingot/tensor.h>

#include "ops/plan/step.h"

namespace ingot::plan {

class ElementwiseNode;
class MatrixNode;
class ReduceNode;

// Gives the places of tensors once all memory is laid out.
class Layout {
 public:
  virtual Place place(const Tensor& tensor) const = 0;
  // Memory of the node being made, as many bytes as it asked for, 64-byte aligned.
  virtual Place workspace() const = 0;
  // The number of the next call of a plan (call_node.h).
  virtual size_t new_call() = 0;

 protected:
  ~Layout() = default;
};

class Node {
 public:
  virtual ~Node() = default;
  // Tensors without elements (plan values) or with them (constants).
  virtual std::vector<Tensor> inputs() const = 0;
  virtual std::vector<Tensor> outputs() const = 0;
  // Scratch memory, for all threads together.
  virtual size_t workspace() const { return 0; }
  // The input whose memory the first output may take over if nobody reads it afterwards: of the
  // same size, each element read before the output's element in the same place is written.
  virtual Tensor replaceable() const { return {}; }
  // Null where nothing is to do.
  virtual std::unique_ptr<Step> make(Layout& layout) const = 0;
  // "conv2d 3x3 winograd_4": for people.
  virtual std::string describe() const = 0;
  virtual Cost cost() const;

  virtual ElementwiseNode* as_elementwise() { return nullptr; }
  virtual MatrixNode* as_matrix() { return nullptr; }
  virtual ReduceNode* as_reduction() { return nullptr; }

  // The instruction that it came from.
  uint32_t origin = 0;
};

// True if the tensor has elements now: a weight, a number made a tensor.
inline bool is_constant(const Tensor& tensor) {
  return tensor.has_data() && !tensor.storage()->abstract;
}

}  // namespace ingot::plan

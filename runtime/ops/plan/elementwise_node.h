// Elementwise ops in a plan: single ones as recorded, and chains of them fused into one loop.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "ops/elementwise.h"
#include "ops/plan/node.h"

namespace ingot::plan {

// One op on elements. The output's memory has no gaps; its order is that of the strides.
class ElementwiseNode final : public Node {
 public:
  // What a matrix product can do with it on its way out (matrix_node.h).
  enum class Kind : uint8_t { general, add, sub, mul, clamp };

  struct Source {
    Tensor tensor;                                   // undefined: a number
    DType dtype;                                     // that the loop reads
    alignas(16) std::array<std::byte, 16> number{};  // of `dtype`
  };

  // Null if fusion cannot express the call: its result has a dtype that no loop writes.
  // `out` must be a fresh tensor of the result's dtype and sizes.
  static std::unique_ptr<ElementwiseNode> record(const Op& op, const ElementwiseCall& call,
                                                 const ElementwiseTypes& types, Tensor out);
  // A conversion to out's dtype, or a copy. `from` broadcasts to out's sizes.
  static std::unique_ptr<ElementwiseNode> convert(Tensor from, Tensor out);

  std::vector<Tensor> inputs() const override;
  std::vector<Tensor> outputs() const override { return {out}; }
  Tensor replaceable() const override;
  std::unique_ptr<Step> make(Layout& layout) const override;
  std::string describe() const override { return name; }
  ElementwiseNode* as_elementwise() override { return this; }

  // The number source `k` as f32.
  float number(size_t k) const;

  std::string name;
  Kind kind = Kind::general;
  TileLoop loop = nullptr;     // null: a conversion
  f32::Loop vector = nullptr;  // what `loop` calls, if it is a vector loop
  std::array<Scalar, kMaxParams> params{int64_t{0}, int64_t{0}, int64_t{0}, int64_t{0}};
  float low = 0;  // clamp
  float high = 0;
  std::vector<Source> sources;
  Tensor out;
  bool stored = true;  // somebody outside its loop reads `out`
};

// True if walking `operand` in the memory order of `out` is one run of adjacent memory that
// begins where the operand's storage does: the loop reads it as it writes `out`.
bool same_order(const Tensor& operand, const Tensor& out);

// A chain of them in the order of recording; all outputs have the same number of elements in
// the same memory order.
class FusedNode final : public Node {
 public:
  explicit FusedNode(std::vector<std::unique_ptr<ElementwiseNode>> nodes)
      : nodes_(std::move(nodes)) {}
  std::vector<Tensor> inputs() const override;
  std::vector<Tensor> outputs() const override;
  Tensor replaceable() const override;
  std::unique_ptr<Step> make(Layout& layout) const override;
  std::string describe() const override;

 private:
  std::vector<std::unique_ptr<ElementwiseNode>> nodes_;
};

// What a chain reads from outside, each storage once.
std::vector<Tensor> inputs_of(std::span<const std::unique_ptr<ElementwiseNode>> nodes);
// "relu+add"
std::string describe_chain(std::span<const std::unique_ptr<ElementwiseNode>> nodes);

}  // namespace ingot::plan

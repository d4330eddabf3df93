// A chain of elementwise ops as one loop over tiles that stay in the first-level cache: for each
// tile, op after op through the vector code of its row. Cheap f32 ops that follow each other run
// together, their intermediate results in registers.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/f32_registers.h"
#include "ops/plan/elementwise_node.h"
#include "tensor/iterate.h"

namespace ingot::plan {

class TileProgram {
 public:
  TileProgram(std::span<const std::unique_ptr<ElementwiseNode>> nodes, Layout& layout);

  // Computes elements [begin, end) in memory order of the outputs.
  void run(const Memory& memory, int64_t begin, int64_t end) const;
  // Computes a block of rows of `width` elements each.
  void run_block(const Memory& memory, int64_t row, int64_t rows, int64_t column, int64_t columns,
                 int64_t width) const;
  // Computes `count` elements and shows them to `see`, tile after tile in order; the last op's
  // result need not be stored.
  using See = void (*)(void* state, const void* tile, int64_t count);
  void run_into(const Memory& memory, int64_t begin, int64_t count, void* state, See see) const;
  int64_t numel() const { return numel_; }
  size_t ops() const { return ops_.size(); }

 private:
  enum class From : uint8_t { memory, strided, number, slot };

  // Something that ops read: the caller's memory in the order of the outputs, memory in another
  // order that is gathered into a slot, a number that fills a slot, or the result of an op.
  struct Source {
    From from;
    uint8_t item;  // bytes of an element
    int16_t slot = -1;
    Place place = {};
    StridedRange range = {};
    std::array<std::byte, 16> number = {};
  };

  struct TileOp {
    TileLoop loop;     // null: convert
    f32::Loop vector;  // null: none, or not of f32 alone
    DType from_dtype;
    DType to_dtype;
    uint8_t inputs = 0;
    std::array<int16_t, kMaxOperands> in{};  // sources
    std::array<Scalar, kMaxParams> params{int64_t{0}, int64_t{0}, int64_t{0}, int64_t{0}};
    int16_t out = 0;  // a source
  };

  // Ops [first, last): through registers from steps_[step] on, or one after the other.
  struct Piece {
    size_t first;
    size_t last;
    int64_t step;  // -1: none
  };

  struct Scratch;

  int16_t add_source(const Tensor& tensor, const Tensor& out, Layout& layout);
  int16_t add_number(const ElementwiseNode::Source& source);
  void assign_slots();
  void divide_into_pieces();
  void add_register_piece(size_t first, size_t last);
  static bool is_square(const TileOp& op);
  static int operands(const TileOp& op) { return is_square(op) ? 1 : op.inputs; }
  bool leaves_registers(size_t op, size_t last) const;
  int held_operand(size_t op, size_t first) const;
  void begin(Scratch& scratch, int64_t longest) const;
  void run_ops(const Scratch& scratch, const Piece& piece, int64_t begin, int64_t count) const;
  void segment(const Memory& memory, Scratch& scratch, int64_t begin, int64_t count,
               void* state = nullptr, See see = nullptr) const;

  std::vector<Source> sources_;   // at most as many as Scratch::at holds
  std::vector<uint8_t> outside_;  // those whose addresses change from tile to tile
  std::vector<TileOp> ops_;
  std::vector<Piece> pieces_;
  std::vector<f32::RegisterStep> steps_;
  const f32::RegisterKernels* registers_ = &f32::register_kernels();
  int64_t numel_;
  int64_t tile_;  // elements
  int64_t slot_bytes_;
  int slots_ = 0;
};

}  // namespace ingot::plan

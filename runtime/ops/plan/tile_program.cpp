#include "ops/plan/tile_program.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ops/plan/memory_order.h"
#include "tensor/convert.h"

namespace ingot::plan {

namespace {

constexpr int64_t kTileElements = 1024;
// So that the same elements of different slots share neither cache sets nor the low bits of
// addresses by which processors compare loads with earlier stores.
constexpr int64_t kApart = 320;

// The memory of all tiles of one thread.
std::byte* thread_tiles(size_t bytes) {
  thread_local std::vector<std::byte> memory;
  if (memory.size() < bytes + 64) memory.resize(bytes + 64);
  return reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(memory.data()) + 63) &
                                      ~uintptr_t{63});
}

}  // namespace

struct TileProgram::Scratch {
  std::byte* tiles;
  std::array<const std::byte*, 64> at;  // of each source, for the present tile
};

TileProgram::TileProgram(std::span<const std::unique_ptr<ElementwiseNode>> nodes, Layout& layout) {
  const Tensor& last = nodes.back()->out;
  numel_ = last.numel();
  size_t widest = 1;
  std::vector<std::pair<const Storage*, int16_t>> results;
  std::vector<std::pair<Tensor, int16_t>> operands;
  for (const auto& node : nodes) {
    TileOp op;
    op.loop = node->loop;
    op.vector = node->out.dtype() == DType::f32 ? node->vector : nullptr;
    op.params = node->params;
    for (const ElementwiseNode::Source& source : node->sources) {
      widest = std::max(widest, size_of(source.dtype));
      int16_t at = -1;
      if (!source.tensor.defined()) {
        at = add_number(source);
      } else {
        for (const auto& [storage, result] : results)
          if (source.tensor.storage() == storage) at = result;
        for (const auto& [tensor, known] : operands)
          if (at < 0 && tensor.data() == source.tensor.data() &&
              tensor.strides() == source.tensor.strides() &&
              tensor.sizes() == source.tensor.sizes() && node->out.sizes() == last.sizes())
            at = known;
        if (at < 0) {
          at = add_source(source.tensor, node->out, layout);
          if (node->out.sizes() == last.sizes()) operands.emplace_back(source.tensor, at);
        }
      }
      op.in[op.inputs++] = at;
    }
    op.from_dtype = node->sources[0].dtype;
    op.to_dtype = node->out.dtype();
    widest = std::max(widest, size_of(op.to_dtype));
    Source result{.from = From::slot, .item = static_cast<uint8_t>(size_of(op.to_dtype))};
    if (node->stored) {
      result.from = From::memory;
      result.place = layout.place(node->out);
    }
    op.out = static_cast<int16_t>(sources_.size());
    results.emplace_back(node->out.storage(), op.out);
    sources_.push_back(std::move(result));
    ops_.push_back(op);
  }
  for (size_t s = 0; s < sources_.size(); ++s)
    if (sources_[s].from == From::memory || sources_[s].from == From::strided)
      outside_.push_back(static_cast<uint8_t>(s));
  assign_slots();
  divide_into_pieces();
  tile_ = widest > 4 || !steps_.empty() ? kTileElements / 2 : kTileElements;
  slot_bytes_ = tile_ * static_cast<int64_t>(widest) + kApart;
}

int16_t TileProgram::add_source(const Tensor& tensor, const Tensor& out, Layout& layout) {
  Source source{.from = From::memory,
                .item = static_cast<uint8_t>(size_of(tensor.dtype())),
                .place = layout.place(tensor)};
  source.range = range_in_order_of(out, tensor);
  if (!source.range.contiguous() || tensor.numel() != out.numel()) source.from = From::strided;
  sources_.push_back(std::move(source));
  return static_cast<int16_t>(sources_.size() - 1);
}

int16_t TileProgram::add_number(const ElementwiseNode::Source& source) {
  const auto item = static_cast<uint8_t>(size_of(source.dtype));
  for (size_t i = 0; i < sources_.size(); ++i)
    if (sources_[i].from == From::number && sources_[i].item == item &&
        std::memcmp(sources_[i].number.data(), source.number.data(), item) == 0)
      return static_cast<int16_t>(i);
  sources_.push_back({.from = From::number, .item = item, .number = source.number});
  return static_cast<int16_t>(sources_.size() - 1);
}

// Numbers keep their slots; gathered operands and results share the others.
void TileProgram::assign_slots() {
  std::vector<int> last_use(sources_.size(), -1);
  for (size_t i = 0; i < ops_.size(); ++i)
    for (int k = 0; k < ops_[i].inputs; ++k)
      last_use[static_cast<size_t>(ops_[i].in[static_cast<size_t>(k)])] = static_cast<int>(i);
  std::vector<int16_t> free;
  const auto take = [&](Source& source) {
    if (source.slot >= 0) return;
    if (free.empty()) {
      source.slot = static_cast<int16_t>(slots_++);
    } else {
      source.slot = free.back();
      free.pop_back();
    }
  };
  for (Source& source : sources_)
    if (source.from == From::number) source.slot = static_cast<int16_t>(slots_++);
  for (Source& source : sources_)
    if (source.from == From::strided) source.slot = static_cast<int16_t>(slots_++);
  for (size_t i = 0; i < ops_.size(); ++i) {
    Source& result = sources_[static_cast<size_t>(ops_[i].out)];
    if (result.from == From::slot) take(result);
    for (size_t s = 0; s < sources_.size(); ++s)
      if (sources_[s].from == From::slot && last_use[s] == static_cast<int>(i))
        free.push_back(sources_[s].slot);
  }
}

// Cheap ops that follow each other, from two on, become a piece in registers.
void TileProgram::divide_into_pieces() {
  const auto cheap = [&](const TileOp& op) {
    return op.vector && registers_->find(op.vector, 0, false);
  };
  for (size_t first = 0; first < ops_.size();) {
    size_t last = first;
    while (last < ops_.size() && cheap(ops_[last])) ++last;
    if (last - first >= 2)
      add_register_piece(first, last);
    else
      pieces_.push_back({first, last = first + 1, -1});
    first = last;
  }
}

// A product of something with itself, which a step reads once.
bool TileProgram::is_square(const TileOp& op) {
  return op.vector == f32::mul && op.in[0] == op.in[1];
}

// The operand of ops_[op] that the op before left in registers; -1: none.
int TileProgram::held_operand(size_t op, size_t first) const {
  for (int k = 0; op > first && k < ops_[op].inputs; ++k)
    if (ops_[op].in[static_cast<size_t>(k)] == ops_[op - 1].out) return k;
  return -1;
}

// True if somebody reads the result of ops_[op] from memory: all but the next op of the same piece,
// which ends at `last`, through one operand.
bool TileProgram::leaves_registers(size_t op, size_t last) const {
  const int16_t result = ops_[op].out;
  if (sources_[static_cast<size_t>(result)].from == From::memory) return true;
  int64_t reads = 0;
  for (size_t reader = op + 1; reader < ops_.size(); ++reader)
    reads += std::count(ops_[reader].in.begin(), ops_[reader].in.begin() + operands(ops_[reader]),
                        result);
  return reads != 1 || op + 1 == last || held_operand(op + 1, op) < 0;
}

void TileProgram::add_register_piece(size_t first, size_t last) {
  pieces_.push_back({first, last, static_cast<int64_t>(steps_.size())});
  const auto is_number = [&](int16_t source) {
    return sources_[static_cast<size_t>(source)].from == From::number;
  };
  const auto place = [&](int16_t source) {
    return f32::RegisterStep::Place{source, is_number(source) ? 0 : -1};
  };
  for (size_t i = first; i < last; ++i) {
    const TileOp& op = ops_[i];
    const int left = held_operand(i, first);
    const int held = left < 0 ? 0 : left;
    f32::RegisterStep& step = steps_.emplace_back();
    bool numbers = true;
    for (int k = 0; k < operands(op); ++k)
      numbers &= k == held || is_number(op.in[static_cast<size_t>(k)]);
    step.run = registers_->find(is_square(op) ? f32::square : op.vector, held, numbers);
    if (left < 0) step.held = place(op.in[0]);
    f32::RegisterStep::Place* other = step.others;
    for (int k = 0; k < operands(op); ++k)
      if (k != held) *other++ = place(op.in[static_cast<size_t>(k)]);
    if (leaves_registers(i, last)) step.result = place(op.out);
    for (size_t k = 0; k < kMaxParams; ++k) step.params[k] = detail::param_as<float>(op.params[k]);
  }
  steps_.emplace_back();
}

void TileProgram::begin(Scratch& scratch, int64_t longest) const {
  scratch.tiles = thread_tiles(static_cast<size_t>(slots_ * slot_bytes_));
  const int64_t count = std::min(longest, tile_);
  for (size_t s = 0; s < sources_.size(); ++s) {
    const Source& source = sources_[s];
    if (source.slot < 0) continue;
    std::byte* const tile = scratch.tiles + source.slot * slot_bytes_;
    scratch.at[s] = tile;
    if (source.from == From::number)
      move_elements(source.item, source.number.data(), 0, tile, 1, count);
  }
}

// Elements [begin, begin + count) of the present tile, op after op.
void TileProgram::run_ops(const Scratch& scratch, const Piece& piece, int64_t begin,
                          int64_t count) const {
  const auto at = [&](int16_t source) {
    const auto s = static_cast<size_t>(source);
    return scratch.at[s] + begin * sources_[s].item;
  };
  for (size_t i = piece.first; i < piece.last; ++i) {
    const TileOp& op = ops_[i];
    const void* in[kMaxOperands];
    for (size_t k = 0; k < op.inputs; ++k) in[k] = at(op.in[k]);
    auto* out = const_cast<std::byte*>(at(op.out));
    if (op.loop)
      op.loop(count, out, in, op.params.data());
    else
      convert(in[0], op.from_dtype, out, op.to_dtype, count);
  }
}

void TileProgram::segment(const Memory& memory, Scratch& scratch, int64_t begin, int64_t count,
                          void* state, See see) const {
  for (int64_t at = begin; at < begin + count; at += tile_) {
    const int64_t length = std::min(tile_, begin + count - at);
    for (const uint8_t s : outside_) {
      const Source& source = sources_[s];
      if (source.from == From::memory) {
        scratch.at[s] = memory.at<const std::byte>(source.place) + at * source.item;
      } else {
        const auto* data = memory.at<const std::byte>(source.place);
        std::byte* const tile = scratch.tiles + source.slot * slot_bytes_;
        scratch.at[s] = tile;
        source.range.for_each_run(
            at, length, [&](int64_t offset, int64_t stride, int64_t position, int64_t run) {
              if (run == length && stride == 1)
                scratch.at[s] = data + offset * source.item;
              else
                move_elements(source.item, data + offset * source.item, stride,
                              tile + position * source.item, 1, run);
            });
      }
    }
    for (const Piece& piece : pieces_) {
      int64_t done = 0;
      if (piece.step >= 0) {
        done = length / registers_->block * registers_->block;
        registers_->run(steps_.data() + piece.step, scratch.at.data(), done);
      }
      if (done < length) run_ops(scratch, piece, done, length - done);
    }
    if (see) see(state, scratch.at[static_cast<size_t>(ops_.back().out)], length);
  }
}

void TileProgram::run(const Memory& memory, int64_t first, int64_t last) const {
  Scratch scratch;
  begin(scratch, last - first);
  segment(memory, scratch, first, last - first);
}

void TileProgram::run_into(const Memory& memory, int64_t first, int64_t count, void* state,
                           See see) const {
  Scratch scratch;
  begin(scratch, count);
  segment(memory, scratch, first, count, state, see);
}

void TileProgram::run_block(const Memory& memory, int64_t row, int64_t rows, int64_t column,
                            int64_t columns, int64_t width) const {
  Scratch scratch;
  if (columns == width) {
    begin(scratch, rows * width);
    return segment(memory, scratch, row * width, rows * width);
  }
  begin(scratch, columns);
  for (int64_t r = row; r < row + rows; ++r) segment(memory, scratch, r * width + column, columns);
}

}  // namespace ingot::plan

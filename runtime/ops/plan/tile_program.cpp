#include "ops/plan/tile_program.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ops/plan/memory_order.h"
#include "tensor/convert.h"

namespace ingot::plan {

namespace {

constexpr int64_t kTileElements = 1024;

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
  tile_ = widest > 4 ? kTileElements / 2 : kTileElements;
  slot_bytes_ = tile_ * static_cast<int64_t>(widest);
  assign_slots();
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

void TileProgram::segment(const Memory& memory, Scratch& scratch, int64_t begin, int64_t count,
                          void* state, See see) const {
  for (int64_t at = begin; at < begin + count; at += tile_) {
    const int64_t length = std::min(tile_, begin + count - at);
    for (size_t s = 0; s < sources_.size(); ++s) {
      const Source& source = sources_[s];
      if (source.from == From::memory) {
        scratch.at[s] = memory.at<const std::byte>(source.place) + at * source.item;
      } else if (source.from == From::strided) {
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
    for (const TileOp& op : ops_) {
      const void* in[kMaxOperands];
      for (size_t k = 0; k < op.inputs; ++k) in[k] = scratch.at[static_cast<size_t>(op.in[k])];
      auto* out = const_cast<std::byte*>(scratch.at[static_cast<size_t>(op.out)]);
      if (op.loop)
        op.loop(length, out, in, op.params.data());
      else
        convert(in[0], op.from_dtype, out, op.to_dtype, length);
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

#include "ops/plan/elementwise_node.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include <ingot/check.h>
#include "base/thread_pool.h"
#include "ops/plan/memory_order.h"
#include "ops/plan/tile_program.h"

namespace ingot::plan {
namespace {

// Elements that are worth a thread of their own.
constexpr int64_t kGrain = 1 << 15;

using Kind = ElementwiseNode::Kind;

bool is_one(const Scalar& number) { return !number.is_complex() && number.to_double() == 1; }

// Relu and its like as bounds; NaN passes.
void note_clamp(ElementwiseNode& node, double low, double high) {
  node.kind = Kind::clamp;
  node.low = static_cast<float>(low);
  node.high = static_cast<float>(high);
}

void note_kind(ElementwiseNode& node, std::string_view name, const ElementwiseTypes& types) {
  if (types.compute != DType::f32 || types.result != DType::f32) return;
  name = name.substr(0, name.find('.'));
  if (name == "aten::add" && is_one(node.params[0])) node.kind = Kind::add;
  if (name == "aten::sub" && is_one(node.params[0])) node.kind = Kind::sub;
  if (name == "aten::mul") node.kind = Kind::mul;
  if (name == "aten::relu") note_clamp(node, 0, std::numeric_limits<double>::infinity());
  if (name == "aten::relu6") note_clamp(node, 0, 6);
  if (name == "aten::hardtanh")
    note_clamp(node, node.params[0].to_double(), node.params[1].to_double());
}

// The first stored output may take the place of an operand if no later op of the chain reads
// that operand, which would see what was written, and nobody reads it in another order.
Tensor replaceable_in(std::span<const ElementwiseNode* const> nodes) {
  const auto first = std::find_if(nodes.begin(), nodes.end(), [](auto* n) { return n->stored; });
  for (auto candidate = nodes.begin(); candidate <= first; ++candidate) {
    for (const ElementwiseNode::Source& source : (*candidate)->sources) {
      const Tensor& tensor = source.tensor;
      if (!tensor.defined() || is_constant(tensor) ||
          size_of(tensor.dtype()) != size_of((*first)->out.dtype()))
        continue;
      bool free = true;
      for (auto reader = nodes.begin(); reader != nodes.end(); ++reader)
        for (const ElementwiseNode::Source& other : (*reader)->sources)
          if (other.tensor.defined() && other.tensor.storage() == tensor.storage())
            free = free && reader <= first && same_order(other.tensor, (*reader)->out);
      if (free) return tensor;
    }
  }
  return {};
}

class TileStep final : public Step {
 public:
  TileStep(std::span<const std::unique_ptr<ElementwiseNode>> nodes, Layout& layout)
      : program_(nodes, layout),
        grain_(std::max<int64_t>(kGrain / static_cast<int64_t>(program_.ops()), 2048)) {}
  void run(const Memory& memory) const override {
    parallel_for(0, program_.numel(), grain_,
                 [&](int64_t begin, int64_t end) { program_.run(memory, begin, end); });
  }

 private:
  TileProgram program_;
  int64_t grain_;
};

}  // namespace

std::unique_ptr<ElementwiseNode> ElementwiseNode::record(const Op& op, const ElementwiseCall& call,
                                                         const ElementwiseTypes& types,
                                                         Tensor out) {
  auto node = std::make_unique<ElementwiseNode>();
  const Elementwise& row = *call.row;
  const std::string_view name = op.name();
  node->name = name.substr(name.find("::") + 2);
  node->name = node->name.substr(0, node->name.find('.'));
  node->loop = row.loop(types.compute);
  if (types.compute == DType::f32) node->vector = row.vector;
  std::copy_n(call.params, kMaxParams, node->params.begin());
  for (size_t i = 0; i < call.count; ++i) {
    Source& source = node->sources.emplace_back();
    source.dtype = static_cast<int>(i) == row.condition ? DType::boolean : types.compute;
    if (call.operands[i].tensor)
      source.tensor = *call.operands[i].tensor;
    else
      store_operand(call.operands[i].number, types, source.number.data());
  }
  node->out = std::move(out);
  note_kind(*node, name, types);
  return node;
}

std::unique_ptr<ElementwiseNode> ElementwiseNode::convert(Tensor from, Tensor out) {
  auto node = std::make_unique<ElementwiseNode>();
  node->name = from.dtype() == out.dtype() ? "copy" : concat("to ", out.dtype());
  node->sources.push_back({.tensor = from, .dtype = from.dtype()});
  node->out = std::move(out);
  return node;
}

float ElementwiseNode::number(size_t k) const {
  float value;
  std::memcpy(&value, sources[k].number.data(), sizeof(value));
  return value;
}

std::vector<Tensor> ElementwiseNode::inputs() const {
  std::vector<Tensor> tensors;
  for (const Source& source : sources)
    if (source.tensor.defined()) tensors.push_back(source.tensor);
  return tensors;
}

Tensor ElementwiseNode::replaceable() const {
  const ElementwiseNode* const self = this;
  return replaceable_in(std::span(&self, 1));
}

std::unique_ptr<Step> ElementwiseNode::make(Layout& layout) const {
  // A copy that took over the memory of what it copies.
  if (!loop && sources[0].dtype == out.dtype() && same_order(sources[0].tensor, out)) {
    const Place from = layout.place(sources[0].tensor), to = layout.place(out);
    if (from.base == to.base && from.offset == to.offset) return nullptr;
  }
  std::vector<std::unique_ptr<ElementwiseNode>> one;
  one.push_back(std::make_unique<ElementwiseNode>(*this));
  return std::make_unique<TileStep>(one, layout);
}

bool same_order(const Tensor& operand, const Tensor& out) {
  if (operand.numel() != out.numel() || operand.rank() > out.rank()) return false;
  if (operand.data() != operand.storage()->data) return false;
  if (operand.sizes() == out.sizes() && operand.strides() == out.strides()) return true;
  for (int d = 0; d < operand.rank(); ++d)
    if (operand.size(d) != out.size(d + out.rank() - operand.rank())) return false;
  return range_in_order_of(out, operand).contiguous();
}

std::vector<Tensor> inputs_of(std::span<const std::unique_ptr<ElementwiseNode>> nodes) {
  std::vector<Tensor> tensors;
  const auto made_here = [&](const Tensor& tensor) {
    for (const auto& node : nodes)
      if (node->out.storage() == tensor.storage()) return true;
    return false;
  };
  for (const auto& node : nodes)
    for (const ElementwiseNode::Source& source : node->sources)
      if (source.tensor.defined() && !made_here(source.tensor)) tensors.push_back(source.tensor);
  return tensors;
}

std::string describe_chain(std::span<const std::unique_ptr<ElementwiseNode>> nodes) {
  std::string text;
  for (const auto& node : nodes) text += (text.empty() ? "" : "+") + node->name;
  return text;
}

std::vector<Tensor> FusedNode::inputs() const { return inputs_of(nodes_); }

std::vector<Tensor> FusedNode::outputs() const {
  std::vector<Tensor> tensors;
  for (const auto& node : nodes_)
    if (node->stored) tensors.push_back(node->out);
  return tensors;
}

Tensor FusedNode::replaceable() const {
  std::vector<const ElementwiseNode*> nodes;
  for (const auto& node : nodes_) nodes.push_back(node.get());
  return replaceable_in(nodes);
}

std::unique_ptr<Step> FusedNode::make(Layout& layout) const {
  return std::make_unique<TileStep>(nodes_, layout);
}

std::string FusedNode::describe() const { return describe_chain(nodes_); }

// What an operand repeats, or several operands share, is read once.
Cost Node::cost() const {
  Cost cost;
  std::vector<std::pair<const void*, double>> seen;
  for (const auto& tensors : {inputs(), outputs()}) {
    for (const Tensor& tensor : tensors) {
      double bytes = static_cast<double>(size_of(tensor.dtype()));
      for (int d = 0; d < tensor.rank(); ++d)
        if (tensor.stride(d) != 0 || tensor.size(d) == 0)
          bytes *= static_cast<double>(tensor.size(d));
      const std::pair<const void*, double> one = {tensor.data(), bytes};
      if (std::find(seen.begin(), seen.end(), one) != seen.end()) continue;
      seen.push_back(one);
      cost.bytes += bytes;
    }
  }
  return cost;
}

}  // namespace ingot::plan

#include "exec/plan/fuse.h"

#include <algorithm>
#include <limits>
#include <map>

#include "exec/plan/options.h"
#include "ops/plan/matrix_node.h"
#include "ops/plan/reduce_node.h"

namespace ingot {
namespace {

using plan::ElementwiseNode;
using plan::MatrixNode;
using plan::Node;
using plan::ReduceNode;
using plan::same_order;

constexpr size_t kMostOps = 48;
// Rows below this are too short to run a chain for each.
constexpr int64_t kLeastRow = 64;
constexpr size_t kNone = std::numeric_limits<size_t>::max();

// Nodes that run as one: at most one matrix product, first, then elementwise nodes, or elementwise
// nodes and a reduction. A group runs at the place of its last node.
struct Group {
  MatrixNode* matrix = nullptr;
  size_t reduction = kNone;          // position; nothing joins after it
  std::vector<size_t> members = {};  // positions of the elementwise nodes, in order
  bool elementwise() const { return !matrix; }
};

class Fusion {
 public:
  explicit Fusion(Tape& tape)
      : tape_(tape),
        count_(tape.nodes.size()),
        group_of_(count_, kNone),
        producer_(tape.buffers.size(), kNone),
        readers_(tape.buffers.size()) {}

  void run() {
    for (size_t i = 0; i < count_; ++i) {
      for (const Tensor& tensor : tape_.nodes[i]->inputs())
        if (!plan::is_constant(tensor)) readers_[Tape::buffer_of(tensor)].push_back(i);
      for (const Tensor& tensor : tape_.nodes[i]->outputs()) producer_[Tape::buffer_of(tensor)] = i;
    }
    for (size_t i = 0; i < count_; ++i) {
      MatrixNode* const matrix = tape_.nodes[i]->as_matrix();
      ElementwiseNode* const node = tape_.nodes[i]->as_elementwise();
      if (matrix && plan_stage_enabled(PlanStage::epilogue)) {
        group_of_[i] = groups_.size();
        groups_.push_back({.matrix = matrix});
      } else if (node && plan_stage_enabled(PlanStage::fuse)) {
        join(i, *node);
      } else if (ReduceNode* const reduction = tape_.nodes[i]->as_reduction();
                 reduction && plan_stage_enabled(PlanStage::fuse)) {
        join_reduction(i, *reduction);
      }
    }
    rebuild();
  }

 private:
  // The buffers of a group's values.
  template <class Visit>
  void for_each_value(const Group& group, Visit&& visit) const {
    if (group.matrix) visit(Tape::buffer_of(group.matrix->out()));
    for (const size_t member : group.members)
      visit(Tape::buffer_of(tape_.nodes[member]->as_elementwise()->out));
  }

  // True if `node` at `position` may join: it reads the group's values as its loop makes them,
  // and nobody outside the group needs them earlier.
  bool may_join(size_t number, size_t position, const ElementwiseNode& node) const {
    const Group& group = groups_[number];
    if (group.members.size() >= kMostOps || group.reduction != kNone) return false;
    bool allowed = true;
    for_each_value(group, [&](size_t buffer) {
      for (const ElementwiseNode::Source& source : node.sources)
        if (source.tensor.defined() && !plan::is_constant(source.tensor) &&
            Tape::buffer_of(source.tensor) == buffer)
          allowed = allowed && same_order(source.tensor, node.out) &&
                    source.tensor.numel() == tape_.buffers[buffer].whole.numel();
      for (const size_t reader : readers_[buffer])
        if (reader < position && group_of_[reader] != number) allowed = false;
    });
    return allowed;
  }

  void join(size_t position, ElementwiseNode& node) {
    std::vector<size_t> candidates;
    for (const ElementwiseNode::Source& source : node.sources) {
      if (!source.tensor.defined() || plan::is_constant(source.tensor)) continue;
      const size_t producer = producer_[Tape::buffer_of(source.tensor)];
      if (producer == kNone || group_of_[producer] == kNone) continue;
      if (may_join(group_of_[producer], position, node)) candidates.push_back(group_of_[producer]);
    }
    if (candidates.empty()) {
      group_of_[position] = groups_.size();
      groups_.push_back({.members = {position}});
      return;
    }
    // A product rather than a chain, and the latest: its operands are the freshest in cache.
    size_t chosen = candidates[0];
    for (const size_t candidate : candidates) {
      const bool better = groups_[candidate].elementwise() == groups_[chosen].elementwise()
                              ? candidate > chosen
                              : groups_[chosen].elementwise();
      if (better) chosen = candidate;
    }
    group_of_[position] = chosen;
    groups_[chosen].members.push_back(position);
    // Chains that also feed this node come along if nothing keeps them apart.
    for (const size_t other : candidates)
      if (other != chosen && groups_[other].elementwise() && !groups_[other].members.empty() &&
          groups_[other].reduction == kNone)
        merge(other, chosen, position);
  }

  // A reduction ends the chain that makes its rows, if nobody else reads them.
  void join_reduction(size_t position, const ReduceNode& reduction) {
    const size_t buffer = Tape::buffer_of(reduction.in());
    const size_t producer = producer_[buffer];
    if (reduction.width() < kLeastRow || producer == kNone || group_of_[producer] == kNone) return;
    const size_t number = group_of_[producer];
    Group& group = groups_[number];
    const bool last = group.elementwise() && !group.members.empty() &&
                      group.members.back() == producer && group.reduction == kNone;
    if (!last || tape_.buffers[buffer].leaves || readers_[buffer].size() != 1 ||
        !same_order(reduction.in(), tape_.nodes[producer]->as_elementwise()->out))
      return;
    bool apart = false;
    for_each_value(group, [&](size_t value) {
      for (const size_t reader : readers_[value])
        if (reader < position && group_of_[reader] != number) apart = true;
    });
    if (apart) return;
    group.reduction = position;
    group_of_[position] = number;
  }

  void merge(size_t from, size_t to, size_t position) {
    Group& source = groups_[from];
    Group& target = groups_[to];
    if (source.members.size() + target.members.size() > kMostOps) return;
    const ElementwiseNode& last = *tape_.nodes[position]->as_elementwise();
    for (const size_t member : source.members)
      if (!same_order(tape_.nodes[member]->as_elementwise()->out, last.out)) return;
    // Everything between must stay outside: no other node before `position` reads the chain.
    bool apart = false;
    for_each_value(source, [&](size_t buffer) {
      for (const size_t reader : readers_[buffer])
        if (reader < position && group_of_[reader] != from) apart = true;
    });
    // And the chain must not need what the product's group makes by another way.
    if (apart) return;
    for (const size_t member : source.members) group_of_[member] = to;
    target.members.insert(target.members.end(), source.members.begin(), source.members.end());
    std::sort(target.members.begin(), target.members.end());
    source.members.clear();
  }

  // A value without readers counts too: it is made for the faults that its making may meet.
  bool read_outside(size_t buffer, size_t number) const {
    if (tape_.buffers[buffer].leaves || readers_[buffer].empty()) return true;
    return std::any_of(readers_[buffer].begin(), readers_[buffer].end(),
                       [&](size_t reader) { return group_of_[reader] != number; });
  }

  std::unique_ptr<ElementwiseNode> take(size_t position) {
    return std::unique_ptr<ElementwiseNode>(
        static_cast<ElementwiseNode*>(tape_.nodes[position].release()));
  }

  // Puts each group in the place of its last node.
  void rebuild() {
    std::vector<std::unique_ptr<Node>> rebuilt(count_);
    for (size_t i = 0; i < count_; ++i) {
      const size_t number = group_of_[i];
      if (number == kNone) {
        rebuilt[i] = std::move(tape_.nodes[i]);
        continue;
      }
      Group& group = groups_[number];
      if (group.matrix && tape_.nodes[i].get() == group.matrix) {
        const size_t last = group.members.empty() ? i : group.members.back();
        rebuilt[last] = finish_matrix(group, number, std::move(tape_.nodes[i]));
      } else if (group.elementwise() && !group.members.empty() && group.members[0] == i) {
        const size_t last = group.reduction != kNone ? group.reduction : group.members.back();
        rebuilt[last] = finish_chain(group, number);
      }
    }
    tape_.nodes.clear();
    for (auto& node : rebuilt)
      if (node) tape_.nodes.push_back(std::move(node));
  }

  std::vector<std::unique_ptr<ElementwiseNode>> chain(const Group& group, size_t number,
                                                      size_t first) {
    std::vector<std::unique_ptr<ElementwiseNode>> nodes;
    for (size_t k = first; k < group.members.size(); ++k) {
      nodes.push_back(take(group.members[k]));
      nodes.back()->stored = read_outside(Tape::buffer_of(nodes.back()->out), number);
    }
    return nodes;
  }

  std::unique_ptr<Node> finish_chain(const Group& group, size_t number) {
    const uint32_t origin = tape_.nodes[group.members.back()]->origin;
    auto nodes = chain(group, number, 0);
    if (group.reduction != kNone) {
      std::unique_ptr<Node> node = std::move(tape_.nodes[group.reduction]);
      node->as_reduction()->set_chain(std::move(nodes));
      return node;
    }
    if (nodes.size() == 1) return std::move(nodes[0]);
    auto fused = std::make_unique<plan::FusedNode>(std::move(nodes));
    fused->origin = origin;
    return fused;
  }

  std::unique_ptr<Node> finish_matrix(const Group& group, size_t number,
                                      std::unique_ptr<Node> node) {
    MatrixNode& matrix = *group.matrix;
    const bool fold = plan_stage_enabled(PlanStage::fold);
    size_t next = 0;
    for (; next < group.members.size(); ++next) {
      const size_t buffer = Tape::buffer_of(matrix.out());
      // A value that others read, or that two ops of the group read, must exist by itself.
      if (read_outside(buffer, number) || readers_[buffer].size() != 1) break;
      if (readers_[buffer][0] != group.members[next]) break;
      const ElementwiseNode& candidate = *tape_.nodes[group.members[next]]->as_elementwise();
      if (!matrix.absorb(candidate, fold)) break;
    }
    if (next < group.members.size()) {
      const bool keep = read_outside(Tape::buffer_of(matrix.out()), number);
      auto nodes = chain(group, number, next);
      matrix.set_tail(std::move(nodes), keep);
    }
    return node;
  }

  Tape& tape_;
  const size_t count_;
  std::vector<Group> groups_;
  std::vector<size_t> group_of_;
  std::vector<size_t> producer_;
  std::vector<std::vector<size_t>> readers_;
};

}  // namespace

void fuse(Tape& tape) { Fusion(tape).run(); }

void drop_dead_nodes(Tape& tape) {
  std::vector<bool> read(tape.buffers.size());
  for (size_t i = 0; i < read.size(); ++i) read[i] = tape.buffers[i].leaves;
  for (size_t i = tape.nodes.size(); i-- > 0;) {
    const auto inputs = tape.nodes[i]->inputs();
    bool needed = std::any_of(inputs.begin(), inputs.end(),
                              [](const Tensor& tensor) { return is_integral(tensor.dtype()); });
    for (const Tensor& tensor : tape.nodes[i]->outputs())
      needed = needed || read[Tape::buffer_of(tensor)];
    if (!needed) {
      tape.nodes[i].reset();
      continue;
    }
    for (const Tensor& tensor : inputs)
      if (!plan::is_constant(tensor)) read[Tape::buffer_of(tensor)] = true;
  }
  std::erase(tape.nodes, nullptr);
}

}  // namespace ingot

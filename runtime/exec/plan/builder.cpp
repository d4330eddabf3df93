#include "exec/plan/builder.h"

#include <algorithm>

#include <ingot/check.h>
#include "base/thread_pool.h"
#include "exec/plan/arena.h"
#include "exec/plan/fuse.h"
#include "exec/plan/options.h"
#include "exec/plan/tape.h"
#include "ops/container.h"
#include "ops/schema.h"

namespace ingot {
namespace {

using plan::Memory;
using plan::Place;

// Runs the region's instructions on abstract values. Registers that no instruction wrote are
// None.
class RegionRun {
 public:
  RegionRun(const Code& code, const Region& region, const Value* registers, Tape& tape)
      : code_(code), region_(region), tape_(tape), registers_(code.registers) {
    for (const int32_t input : region.inputs)
      registers_[static_cast<size_t>(input)] = tape.input(registers[input]);
  }

  // The instruction that it stopped at: the region's end, or one that needs elements.
  uint32_t run() {
    for (pc_ = region_.begin; pc_ < region_.end; ++pc_) {
      const Instruction& i = code_.instructions[pc_];
      tape_.set_origin(pc_);
      try {
        step(i);
      } catch (const DataDependent&) {
        return pc_;
      }
    }
    return region_.end;
  }

  const Value& value(int32_t register_) const { return registers_[static_cast<size_t>(register_)]; }

 private:
  const Value& in(const Instruction& i, uint32_t k) const {
    const int32_t operand = code_.operands[i.first + k];
    return operand >= 0 ? registers_[static_cast<size_t>(operand)]
                        : code_.constants[static_cast<size_t>(~operand)];
  }
  void set(const Instruction& i, uint32_t k, Value value) {
    registers_[static_cast<size_t>(code_.operands[i.first + i.inputs + k])] = std::move(value);
  }
  std::vector<Value> inputs(const Instruction& i) const {
    std::vector<Value> values;
    for (uint32_t k = 0; k < i.inputs; ++k) values.push_back(in(i, k));
    return values;
  }

  void unpack(const Instruction& i) {
    // Holds the elements: the register that the sequence comes from may be among those set.
    const Value sequence = in(i, 0);
    const std::vector<Value>& elements =
        sequence.is_tuple() ? sequence.to_tuple().elements : sequence.to_list().elements;
    INGOT_CHECK(elements.size() == i.outputs, elements.size(), " elements cannot be unpacked into ",
                i.outputs);
    for (uint32_t k = 0; k < i.outputs; ++k) set(i, k, elements[k]);
  }

  void step(const Instruction& i) {
    switch (i.opcode) {
      case Opcode::op:
        return tape_.call(
            *i.op, {registers_.data(), code_.constants.data(), &code_.operands[i.first], i.inputs},
            {registers_.data(), &code_.operands[i.first + i.inputs]});
      case Opcode::mutating_op: {
        const Tensor self = in(i, 0).tensor();
        Storage* const written = tape_.call_in_place(
            *pure_form(*i.op),
            {registers_.data(), code_.constants.data(), &code_.operands[i.first], i.inputs});
        // All that aliases the old value sees the new one.
        for (Value& value : registers_) {
          if (value.is_tensor() ? value.tensor().storage() == self.storage() : !!value.object())
            value = moved(value, self.storage(), written);
        }
        if (i.outputs > 0) set(i, 0, in(i, 0));
        return;
      }
      case Opcode::fresh_container: return set(i, 0, copy_containers(in(i, 0)));
      case Opcode::list_construct: return set(i, 0, Value::list(inputs(i)));
      case Opcode::tuple_construct: {
        auto* tuple = new Tuple(inputs(i));
        tuple->names = code_.tuple_names[i.aux];
        return set(i, 0, Value(static_cast<Object*>(tuple)));
      }
      case Opcode::list_unpack:
      case Opcode::tuple_unpack: return unpack(i);
      case Opcode::tuple_index: {
        const auto& elements = in(i, 0).to_tuple().elements;
        INGOT_CHECK(i.aux < elements.size(), "a tuple of ", elements.size(), " has no element ",
                    i.aux);
        return set(i, 0, elements[i.aux]);
      }
      case Opcode::cast:
        INGOT_CHECK(holds(*code_.types[i.aux], in(i, 0)), "the value is no ",
                    code_.types[i.aux]->str());
        return set(i, 0, in(i, 0));
      case Opcode::guard: INGOT_CHECK(in(i, 0).to_bool(), code_.texts[i.aux]); return;
      case Opcode::move: return;  // clears registers
      default: fail(ErrorCode::internal, "an instruction that no plan can hold");
    }
  }

  // `value` with its tensors on storage `from` moved to `to`. Containers are copied: a region
  // does not change or compare those that it made.
  Value moved(const Value& value, const Storage* from, Storage* to) const {
    bool found = false;
    plan::for_each_tensor(value, [&](const Tensor& t) { found = found || t.storage() == from; });
    if (!found) return value;
    return plan::with_tensors(value, [&](const Tensor& tensor) {
      if (tensor.storage() != from) return tensor;
      const Tensor& whole = tape_.buffers[Tape::buffer_of(to)].whole;
      return whole.as_strided(
          tensor.sizes(), tensor.strides(),
          (tensor.data<std::byte>() - from->data) / static_cast<int64_t>(size_of(tensor.dtype())));
    });
  }

  const Code& code_;
  const Region& region_;
  Tape& tape_;
  std::vector<Value> registers_;
  uint32_t pc_ = 0;
};

// Registers that [begin, end) writes and leaves set.
std::vector<int32_t> written_registers(const Code& code, uint32_t begin, uint32_t end) {
  std::vector<int32_t> written;
  for (uint32_t pc = begin; pc < end; ++pc) {
    const Instruction& i = code.instructions[pc];
    const int32_t* const outputs = &code.operands[i.first] + i.inputs;
    written.insert(written.end(), outputs, outputs + i.outputs);
    for (uint32_t k = 0; k < i.clears; ++k) std::erase(written, outputs[i.outputs + k]);
  }
  return written;
}

// Of what the plan's making computed; the program's own tensors are read-only.
size_t constant_bytes(const Tape& tape) {
  std::vector<const Storage*> counted;
  size_t bytes = 0;
  for (const auto& node : tape.nodes)
    for (const Tensor& tensor : node->inputs()) {
      if (!plan::is_constant(tensor) || !tensor.writable()) continue;
      if (std::find(counted.begin(), counted.end(), tensor.storage()) != counted.end()) continue;
      counted.push_back(tensor.storage());
      bytes += tensor.storage()->bytes;
    }
  return bytes;
}

class MemoryLayout final : public plan::Layout {
 public:
  MemoryLayout(const Tape& tape, Plan& plan) : plan_(plan), places_(tape.buffers.size()) {
    const auto inputs = static_cast<int32_t>(tape.inputs.size());
    for (size_t id = 0; id < tape.buffers.size(); ++id) {
      const Buffer& buffer = tape.buffers[id];
      if (buffer.input >= 0) {
        places_[id] = {Memory::kFirstInput + buffer.input, 0};
      } else if (buffer.leaves) {
        places_[id] = {Memory::kFirstInput + inputs + static_cast<int32_t>(plan.outputs.size()), 0};
        plan.outputs.push_back(buffer.whole.info());
      } else {
        places_[id] = {-1, 0};
      }
    }
    lay_out_arena(tape);
  }

  Place place(const Tensor& tensor) const override {
    if (plan::is_constant(tensor)) {
      plan_.constants.push_back(tensor);
      return {Memory::kConstants, reinterpret_cast<int64_t>(tensor.data())};
    }
    Place place = places_[Tape::buffer_of(tensor)];
    if (place.base < 0) fail(ErrorCode::internal, "a value of the plan has no memory");
    place.offset += tensor.data<std::byte>() - tensor.storage()->data;
    return place;
  }
  Place workspace() const override { return workspaces_[node_]; }
  size_t new_call() override { return plan_.calls++; }
  void set_node(size_t node) { node_ = node; }

 private:
  void lay_out_arena(const Tape& tape) {
    struct Owner {
      int64_t buffer;  // -1: the workspace of a node
      size_t node;
    };
    std::vector<Lifetime> lifetimes;
    std::vector<Owner> owners;
    std::vector<int32_t> lifetime_of(tape.buffers.size(), -1);
    for (size_t n = 0; n < tape.nodes.size(); ++n) {
      const plan::Node& node = *tape.nodes[n];
      for (const Tensor& tensor : node.inputs())
        if (!plan::is_constant(tensor))
          if (const int32_t at = lifetime_of[Tape::buffer_of(tensor)]; at >= 0)
            lifetimes[static_cast<size_t>(at)].last = n;
      Tensor replaceable = node.replaceable();
      for (const Tensor& tensor : node.outputs()) {
        const size_t id = Tape::buffer_of(tensor);
        if (places_[id].base >= 0 || lifetime_of[id] >= 0) continue;  // written before: a part now
        Lifetime lifetime{.bytes = tensor.storage()->bytes, .first = n, .last = n};
        if (replaceable.defined()) lifetime.replaces = lifetime_of[Tape::buffer_of(replaceable)];
        replaceable = Tensor();
        lifetime_of[id] = static_cast<int32_t>(lifetimes.size());
        lifetimes.push_back(lifetime);
        owners.push_back({static_cast<int64_t>(id), n});
      }
      if (const size_t bytes = node.workspace(); bytes > 0) {
        lifetimes.push_back({.bytes = bytes, .first = n, .last = n});
        owners.push_back({-1, n});
      }
    }
    plan_.arena_bytes = lay_out(lifetimes, plan_stage_enabled(PlanStage::reuse));
    workspaces_.resize(tape.nodes.size());
    for (size_t k = 0; k < lifetimes.size(); ++k) {
      const Place place{Memory::kArena, lifetimes[k].offset};
      if (owners[k].buffer >= 0)
        places_[static_cast<size_t>(owners[k].buffer)] = place;
      else
        workspaces_[owners[k].node] = place;
    }
  }

  Plan& plan_;
  std::vector<Place> places_;
  std::vector<Place> workspaces_;
  size_t node_ = 0;
};

// How the tensors of a result come out of the run's inputs and outputs.
class ResultWriter {
 public:
  ResultWriter(const Tape& tape, Plan& plan) : tape_(tape), plan_(plan) {
    int32_t next = Memory::kFirstInput + static_cast<int32_t>(tape.inputs.size());
    for (const Buffer& buffer : tape.buffers)
      bases_.push_back(buffer.input >= 0 ? Memory::kFirstInput + buffer.input
                       : buffer.leaves   ? next++
                                         : -1);
  }

  void add(int32_t register_, const Value& value) {
    Plan::Result result{.register_ = register_, .leaving = -1, .composite = false, .value = value};
    plan::for_each_tensor(value, [&](const Tensor& tensor) {
      if (plan::is_constant(tensor)) return;
      result.composite = true;
      const auto at = static_cast<int32_t>(plan_.leaving.size());
      if (value.is_tensor()) result.leaving = at;
      leave(tensor);
    });
    // Lists are made anew by every run.
    if (value.is_list() || value.is_dict()) result.composite = true;
    plan_.results.push_back(std::move(result));
  }

 private:
  void leave(const Tensor& tensor) {
    const size_t id = Tape::buffer_of(tensor);
    const Tensor& whole = tape_.buffers[id].whole;
    plan_.abstract.push_back(tensor);
    plan_.leaving.push_back({.tensor = tensor.impl(),
                             .base = bases_[id],
                             .whole = tensor.data() == whole.data() &&
                                      tensor.sizes() == whole.sizes() &&
                                      tensor.strides() == whole.strides(),
                             .sizes = tensor.sizes(),
                             .strides = tensor.strides(),
                             .offset = (tensor.data<std::byte>() - tensor.storage()->data) /
                                       static_cast<int64_t>(size_of(tensor.dtype()))});
  }

  const Tape& tape_;
  Plan& plan_;
  std::vector<int32_t> bases_;
};

}  // namespace

const Op* pure_form(const Op& op) {
  std::string name(op.name());
  const size_t end = std::min(name.find('.'), name.size());
  if (name[end - 1] != '_' || op.definition().random) return nullptr;
  name.erase(end - 1, 1);
  const Op* const pure = find_op(name);
  if (!pure || !pure->definition().infer || pure->schema().returns.size() != 1 ||
      pure->schema().arguments.size() != op.schema().arguments.size())
    return nullptr;
  return pure;
}

std::shared_ptr<const Plan> build_plan(const Code& code, const Region& region,
                                       const Value* registers, plan::Weights& weights,
                                       Precision precision) {
  plan::Weights own(weights);
  Tape tape(own, precision);
  RegionRun run(code, region, registers, tape);
  auto plan = std::make_shared<Plan>();
  plan->signature = Signature(registers, region.inputs);
  plan->threads = pool_threads();
  plan->end = run.run();
  if (plan->end == region.begin) return nullptr;

  std::vector<std::pair<int32_t, Value>> results;
  for (const int32_t written : written_registers(code, region.begin, plan->end))
    results.emplace_back(written, tape.leaving(run.value(written)));
  drop_dead_nodes(tape);
  fuse(tape);

  MemoryLayout layout(tape, *plan);
  for (size_t n = 0; n < tape.nodes.size(); ++n) {
    layout.set_node(n);
    const plan::Node& node = *tape.nodes[n];
    auto step = node.make(layout);
    if (!step) continue;
    plan->steps.push_back(std::move(step));
    plan->infos.push_back({node.describe(), node.origin, node.cost()});
  }
  ResultWriter leaving(tape, *plan);
  const Instruction& next = code.instructions[plan->end];
  for (const auto& [register_, value] : results) {
    if (next.opcode == Opcode::finish && code.operands[next.first] == register_)
      plan->returned = static_cast<int32_t>(plan->results.size());
    leaving.add(register_, value);
  }
  constexpr size_t kStepBytes = 1024;
  plan->bytes = sizeof(Plan) + plan->steps.size() * kStepBytes + constant_bytes(tape);
  return plan;
}

}  // namespace ingot

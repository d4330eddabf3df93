#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <utility>

#include <ingot/check.h>
#include "exec/code.h"
#include "ops/schema.h"

namespace ingot {
namespace {

// One block at a time: every value gets a register or, if it never changes, a constant;
// a register is cleared after the last instruction of its block that reads it.
class MethodCompiler {
 public:
  MethodCompiler(const Program& program, const Method& method)
      : program_(program), method_(method), places_(method.values.size(), kNoPlace) {
    code_.method = &method;
  }

  Code compile() {
    find_shared_containers(method_.body);
    for (const ValueId input : method_.body.inputs) new_register(input);
    code_.registers = next_register_;
    block(method_.body, method_.body.inputs, [&](const std::vector<int32_t>& clears) {
      // The result stays in its register until the caller takes it.
      const ValueId result = method_.body.outputs[0];
      std::vector<int32_t> others = clears;
      std::erase(others, places_[result]);
      emit({.opcode = Opcode::finish}, {places_[result]}, {}, others);
    });
    return std::move(code_);
  }

 private:
  using Dead = std::function<std::vector<int32_t>()>;
  using Finish = std::function<void(const std::vector<int32_t>&)>;

  static constexpr int32_t kNoPlace = std::numeric_limits<int32_t>::min();

  // Constant containers that some use may change or hold on to need a fresh copy per run.
  void find_shared_containers(const Block& body) {
    for (const Node& node : body.nodes) {
      if (node.prim == Prim::constant && node.value.object() && !node.value.is_string()) {
        pooled_container_[node.outputs[0]] = true;
      } else {
        for (size_t i = 0; i < node.inputs.size(); ++i) {
          const auto list = pooled_container_.find(node.inputs[i]);
          if (list == pooled_container_.end()) continue;
          if (node.prim != Prim::none || !node.op->schema().arguments[i].alias.empty())
            list->second = false;
        }
      }
      for (const Block& inner : node.blocks) find_shared_containers(inner);
    }
    for (const ValueId output : body.outputs)
      if (const auto list = pooled_container_.find(output); list != pooled_container_.end())
        list->second = false;
  }

  int32_t new_register(ValueId value) {
    places_[value] = static_cast<int32_t>(next_register_++);
    code_.registers = std::max(code_.registers, next_register_);
    code_.register_kinds.resize(code_.registers, TypeKind::none);
    code_.register_kinds[next_register_ - 1] = method_.values[value].type->kind;
    code_.holds_instances.resize(code_.registers);
    if (holds_instances(*method_.values[value].type))
      code_.holds_instances[next_register_ - 1] = true;
    return places_[value];
  }

  static bool holds_instances(const Type& type) {
    return type.kind == TypeKind::object ||
           std::any_of(type.elements.begin(), type.elements.end(),
                       [](const TypePtr& element) { return holds_instances(*element); });
  }

  int32_t temporary() {
    code_.registers = std::max(code_.registers, next_register_ + 1);
    code_.register_kinds.resize(code_.registers, TypeKind::integer);
    code_.holds_instances.resize(code_.registers);
    return static_cast<int32_t>(next_register_++);
  }

  int32_t constant(Value value) {
    code_.constants.push_back(std::move(value));
    return ~static_cast<int32_t>(code_.constants.size() - 1);
  }

  void emit(Instruction instruction, const std::vector<int32_t>& inputs,
            const std::vector<int32_t>& outputs, const std::vector<int32_t>& clears = {}) {
    instruction.first = static_cast<uint32_t>(code_.operands.size());
    instruction.inputs = static_cast<uint32_t>(inputs.size());
    instruction.outputs = static_cast<uint32_t>(outputs.size());
    instruction.clears = static_cast<uint32_t>(clears.size());
    instruction.source = source_;
    for (const auto* list : {&inputs, &outputs, &clears})
      code_.operands.insert(code_.operands.end(), list->begin(), list->end());
    code_.instructions.push_back(instruction);
  }

  uint32_t here() const { return static_cast<uint32_t>(code_.instructions.size()); }

  std::vector<int32_t> places(const std::vector<ValueId>& values) const {
    std::vector<int32_t> result;
    for (const ValueId value : values) result.push_back(places_[value]);
    return result;
  }

  // Compiles the nodes of a block; `finish` emits what uses its outputs and is given the
  // registers that live until then. `own` are values that die with the block besides those
  // that its nodes define.
  void block(const Block& body, const std::vector<ValueId>& own, const Finish& finish) {
    // Position of the last node (or the end) that reads each value defined in this block.
    std::map<ValueId, size_t> last;
    const size_t end = body.nodes.size();
    for (const ValueId value : own) last[value] = 0;
    for (size_t i = 0; i < end; ++i) {
      mark_uses(body.nodes[i], i, last);
      for (const ValueId value : body.nodes[i].outputs) last[value] = i;
    }
    for (const ValueId value : body.outputs)
      if (const auto found = last.find(value); found != last.end()) found->second = end;

    std::vector<std::vector<int32_t>> clears(end + 1);
    std::vector<std::vector<ValueId>> dying(end + 1);
    for (const auto& [value, position] : last) dying[position].push_back(value);
    for (size_t i = 0; i < end; ++i) {
      source_ = body.nodes[i].source;
      node(body.nodes[i], [&] {
        std::vector<int32_t> registers;
        for (const ValueId value : dying[i])
          if (places_[value] >= 0) registers.push_back(places_[value]);
        return registers;
      });
    }
    std::vector<int32_t> registers;
    for (const ValueId value : dying[end])
      if (places_[value] >= 0) registers.push_back(places_[value]);
    finish(registers);
  }

  static void mark_uses(const Node& node, size_t position, std::map<ValueId, size_t>& last) {
    const auto mark = [&](const std::vector<ValueId>& values) {
      for (const ValueId value : values)
        if (const auto found = last.find(value); found != last.end()) found->second = position;
    };
    mark(node.inputs);
    for (const Block& inner : node.blocks) {
      for (const Node& nested : inner.nodes) mark_uses(nested, position, last);
      mark(inner.outputs);
    }
  }

  // `dead` lists the registers to clear after the node; it is asked once outputs have places.
  void node(const Node& node, const Dead& dead) {
    switch (node.prim) {
      case Prim::constant:
        if (const auto list = pooled_container_.find(node.outputs[0]);
            list != pooled_container_.end() && !list->second) {
          const int32_t pooled = constant(node.value);
          const int32_t fresh = new_register(node.outputs[0]);
          emit({.opcode = Opcode::fresh_container}, {pooled}, {fresh}, dead());
          return;
        }
        places_[node.outputs[0]] = constant(node.value);
        return clear(dead());
      case Prim::uninitialized: places_[node.outputs[0]] = constant(Value()); return clear(dead());
      case Prim::get_state: {
        const StateEntry& entry = program_.state[node.index];
        if (!entry.is_mutable) {
          places_[node.outputs[0]] = constant(entry.value);
          return clear(dead());
        }
        code_.uses_mutable_state = true;
        return simple(
            node, {.opcode = Opcode::load_state, .aux = static_cast<uint32_t>(node.index)}, dead);
      }
      case Prim::set_state:
        code_.uses_mutable_state = true;
        return simple(
            node, {.opcode = Opcode::store_state, .aux = static_cast<uint32_t>(node.index)}, dead);
      case Prim::if_: return if_node(node, dead);
      case Prim::loop: return loop_node(node, dead);
      case Prim::list_construct: return simple(node, {.opcode = Opcode::list_construct}, dead);
      case Prim::list_unpack: return simple(node, {.opcode = Opcode::list_unpack}, dead);
      case Prim::tuple_construct: {
        code_.tuple_names.push_back(names_of(*method_.values[node.outputs[0]].type));
        return simple(node,
                      {.opcode = Opcode::tuple_construct,
                       .aux = static_cast<uint32_t>(code_.tuple_names.size() - 1)},
                      dead);
      }
      case Prim::tuple_unpack: return simple(node, {.opcode = Opcode::tuple_unpack}, dead);
      case Prim::tuple_index:
        return simple(
            node, {.opcode = Opcode::tuple_index, .aux = static_cast<uint32_t>(node.index)}, dead);
      case Prim::dict_construct: return simple(node, {.opcode = Opcode::dict_construct}, dead);
      case Prim::call:
        return simple(node, {.opcode = Opcode::call, .aux = static_cast<uint32_t>(node.index)},
                      dead);
      case Prim::cast:
        code_.types.push_back(method_.values[node.outputs[0]].type);
        return simple(
            node, {.opcode = Opcode::cast, .aux = static_cast<uint32_t>(code_.types.size() - 1)},
            dead);
      case Prim::try_cast:
        code_.types.push_back(method_.values[node.outputs[0]].type->elements[0]);
        return simple(
            node,
            {.opcode = Opcode::try_cast, .aux = static_cast<uint32_t>(code_.types.size() - 1)},
            dead);
      case Prim::create_object:
        code_.types.push_back(method_.values[node.outputs[0]].type);
        return simple(
            node,
            {.opcode = Opcode::create_object, .aux = static_cast<uint32_t>(code_.types.size() - 1)},
            dead);
      case Prim::get_attribute:
        return simple(node, {.opcode = Opcode::get_attribute, .aux = slot(node)}, dead);
      case Prim::set_attribute:
        return simple(node, {.opcode = Opcode::set_attribute, .aux = slot(node)}, dead);
      case Prim::guard:
        code_.texts.push_back(node.text);
        return simple(
            node, {.opcode = Opcode::guard, .aux = static_cast<uint32_t>(code_.texts.size() - 1)},
            dead);
      case Prim::raise_exception:
        code_.texts.push_back(node.text);
        return simple(
            node, {.opcode = Opcode::raise, .aux = static_cast<uint32_t>(code_.texts.size() - 1)},
            dead);
      case Prim::none: return op_node(node, dead);
    }
  }

  uint32_t slot(const Node& node) const {
    const auto& fields = method_.values[node.inputs[0]].type->object_class->names->fields;
    const auto found = std::find(fields.begin(), fields.end(), node.text);
    return static_cast<uint32_t>(found - fields.begin());
  }

  void clear(const std::vector<int32_t>& registers) {
    if (!registers.empty()) emit({.opcode = Opcode::move}, {}, {}, registers);
  }

  void simple(const Node& node, Instruction instruction, const Dead& dead) {
    const std::vector<int32_t> inputs = places(node.inputs);
    std::vector<int32_t> outputs;
    for (const ValueId value : node.outputs) outputs.push_back(new_register(value));
    emit(instruction, inputs, outputs, dead());
  }

  void op_node(const Node& node, const Dead& dead) {
    const Schema& schema = node.op->schema();
    std::vector<int32_t> inputs = places(node.inputs);
    for (size_t i = inputs.size(); i < schema.arguments.size(); ++i)
      inputs.push_back(constant(*schema.arguments[i].fallback));
    Instruction instruction{.opcode = Opcode::op, .op = node.op};
    if (schema.mutates) {
      instruction.opcode = Opcode::mutating_op;
      for (size_t i = 0; i < schema.arguments.size() && i < 32; ++i)
        if (schema.arguments[i].mutated) instruction.aux |= 1u << i;
    }
    std::vector<int32_t> outputs;
    for (const ValueId value : node.outputs) outputs.push_back(new_register(value));
    emit(instruction, inputs, outputs, dead());
  }

  void if_node(const Node& node, const Dead& dead) {
    std::vector<int32_t> outputs;
    for (const ValueId value : node.outputs) outputs.push_back(new_register(value));
    const uint32_t branch = here();
    emit({.opcode = Opcode::jump_if_false}, {places_[node.inputs[0]]}, {});
    const auto branch_body = [&](const Block& body) {
      block(body, {}, [&](const std::vector<int32_t>& clears) {
        emit({.opcode = Opcode::move}, places(body.outputs), outputs, clears);
      });
    };
    branch_body(node.blocks[0]);
    const uint32_t skip = here();
    emit({.opcode = Opcode::jump}, {}, {});
    code_.instructions[branch].target = here();
    branch_body(node.blocks[1]);
    code_.instructions[skip].target = here();
    clear(dead());
  }

  void loop_node(const Node& node, const Dead& dead) {
    const Block& body = node.blocks[0];
    const std::vector<ValueId> carried(body.inputs.begin() + 1, body.inputs.end());
    const int32_t counter = temporary();
    const int32_t condition = temporary();
    std::vector<int32_t> state = {condition};
    for (const ValueId value : carried) state.push_back(new_register(value));
    const int32_t index = new_register(body.inputs[0]);

    emit({.opcode = Opcode::loop_start}, {}, {counter});
    const std::vector<int32_t> inputs = places(node.inputs);
    emit({.opcode = Opcode::move}, {inputs.begin() + 1, inputs.end()}, state);
    const uint32_t check = here();
    emit({.opcode = Opcode::loop_check}, {counter, inputs[0], condition}, {index});
    // Carried registers are rewritten by the move at the end of the body, so they are not
    // cleared before it unless the body is done with them.
    block(body, {body.inputs[0]}, [&](const std::vector<int32_t>& clears) {
      emit({.opcode = Opcode::move}, places(body.outputs), state, clears);
    });
    emit({.opcode = Opcode::loop_next, .target = check}, {counter}, {counter});
    code_.instructions[check].target = here();

    std::vector<int32_t> outputs;
    for (const ValueId value : node.outputs) outputs.push_back(new_register(value));
    std::vector<int32_t> finished = state;
    finished.push_back(counter);
    finished.push_back(index);
    emit({.opcode = Opcode::move}, {state.begin() + 1, state.end()}, outputs, finished);
    clear(dead());
  }

  static std::shared_ptr<const TupleNames> names_of(const Type& type) {
    if (type.kind != TypeKind::named_tuple) return nullptr;
    return std::make_shared<TupleNames>(TupleNames{type.name, type.fields});
  }

  const Program& program_;
  const Method& method_;
  Code code_;
  std::vector<int32_t> places_;
  std::map<ValueId, bool> pooled_container_;
  uint32_t next_register_ = 0;
  uint32_t source_ = 0;
};

}  // namespace

std::vector<Code> compile_program(const Program& program) {
  std::vector<Code> codes;
  for (const Method& method : program.methods)
    codes.push_back(MethodCompiler(program, method).compile());
  // Callers of methods that use state use it too.
  for (bool changed = true; changed;) {
    changed = false;
    for (Code& code : codes) {
      for (const Instruction& instruction : code.instructions) {
        if (instruction.opcode != Opcode::call || code.uses_mutable_state) continue;
        if (!codes[instruction.aux].uses_mutable_state) continue;
        code.uses_mutable_state = true;
        changed = true;
      }
    }
  }
  return codes;
}

}  // namespace ingot

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

#include <ingot/check.h>
#include "exec/code.h"
#include "ops/schema.h"

namespace ingot {
namespace {

// One block at a time: every value gets a register or, if it never changes, a constant;
// a register is cleared after the last instruction of its block that reads it. What a block
// gives is computed in the register where the If or the Loop wants it, unless something still
// reads what a loop carries there; then it is moved.
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

  // A block being compiled.
  struct Scope {
    const std::unordered_map<ValueId, size_t>* last;  // node (or the end) that reads each value
    size_t position;
    bool loop;
  };
  // A value that a loop's block takes, in a register that the block will change.
  struct Carried {
    ValueId value;
    size_t scope;
  };

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

  int32_t temporary(TypeKind kind) {
    code_.registers = std::max(code_.registers, next_register_ + 1);
    code_.register_kinds.resize(code_.registers, kind);
    code_.holds_instances.resize(code_.registers);
    return static_cast<int32_t>(next_register_++);
  }

  TypeKind kind(ValueId value) const { return method_.values[value].type->kind; }

  // The register where the enclosing block wants the value, or kNoPlace.
  int32_t wanted_register(ValueId value) const {
    const auto found = wanted_.find(value);
    if (found == wanted_.end() || read_later(found->second)) return kNoPlace;
    return code_.register_kinds[static_cast<size_t>(found->second)] == kind(value) ? found->second
                                                                                   : kNoPlace;
  }

  int32_t place(ValueId value) {
    const int32_t wanted = wanted_register(value);
    return wanted == kNoPlace ? new_register(value) : places_[value] = wanted;
  }

  // Whether anything after the node at hand reads what a loop carries in the register.
  bool read_later(int32_t register_) const {
    const auto carried = carried_.find(register_);
    if (carried == carried_.end()) return false;
    for (size_t s = carried->second.scope; s < scopes_.size(); ++s) {
      const auto last = scopes_[s].last->find(carried->second.value);
      if (last == scopes_[s].last->end()) continue;
      // A loop inside that one reads it again at its next turn.
      if (last->second > scopes_[s].position || (scopes_[s].loop && s > carried->second.scope))
        return true;
    }
    return false;
  }

  static bool reads(const Block& body, ValueId value) {
    const auto among = [&](const std::vector<ValueId>& values) {
      return std::find(values.begin(), values.end(), value) != values.end();
    };
    return among(body.outputs) ||
           std::any_of(body.nodes.begin(), body.nodes.end(), [&](const Node& node) {
             return among(node.inputs) ||
                    std::any_of(node.blocks.begin(), node.blocks.end(),
                                [&](const Block& inner) { return reads(inner, value); });
           });
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
    result.reserve(values.size());
    for (const ValueId value : values) result.push_back(places_[value]);
    return result;
  }

  // Compiles the nodes of a block; `finish` emits what uses its outputs and is given the
  // registers that live until then. `own` are values that die with the block besides those
  // that its nodes define.
  void block(const Block& body, const std::vector<ValueId>& own, const Finish& finish,
             bool loop = false) {
    std::unordered_map<ValueId, size_t> last;
    const size_t end = body.nodes.size();
    for (const ValueId value : own) last[value] = 0;
    for (size_t i = 0; i < end; ++i) {
      mark_uses(body.nodes[i], i, last);
      for (const ValueId value : body.nodes[i].outputs) last[value] = i;
    }
    for (const ValueId value : body.outputs) last[value] = end;

    std::vector<std::vector<ValueId>> dying(end + 1);
    for (const ValueId value : own) dying[last[value]].push_back(value);
    for (const Node& node : body.nodes)
      for (const ValueId value : node.outputs) dying[last[value]].push_back(value);
    scopes_.push_back({&last, 0, loop});
    for (size_t i = 0; i < end; ++i) {
      scopes_.back().position = i;
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
    scopes_.pop_back();
  }

  static void mark_uses(const Node& node, size_t position,
                        std::unordered_map<ValueId, size_t>& last) {
    const auto mark = [&](const std::vector<ValueId>& values) {
      for (const ValueId value : values) last[value] = position;
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
          const int32_t fresh = place(node.outputs[0]);
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
      case Prim::is_instance:
        code_.types.push_back(method_.values[node.outputs[1]].type);
        return simple(
            node,
            {.opcode = Opcode::is_instance, .aux = static_cast<uint32_t>(code_.types.size() - 1)},
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
      case Prim::try_: return try_node(node, dead);
      case Prim::reraise: return simple(node, {.opcode = Opcode::reraise}, dead);
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
    for (const ValueId value : node.outputs) outputs.push_back(place(value));
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
    for (const ValueId value : node.outputs) outputs.push_back(place(value));
    emit(instruction, inputs, outputs, dead());
  }

  // Compiles a block whose outputs, from the one numbered `first`, go to `registers`.
  void block_into(const Block& body, size_t first, const std::vector<int32_t>& registers,
                  bool loop = false) {
    for (size_t k = 0; k < registers.size(); ++k)
      wanted_.try_emplace(body.outputs[first + k], registers[k]);
    const auto finish = [&](std::vector<int32_t> clears) {
      std::vector<int32_t> from;
      for (size_t k = 0; k < registers.size(); ++k)
        from.push_back(places_[body.outputs[first + k]]);
      std::erase_if(clears, [&](int32_t dead) {
        return std::find(registers.begin(), registers.end(), dead) != registers.end();
      });
      move(std::move(from), registers, clears);
    };
    block(body, {}, finish, loop);
  }

  void move(std::vector<int32_t> from, std::vector<int32_t> to,
            const std::vector<int32_t>& clears = {}) {
    for (size_t k = from.size(); k-- > 0;)
      if (from[k] == to[k]) {
        from.erase(from.begin() + static_cast<std::ptrdiff_t>(k));
        to.erase(to.begin() + static_cast<std::ptrdiff_t>(k));
      }
    if (!from.empty() || !clears.empty()) emit({.opcode = Opcode::move}, from, to, clears);
  }

  void if_node(const Node& node, const Dead& dead) {
    std::vector<int32_t> outputs;
    for (const ValueId value : node.outputs) outputs.push_back(place(value));
    const uint32_t branch = here();
    emit({.opcode = Opcode::jump_if_false}, {places_[node.inputs[0]]}, {});
    block_into(node.blocks[0], 0, outputs);
    const uint32_t skip = here();
    emit({.opcode = Opcode::jump}, {}, {});
    code_.instructions[branch].target = here();
    block_into(node.blocks[1], 0, outputs);
    if (here() == skip + 1) {
      code_.instructions.pop_back();
      code_.instructions[branch].target = here();
    } else {
      code_.instructions[skip].target = here();
    }
    clear(dead());
  }

  // Where a loop carries a value: its result's register, unless the result has another kind.
  int32_t carry(const Node& node, size_t k) {
    const Block& body = node.blocks[0];
    const ValueId value = body.inputs[k + 1];
    const ValueId result = node.outputs[k];
    if (kind(value) != kind(result)) return new_register(value);
    int32_t wanted = wanted_register(result);
    if (const auto outer = carried_.find(wanted); outer != carried_.end())
      if (node.inputs[0] == outer->second.value || reads(body, outer->second.value))
        wanted = kNoPlace;
    places_[value] = wanted == kNoPlace ? new_register(result) : wanted;
    return places_[result] = places_[value];
  }

  // Its blocks compute in registers of their own, so that the handler finds all others as they
  // were.
  void try_node(const Node& node, const Dead& dead) {
    std::vector<int32_t> outputs;
    for (const ValueId value : node.outputs) outputs.push_back(new_register(value));
    const auto part = [&](const Block& body) {
      block(body, body.inputs, [&](const std::vector<int32_t>& clears) {
        emit({.opcode = Opcode::move}, places(body.outputs), outputs, clears);
      });
    };
    Handler handler{.begin = here(), .first = next_register_};
    part(node.blocks[0]);
    handler.end = here();
    handler.last = next_register_;
    handler.parts = next_register_;
    const uint32_t skip = here();
    emit({.opcode = Opcode::jump}, {}, {});
    handler.target = here();
    for (const ValueId value : node.blocks[1].inputs) new_register(value);
    code_.handlers.push_back(handler);
    part(node.blocks[1]);
    code_.instructions[skip].target = here();
    clear(dead());
  }

  bool is_true(ValueId value) const {
    const int32_t place = places_[value];
    if (place >= 0 || place == kNoPlace) return false;
    const Value& constant = code_.constants[static_cast<size_t>(~place)];
    return constant.is_bool() && constant.to_bool();
  }

  void loop_node(const Node& node, const Dead& dead) {
    const Block& body = node.blocks[0];
    const std::vector<int32_t> inputs = places(node.inputs);
    // A loop over a range goes on as long as it has turns.
    const bool counted = is_true(node.inputs[1]) && is_true(body.outputs[0]);
    const size_t first = counted ? 1 : 0;
    const int32_t condition = counted ? inputs[1] : temporary(TypeKind::boolean);
    std::vector<int32_t> carried;
    for (size_t k = 0; k < node.outputs.size(); ++k) carried.push_back(carry(node, k));
    std::vector<int32_t> state = carried;
    if (!counted) state.insert(state.begin(), condition);
    const int32_t counter = new_register(body.inputs[0]);

    emit({.opcode = Opcode::loop_start}, {}, {counter});
    move({inputs.begin() + 1 + static_cast<std::ptrdiff_t>(first), inputs.end()}, state);
    const uint32_t check = here();
    emit({.opcode = Opcode::loop_check}, {counter, inputs[0], condition}, {});
    const std::unordered_map<int32_t, Carried> outer = carried_;
    for (size_t k = 0; k < carried.size(); ++k)
      carried_[carried[k]] = {body.inputs[k + 1], scopes_.size()};
    block_into(body, first, state, true);
    carried_ = outer;
    emit({.opcode = Opcode::loop_next, .target = check}, {counter}, {counter});
    code_.instructions[check].target = here();

    std::vector<int32_t> results, others;
    for (size_t k = 0; k < carried.size(); ++k) {
      const bool shared = kind(body.inputs[k + 1]) == kind(node.outputs[k]);
      results.push_back(shared ? carried[k] : place(node.outputs[k]));
      if (!shared) others.push_back(carried[k]);
    }
    move(carried, results, others);
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
  std::unordered_map<ValueId, int32_t> wanted_;   // where the block around it wants a value
  std::unordered_map<int32_t, Carried> carried_;  // by register
  std::vector<Scope> scopes_;                     // outermost first
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

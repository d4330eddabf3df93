#include "exec/steps.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

namespace ingot {
namespace {

const Step* jump(const Step* step, Value*) { return step + step->jump; }

template <bool kWanted>
const Step* jump_if(const Step* step, Value* registers) {
  return registers[step->in[0]].to_bool() == kWanted ? step + step->jump : step + 1;
}

const Step* copy(const Step* step, Value* registers) {
  registers[step->out] = Value(registers[step->in[0]]);
  return step + 1;
}

const Step* copy_number(const Step* step, Value* registers) {
  new (&registers[step->out]) Value(registers[step->in[0]]);
  return step + 1;
}

const Step* take(const Step* step, Value* registers) {
  registers[step->out] = std::move(registers[step->in[0]]);
  return step + 1;
}

const Step* exchange(const Step* step, Value* registers) {
  registers[step->out].swap(registers[step->in[0]]);
  return step + 1;
}

const Step* clear(const Step* step, Value* registers) {
  for (const int32_t dead : step->in) registers[dead] = Value();
  return step + 1;
}

// Inputs of loops: counter, max, condition.

const Step* loop_check(const Step* step, Value* registers) {
  const bool over = registers[step->in[0]].to_int() >= registers[step->in[1]].to_int() ||
                    !registers[step->in[2]].to_bool();
  return over ? step + step->jump : step + 1;
}

const Step* loop_next(const Step* step, Value* registers) {
  const int64_t next = registers[step->in[0]].to_int() + 1;
  put_number(registers[step->in[0]], next);
  return next < registers[step->in[1]].to_int() ? step + step->jump : step + 1;
}

const Step* loop_next_if(const Step* step, Value* registers) {
  const int64_t next = registers[step->in[0]].to_int() + 1;
  put_number(registers[step->in[0]], next);
  return next < registers[step->in[1]].to_int() && registers[step->in[2]].to_bool()
             ? step + step->jump
             : step + 1;
}

bool is_number(TypeKind kind) {
  return kind == TypeKind::integer || kind == TypeKind::floating || kind == TypeKind::boolean;
}

TypeKind kind_of(Tag tag) {
  return tag == Tag::integer    ? TypeKind::integer
         : tag == Tag::floating ? TypeKind::floating
                                : TypeKind::boolean;
}

class StepWriter {
 public:
  explicit StepWriter(Code& code) : code_(code), target_(code.instructions.size() + 1) {
    for (const Instruction& i : code.instructions)
      if (i.opcode == Opcode::jump || i.opcode == Opcode::jump_if_false ||
          i.opcode == Opcode::loop_check || i.opcode == Opcode::loop_next)
        target_[i.target] = true;
    for (const Handler& handler : code.handlers) target_[handler.target] = true;
  }

  void write() {
    for (pc_ = 0; pc_ < code_.instructions.size(); ++pc_) {
      code_.first_step.push_back(static_cast<uint32_t>(code_.steps.size()));
      if (target_[pc_]) condition_ = nullptr;
      instruction(code_.instructions[pc_]);
    }
    for (const auto& [step, pc] : jumps_)
      code_.steps[step].jump =
          static_cast<int32_t>(code_.first_step[pc]) - static_cast<int32_t>(step);
  }

 private:
  void instruction(const Instruction& i) {
    if (i.region != 0) return add({});
    switch (i.opcode) {
      case Opcode::op:
      case Opcode::mutating_op: return op(i);
      case Opcode::move: return moves(i);
      case Opcode::jump: return add_jump({.run = jump}, i.target);
      case Opcode::jump_if_false: return branch<false>(input(i, 0), i.target);
      case Opcode::loop_start:
        return add({.run = copy_number, .in = {literal(Value(0))}, .out = output(i, 0)});
      case Opcode::loop_check: {
        const int32_t counter = input(i, 0), max = input(i, 1), condition = input(i, 2);
        return add_jump({.run = loop_check, .in = {counter, max, condition}}, i.target);
      }
      case Opcode::loop_next: return next(i);
      default: return add({});
    }
  }

  void op(const Instruction& i) {
    const StepForms* const forms = i.op->definition().steps;
    if (!forms || i.inputs > kMostStepInputs || i.outputs > 1) return add({});
    Step step;
    for (uint32_t k = 0; k < i.inputs; ++k) {
      if (!reachable(i, k)) return add({});
      step.in[k] = input(i, k);
    }
    std::vector<int32_t> dead = objects_to_clear(i);
    step.run = forms->run;
    if (i.outputs == 1) {
      step.out = output(i, 0);
      const TypeKind kind = code_.register_kinds[static_cast<size_t>(step.out)];
      if (forms->result != Tag::none && kind != kind_of(forms->result)) return add({});
      if (forms->discard && std::erase(dead, step.out) > 0) step.run = forms->discard;
    }
    add(step);
    if (dead.empty() && forms->jump_if_true) condition_ = forms;
    clears(dead);
  }

  // A jump if the register is kWanted, taken at once by the step before that computes it.
  template <bool kWanted>
  void branch(int32_t condition, uint32_t target) {
    if (condition_ && code_.steps.back().out == condition) {
      code_.steps.back().run = kWanted ? condition_->jump_if_true : condition_->jump_if_false;
      jumps_.emplace_back(code_.steps.size() - 1, target);
    }
    add_jump({.run = jump_if<kWanted>, .in = {condition}}, target);
  }

  // The end of a loop's body tests by itself whether there is another turn.
  void next(const Instruction& i) {
    const Instruction& check = code_.instructions[i.target];
    const int32_t counter = input(i, 0), max = input(check, 1), condition = input(check, 2);
    const uint32_t body = i.target + 1;
    const bool endless =
        is_literal(max, Value(std::numeric_limits<int64_t>::max())) && !reads(body, pc_, counter);
    const bool always = is_literal(condition, Value(true));
    if (endless && always) return add_jump({.run = jump}, body);
    if (endless) return branch<true>(condition, body);
    add_jump({.run = always ? loop_next : loop_next_if, .in = {counter, max, condition}}, body);
  }

  // Reads all before it writes any.
  void moves(const Instruction& i) {
    for (uint32_t k = 0; k < i.inputs; ++k)
      if (!reachable(i, k)) return add({});
    std::vector<int32_t> dead = objects_to_clear(i);
    std::vector<std::pair<int32_t, int32_t>> left;  // from, to
    for (uint32_t k = 0; k < i.inputs; ++k) left.emplace_back(input(i, k), output(i, k));
    while (!left.empty()) {
      const auto is_read = [&](int32_t to) {
        return std::any_of(left.begin(), left.end(),
                           [&](auto& other) { return other.first == to && other.second != to; });
      };
      const auto free =
          std::find_if(left.begin(), left.end(), [&](auto& one) { return !is_read(one.second); });
      if (free == left.end()) {
        // A cycle: after the exchange the first has what it wants, and others find theirs there.
        const int32_t from = left.front().first;
        const int32_t to = left.front().second;
        add({.run = exchange, .in = {from}, .out = to});
        left.erase(left.begin());
        for (auto& other : left)
          other.first = other.first == to ? from : other.first == from ? to : other.first;
        std::erase_if(left, [](auto& one) { return one.first == one.second; });
        continue;
      }
      const int32_t from = free->first;
      const int32_t to = free->second;
      left.erase(free);
      const bool last =
          std::none_of(left.begin(), left.end(), [&](auto& other) { return other.first == from; });
      if (from == to) continue;
      if (number_register(to))
        add({.run = copy_number, .in = {from}, .out = to});
      else if (last && std::erase(dead, from) > 0)
        add({.run = take, .in = {from}, .out = to});
      else
        add({.run = copy, .in = {from}, .out = to});
    }
    clears(dead);
  }

  void clears(const std::vector<int32_t>& dead) {
    for (size_t k = 0; k < dead.size(); k += kMostStepInputs) {
      Step step{.run = clear};
      for (size_t j = 0; j < kMostStepInputs; ++j)
        step.in[j] = dead[std::min(k + j, dead.size() - 1)];
      add(step);
    }
  }

  std::vector<int32_t> objects_to_clear(const Instruction& i) const {
    std::vector<int32_t> dead;
    for (uint32_t k = 0; k < i.clears; ++k) {
      const int32_t register_ = code_.operands[i.first + i.inputs + i.outputs + k];
      if (!number_register(register_)) dead.push_back(register_);
    }
    return dead;
  }

  bool number_register(int32_t register_) const {
    const auto at = static_cast<size_t>(register_);
    return at >= code_.register_kinds.size() || is_number(code_.register_kinds[at]);
  }

  // Whether the operand is in the frame: constants that count references are not.
  bool reachable(const Instruction& i, uint32_t k) const {
    const int32_t operand = code_.operands[i.first + k];
    return operand >= 0 || code_.constants[static_cast<size_t>(~operand)].tag() < Tag::tensor;
  }

  int32_t input(const Instruction& i, uint32_t k) {
    const int32_t operand = code_.operands[i.first + k];
    return operand >= 0 ? operand : literal(code_.constants[static_cast<size_t>(~operand)]);
  }
  int32_t output(const Instruction& i, uint32_t k) const {
    return code_.operands[i.first + i.inputs + k];
  }

  int32_t literal(const Value& value) {
    // By text, which tells -0.0 from 0.0.
    const auto [found, added] =
        literals_.try_emplace({value.tag(), value.describe()},
                              static_cast<int32_t>(code_.registers + code_.literals.size()));
    if (added) code_.literals.push_back(value);
    return found->second;
  }

  bool is_literal(int32_t register_, const Value& value) const {
    const auto at = static_cast<size_t>(register_);
    return at >= code_.registers && code_.literals[at - code_.registers].tag() == value.tag() &&
           equal(code_.literals[at - code_.registers], value);
  }

  bool reads(uint32_t begin, uint32_t end, int32_t register_) const {
    for (uint32_t pc = begin; pc < end; ++pc) {
      const Instruction& i = code_.instructions[pc];
      const int32_t* const operands = &code_.operands[i.first];
      if (std::find(operands, operands + i.inputs, register_) != operands + i.inputs) return true;
    }
    return false;
  }

  void add(Step step) {
    step.instruction = pc_;
    code_.steps.push_back(step);
    condition_ = nullptr;
  }
  void add_jump(const Step& step, uint32_t target) {
    jumps_.emplace_back(code_.steps.size(), target);
    add(step);
  }

  Code& code_;
  std::vector<bool> target_;                        // by instruction: something jumps there
  std::vector<std::pair<size_t, uint32_t>> jumps_;  // step, instruction
  std::map<std::pair<Tag, std::string>, int32_t> literals_;
  const StepForms* condition_ = nullptr;  // of the last step, if it can jump
  uint32_t pc_ = 0;
};

}  // namespace

void add_steps(Code& code) { StepWriter(code).write(); }

}  // namespace ingot

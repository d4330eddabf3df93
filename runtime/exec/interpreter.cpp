#include "exec/interpreter.h"

#include <algorithm>
#include <memory>
#include <new>

#include <ingot/check.h>
#include "exec/inputs.h"
#include "ops/container.h"
#include "ops/schema.h"

namespace ingot {
namespace {

constexpr int kDeepestCall = 1000;

// Registers of all frames of one thread. Every register above the top is None, so a frame
// needs no initialisation. Chunks never move.
class RegisterStack {
 public:
  Value* push(size_t count) {
    while (chunk_ < chunks_.size() && used_ + count > chunks_[chunk_].size) {
      ++chunk_;
      used_ = 0;
    }
    if (chunk_ == chunks_.size()) {
      const size_t size = std::max(count, kChunk);
      chunks_.push_back({std::make_unique<Value[]>(size), size});
      used_ = 0;
    }
    Value* frame = chunks_[chunk_].values.get() + used_;
    used_ += count;
    return frame;
  }

  struct Mark {
    size_t chunk;
    size_t used;
  };
  Mark mark() const { return {chunk_, used_}; }
  void pop(Mark mark) {
    chunk_ = mark.chunk;
    used_ = mark.used;
  }

 private:
  static constexpr size_t kChunk = 1024;
  struct Chunk {
    std::unique_ptr<Value[]> values;
    size_t size;
  };
  std::vector<Chunk> chunks_;
  size_t chunk_ = 0;
  size_t used_ = 0;
};

thread_local RegisterStack registers;

class Frame {
 public:
  explicit Frame(uint32_t count)
      : mark_(registers.mark()), count_(count), values_(registers.push(count)) {}
  ~Frame() { registers.pop(mark_); }
  Frame(const Frame&) = delete;
  // After an exception registers may hold anything.
  void clear() {
    for (uint32_t i = 0; i < count_; ++i) values_[i] = Value();
  }
  Value* values() { return values_; }

 private:
  RegisterStack::Mark mark_;
  uint32_t count_;
  Value* values_;
};

// "aten::add.Tensor(self=f32[2], other=f32[3], alpha=1): "
std::string describe_call(const Op& op, const Arguments& in) {
  const Schema& schema = op.schema();
  std::string text(op.name());
  for (size_t i = 0; i < schema.arguments.size(); ++i)
    text += concat(i ? ", " : "(", schema.arguments[i].name, "=", in[i].describe());
  if (schema.arguments.empty()) text += "(";
  return text + "): ";
}

void check_writable(const Instruction& instruction, const Arguments& in) {
  for (uint32_t i = 0; i < instruction.inputs && i < 32; ++i)
    if ((instruction.aux >> i & 1) && in[i].is_tensor())
      INGOT_CHECK(in[i].tensor().writable(), "the tensor to write to is read-only");
}

// One activation of a method.
class Interpreter {
 public:
  Interpreter(const Run& run, const Code& code, Value* registers, int depth)
      : run_(run), code_(code), registers_(registers), depth_(depth) {}

  Value run() {
    try {
      return loop();
    } catch (Error& error) {
      annotate(error);
      throw;
    } catch (const std::bad_alloc&) {
      Error error(ErrorCode::out_of_memory, "out of memory");
      annotate(error);
      throw error;
    }
  }

 private:
  const Value& in(const Instruction& i, uint32_t k) const {
    const int32_t operand = code_.operands[i.first + k];
    return operand >= 0 ? registers_[operand] : code_.constants[static_cast<size_t>(~operand)];
  }
  Value& out(const Instruction& i, uint32_t k) const {
    return registers_[code_.operands[i.first + i.inputs + k]];
  }
  Arguments arguments(const Instruction& i) const {
    return {registers_, code_.constants.data(), &code_.operands[i.first], i.inputs};
  }

  Value loop() {
    const Instruction* const instructions = code_.instructions.data();
    for (;;) {
      const Instruction& i = instructions[pc_];
      uint32_t next = pc_ + 1;
      if (i.region && run_region(i, next)) {
        pc_ = next;
        continue;
      }
      switch (i.opcode) {
        case Opcode::mutating_op: check_writable(i, arguments(i)); [[fallthrough]];
        case Opcode::op:
          if (run_.profile)
            profile_op(i);
          else
            i.op->invoke(arguments(i), {registers_, &code_.operands[i.first + i.inputs]});
          break;
        case Opcode::move: move(i); break;
        case Opcode::load_state: out(i, 0) = run_.state[i.aux]; break;
        case Opcode::store_state: run_.state[i.aux] = keep(in(i, 0)); break;
        case Opcode::fresh_container: out(i, 0) = copy_containers(in(i, 0)); break;
        case Opcode::jump: next = i.target; break;
        case Opcode::jump_if_false:
          if (!in(i, 0).to_bool()) next = i.target;
          break;
        case Opcode::loop_start: out(i, 0) = Value(int64_t{0}); break;
        case Opcode::loop_check: {
          const int64_t counter = in(i, 0).to_int();
          if (counter >= in(i, 1).to_int() || !in(i, 2).to_bool())
            next = i.target;
          else
            out(i, 0) = Value(counter);
          break;
        }
        case Opcode::loop_next:
          out(i, 0) = Value(in(i, 0).to_int() + 1);
          next = i.target;
          break;
        case Opcode::list_construct: out(i, 0) = Value::list(inputs(i)); break;
        case Opcode::list_unpack: list_unpack(i); break;
        case Opcode::tuple_construct: {
          auto* tuple = new Tuple(inputs(i));
          tuple->names = code_.tuple_names[i.aux];
          out(i, 0) = Value(static_cast<Object*>(tuple));
          break;
        }
        case Opcode::tuple_unpack: tuple_unpack(i); break;
        case Opcode::tuple_index: {
          const auto& elements = in(i, 0).to_tuple().elements;
          INGOT_CHECK(i.aux < elements.size(), "a tuple of ", elements.size(), " has no element ",
                      i.aux);
          Value element = elements[i.aux];
          out(i, 0) = std::move(element);
          break;
        }
        case Opcode::dict_construct: {
          std::vector<std::pair<Value, Value>> items;
          for (uint32_t k = 0; k + 1 < i.inputs; k += 2) items.emplace_back(in(i, k), in(i, k + 1));
          out(i, 0) = Value::dict(std::move(items));
          break;
        }
        case Opcode::call: out(i, 0) = call(i); break;
        case Opcode::cast:
          if (!holds(*code_.types[i.aux], in(i, 0)))
            fail(ErrorCode::runtime, "the value is no ", code_.types[i.aux]->str(), ": it is ",
                 in(i, 0).describe());
          out(i, 0) = Value(in(i, 0));
          break;
        case Opcode::try_cast:
          out(i, 0) = holds(*code_.types[i.aux], in(i, 0)) ? Value(in(i, 0)) : Value();
          break;
        case Opcode::create_object: {
          auto* object = new Instance(code_.types[i.aux]->object_class->names);
          out(i, 0) = Value(static_cast<Object*>(object));
          break;
        }
        case Opcode::get_attribute: out(i, 0) = attribute(i); break;
        case Opcode::set_attribute: set_attribute(i); break;
        case Opcode::guard:
          if (!in(i, 0).to_bool()) throw Error(ErrorCode::guard, code_.texts[i.aux]);
          break;
        case Opcode::raise:
          fail(ErrorCode::runtime, code_.texts[i.aux], ": ", in(i, 0).to_string());
        case Opcode::finish: {
          const int32_t operand = code_.operands[i.first];
          Value result = operand >= 0 ? std::move(registers_[operand]) : in(i, 0);
          clear(i);
          return result;
        }
      }
      clear(i);
      pc_ = next;
    }
  }

  bool run_region(const Instruction& i, uint32_t& next) {
    const bool checked = depth_ == 0 && pc_ == 0;
    if (!run_.profile)
      return run_.planner.run(i.region - 1, code_, registers_, next, checked, nullptr);
    const size_t first = run_.profile->events.size();
    StepObserver observer{*run_.profile, [this](uint32_t origin) {
                            return run_.program.location(code_.instructions[origin].source);
                          }};
    if (run_.planner.run(i.region - 1, code_, registers_, next, checked, &observer)) return true;
    run_.profile->events.resize(first);
    return false;
  }

  void profile_op(const Instruction& i) {
    const auto begin = Profile::Clock::now();
    i.op->invoke(arguments(i), {registers_, &code_.operands[i.first + i.inputs]});
    const std::string_view name = i.op->name();
    run_.profile->add({.text = std::string(name.substr(name.find("::") + 2)),
                       .location = run_.program.location(i.source)},
                      begin);
  }

  void clear(const Instruction& i) const {
    const int32_t* const dead = &code_.operands[i.first] + i.inputs + i.outputs;
    for (uint32_t k = 0; k < i.clears; ++k) registers_[dead[k]] = Value();
  }

  void move(const Instruction& i) const {
    if (i.inputs == 1) {
      out(i, 0) = Value(in(i, 0));
      return;
    }
    std::vector<Value> values = inputs(i);
    for (uint32_t k = 0; k < i.outputs; ++k) out(i, k) = std::move(values[k]);
  }

  std::vector<Value> inputs(const Instruction& i) const {
    std::vector<Value> values;
    values.reserve(i.inputs);
    for (uint32_t k = 0; k < i.inputs; ++k) values.push_back(in(i, k));
    return values;
  }

  void list_unpack(const Instruction& i) const {
    const Value list = in(i, 0);
    const auto& elements = list.to_list().elements;
    if (elements.size() != i.outputs)
      fail(ErrorCode::runtime, "a list of ", elements.size(), " elements cannot be unpacked into ",
           i.outputs);
    for (uint32_t k = 0; k < i.outputs; ++k) out(i, k) = elements[k];
  }

  void tuple_unpack(const Instruction& i) const {
    const Value tuple = in(i, 0);
    const auto& elements = tuple.to_tuple().elements;
    INGOT_CHECK(elements.size() == i.outputs, "a tuple of ", elements.size(),
                " elements cannot be unpacked into ", i.outputs);
    for (uint32_t k = 0; k < i.outputs; ++k) out(i, k) = elements[k];
  }

  Value attribute(const Instruction& i) const {
    const Instance& object = in(i, 0).to_instance();
    const std::optional<Value>& slot = object.slots[i.aux];
    if (!slot)
      fail(ErrorCode::runtime, "AttributeError: the attribute '", object.names->fields[i.aux],
           "' of a ", object.names->name, " has not been set");
    return *slot;
  }

  void set_attribute(const Instruction& i) const {
    Value object = in(i, 0);
    object.to_instance().slots[i.aux] = in(i, 1);
  }

  // State outlives the call: memory that the caller lent is copied.
  static Value keep(const Value& value) {
    if (value.is_tensor() && value.tensor().is_borrowed()) return Value(value.tensor().clone());
    return value;
  }

  Value call(const Instruction& i) const {
    if (depth_ >= kDeepestCall)
      fail(ErrorCode::runtime, "RecursionError: calls nest deeper than ", kDeepestCall);
    const Code& callee = run_.codes[i.aux];
    Frame frame(callee.registers);
    for (uint32_t k = 0; k < i.inputs; ++k) frame.values()[k] = in(i, k);
    try {
      return Interpreter(run_, callee, frame.values(), depth_ + 1).run();
    } catch (...) {
      frame.clear();
      throw;
    }
  }

  // Adds what failed (once) and where (one line per active call).
  void annotate(Error& error) const {
    const Instruction& i = code_.instructions[pc_];
    const bool innermost = i.opcode != Opcode::call;
    if (innermost && i.op) error.with_prefix(describe_call(*i.op, arguments(i)));
    const std::string here = run_.program.location(i.source);
    if (here.empty()) return;
    error.with_location(error.location().empty() ? here : error.location() + "\n" + here);
  }

  const Run& run_;
  const Code& code_;
  Value* const registers_;
  const int depth_;
  uint32_t pc_ = 0;
};

}  // namespace

Value execute(const Run& run, size_t method, std::span<const Value> inputs) {
  const Code& code = run.codes[method];
  if (const uint32_t region = code.instructions[0].region; region && !run.profile)
    if (Value result; run.planner.call(region - 1, inputs, result)) return result;
  Frame frame(code.registers);
  try {
    bind_inputs(run.program, *code.method, inputs, frame.values());
    return Interpreter(run, code, frame.values(), 0).run();
  } catch (...) {
    frame.clear();
    throw;
  }
}

std::vector<Value> call_op(const Op& op, std::span<const Value> inputs) {
  const Schema& schema = op.schema();
  INGOT_CHECK(inputs.size() <= schema.arguments.size() || schema.variadic, op.name(), " takes ",
              schema.arguments.size(), " arguments, got ", inputs.size());
  std::vector<Value> values(inputs.begin(), inputs.end());
  for (size_t i = values.size(); i < schema.arguments.size(); ++i) {
    INGOT_CHECK(schema.arguments[i].fallback, op.name(), " lacks its argument '",
                schema.arguments[i].name, "'");
    values.push_back(*schema.arguments[i].fallback);
  }
  std::vector<int32_t> operands;
  Instruction instruction{.opcode = Opcode::op, .inputs = static_cast<uint32_t>(values.size())};
  for (size_t i = 0; i < values.size(); ++i) {
    operands.push_back(static_cast<int32_t>(i));
    if (i < schema.arguments.size() && schema.arguments[i].mutated && i < 32)
      instruction.aux |= 1u << i;
  }
  for (size_t i = 0; i < schema.returns.size(); ++i)
    operands.push_back(static_cast<int32_t>(values.size() + i));
  values.resize(values.size() + schema.returns.size());
  const Arguments in{values.data(), nullptr, operands.data(), instruction.inputs};
  try {
    check_writable(instruction, in);
    op.invoke(in, {values.data(), operands.data() + instruction.inputs});
  } catch (Error& error) {
    error.with_prefix(describe_call(op, in));
    throw;
  }
  return {std::make_move_iterator(values.begin() + instruction.inputs),
          std::make_move_iterator(values.end())};
}

}  // namespace ingot

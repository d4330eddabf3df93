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

// Registers of all frames of one thread. Every register above the top is None or a number, so a
// frame needs no initialisation. Chunks never move.
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
  explicit Frame(const Code& code)
      : mark_(registers.mark()),
        count_(code.registers),
        values_(registers.push(code.registers + code.literals.size())) {}
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
    std::copy(code_.literals.begin(), code_.literals.end(), registers_ + code_.registers);
    const Step* step = code_.steps.data();
    for (;;) {
      try {
        return loop(step);
      } catch (Error& error) {
        annotate(error, code_.instructions[step->instruction]);
        if (!handle(error, step)) throw;
      } catch (const std::bad_alloc&) {
        Error error(ErrorCode::out_of_memory, "out of memory");
        annotate(error, code_.instructions[step->instruction]);
        throw error;
      }
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

  // Runs from `step` on, which it moves on: where something fails it names what failed.
  Value loop(const Step*& step) {
    for (;;) {
      while (step->run) step = step->run(step, registers_);
      const Instruction& i = code_.instructions[step->instruction];
      if (uint32_t next; i.region && run_region(i, next)) {
        step = code_.steps.data() + code_.first_step[next];
        continue;
      }
      if (i.opcode == Opcode::finish) return finish(i);
      instruction(i);
      clear(i);
      ++step;
    }
  }

  // One that is no step of its own.
  void instruction(const Instruction& i) {
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
      case Opcode::is_instance: {
        Value value = in(i, 0);
        const bool is = holds(*code_.types[i.aux], value);
        out(i, 0) = Value(is);
        out(i, 1) = is ? std::move(value) : Value();
        break;
      }
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
      case Opcode::raise: raise(code_.texts[i.aux], in(i, 0).to_string());
      case Opcode::reraise: reraise(i);
      default: fail(ErrorCode::internal, "an instruction that is a step of its own");
    }
  }

  [[noreturn]] static void raise(const std::string& kind, std::string_view text) {
    throw Error(ErrorCode::runtime, text.empty() ? kind : concat(kind, ": ", text))
        .with_kind(kind, std::string(text));
  }

  [[noreturn]] void reraise(const Instruction& i) const {
    const auto part = [&](uint32_t k) { return std::string(in(i, k).to_string()); };
    throw Error(ErrorCode::runtime, part(2)).with_kind(part(0), part(1)).with_location(part(3));
  }

  // Whether a handler around the failed step takes the error; execution goes on there.
  // Broken assumptions, exhausted memory and faults of Ingot are no exceptions of the program.
  bool handle(const Error& error, const Step*& step) const {
    const ErrorCode code = error.code();
    if (code != ErrorCode::runtime && code != ErrorCode::invalid_argument &&
        code != ErrorCode::unsupported)
      return false;
    for (const Handler& handler : code_.handlers) {
      if (step->instruction < handler.begin || step->instruction >= handler.end) continue;
      for (uint32_t k = handler.first; k < handler.last; ++k) registers_[k] = Value();
      Value* const parts = registers_ + handler.parts;
      parts[0] = error.kind().empty() ? Value("RuntimeError") : Value(error.kind());
      parts[1] = Value(error.text());
      parts[2] = Value(error.message());
      parts[3] = Value(error.location());
      step = code_.steps.data() + code_.first_step[handler.target];
      return true;
    }
    return false;
  }

  Value finish(const Instruction& i) const {
    const int32_t operand = code_.operands[i.first];
    Value result;
    if (operand >= 0)
      result = std::move(registers_[operand]);
    else
      result = in(i, 0);
    clear(i);
    return result;
  }

  bool run_region(const Instruction& i, uint32_t& next) {
    const bool checked = depth_ == 0 && &i == code_.instructions.data();
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
      raise("ValueError",
            concat("a list of ", elements.size(), " elements cannot be unpacked into ", i.outputs));
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
      raise("RecursionError", concat("calls nest deeper than ", kDeepestCall));
    const Code& callee = run_.codes[i.aux];
    Frame frame(callee);
    for (uint32_t k = 0; k < i.inputs; ++k) frame.values()[k] = in(i, k);
    try {
      return Interpreter(run_, callee, frame.values(), depth_ + 1).run();
    } catch (...) {
      frame.clear();
      throw;
    }
  }

  // Adds what failed (once) and where (one line per active call).
  void annotate(Error& error, const Instruction& i) const {
    const bool innermost = i.opcode != Opcode::call;
    if (i.opcode == Opcode::reraise) return;  // it has been said where this comes from
    if (innermost && i.op) error.with_prefix(describe_call(*i.op, arguments(i)));
    const std::string here = run_.program.location(i.source);
    if (here.empty()) return;
    error.with_location(error.location().empty() ? here : error.location() + "\n" + here);
  }

  const Run& run_;
  const Code& code_;
  Value* const registers_;
  const int depth_;
};

}  // namespace

Value execute(const Run& run, size_t method, std::span<const Value> inputs) {
  const Code& code = run.codes[method];
  if (const uint32_t region = code.instructions[0].region; region && !run.profile)
    if (Value result; run.planner.call(region - 1, inputs, result)) return result;
  Frame frame(code);
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

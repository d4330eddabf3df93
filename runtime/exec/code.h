// A method as a flat list of instructions over registers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ingot/op.h>
#include "file/program.h"
#include "ops/step.h"

namespace ingot {

enum class Opcode : uint8_t {
  op,               // inputs -> outputs through `invoke`
  mutating_op,      // the same; inputs in `aux` (a bit each) must be writable
  move,             // n inputs -> n outputs, all read before any is written
  load_state,       // state entry `aux` -> output
  store_state,      // input -> state entry `aux`
  fresh_container,  // a copy of the constant input -> output
  jump,             // to `target`
  jump_if_false,    // input
  loop_start,       // 0 -> output
  loop_check,       // inputs counter, max, cond: jumps to `target` if the loop is over
  loop_next,        // counter + 1 -> output, jumps to the loop_check `target`
  list_construct,
  list_unpack,
  tuple_construct,  // names in Code::tuple_names[aux]
  tuple_unpack,
  tuple_index,  // element `aux`
  dict_construct,
  call,           // method `aux`
  cast,           // to the type Code::types[aux]
  is_instance,    // whether it is a Code::types[aux] -> bool, and the value if so, else None
  create_object,  // of the class Code::types[aux]
  get_attribute,  // slot `aux`
  set_attribute,  // slot `aux` of the first input becomes the second
  guard,          // text Code::texts[aux]
  raise,          // class name Code::texts[aux]
  reraise,        // inputs kind, text, sentence, location of the exception
  finish,         // input is the result
};

// Operands lie in Code::operands from `first`: inputs, outputs, then registers to clear.
struct Instruction {
  Opcode opcode;
  uint32_t first = 0;
  uint32_t inputs = 0;
  uint32_t outputs = 0;
  uint32_t clears = 0;
  uint32_t aux = 0;
  uint32_t target = 0;
  uint32_t source = 0;
  uint32_t region = 0;  // 1 + the number of the region that begins here; 0: none
  const Op* op = nullptr;
};

// What becomes of an exception in instructions [begin, end): the registers [first, last) of the
// body are cleared, the exception's parts go to four registers, control to `target`.
struct Handler {
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t target = 0;
  uint32_t first = 0;
  uint32_t last = 0;
  uint32_t parts = 0;  // kind, text, sentence, location: this register and the three after it
};

// Immutable. Operand k >= 0 is a register, k < 0 the constant ~k.
struct Code {
  const Method* method = nullptr;
  std::vector<Instruction> instructions;
  std::vector<int32_t> operands;
  std::vector<Value> constants;
  std::vector<std::shared_ptr<const TupleNames>> tuple_names;  // null: a plain tuple
  std::vector<TypePtr> types;
  std::vector<std::string> texts;
  std::vector<Handler> handlers;         // inner ones before those around them
  uint32_t registers = 0;                // the first ones are the method's inputs
  std::vector<TypeKind> register_kinds;  // of what each holds; none: several kinds
  std::vector<bool> holds_instances;     // by register: whether its type has a class in it
  bool uses_mutable_state = false;       // itself or through calls

  // What runs, made of the instructions (exec/steps.h).
  std::vector<Step> steps;
  std::vector<uint32_t> first_step;  // by instruction
  std::vector<Value> literals;       // None and numbers, behind a frame's registers
};

// One Code per method of the program, in the same order. The program must be verified.
std::vector<Code> compile_program(const Program& program);

}  // namespace ingot

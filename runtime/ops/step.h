// Ops as single steps of the interpreter: a handler per op, made from its kernel's signature, that
// reads its operands from registers and leaves its result in one, without lists of arguments.
//
// An op takes part by being registered as Stepped<function> or SteppedInPlace<function> where
// others are Function<function>.
#pragma once

#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include <ingot/op.h>

namespace ingot {

struct Step;
// Does what the step says and gives the step to go on with. What it throws leaves the registers
// as they were.
using StepHandler = const Step* (*)(const Step* step, Value* registers);

constexpr size_t kMostStepInputs = 3;

struct Step {
  StepHandler run = nullptr;         // null: instruction `instruction`, by the interpreter
  int32_t in[kMostStepInputs] = {};  // registers
  int32_t out = 0;                   // register
  int32_t jump = 0;                  // in steps, from this one
  uint32_t instruction = 0;          // of Code::instructions: what failed, and where
};
static_assert(sizeof(Step) == 32);

// How an op runs as a step; null: it does not in this way.
struct StepForms {
  StepHandler run = nullptr;
  // Without the result: for those that change their first argument.
  StepHandler discard = nullptr;
  // Leaves the result and jumps if it is true or false, else goes on behind the next step, which
  // is the jump on its own.
  StepHandler jump_if_true = nullptr;
  StepHandler jump_if_false = nullptr;
  // Of the result; none: any. A number is written over a register that holds nothing to release.
  Tag result = Tag::none;
};

// Writes a number over one.
template <class T>
void put_number(Value& to, T number) {
  static_assert(std::is_arithmetic_v<T>);
  new (&to) Value(number);
}

template <auto kFunction, class Signature = decltype(kFunction)>
struct Stepped;

template <auto kFunction, class R, class... P>
struct Stepped<kFunction, R (*)(P...)> {
  static_assert(sizeof...(P) <= kMostStepInputs);
  static constexpr bool kNumber = std::is_arithmetic_v<R>;

  static R call(const Step* step, Value* registers) {
    return [&]<size_t... I>(std::index_sequence<I...>)->R {
      return kFunction(Unbox<ParamOf<P>>::get(registers[step->in[I]])...);
    }
    (std::index_sequence_for<P...>());
  }
  static const Step* run(const Step* step, Value* registers) {
    if constexpr (std::is_void_v<R>)
      call(step, registers);
    else if constexpr (kNumber)
      put_number(registers[step->out], call(step, registers));
    else
      registers[step->out] = box(call(step, registers));
    return step + 1;
  }
  template <bool kWanted>
  static const Step* jump_if(const Step* step, Value* registers) {
    const bool result = call(step, registers);
    put_number(registers[step->out], result);
    return step + (result == kWanted ? step->jump : 2);
  }
  static constexpr StepForms forms() {
    StepForms result{.run = &run};
    if constexpr (std::is_same_v<R, bool>) {
      result.jump_if_true = &jump_if<true>;
      result.jump_if_false = &jump_if<false>;
    }
    result.result = std::is_same_v<R, bool>      ? Tag::boolean
                    : std::is_same_v<R, int64_t> ? Tag::integer
                    : std::is_same_v<R, double>  ? Tag::floating
                                                 : Tag::none;
    return result;
  }
  static constexpr StepForms kForms = forms();
  static constexpr OpDefinition definition() {
    OpDefinition result = Function<kFunction>::definition();
    result.steps = &kForms;
    return result;
  }
};

// Stepped, and run while a plan is made as a Symbolic function is.
template <auto kFunction>
struct SteppedSymbolic {
  static constexpr OpDefinition definition() {
    OpDefinition result = Stepped<kFunction>::definition();
    result.symbolic = true;
    return result;
  }
};

// `kFunction` changes its first argument and returns nothing; the op returns that argument.
template <auto kFunction>
struct SteppedInPlace {
  static void invoke(const Arguments& in, const Results& out) {
    Function<kFunction>::invoke(in, out);
    out.set(0, in[0]);
  }
  static const Step* run(const Step* step, Value* registers) {
    Stepped<kFunction>::call(step, registers);
    registers[step->out] = registers[step->in[0]];
    return step + 1;
  }
  static constexpr StepForms kForms{.run = &run, .discard = &Stepped<kFunction>::run};
  static constexpr OpDefinition definition() {
    OpDefinition result = Function<kFunction>::definition();
    result.invoke = &invoke;
    result.steps = &kForms;
    return result;
  }
};

}  // namespace ingot

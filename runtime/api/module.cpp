#include <ingot/module.h>

#include <mutex>

#include <ingot/check.h>
#include "base/thread_pool.h"
#include "exec/code.h"
#include "exec/inputs.h"
#include "exec/interpreter.h"
#include "file/loader.h"
#include "file/program.h"
#include "kernels/product_simd.h"
#include "ops/container.h"

namespace ingot {

// What all forks share.
struct Compiled {
  Compiled(const Program& program, Precision precision)
      : precision(precision), codes(compile_program(program)), planner(codes, precision) {}
  Precision precision;
  std::vector<Code> codes;
  mutable Planner planner;
};

// What calls may change.
struct Module::State {
  std::shared_ptr<const Compiled> compiled;
  std::mutex mutex;  // held by a run that touches `values`
  std::vector<Value> values;
};

namespace {

const Method& find_method(const Program& program, std::string_view name) {
  const int64_t index = program.find_method(name);
  if (index >= 0 && program.methods[static_cast<size_t>(index)].exported)
    return program.methods[static_cast<size_t>(index)];
  std::string names;
  for (const Method& method : program.methods)
    if (method.exported) names += concat(names.empty() ? "" : ", ", method.name);
  fail(ErrorCode::not_found, "the module has no method '", name, "'; it has: ", names);
}

// Entries that share a tensor share its copy.
std::vector<Value> copy_state(const Program& program, const std::vector<Value>& values) {
  std::map<const void*, Tensor> copies;
  std::vector<Value> result(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (!program.state[i].is_mutable) continue;
    if (!values[i].is_tensor()) {
      result[i] = copy_containers(values[i]);
      continue;
    }
    Tensor& copy = copies[values[i].tensor().impl()];
    if (!copy) copy = values[i].tensor().clone();
    result[i] = Value(copy);
  }
  return result;
}

void check_precision(Precision precision) {
  if (has_product_kernels(precision)) return;
  throw Error(ErrorCode::unsupported,
              concat("precision ", name_of(precision),
                     " needs a processor with AVX-512 BF16 (such as Zen 4 or Sapphire Rapids), "
                     "which this machine lacks"))
      .with_hint("load with precision f32, the default");
}

}  // namespace

Module::Module(std::shared_ptr<const Program> program, const LoadOptions& options)
    : program_(std::move(program)), state_(std::make_shared<State>()) {
  check_precision(options.precision);
  state_->compiled = std::make_shared<const Compiled>(*program_, options.precision);
  std::vector<Value> initial;
  for (const StateEntry& entry : program_->state) initial.push_back(entry.value);
  state_->values = copy_state(*program_, initial);
}

std::vector<std::string> Module::methods() const {
  std::vector<std::string> names;
  for (const Method& method : program_->methods)
    if (method.exported) names.push_back(method.name);
  return names;
}

std::vector<Port> Module::inputs(std::string_view name) const {
  const Method& method = find_method(*program_, name);
  std::vector<Port> ports;
  for (size_t i = 0; i < method.inputs.size(); ++i)
    ports.push_back(
        {.name = method.inputs[i].name,
         .type = method.values[method.body.inputs[i]].type->str(&program_->symbol_names),
         .has_default = method.inputs[i].has_default});
  return ports;
}

std::vector<Port> Module::outputs(std::string_view name) const {
  const Method& method = find_method(*program_, name);
  const Type& type = *method.values[method.body.outputs[0]].type;
  if (type.kind != TypeKind::tuple && type.kind != TypeKind::named_tuple)
    return {{.name = "", .type = type.str(&program_->symbol_names)}};
  std::vector<Port> ports;
  for (size_t i = 0; i < type.elements.size(); ++i)
    ports.push_back({.name = type.fields.empty() ? "" : type.fields[i],
                     .type = type.elements[i]->str(&program_->symbol_names)});
  return ports;
}

Value Module::run(std::string_view name, std::span<const Value> inputs) const {
  return run(name, inputs, nullptr);
}

std::vector<ProfileEvent> Module::profile(std::string_view name,
                                          std::span<const Value> inputs) const {
  Profile profile;
  run(name, inputs, &profile);
  return std::move(profile.events);
}

Value Module::run(std::string_view name, std::span<const Value> inputs, Profile* profile) const {
  const auto method = static_cast<size_t>(&find_method(*program_, name) - program_->methods.data());
  const Compiled& compiled = *state_->compiled;
  const Run run{*program_, compiled.codes, compiled.planner, state_->values, profile};
  if (!run.codes[method].uses_mutable_state) return execute(run, method, inputs);
  const std::lock_guard lock(state_->mutex);
  // The caller must not see what later calls do to the state.
  return copy_containers(execute(run, method, inputs));
}

std::vector<Value> Module::example_inputs(std::string_view method) const {
  return zero_inputs(find_method(*program_, method));
}

std::map<std::string, Tensor> Module::state() const {
  std::map<std::string, Tensor> tensors;
  const std::lock_guard lock(state_->mutex);
  for (size_t i = 0; i < program_->state.size(); ++i) {
    const StateEntry& entry = program_->state[i];
    if (entry.kind != StateKind::parameter && entry.kind != StateKind::buffer) continue;
    const Value& value = entry.is_mutable ? state_->values[i] : entry.value;
    if (value.is_tensor()) tensors.emplace(entry.name, value.tensor());
  }
  return tensors;
}

Value Module::state_value(std::string_view name) const {
  const std::lock_guard lock(state_->mutex);
  for (size_t i = 0; i < program_->state.size(); ++i) {
    const StateEntry& entry = program_->state[i];
    if (entry.name == name) return entry.is_mutable ? state_->values[i] : entry.value;
  }
  fail(ErrorCode::not_found, "the module keeps nothing named '", name, "'");
}

std::map<std::string, std::string> Module::extra_files() const { return program_->extra_files; }

Precision Module::precision() const { return state_->compiled->precision; }

Module Module::fork() const {
  Module copy(*this);
  copy.state_ = std::make_shared<State>();
  copy.state_->compiled = state_->compiled;
  const std::lock_guard lock(state_->mutex);
  copy.state_->values = copy_state(*program_, state_->values);
  return copy;
}

Module load(const std::string& path, const LoadOptions& options) {
  try {
    return Module(load_program(map_file(path)), options);
  } catch (Error& error) {
    if (error.code() != ErrorCode::io) error.with_prefix(path + ": ");
    throw;
  }
}

Module load(std::span<const std::byte> bytes, const LoadOptions& options) {
  return Module(load_program(copy_bytes(bytes)), options);
}

void set_num_threads(int threads) { set_pool_threads(threads); }
int num_threads() { return pool_threads(); }
std::string_view version() { return INGOT_VERSION; }

}  // namespace ingot

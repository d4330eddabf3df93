// A loaded program: immutable, shared, callable from any number of threads.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ingot/precision.h>
#include <ingot/profile.h>
#include <ingot/tensor.h>
#include <ingot/value.h>

namespace ingot {

class Program;
class Profile;

struct LoadOptions {
  Precision precision = Precision::f32;
};

// One input or output of a method, for display and checks.
struct Port {
  std::string name;          // "x"; outputs have no name
  std::string type;          // program text: "f32[B, 10]", "List[Tensor]"
  bool has_default = false;  // the caller may leave it out
};

// A module loaded from a file. Copying shares it.
//
// Threads: any number may call forward() and run() at once. A method that updates module
// state (buffers) runs alone: calls are as if one after the other.
class INGOT_API Module {
 public:
  // The names of the methods that callers may run; "forward" is the usual one.
  std::vector<std::string> methods() const;
  std::vector<Port> inputs(std::string_view method = "forward") const;
  std::vector<Port> outputs(std::string_view method = "forward") const;

  // Runs `forward` on positional inputs. Throws Error: invalid_argument if number, kind,
  // dtype or rank of the inputs do not fit, guard if the capture assumed otherwise,
  // runtime if the program raises.
  Value forward(std::span<const Value> inputs) const { return run("forward", inputs); }
  Value forward(std::initializer_list<Value> inputs) const {
    return run("forward", std::span<const Value>(inputs.begin(), inputs.size()));
  }
  Value run(std::string_view method, std::span<const Value> inputs) const;

  // Runs the method as run() does and tells what each step took, in order.
  std::vector<ProfileEvent> profile(std::string_view method, std::span<const Value> inputs) const;

  // Inputs of zeros (False, "", empty) that fit the signature, free sizes 1: for trying a file.
  // Throws Error (unsupported) where the signature leaves a tensor's dtype or rank open, or asks
  // for more than 256 MB.
  std::vector<Value> example_inputs(std::string_view method = "forward") const;

  // Parameters and buffers under their state_dict names. The tensors are the module's own
  // memory (read-only unless a method updates them).
  std::map<std::string, Tensor> state() const;
  // The present value of any entry: of state() and of what else the module keeps between
  // calls. Throws Error (not_found).
  Value state_value(std::string_view name) const;
  // Names and bytes that ingot.save(extra_files=...) put beside the program.
  std::map<std::string, std::string> extra_files() const;

  // An independent copy of the mutable state over the same program and weights.
  Module fork() const;

  // Of this module, its copies and forks.
  Precision precision() const;

  const Program& program() const { return *program_; }
  explicit Module(std::shared_ptr<const Program> program, const LoadOptions& options = {});

 private:
  struct State;
  Value run(std::string_view method, std::span<const Value> inputs, Profile* profile) const;

  std::shared_ptr<const Program> program_;
  std::shared_ptr<State> state_;
};

// Maps and verifies an .ingot file. Throws Error: io (missing, unreadable), corrupt_file
// (empty, truncated, another format, invalid program), version (made by a newer Ingot),
// unsupported (ops that this build lacks, all listed; a precision that this machine lacks).
INGOT_API Module load(const std::string& path, const LoadOptions& options = {});

// The same from memory, which is copied.
INGOT_API Module load(std::span<const std::byte> bytes, const LoadOptions& options = {});

// Threads that one call may use, this process, from now on. 0: one per physical core, at
// most 16 (the initial value). Throws Error (invalid_argument) if negative.
INGOT_API void set_num_threads(int threads);
INGOT_API int num_threads();

// "0.1.0"
INGOT_API std::string_view version();

}  // namespace ingot

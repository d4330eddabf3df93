#include "native_module.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <ingot/check.h>
#include <ingot/library.h>

#include "base/generator.h"
#include "convert.h"
#include "errors.h"
#include "exec/plan/options.h"
#include "file/loader.h"
#include "file/mapped_file.h"
#include "kernels/simd.h"
#include "lifetime.h"
#include "method_call.h"

namespace nb = nanobind;

namespace ingot::python {

namespace {

// A verified program and the bytes of its file (none if it was assembled): what a NativeModule
// is made of. As a Python buffer it is the file.
struct LoadedProgram {
  std::shared_ptr<const Program> program;
  SharedBytes file;
};

int get_file_buffer(PyObject* self, Py_buffer* view, int flags) {
  const std::span<const std::byte> bytes = nb::inst_ptr<LoadedProgram>(self)->file.bytes;
  return PyBuffer_FillInfo(view, self, const_cast<std::byte*>(bytes.data()),
                           static_cast<Py_ssize_t>(bytes.size()), 1, flags);
}

PyType_Slot program_slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(get_file_buffer)},
                               {0, nullptr}};

class NativeModule {
 public:
  explicit NativeModule(Module module) : module_(std::move(module)) {
    for (const Method& method : module_.program().methods)
      if (method.exported) methods_.push_back(std::make_shared<MethodCall>(module_, method));
    for (const auto& method : methods_)
      if (method->name() == "forward") forward_ = method.get();
  }

  const Module& module() const { return module_; }
  const std::vector<std::shared_ptr<MethodCall>>& methods() const { return methods_; }

  std::shared_ptr<MethodCall> method(std::string_view name) const {
    for (const auto& method : methods_)
      if (method->name() == name) return method;
    std::string names;
    for (const auto& method : methods_) names += concat(names.empty() ? "" : ", ", method->name());
    fail(ErrorCode::not_found, "the module has no method '", name, "'; its methods are: ", names);
  }

  const MethodCall& forward() const { return forward_ ? *forward_ : *method("forward"); }

 private:
  Module module_;
  std::vector<std::shared_ptr<MethodCall>> methods_;
  const MethodCall* forward_ = nullptr;
};

// The bytes behind a Python buffer, held until destruction.
class Buffer {
 public:
  explicit Buffer(nb::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_C_CONTIGUOUS) != 0) throw nb::python_error();
  }
  ~Buffer() { PyBuffer_Release(&view_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(view_.buf), static_cast<size_t>(view_.len)};
  }

 private:
  Py_buffer view_;
};

LoadedProgram read_file(const nb::bytes& name) {
  const std::string path(name.c_str(), name.size());
  const nb::gil_scoped_release released;
  SharedBytes file = map_file(path);
  try {
    return {load_program(file), file};
  } catch (Error& error) {
    throw error.with_prefix(path + ": ");
  }
}

LoadedProgram read_bytes(nb::handle data) {
  const Buffer buffer(data);
  const nb::gil_scoped_release released;
  SharedBytes file = copy_bytes(buffer.bytes());
  return {load_program(file), file};
}

// A read-only tensor over a Python buffer of row-major elements.
Tensor tensor_over(nb::handle data, int dtype_number, const std::vector<int64_t>& shape) {
  INGOT_CHECK(is_dtype(dtype_number), "dtype number ", dtype_number, " is not supported");
  const DType dtype = static_cast<DType>(dtype_number);
  INGOT_CHECK(shape.size() <= kMaxRank, "has ", shape.size(), " dimensions; at most ", kMaxRank,
              " are supported");
  const Buffer buffer(data);
  const size_t bytes = static_cast<size_t>(numel_of(shape)) * size_of(dtype);
  INGOT_CHECK(buffer.bytes().size() == bytes, "has ", buffer.bytes().size(), " bytes, but needs ",
              bytes);
  auto* start = const_cast<std::byte*>(buffer.bytes().data());
  if (reinterpret_cast<uintptr_t>(start) % size_of(dtype) != 0) {
    const Tensor copy = Tensor::empty(dtype, shape);
    std::copy_n(start, bytes, copy.data<std::byte>());
    return copy;
  }
  // A memoryview of its own keeps the exporter from moving or resizing the memory.
  nb::object view = nb::steal(PyMemoryView_FromObject(data.ptr()));
  if (!view.is_valid()) throw nb::python_error();
  Tensor tensor = Tensor::from_blob(start, dtype, shape, {}, release_object, view.ptr(), false);
  view.release();
  return tensor;
}

LoadedProgram assemble(nb::handle program, const nb::dict& tensors, const nb::dict& extra_files) {
  std::map<std::string, Tensor> state;
  for (const auto& [key, value] : tensors) {
    const auto name = nb::cast<std::string>(key);
    const auto parts = nb::cast<nb::tuple>(value);
    try {
      state.emplace(name, tensor_over(parts[0], nb::cast<int>(nb::int_(parts[1])),
                                      nb::cast<std::vector<int64_t>>(parts[2])));
    } catch (Error& error) {
      throw error.with_prefix(concat("tensor '", name, "' "));
    }
  }
  std::map<std::string, std::string> files;
  for (const auto& [key, value] : extra_files) {
    const Buffer content(value);
    files.emplace(
        nb::cast<std::string>(key),
        std::string(reinterpret_cast<const char*>(content.bytes().data()), content.bytes().size()));
  }
  const Buffer code(program);
  const nb::gil_scoped_release released;
  return {assemble_program(code.bytes(), state, std::move(files)), {}};
}

nb::list inputs(const NativeModule& self, std::string_view method) {
  self.method(method);
  const Program& program = self.module().program();
  const Method& found = program.methods[static_cast<size_t>(program.find_method(method))];
  nb::list ports;
  for (size_t i = 0; i < found.inputs.size(); ++i) {
    const MethodInput& input = found.inputs[i];
    const std::string type = found.values[found.body.inputs[i]].type->str(&program.symbol_names);
    ports.append(nb::make_tuple(input.name.c_str(), type.c_str(), input.has_default,
                                to_python(input.fallback, Conversion())));
  }
  return ports;
}

std::string output(const NativeModule& self, std::string_view method) {
  self.method(method);
  const Program& program = self.module().program();
  const Method& found = program.methods[static_cast<size_t>(program.find_method(method))];
  return found.values[found.body.outputs[0]].type->str(&program.symbol_names);
}

// Waits for runs that update state, which may need the GIL.
template <class Body>
auto without_gil(const Body& body) {
  const nb::gil_scoped_release released;
  return body();
}

nb::dict state(const NativeModule& self, bool torch) {
  const auto tensors = without_gil([&] { return self.module().state(); });
  nb::dict result;
  for (const StateEntry& entry : self.module().program().state) {
    const auto found = tensors.find(entry.name);
    if (found == tensors.end()) continue;
    if (entry.kind != StateKind::parameter && entry.kind != StateKind::buffer) continue;
    result[entry.name.c_str()] = to_python(found->second, torch);
  }
  return result;
}

// Values of the entries that methods update, copied at one moment: tensors as (dtype number,
// shape, bytes).
nb::dict mutable_state(const NativeModule& self) {
  const Module copy = without_gil([&] { return self.module().fork(); });
  nb::dict result;
  for (const StateEntry& entry : copy.program().state) {
    if (!entry.is_mutable) continue;
    const Value value = copy.state_value(entry.name);
    if (!value.is_tensor()) {
      result[entry.name.c_str()] = to_python(value, Conversion());
      continue;
    }
    const Tensor tensor = value.tensor().contiguous();
    nb::list shape;
    for (const int64_t size : tensor.sizes()) shape.append(size);
    result[entry.name.c_str()] = nb::make_tuple(static_cast<int>(tensor.dtype()), nb::tuple(shape),
                                                nb::bytes(tensor.data(), tensor.nbytes()));
  }
  return result;
}

nb::dict extra_files(const NativeModule& self) {
  nb::dict files;
  for (const auto& [name, content] : self.module().extra_files())
    files[name.c_str()] = nb::bytes(content.data(), content.size());
  return files;
}

// Classes whose instances are called through a C slot, without nanobind's dispatch.
PyObject* call_module(PyObject* self, PyObject* args, PyObject* kwargs) {
  return guard_slot<>(static_cast<PyObject*>(nullptr), [&] {
    if (!nb::inst_ready(self))
      fail(ErrorCode::invalid_argument, "the module was not initialised: call super().__init__()");
    return nb::inst_ptr<NativeModule>(self)->forward()(args, kwargs).release().ptr();
  });
}

PyObject* call_method(PyObject* self, PyObject* args, PyObject* kwargs) {
  return guard_slot<>(static_cast<PyObject*>(nullptr), [&] {
    return (*nb::inst_ptr<MethodCall>(self))(args, kwargs).release().ptr();
  });
}

PyType_Slot module_slots[] = {{Py_tp_call, reinterpret_cast<void*>(call_module)}, {0, nullptr}};
PyType_Slot method_slots[] = {{Py_tp_call, reinterpret_cast<void*>(call_method)}, {0, nullptr}};

}  // namespace

void bind_modules(nb::module_& module) {
  nb::class_<LoadedProgram>(module, "LoadedProgram", nb::type_slots(program_slots),
                            "A verified program; as a buffer, the bytes of its file.")
      .def(
          "file",
          [](nb::handle self) {
            nb::object view = nb::steal(PyMemoryView_FromObject(self.ptr()));
            if (!view.is_valid()) throw nb::python_error();
            return view;
          },
          nb::sig("def file(self) -> memoryview"), "The bytes of its file; empty without one.");
  module.def("read_file", &read_file, nb::arg("path"),
             "Maps and verifies the .ingot file at a path as os.fsencode gives it.");
  module.def("read_bytes", &read_bytes, nb::arg("data"), "Verifies the bytes of an .ingot file.");
  module.def(
      "assemble", &assemble, nb::arg("program"), nb::arg("tensors"),
      nb::arg("extra_files") = nb::dict(),
      "Verifies a program in memory. `program` is the content of __ingot__.program,\n"
      "`tensors` maps names to (buffer, dtype number, shape); the buffers are used in place.");

  nb::class_<MethodCall>(module, "Method", nb::type_slots(method_slots), "A method of a module.")
      .def_prop_ro("name", &MethodCall::name)
      .def("profile", &MethodCall::profile,
           "Calls the method; its steps as (text, location, planned, start, duration, flops,\n"
           "bytes), times in seconds.")
      .def("__repr__", [](const MethodCall& self) { return "<ingot method " + self.name() + ">"; });

  nb::class_<NativeModule>(module, "NativeModule", nb::type_slots(module_slots),
                           "A loaded module: calling it runs `forward`.")
      .def(
          "__init__",
          [](NativeModule* self, const LoadedProgram& loaded, std::string_view precision) {
            const LoadOptions options = {.precision = precision_of_name(precision)};
            new (self) NativeModule(Module(loaded.program, options));
          },
          nb::arg("program"), nb::arg("precision") = "f32")
      .def(
          "__init__",
          [](NativeModule* self, const NativeModule& other, bool fork) {
            const auto fork_module = [&] { return other.module().fork(); };
            new (self) NativeModule(fork ? without_gil(fork_module) : other.module());
          },
          nb::arg("module"), nb::arg("fork"),
          "The same module; with `fork`, an independent copy of its mutable state.")
      .def_prop_ro(
          "precision", [](const NativeModule& self) { return name_of(self.module().precision()); },
          "What products and convolutions with constant weights compute in: f32 or bf16.")
      .def("_method", &NativeModule::method, nb::arg("name"))
      .def("_methods",
           [](const NativeModule& self) {
             std::vector<std::string> names;
             for (const auto& method : self.methods()) names.push_back(method->name());
             return names;
           })
      .def("_inputs", &inputs, nb::arg("method"), "(name, type, has default, default) of each.")
      .def("_output", &output, nb::arg("method"), "The type of the result.")
      .def("_state", &state, nb::arg("torch"), "Parameters and buffers, in state_dict order.")
      .def("_mutable_state", &mutable_state,
           "What methods update, as it is now: name to value, or to (dtype, shape, bytes).")
      .def("_extra_files", &extra_files, "Name to bytes of what the user put into the file.");
  module.def(
      "plan_stages",
      [] {
        std::vector<std::string> names;
        for (const std::string_view name : plan_stages()) names.emplace_back(name);
        return names;
      },
      "The stages of planning that set_plan_stage() knows.");
  module.def("set_plan_stage", &set_plan_stage, nb::arg("name"), nb::arg("enabled"),
             "Switches a stage of planning on or off for modules loaded from now on: for tests.");
  module.def(
      "simd_levels",
      [] {
        std::vector<std::string> names = {"baseline", "avx2", "avx512"};
        names.resize(static_cast<size_t>(best_simd_level()) + 1);
        return names;
      },
      "The instruction sets that this machine has, the narrowest first.");
  module.def(
      "set_simd_level", [](size_t level) { set_simd_level(static_cast<SimdLevel>(level)); },
      nb::arg("level"), "Uses instruction set number `level` from now on: for tests.");
  module.def("set_num_threads", &set_num_threads, nb::arg("threads"),
             "Threads that one call may use; 0: one per physical core, at most 16.");
  module.def("load_library", &load_library, nb::arg("path"),
             "Loads a shared library that adds ops to the catalogue.");
  module.def("manual_seed", &manual_seed, nb::arg("seed"),
             "Starts the process's random numbers anew: the same seed gives the same draws, those\n"
             "of PyTorch's CPU generator after torch.manual_seed(seed).");
  nb::class_<Generator>(module, "RandomState", "A state of the random numbers.");
  module.def("random_state", &random_state, "The present state of the process's random numbers.");
  module.def("set_random_state", &set_random_state, nb::arg("state"),
             "Goes on as after the call of random_state that gave `state`.");
  module.def("get_num_threads", &num_threads, "Threads that one call may use.");
  module.def("version", &version);
}

}  // namespace ingot::python

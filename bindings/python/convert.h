// Values between Python and the runtime.
//
//   Python                                runtime
//   None, bool, int, float, complex, str  the same
//   list, tuple, dict                     the same; keys are numbers, str, None, tensors, tuples
//   NamedTuple, dataclass                 tuple with field names
//   an instance of a user's class         instance, where the program's class is expected: a copy
//   a member of an Enum                   its value, or its name if that is no plain value
//   torch, NumPy, anything with DLPack    tensor, without copying; the same one if given twice
//   torch.Generator                       tensor of its state, which it takes over after the call
//   NumPy scalars                         numbers
//   torch.dtype, device, layout,          int, as programs number them
//   memory_format
#pragma once

#include <map>
#include <vector>

#include <nanobind/nanobind.h>

#include <ingot/value.h>

#include "ops/type.h"

namespace ingot::python {

// What a conversion has met on its way.
struct Conversion {
  // A torch.Tensor among the values and the tensor over its memory. A result in that memory
  // becomes a view made by PyTorch, which keeps the memory whatever becomes of `object`.
  struct Lender {
    Tensor tensor;
    const std::byte* data;  // before the program ran
    nanobind::object object;
  };

  // An object of a user's class and the instance that it became.
  struct Copied {
    nanobind::object object;
    Value instance;
  };

  // A torch.Generator among the values and the state that the program draws from.
  struct Given {
    nanobind::object generator;
    nanobind::object state;
  };

  // Generators take over the states that the program left.
  void give_back() const;

  // The tensor of an object that was met before; undefined for a new one.
  Tensor met(const PyObject* object) const;

  bool torch = false;  // a torch.Tensor was among the values
  std::vector<Given> generators;
  std::vector<Lender> lenders;
  std::map<const PyObject*, Copied> copies;
  // What each instance among the results became.
  mutable std::map<const Instance*, nanobind::object> objects;
};

// Converts `object`. `expected` (may be null) decides where Python is ambiguous: a tuple given
// for a list, an int for a float, a NumPy scalar for a tensor; it is not checked otherwise.
// Throws Error (invalid_argument) for a value that the runtime has no type for.
Value from_python(PyObject* object, const Type* expected, Conversion& conversion);

// Converts a result: tensors to torch or NumPy ones that share memory, named tuples to
// collections.namedtuple classes, instances to ingot.Object. `type`, if known, tells sets from
// dicts.
nanobind::object to_python(const Value& value, const Conversion& conversion,
                           const Type* type = nullptr);
nanobind::object to_python(const Tensor& tensor, bool torch);

}  // namespace ingot::python

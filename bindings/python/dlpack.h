// Tensors of other frameworks through DLPack (https://dmlc.github.io/dlpack, version 1.3).
#pragma once

#include <nanobind/nanobind.h>

#include <ingot/tensor.h>

namespace ingot::python {

// True for torch.Tensor and its subclasses; false while PyTorch is not imported.
bool is_torch_tensor(PyObject* object);

// The tensor's memory in place. A tensor that requires gradients gives its values; lazily
// conjugated or negated ones are resolved in a read-only copy. Throws Error
// (invalid_argument) for other devices, layouts and dtypes.
Tensor tensor_from_torch(PyObject* object);

// Any object with __dlpack__, in place. Throws Error (invalid_argument) if its producer
// refuses or the data are not in main memory.
Tensor tensor_from_dlpack(PyObject* object);

// A torch.Tensor over the tensor's memory; read-only memory is copied, as PyTorch cannot
// protect it.
nanobind::object torch_from_tensor(Tensor tensor);

}  // namespace ingot::python

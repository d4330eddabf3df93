// Python objects that own tensors' memory, and tensors' memory that Python objects own.
#pragma once

#include <nanobind/nanobind.h>

#include <ingot/tensor.h>

namespace ingot::python {

// Drops a reference to a PyObject from any thread, with or without the GIL.
void release_object(void* object);

// A Python object that keeps the tensor's memory alive.
nanobind::object owner_of(Tensor tensor);

}  // namespace ingot::python

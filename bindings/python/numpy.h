// NumPy arrays and scalars, through NumPy's C API, which is loaded when it is first needed:
// NumPy is never imported for a program that does not use it.
#pragma once

#include <nanobind/nanobind.h>

#include <ingot/tensor.h>
#include <ingot/value.h>

namespace ingot::python {

// True for numpy.ndarray and its subclasses; false while NumPy is not imported.
bool is_ndarray(PyObject* object);
bool is_ndarray_exact(PyObject* object);
// True for numpy.float32(1) and the like.
bool is_numpy_scalar(PyObject* object);

// The array's memory in place, kept alive by the tensor. Read-only arrays give read-only
// tensors. Arrays that no tensor can describe (negative or odd strides, unaligned, foreign byte
// order) are copied into read-only memory, so that no update is lost. Throws Error
// (invalid_argument) for a dtype that Ingot lacks.
Tensor tensor_from_ndarray(PyObject* array);
// A Python number of the same value: bool, int, float or complex.
nanobind::object number_from_numpy_scalar(PyObject* scalar);
Tensor tensor_from_numpy_scalar(PyObject* scalar);

// An array over the tensor's memory, read-only if the tensor is. bf16 arrays have the dtype
// of the package ml_dtypes. Throws Error if NumPy or ml_dtypes is missing.
nanobind::object ndarray_from_tensor(Tensor tensor);

}  // namespace ingot::python

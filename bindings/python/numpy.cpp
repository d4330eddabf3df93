#include "numpy.h"

#define NPY_NO_DEPRECATED_API NPY_1_22_API_VERSION
#define NPY_TARGET_VERSION NPY_1_22_API_VERSION
#include <numpy/arrayobject.h>

#include <cstring>
#include <optional>

#include <ingot/check.h>
#include "errors.h"
#include "lifetime.h"

namespace nb = nanobind;

namespace ingot::python {

namespace {

bool api_loaded = false;
int bfloat16_number = -1;  // type number of ml_dtypes.bfloat16 once seen

bool load_api() {
  if (_import_array() < 0) {
    PyErr_Clear();
    return false;
  }
  return api_loaded = true;
}

// Loads the API if the process has imported NumPy.
bool numpy_in_use() {
  if (api_loaded) return true;
  const nb::object name = nb::steal(PyUnicode_FromString("numpy"));
  const nb::object module = nb::steal(PyImport_GetModule(name.ptr()));
  return module.is_valid() && load_api();
}

std::optional<DType> dtype_of_number(int number) {
  switch (number) {
    case NPY_BOOL: return DType::boolean;
    case NPY_UINT8: return DType::u8;
    case NPY_INT8: return DType::i8;
    case NPY_INT16: return DType::i16;
    case NPY_INT32: return DType::i32;
    case NPY_INT64: return DType::i64;
    case NPY_FLOAT16: return DType::f16;
    case NPY_FLOAT32: return DType::f32;
    case NPY_FLOAT64: return DType::f64;
    case NPY_COMPLEX64: return DType::c64;
    case NPY_COMPLEX128: return DType::c128;
    default: break;
  }
  // C has two 64-bit types (or two 32-bit ones); NumPy numbers both.
  if (number == NPY_LONGLONG) return DType::i64;
  if (number == NPY_LONG) return sizeof(long) == 8 ? DType::i64 : DType::i32;
  if (number == bfloat16_number) return DType::bf16;
  return std::nullopt;
}

std::optional<DType> dtype_of(PyArray_Descr* descr) {
  if (const auto dtype = dtype_of_number(descr->type_num)) return dtype;
  if (descr->type_num >= NPY_USERDEF &&
      std::strcmp(descr->typeobj->tp_name, "ml_dtypes.bfloat16") == 0) {
    bfloat16_number = descr->type_num;
    return DType::bf16;
  }
  return std::nullopt;
}

std::string name_of_descr(PyArray_Descr* descr) {
  const nb::object text = nb::steal(PyObject_Str(reinterpret_cast<PyObject*>(descr)));
  const char* utf8 = text.is_valid() ? PyUnicode_AsUTF8(text.ptr()) : nullptr;
  if (!utf8) PyErr_Clear();
  return utf8 ? utf8 : "?";
}

// Whether strides count whole elements forward, as a tensor's must.
bool has_tensor_strides(PyArrayObject* array, npy_intp item) {
  for (int i = 0; i < PyArray_NDIM(array); ++i) {
    const npy_intp stride = PyArray_STRIDE(array, i);
    if (PyArray_DIM(array, i) > 1 && (stride < 0 || stride % item != 0)) return false;
  }
  return true;
}

// Takes over the reference to `array`, whose memory a tensor can describe.
Tensor wrap(nb::object owner, DType dtype, bool writable) {
  auto* array = reinterpret_cast<PyArrayObject*>(owner.ptr());
  const int rank = PyArray_NDIM(array);
  INGOT_CHECK(rank <= kMaxRank, "an array of ", rank, " dimensions is too many: at most ", kMaxRank,
              " are supported");
  const npy_intp item = static_cast<npy_intp>(size_of(dtype));
  const bool contiguous = PyArray_IS_C_CONTIGUOUS(array);
  int64_t sizes[kMaxRank];
  int64_t strides[kMaxRank];
  for (int i = 0; i < rank; ++i) {
    sizes[i] = PyArray_DIM(array, i);
    strides[i] = sizes[i] > 1 ? PyArray_STRIDE(array, i) / item : 1;
  }
  const size_t count = static_cast<size_t>(rank);
  Tensor tensor = Tensor::from_blob(
      PyArray_DATA(array), dtype, std::span<const int64_t>(sizes, count),
      contiguous ? std::span<const int64_t>() : std::span<const int64_t>(strides, count),
      release_object, owner.ptr(), writable);
  owner.release();
  return tensor;
}

PyArray_Descr* descr_of(DType dtype) {
  switch (dtype) {
    case DType::boolean: return PyArray_DescrFromType(NPY_BOOL);
    case DType::u8: return PyArray_DescrFromType(NPY_UINT8);
    case DType::i8: return PyArray_DescrFromType(NPY_INT8);
    case DType::i16: return PyArray_DescrFromType(NPY_INT16);
    case DType::i32: return PyArray_DescrFromType(NPY_INT32);
    case DType::i64: return PyArray_DescrFromType(NPY_INT64);
    case DType::f16: return PyArray_DescrFromType(NPY_FLOAT16);
    case DType::f32: return PyArray_DescrFromType(NPY_FLOAT32);
    case DType::f64: return PyArray_DescrFromType(NPY_FLOAT64);
    case DType::c64: return PyArray_DescrFromType(NPY_COMPLEX64);
    case DType::c128: return PyArray_DescrFromType(NPY_COMPLEX128);
    case DType::bf16: break;
  }
  if (bfloat16_number < 0) {
    const nb::object package = nb::steal(PyImport_ImportModule("ml_dtypes"));
    if (!package.is_valid()) {
      PyErr_Clear();
      throw Error(ErrorCode::unsupported, "NumPy alone has no bfloat16 arrays")
          .with_hint("install the package ml_dtypes, or pass torch tensors to get torch tensors");
    }
    PyArray_Descr* descr = nullptr;
    if (!PyArray_DescrConverter(package.attr("bfloat16").ptr(), &descr)) throw nb::python_error();
    bfloat16_number = descr->type_num;
    return descr;
  }
  return PyArray_DescrFromType(bfloat16_number);
}

}  // namespace

bool is_ndarray(PyObject* object) { return numpy_in_use() && PyArray_Check(object); }

bool is_ndarray_exact(PyObject* object) { return api_loaded && PyArray_CheckExact(object); }

bool is_numpy_scalar(PyObject* object) {
  return numpy_in_use() && PyArray_IsScalar(object, Generic);
}

Tensor tensor_from_ndarray(PyObject* object) {
  auto* array = reinterpret_cast<PyArrayObject*>(object);
  PyArray_Descr* descr = PyArray_DESCR(array);
  const auto dtype = dtype_of(descr);
  if (!dtype) {
    throw Error(ErrorCode::invalid_argument,
                concat("a NumPy array of dtype ", name_of_descr(descr), " is not supported"))
        .with_hint("convert it with x.astype(), for example to float32 or int64");
  }
  const bool direct = PyArray_ISALIGNED(array) && PyArray_ISNOTSWAPPED(array) &&
                      (PyArray_IS_C_CONTIGUOUS(array) ||
                       has_tensor_strides(array, static_cast<npy_intp>(size_of(*dtype))));
  if (direct) return wrap(nb::borrow(object), *dtype, PyArray_ISWRITEABLE(array));
  nb::object copy = nb::steal(PyArray_FromAny(
      object, descr_of(*dtype), 0, 0,
      NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED | NPY_ARRAY_NOTSWAPPED | NPY_ARRAY_ENSURECOPY,
      nullptr));
  if (!copy.is_valid()) throw nb::python_error();
  return wrap(std::move(copy), *dtype, false);
}

nb::object number_from_numpy_scalar(PyObject* scalar) {
  nb::object number = nb::steal(PyObject_CallMethod(scalar, "item", nullptr));
  if (!number.is_valid()) throw nb::python_error();
  return number;
}

Tensor tensor_from_numpy_scalar(PyObject* scalar) {
  const nb::object array = nb::steal(PyArray_FromScalar(scalar, nullptr));
  if (!array.is_valid()) throw nb::python_error();
  return tensor_from_ndarray(array.ptr());
}

nb::object ndarray_from_tensor(Tensor tensor) {
  if (!api_loaded && !load_api()) {
    throw Error(ErrorCode::unsupported,
                "the results are NumPy arrays, but NumPy cannot be imported")
        .with_hint("install the package numpy");
  }
  PyArray_Descr* descr = descr_of(tensor.dtype());
  const npy_intp item = static_cast<npy_intp>(size_of(tensor.dtype()));
  npy_intp sizes[kMaxRank];
  npy_intp strides[kMaxRank];
  for (int i = 0; i < tensor.rank(); ++i) {
    sizes[i] = static_cast<npy_intp>(tensor.size(i));
    strides[i] = static_cast<npy_intp>(tensor.stride(i)) * item;
  }
  // Without memory of ours (no elements) NumPy makes some.
  void* data = tensor.numel() > 0 ? tensor.data() : nullptr;
  nb::object array = nb::steal(
      PyArray_NewFromDescr(&PyArray_Type, descr, tensor.rank(), sizes, data ? strides : nullptr,
                           data, tensor.writable() ? NPY_ARRAY_WRITEABLE : 0, nullptr));
  if (!array.is_valid()) throw nb::python_error();
  if (data) {
    nb::object owner = owner_of(std::move(tensor));
    if (PyArray_SetBaseObject(reinterpret_cast<PyArrayObject*>(array.ptr()),
                              owner.release().ptr()) < 0)
      throw nb::python_error();
  }
  return array;
}

}  // namespace ingot::python

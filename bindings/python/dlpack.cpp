#include "dlpack.h"

#include <cstring>
#include <memory>
#include <optional>

#include <ingot/check.h>
#include "errors.h"
#include "lifetime.h"

namespace nb = nanobind;

namespace ingot::python {

namespace {

struct DLDevice {
  int32_t type;
  int32_t id;
};

struct DLDataType {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
};

struct DLTensor {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
};

struct DLManagedTensor {
  DLTensor tensor;
  void* manager_ctx;
  void (*deleter)(DLManagedTensor* self);
};

struct DLPackVersion {
  uint32_t major;
  uint32_t minor;
};

struct DLManagedTensorVersioned {
  DLPackVersion version;
  void* manager_ctx;
  void (*deleter)(DLManagedTensorVersioned* self);
  uint64_t flags;
  DLTensor tensor;
};

// The function table behind `type.__dlpack_c_exchange_api__`.
struct DLPackExchangeAPI {
  DLPackVersion version;
  DLPackExchangeAPI* previous;
  int (*allocate)(DLTensor*, DLManagedTensorVersioned**, void*,
                  void (*)(void*, const char*, const char*));
  int (*from_py_object)(void* object, DLManagedTensorVersioned** out);
  int (*to_py_object)(DLManagedTensorVersioned* tensor, void** out);
  int (*borrow)(void* object, DLTensor* out);
  int (*current_work_stream)(int32_t, int32_t, void**);
};

constexpr int32_t kCpu = 1;
constexpr uint64_t kReadOnly = 1;
constexpr uint64_t kCopied = 2;
constexpr uint8_t kInt = 0, kUInt = 1, kFloat = 2, kBfloat = 4, kComplex = 5, kBool = 6;

std::optional<DType> dtype_of(DLDataType type) {
  if (type.lanes != 1) return std::nullopt;
  switch (type.code << 8 | type.bits) {
    case kBool << 8 | 8: return DType::boolean;
    case kUInt << 8 | 8: return DType::u8;
    case kInt << 8 | 8: return DType::i8;
    case kInt << 8 | 16: return DType::i16;
    case kInt << 8 | 32: return DType::i32;
    case kInt << 8 | 64: return DType::i64;
    case kFloat << 8 | 16: return DType::f16;
    case kFloat << 8 | 32: return DType::f32;
    case kFloat << 8 | 64: return DType::f64;
    case kBfloat << 8 | 16: return DType::bf16;
    case kComplex << 8 | 64: return DType::c64;
    case kComplex << 8 | 128: return DType::c128;
    default: return std::nullopt;
  }
}

DLDataType dl_dtype_of(DType dtype) {
  uint8_t code = kInt;
  if (dtype == DType::boolean)
    code = kBool;
  else if (dtype == DType::u8)
    code = kUInt;
  else if (dtype == DType::bf16)
    code = kBfloat;
  else if (is_complex(dtype))
    code = kComplex;
  else if (is_floating(dtype))
    code = kFloat;
  return {code, static_cast<uint8_t>(size_of(dtype) * 8), 1};
}

template <class Managed>
void delete_managed(void* context) {
  auto* managed = static_cast<Managed*>(context);
  if (managed->deleter) managed->deleter(managed);
}

template <class Managed>
struct Delete {
  void operator()(Managed* managed) const { delete_managed<Managed>(managed); }
};

template <class Managed>
using Owned = std::unique_ptr<Managed, Delete<Managed>>;

template <class Managed>
Tensor wrap(Owned<Managed> managed, bool writable) {
  const DLTensor& source = managed->tensor;
  INGOT_CHECK(source.device.type == kCpu,
              "a tensor on another device than the CPU was given; copy it first, for example "
              "with x.cpu()");
  const auto dtype = dtype_of(source.dtype);
  INGOT_CHECK(dtype, "a tensor of ", int{source.dtype.bits}, "-bit elements of DLPack's type code ",
              int{source.dtype.code},
              " is not supported; convert it first, for example to float32");
  INGOT_CHECK(source.ndim <= kMaxRank, "a tensor of ", source.ndim,
              " dimensions is too many: at most ", kMaxRank, " are supported");
  const std::span<const int64_t> sizes(source.shape, static_cast<size_t>(source.ndim));
  const std::span<const int64_t> strides(source.strides, source.strides ? sizes.size() : 0);
  std::byte* data = static_cast<std::byte*>(source.data) + source.byte_offset;
  bool forward = true;
  for (const int64_t stride : strides) forward &= stride >= 0;
  INGOT_CHECK(source.data || numel_of(sizes) == 0, "a tensor without data was given");
  INGOT_CHECK(forward, "a tensor with negative strides was given; make it contiguous first");
  if (reinterpret_cast<uintptr_t>(data) % std::min<size_t>(size_of(*dtype), 8) != 0) {
    fail(ErrorCode::invalid_argument, "a tensor with unaligned elements was given; copy it first");
  }
  Tensor tensor = Tensor::from_blob(data, *dtype, sizes, strides, delete_managed<Managed>,
                                    managed.get(), writable);
  managed.release();
  return tensor;
}

PyTypeObject* torch_tensor_type = nullptr;
const DLPackExchangeAPI* torch_api = nullptr;

// Finds torch.Tensor if the process has imported PyTorch.
bool torch_in_use() {
  if (torch_tensor_type) return true;
  const nb::object name = nb::steal(PyUnicode_FromString("torch"));
  const nb::object module = nb::steal(PyImport_GetModule(name.ptr()));
  if (!module.is_valid()) {
    PyErr_Clear();
    return false;
  }
  // PyTorch may be in the middle of its import.
  nb::object type = nb::getattr(module, "Tensor", nb::none());
  if (!PyType_Check(type.ptr())) return false;
  torch_tensor_type = reinterpret_cast<PyTypeObject*>(type.release().ptr());
  return true;
}

const DLPackExchangeAPI& exchange_api() {
  if (torch_api) return *torch_api;
  if (!torch_in_use()) fail(ErrorCode::invalid_argument, "torch tensors need torch to be imported");
  const nb::object capsule = nb::getattr(nb::handle(reinterpret_cast<PyObject*>(torch_tensor_type)),
                                         "__dlpack_c_exchange_api__", nb::none());
  if (!PyCapsule_CheckExact(capsule.ptr())) {
    throw Error(ErrorCode::unsupported,
                "this version of PyTorch is too old to exchange tensors with")
        .with_hint("install torch 2.10 or newer, or pass NumPy arrays");
  }
  const auto* api = static_cast<const DLPackExchangeAPI*>(
      PyCapsule_GetPointer(capsule.ptr(), "dlpack_exchange_api"));
  if (!api) throw nb::python_error();
  while (api && api->version.major != 1) api = api->previous;
  if (!api) fail(ErrorCode::unsupported, "this version of PyTorch is too new: it has no DLPack 1");
  torch_api = api;
  return *api;
}

// Calls `object.method()`, which returns a bool.
bool ask(PyObject* object, const nb::object& method) {
  const nb::object answer = nb::steal(PyObject_CallMethodNoArgs(object, method.ptr()));
  if (!answer.is_valid()) throw nb::python_error();
  return answer.ptr() == Py_True;
}

nb::object interned(const char* text) { return nb::steal(PyUnicode_InternFromString(text)); }

}  // namespace

bool is_torch_tensor(PyObject* object) {
  return torch_in_use() && PyObject_TypeCheck(object, torch_tensor_type);
}

Tensor tensor_from_torch(PyObject* object) {
  static const nb::object* is_neg = new nb::object(interned("is_neg"));
  static const nb::object* is_conj = new nb::object(interned("is_conj"));
  DLManagedTensorVersioned* exported = nullptr;
  if (exchange_api().from_py_object(object, &exported) != 0 || !exported) {
    fail(ErrorCode::invalid_argument, "a torch.Tensor cannot be read: ", take_python_error());
  }
  Owned<DLManagedTensorVersioned> managed(exported);
  // PyTorch exports the stored elements even where these bits change their meaning.
  const uint8_t code = managed->tensor.dtype.code;
  const bool lazy = (code == kComplex && ask(object, *is_conj)) ||
                    ((code == kComplex || code == kFloat) && ask(object, *is_neg));
  const bool writable = !(managed->flags & kReadOnly);
  if (!lazy) return wrap(std::move(managed), writable);
  const nb::object resolved =
      nb::handle(object).attr("resolve_conj")().attr("resolve_neg")().attr("detach")();
  DLManagedTensorVersioned* copy = nullptr;
  if (exchange_api().from_py_object(resolved.ptr(), &copy) != 0 || !copy) throw nb::python_error();
  return wrap(Owned<DLManagedTensorVersioned>(copy), false);
}

Tensor tensor_from_dlpack(PyObject* object) {
  const nb::handle source(object);
  nb::object capsule;
  try {
    const nb::tuple device = nb::cast<nb::tuple>(source.attr("__dlpack_device__")());
    INGOT_CHECK(nb::cast<int>(nb::int_(device[0])) == kCpu,
                "a tensor on another device than the CPU was given; copy it to the CPU first");
    try {
      capsule = source.attr("__dlpack__")(nb::arg("max_version") = nb::make_tuple(1, 0));
    } catch (const nb::python_error& error) {
      if (!error.matches(PyExc_TypeError)) throw;
      capsule = source.attr("__dlpack__")();  // a producer from before DLPack 1
    }
  } catch (nb::python_error& error) {
    error.restore();
    fail(ErrorCode::invalid_argument, "a value of type ", Py_TYPE(object)->tp_name,
         " cannot be read through DLPack: ", take_python_error());
  }
  if (PyCapsule_IsValid(capsule.ptr(), "dltensor_versioned")) {
    auto* managed = static_cast<DLManagedTensorVersioned*>(
        PyCapsule_GetPointer(capsule.ptr(), "dltensor_versioned"));
    PyCapsule_SetName(capsule.ptr(), "used_dltensor_versioned");
    Owned<DLManagedTensorVersioned> owned(managed);
    INGOT_CHECK(managed->version.major == 1, "a value of type ", Py_TYPE(object)->tp_name,
                " uses DLPack ", managed->version.major, ", which is too new");
    const bool writable = !(managed->flags & (kReadOnly | kCopied));
    return wrap(std::move(owned), writable);
  }
  INGOT_CHECK(PyCapsule_IsValid(capsule.ptr(), "dltensor"), "a value of type ",
              Py_TYPE(object)->tp_name, " has a __dlpack__ method that gives no tensor");
  auto* managed = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule.ptr(), "dltensor"));
  PyCapsule_SetName(capsule.ptr(), "used_dltensor");
  return wrap(Owned<DLManagedTensor>(managed), true);
}

nb::object torch_from_tensor(Tensor tensor) {
  const DLPackExchangeAPI& api = exchange_api();
  if (!tensor.writable() && tensor.numel() > 0) tensor = tensor.clone();
  auto managed = std::make_unique<DLManagedTensorVersioned>();
  managed->version = {1, 0};
  managed->flags = 0;
  managed->tensor = {
      .data = tensor.data(),
      .device = {kCpu, 0},
      .ndim = tensor.rank(),
      .dtype = dl_dtype_of(tensor.dtype()),
      .shape = const_cast<int64_t*>(tensor.sizes().begin()),
      .strides = const_cast<int64_t*>(tensor.strides().begin()),
      .byte_offset = 0,
  };
  managed->manager_ctx = tensor.detach();
  managed->deleter = [](DLManagedTensorVersioned* self) {
    Tensor::attach(static_cast<detail::TensorImpl*>(self->manager_ctx));
    delete self;
  };
  void* object = nullptr;
  if (api.to_py_object(managed.release(), &object) != 0) throw nb::python_error();
  return nb::steal(static_cast<PyObject*>(object));
}

}  // namespace ingot::python

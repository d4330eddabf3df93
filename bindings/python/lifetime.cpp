#include "lifetime.h"

namespace nb = nanobind;

namespace ingot::python {

void release_object(void* object) {
  auto* reference = static_cast<PyObject*>(object);
  // A thread that outlives the interpreter leaves the object to the end of the process.
  if (!Py_IsInitialized()) return;
  if (PyGILState_Check()) {
    Py_DECREF(reference);
    return;
  }
  const PyGILState_STATE state = PyGILState_Ensure();
  Py_DECREF(reference);
  PyGILState_Release(state);
}

nb::object owner_of(Tensor tensor) {
  detail::TensorImpl* impl = tensor.detach();
  nb::object capsule = nb::steal(PyCapsule_New(impl, nullptr, [](PyObject* self) {
    Tensor::attach(static_cast<detail::TensorImpl*>(PyCapsule_GetPointer(self, nullptr)));
  }));
  if (!capsule.is_valid()) {
    Tensor::attach(impl);
    throw nb::python_error();
  }
  return capsule;
}

}  // namespace ingot::python

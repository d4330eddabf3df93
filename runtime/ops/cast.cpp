// Conversions of dtype and copies of data.
#include <ingot/op.h>
#include "ops/fill.h"
#include "ops/shape.h"
#include "tensor/convert.h"
#include "tensor/iterate.h"

namespace ingot {
namespace {

using MaybeInt = std::optional<int64_t>;
using MaybeBool = std::optional<bool>;

constexpr int64_t kCpu = 0;
constexpr int64_t kContiguousFormat = 0;

void check_device(MaybeInt device) {
  INGOT_CHECK(!device || *device == kCpu, "tensors live on the cpu (device 0), got device ",
              *device);
}

// Shares self's data if nothing has to change and no copy is asked for.
Tensor converted(const Tensor& self, DType dtype, bool copy, MaybeInt memory_format) {
  if (dtype != self.dtype()) return self.to(dtype);
  if (copy) return self.clone();
  return memory_format == kContiguousFormat ? self.contiguous() : self;
}

Tensor to_dtype(const Tensor& self, DType dtype, bool, bool copy, MaybeInt memory_format) {
  return converted(self, dtype, copy, memory_format);
}
INGOT_OP(
    "aten::to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, bool "
    "copy=False, MemoryFormat? memory_format=None) -> Tensor(a)",
    Symbolic<to_dtype>);

Tensor to_device(const Tensor& self, int64_t device, DType dtype, bool, bool copy,
                 MaybeInt memory_format) {
  check_device(device);
  return converted(self, dtype, copy, memory_format);
}
INGOT_OP(
    "aten::to.device(Tensor(a) self, Device device, ScalarType dtype, bool "
    "non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)",
    Symbolic<to_device>);

Tensor to_dtype_layout(const Tensor& self, std::optional<DType> dtype, MaybeInt, MaybeInt device,
                       MaybeBool, bool, bool copy, MaybeInt memory_format) {
  check_device(device);
  return converted(self, dtype.value_or(self.dtype()), copy, memory_format);
}
INGOT_OP(
    "aten::to.dtype_layout(Tensor(a) self, *, ScalarType? dtype=None, Layout? layout=None, "
    "Device? device=None, bool? pin_memory=None, bool non_blocking=False, bool copy=False, "
    "MemoryFormat? memory_format=None) -> Tensor(a)",
    Symbolic<to_dtype_layout>);

Tensor to_other(const Tensor& self, const Tensor& other, bool, bool copy, MaybeInt memory_format) {
  return converted(self, other.dtype(), copy, memory_format);
}
INGOT_OP(
    "aten::to.other(Tensor(a) self, Tensor other, bool non_blocking=False, bool copy=False, "
    "MemoryFormat? memory_format=None) -> Tensor(a)",
    Symbolic<to_other>);

Tensor to_prim_device(const Tensor& self, MaybeInt device, std::optional<DType> dtype, bool,
                      bool copy) {
  check_device(device);
  return converted(self, dtype.value_or(self.dtype()), copy, {});
}
INGOT_OP(
    "aten::to.prim_Device(Tensor(a) self, Device? device, int? dtype=None, bool "
    "non_blocking=False, bool copy=False) -> Tensor(b|a)",
    Symbolic<to_prim_device>);

Tensor to_prim_dtype(const Tensor& self, std::optional<DType> dtype, bool, bool copy) {
  return converted(self, dtype.value_or(self.dtype()), copy, {});
}
INGOT_OP(
    "aten::to.prim_dtype(Tensor(a) self, int? dtype=None, bool non_blocking=False, bool "
    "copy=False) -> Tensor(b|a)",
    Symbolic<to_prim_dtype>);

Tensor to_prim_other(const Tensor& self, bool, bool copy) {
  return converted(self, self.dtype(), copy, {});
}
INGOT_OP(
    "aten::to.prim_other(Tensor(a) self, bool non_blocking=False, bool copy=False) -> "
    "Tensor(b|a)",
    Symbolic<to_prim_other>);

Tensor cpu(const Tensor& self) { return self; }
INGOT_OP("aten::cpu(Tensor(a) self) -> Tensor(b|a)", Symbolic<cpu>);

TensorInfo to_copy_meta(const Tensor& self, std::optional<DType> dtype, MaybeInt, MaybeInt device,
                        MaybeBool, bool, MaybeInt) {
  check_device(device);
  return {dtype.value_or(self.dtype()), self.sizes()};
}
void to_copy(const Tensor& self, std::optional<DType>, MaybeInt, MaybeInt, MaybeBool, bool,
             MaybeInt, Tensor& out) {
  copy_into(self, out);
}
INGOT_OP(
    "aten::_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? "
    "device=None, bool? pin_memory=None, bool non_blocking=False, MemoryFormat? "
    "memory_format=None) -> Tensor",
    Structured<to_copy_meta, to_copy>);

Tensor type_as(const Tensor& self, const Tensor& other) { return self.to(other.dtype()); }
INGOT_OP("aten::type_as(Tensor self, Tensor other) -> Tensor", Symbolic<type_as>);

template <DType kType>
Tensor cast(const Tensor& self, bool) {
  return self.to(kType);
}
#define INGOT_CAST(name, dtype)                                                    \
  INGOT_OP("aten::_cast_" name "(Tensor self, bool non_blocking=False) -> Tensor", \
           Symbolic<cast<DType::dtype>>)
INGOT_CAST("Byte", u8);
INGOT_CAST("Char", i8);
INGOT_CAST("Short", i16);
INGOT_CAST("Int", i32);
INGOT_CAST("Long", i64);
INGOT_CAST("Half", f16);
INGOT_CAST("Float", f32);
INGOT_CAST("Double", f64);

// Copies into existing tensors.
TensorInfo copy_meta(const Tensor& self, const Tensor& source, bool) {
  INGOT_CHECK(broadcast(self.sizes(), source.sizes()) == self.sizes(), "a tensor of sizes ",
              source.sizes(), " does not broadcast to ", self.sizes());
  return self.info();
}
void copy(const Tensor&, const Tensor& source, bool, Tensor& out) { copy_into(source, out); }
INGOT_OP("aten::copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor",
         Structured<copy_meta, copy>);

Tensor copy_in_place(const Tensor& self, const Tensor& source, bool) {
  check_writable(self);
  copy_meta(self, source, false);
  Tensor target = self;
  copy_into(self.shares_storage(source) ? source.clone() : source, target);
  return target;
}
INGOT_OP("aten::copy_(Tensor(a!) self, Tensor src, bool non_blocking=False) -> Tensor(a!)",
         Function<copy_in_place>);
Tensor copy_in_place_tensor(const Tensor& self, const Tensor& source) {
  return copy_in_place(self, source, false);
}
INGOT_OP("aten::copy_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)",
         Function<copy_in_place_tensor>);

Tensor fill_in_place(const Tensor& self, Scalar value) {
  check_not_read_only(self);
  Tensor target = self;
  fill(target, value);
  return target;
}
INGOT_OP("aten::fill_.Scalar(Tensor(a!) self, Scalar value) -> Tensor(a!)",
         Function<fill_in_place>);
Tensor zero_in_place(const Tensor& self) { return fill_in_place(self, Scalar(int64_t{0})); }
INGOT_OP("aten::zero_(Tensor(a!) self) -> Tensor(a!)", Function<zero_in_place>);
Tensor copy_in_place_float(const Tensor& self, double value) { return fill_in_place(self, value); }
INGOT_OP("aten::copy_.float(Tensor(a!) self, float other) -> Tensor(a!)",
         Function<copy_in_place_float>);
Tensor copy_in_place_int(const Tensor& self, int64_t value) { return fill_in_place(self, value); }
INGOT_OP("aten::copy_.int(Tensor(a!) self, int other) -> Tensor(a!)", Function<copy_in_place_int>);

void check_fill_value(const Tensor& value) {
  INGOT_CHECK(value.rank() == 0, "value must have no dimensions, got ", value);
}
Tensor fill_tensor_in_place(const Tensor& self, const Tensor& value) {
  check_fill_value(value);
  check_not_read_only(self);
  Tensor target = self;
  copy_into(self.shares_storage(value) ? value.clone() : value, target);
  return target;
}
INGOT_OP("aten::fill_.Tensor(Tensor(a!) self, Tensor value) -> Tensor(a!)",
         Function<fill_tensor_in_place>);

TensorInfo fill_meta(const Tensor& self, Scalar) { return self.info(); }
void fill_scalar(const Tensor&, Scalar value, Tensor& out) { fill(out, value); }
INGOT_OP("aten::fill.Scalar(Tensor self, Scalar value) -> Tensor",
         Structured<fill_meta, fill_scalar>);
TensorInfo fill_tensor_meta(const Tensor& self, const Tensor& value) {
  check_fill_value(value);
  return self.info();
}
void fill_tensor(const Tensor&, const Tensor& value, Tensor& out) { copy_into(value, out); }
INGOT_OP("aten::fill.Tensor(Tensor self, Tensor value) -> Tensor",
         Structured<fill_tensor_meta, fill_tensor>);
TensorInfo zero_meta(const Tensor& self) { return self.info(); }
void zero(const Tensor&, Tensor& out) { fill(out, int64_t{0}); }
INGOT_OP("aten::zero(Tensor self) -> Tensor", Structured<zero_meta, zero>);

}  // namespace
}  // namespace ingot

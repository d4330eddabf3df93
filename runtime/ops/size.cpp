// Facts of a tensor as numbers: sizes, strides, dtype, layout. Devices are 0, the CPU.
#include <ingot/op.h>
#include "ops/promotion.h"
#include "ops/shape.h"

namespace ingot {
namespace {

Value sizes_of(const Tensor& self) { return box(std::span<const int64_t>(self.sizes())); }
Value strides_of(const Tensor& self) { return box(std::span<const int64_t>(self.strides())); }

int64_t size_int(const Tensor& self, int64_t dim) {
  INGOT_CHECK(self.rank() > 0, "a tensor without dimensions has no size(", dim, ")");
  return self.size(wrap_dim(dim, self.rank()));
}
int64_t stride_int(const Tensor& self, int64_t dim) {
  INGOT_CHECK(self.rank() > 0, "a tensor without dimensions has no stride(", dim, ")");
  return self.stride(wrap_dim(dim, self.rank()));
}
int64_t len_tensor(const Tensor& self) {
  INGOT_CHECK(self.rank() > 0, "a tensor without dimensions has no len()");
  return self.size(0);
}
int64_t dim(const Tensor& self) { return self.rank(); }
int64_t numel(const Tensor& self) { return self.numel(); }
int64_t element_size(const Tensor& self) { return static_cast<int64_t>(size_of(self.dtype())); }
int64_t nbytes(const Tensor& self) { return static_cast<int64_t>(self.nbytes()); }
int64_t storage_offset(const Tensor& self) {
  if (!self.has_data()) return 0;
  return (static_cast<const std::byte*>(self.data()) - self.storage()->data) /
         static_cast<int64_t>(size_of(self.dtype()));
}
int64_t dtype_number(const Tensor& self) { return static_cast<int64_t>(self.dtype()); }
int64_t zero(const Tensor&) { return 0; }
int64_t minus_one(const Tensor&) { return -1; }
bool always(const Tensor&) { return true; }
bool never(const Tensor&) { return false; }
bool is_contiguous(const Tensor& self) { return self.is_contiguous(); }
bool is_contiguous_as(const Tensor& self, int64_t memory_format) {
  constexpr int64_t kContiguous = 0;
  INGOT_CHECK(memory_format == kContiguous, "memory format ", memory_format,
              " is not supported: tensors are contiguous or strided");
  return self.is_contiguous();
}
bool is_floating_point(const Tensor& self) { return is_floating(self.dtype()); }
bool is_complex_tensor(const Tensor& self) { return is_complex(self.dtype()); }
bool is_signed(const Tensor& self) {
  return self.dtype() != DType::u8 && self.dtype() != DType::boolean;
}
bool is_same_size(const Tensor& self, const Tensor& other) { return self.sizes() == other.sizes(); }

int64_t promote_types(DType a, DType b) { return static_cast<int64_t>(promote(a, b)); }
INGOT_OP("aten::can_cast(ScalarType from_, ScalarType to) -> bool", Symbolic<can_cast>);
INGOT_OP("aten::size(Tensor self) -> int[]", Symbolic<sizes_of>);
INGOT_OP("aten::sym_size(Tensor self) -> SymInt[]", Symbolic<sizes_of>);
INGOT_OP("aten::size.int(Tensor self, int dim) -> int", Symbolic<size_int>);
INGOT_OP("aten::sym_size.int(Tensor self, int dim) -> SymInt", Symbolic<size_int>);
INGOT_OP("aten::stride(Tensor self) -> int[]", Symbolic<strides_of>);
INGOT_OP("aten::sym_stride(Tensor self) -> SymInt[]", Symbolic<strides_of>);
INGOT_OP("aten::stride.int(Tensor self, int dim) -> int", Symbolic<stride_int>);
INGOT_OP("aten::sym_stride.int(Tensor self, int dim) -> SymInt", Symbolic<stride_int>);
INGOT_OP("aten::dim(Tensor self) -> int", Symbolic<dim>);
INGOT_OP("aten::numel(Tensor self) -> int", Symbolic<numel>);
INGOT_OP("aten::sym_numel(Tensor self) -> SymInt", Symbolic<numel>);
INGOT_OP("aten::len.Tensor(Tensor t) -> int", Symbolic<len_tensor>);
INGOT_OP("aten::element_size(Tensor self) -> int", Symbolic<element_size>);
INGOT_OP("aten::storage_offset(Tensor self) -> int", Symbolic<storage_offset>);
INGOT_OP("aten::sym_storage_offset(Tensor self) -> SymInt", Symbolic<storage_offset>);
INGOT_OP("aten::get_device(Tensor self) -> int", Symbolic<minus_one>);
INGOT_OP("aten::is_contiguous(Tensor self) -> bool", Symbolic<is_contiguous>);
INGOT_OP("aten::is_contiguous.memory_format(Tensor self, MemoryFormat memory_format) -> bool",
         Symbolic<is_contiguous_as>);
INGOT_OP("aten::is_floating_point(Tensor self) -> bool", Symbolic<is_floating_point>);
INGOT_OP("aten::is_complex(Tensor self) -> bool", Symbolic<is_complex_tensor>);
INGOT_OP("aten::is_signed(Tensor self) -> bool", Symbolic<is_signed>);
INGOT_OP("aten::is_same_size(Tensor self, Tensor other) -> bool", Symbolic<is_same_size>);
INGOT_OP("aten::is_conj(Tensor self) -> bool", Symbolic<never>);
INGOT_OP("aten::is_neg(Tensor self) -> bool", Symbolic<never>);
INGOT_OP("aten::is_inference(Tensor self) -> bool", Symbolic<never>);
INGOT_OP("aten::is_leaf(Tensor self) -> bool", Symbolic<always>);
INGOT_OP("aten::promote_types(ScalarType type1, ScalarType type2) -> ScalarType",
         Symbolic<promote_types>);
INGOT_OP("prim::dtype(Tensor a) -> int", Symbolic<dtype_number>);
INGOT_OP("prim::device(Tensor a) -> Device", Symbolic<zero>);
INGOT_OP("prim::layout(Tensor a) -> Layout", Symbolic<zero>);
INGOT_OP("prim::itemsize(Tensor a) -> int", Symbolic<element_size>);
INGOT_OP("prim::nbytes(Tensor a) -> int", Symbolic<nbytes>);
INGOT_OP("prim::is_cpu(Tensor a) -> bool", Symbolic<always>);
INGOT_OP("prim::is_cuda(Tensor a) -> bool", Symbolic<never>);
INGOT_OP("prim::is_mps(Tensor a) -> bool", Symbolic<never>);
INGOT_OP("prim::is_meta(Tensor a) -> bool", Symbolic<never>);
INGOT_OP("prim::is_sparse(Tensor a) -> bool", Symbolic<never>);
INGOT_OP("prim::is_quantized(Tensor a) -> bool", Symbolic<never>);
INGOT_OP("prim::is_nested(Tensor a) -> bool", Symbolic<never>);
INGOT_OP("prim::requires_grad(Tensor a) -> bool", Symbolic<never>);

}  // namespace
}  // namespace ingot

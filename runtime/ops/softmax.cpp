// aten::softmax and aten::log_softmax.
#include "kernels/softmax.h"

#include <ingot/op.h>
#include "ops/compute.h"
#include "ops/dispatch.h"

namespace ingot {

namespace {

int64_t wrapped_dim(const Tensor& self, int64_t dim) {
  const int64_t rank = std::max(self.rank(), 1);
  INGOT_CHECK(dim >= -rank && dim < rank, "dim ", dim, " is out of range for ", self, ": expected ",
              -rank, " to ", rank - 1);
  return dim < 0 ? dim + rank : dim;
}

TensorInfo softmax_info(const Tensor& self, int64_t dim, DType dtype) {
  wrapped_dim(self, dim);
  INGOT_CHECK(is_floating(dtype), "softmax of ", dtype,
              " tensors is not supported; pass dtype or "
              "convert the input to a floating dtype");
  return {dtype, self.sizes()};
}

void softmax_into(const Tensor& self, int64_t dim, Tensor& out, SoftmaxForm form) {
  const int axis = static_cast<int>(wrapped_dim(self, dim));
  int64_t outer = 1, size = 1, inner = 1;
  for (int d = 0; d < self.rank(); ++d)
    (d < axis ? outer : d == axis ? size : inner) *= self.size(d);
  ComputeOutput result(out);
  const DType compute = result.tensor().dtype();
  // The input takes the output's dtype first, as the dtype argument demands.
  const Tensor x = as_dense(self.to(out.dtype()), compute);
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    softmax(outer, size, inner, x.data<T>(), result.data<T>(), form);
  });
  result.store();
}

TensorInfo softmax_meta(const Tensor& self, int64_t dim, std::optional<DType> dtype) {
  return softmax_info(self, dim, dtype.value_or(self.dtype()));
}

void softmax_op(const Tensor& self, int64_t dim, std::optional<DType>, Tensor& out) {
  softmax_into(self, dim, out, {});
}

void log_softmax_op(const Tensor& self, int64_t dim, std::optional<DType>, Tensor& out) {
  softmax_into(self, dim, out, {.logarithm = true});
}

void safe_softmax_op(const Tensor& self, int64_t dim, std::optional<DType>, Tensor& out) {
  softmax_into(self, dim, out, {.safe = true});
}

INGOT_OP("aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor",
         Structured<softmax_meta, softmax_op>);
INGOT_OP("aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor",
         Structured<softmax_meta, log_softmax_op>);
INGOT_OP("aten::_safe_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor",
         Structured<softmax_meta, safe_softmax_op>);

TensorInfo native_softmax_meta(const Tensor& self, int64_t dim, bool half_to_float) {
  return softmax_info(self, dim, half_to_float ? DType::f32 : self.dtype());
}

void native_softmax(const Tensor& self, int64_t dim, bool, Tensor& out) {
  softmax_into(self, dim, out, {});
}

void native_log_softmax(const Tensor& self, int64_t dim, bool, Tensor& out) {
  softmax_into(self, dim, out, {.logarithm = true});
}

INGOT_OP("aten::_softmax(Tensor self, int dim, bool half_to_float) -> Tensor",
         Structured<native_softmax_meta, native_softmax>);
INGOT_OP("aten::_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor",
         Structured<native_softmax_meta, native_log_softmax>);

}  // namespace

}  // namespace ingot

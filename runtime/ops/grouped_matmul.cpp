// Products of consecutive groups of rows or columns, one matrix for each: mixtures of experts.
#include <optional>

#include <ingot/op.h>
#include "ops/compute.h"
#include "ops/fill.h"
#include "ops/matmul.h"
#include "ops/view.h"

namespace ingot {
namespace {

// Group g ends before offs[g] and begins where the one before it ends.
TensorInfo grouped_mm_meta(const Tensor& self, const Tensor& mat2, const Tensor* offs,
                           const Tensor* bias, std::optional<DType> out_dtype) {
  const DType dtype = product_dtype(self, mat2);
  INGOT_CHECK(is_floating(dtype), "expected matrices of a floating dtype, but got ", self);
  INGOT_CHECK((self.rank() == 2 || self.rank() == 3) && (mat2.rank() == 2 || mat2.rank() == 3),
              "self and mat2 must be matrices or stacks of them, but are ", self, " and ", mat2);
  const int64_t inner = self.size(self.rank() - 1);
  const int64_t inner_of_mat2 = mat2.size(mat2.rank() - 2);
  INGOT_CHECK(inner == inner_of_mat2, "shapes ", self.sizes(), " and ", mat2.sizes(),
              " cannot be multiplied: ", inner, " columns meet ", inner_of_mat2, " rows");
  INGOT_CHECK(!bias, "bias is not supported, as in PyTorch; add it to the result");
  INGOT_CHECK(!out_dtype || *out_dtype == dtype, "out_dtype must be that of the matrices, ", dtype);
  const bool stacks = self.rank() == 3 && mat2.rank() == 3;
  INGOT_CHECK(stacks == !offs, "offs must be given, unless both self and mat2 are 3-D");
  if (offs)
    INGOT_CHECK(offs->rank() == 1 && (offs->dtype() == DType::i32 || offs->dtype() == DType::i64),
                "offs must be a 1-D tensor of integers, but is ", *offs);
  const int64_t rows = self.size(self.rank() - 2);
  const int64_t columns = mat2.size(mat2.rank() - 1);
  if (self.rank() == 2 && mat2.rank() == 2) return {dtype, {offs->numel(), rows, columns}};
  const int64_t groups = self.rank() == 3 ? self.size(0) : mat2.size(0);
  const int64_t wanted = stacks ? mat2.size(0) : offs->numel();
  INGOT_CHECK(groups == wanted, "there are ", groups, " matrices for ", wanted, " groups");
  if (stacks) return {dtype, {groups, rows, columns}};
  return {dtype, {rows, columns}};
}

void multiply_group(const Tensor& a, const Tensor& b, Tensor out) {
  if (out.is_contiguous()) return multiply_matrices(a, b, out);
  Tensor product = Tensor::empty(out.dtype(), out.sizes());
  multiply_matrices(a, b, product);
  copy_into(product, out);
}

void grouped_mm(const Tensor& self, const Tensor& mat2, const Tensor* offs, const Tensor*,
                std::optional<DType>, Tensor& out) {
  const Tensor a = in_compute_dtype(self);
  const Tensor b = in_compute_dtype(mat2);
  ComputeOutput result(out);
  Tensor& to = result.tensor();
  if (!offs) {
    multiply_matrices(a, b, to);
    return result.store();
  }
  const Tensor ends = as_dense(*offs, DType::i64);
  const bool split_rows = b.rank() == 3;
  const bool split_columns = a.rank() == 3;
  const int64_t size = split_rows ? a.size(0) : b.size(split_columns ? 1 : 0);
  int64_t start = 0;
  for (int64_t g = 0; g < ends.numel(); ++g) {
    const int64_t end = ends.data<int64_t>()[g];
    INGOT_CHECK(end >= start && end <= size, "offs must not decrease and not pass ", size,
                ", but group ", g, " is from ", start, " to ", end);
    const int64_t count = end - start;
    if (split_rows)
      multiply_group(narrow(a, 0, start, count), select(b, 0, g), narrow(to, 0, start, count));
    else if (split_columns)
      multiply_group(select(a, 0, g), narrow(b, 1, start, count), narrow(to, 1, start, count));
    else
      multiply_group(narrow(a, 1, start, count), narrow(b, 0, start, count), select(to, 0, g));
    start = end;
  }
  if (split_rows || split_columns) {
    // PyTorch leaves what belongs to no group as it was.
    Tensor rest = narrow(to, split_rows ? 0 : 1, start, size - start);
    fill(rest, 0.0);
  }
  result.store();
}

INGOT_OP(
    "aten::_grouped_mm(Tensor self, Tensor mat2, Tensor? offs=None, Tensor? bias=None, "
    "ScalarType? out_dtype=None) -> Tensor",
    Structured<grouped_mm_meta, grouped_mm>);

}  // namespace
}  // namespace ingot

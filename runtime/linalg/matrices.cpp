#include "linalg/matrices.h"

namespace ingot::linalg {

void check_matrix(const Tensor& tensor, std::string_view name, bool halves) {
  INGOT_CHECK(tensor.rank() >= 2, name, " must have at least 2 dimensions, got ", tensor);
  const DType real = real_of(tensor.dtype());
  INGOT_CHECK(real == DType::f32 || real == DType::f64 || (halves && is_floating(real)), name,
              " must be ", halves ? "f16, bf16, " : "", "f32, f64, c64 or c128, got ", tensor);
}

void check_square(const Tensor& tensor, std::string_view name, bool halves) {
  check_matrix(tensor, name, halves);
  INGOT_CHECK(rows_of(tensor) == columns_of(tensor), name,
              " must be square matrices, in its last two dimensions, got ", tensor);
}

void check_same_dtype(const Tensor& a, const Tensor& b) {
  INGOT_CHECK(a.dtype() == b.dtype(), "both tensors must have the same dtype, got ", a, " and ", b);
}

Dims batch_of(const Tensor& tensor, int last) {
  Dims batch;
  for (int d = 0; d < tensor.rank() - last; ++d) batch.push_back(tensor.size(d));
  return batch;
}

Dims broadcast(const Dims& a, const Dims& b) {
  Dims result = a.size() >= b.size() ? a : b;
  const Dims& shorter = a.size() >= b.size() ? b : a;
  const int offset = result.size() - shorter.size();
  for (int d = 0; d < shorter.size(); ++d) {
    int64_t& size = result[offset + d];
    INGOT_CHECK(size == shorter[d] || size == 1 || shorter[d] == 1, "the batch sizes ", a, " and ",
                b, " do not broadcast");
    if (size == 1) size = shorter[d];
  }
  return result;
}

TensorInfo vectors(DType dtype, Dims batch, int64_t size) {
  batch.push_back(size);
  return {dtype, batch};
}

TensorInfo matrices(DType dtype, Dims batch, int64_t rows, int64_t columns) {
  batch.push_back(rows);
  return vectors(dtype, batch, columns);
}

Tensor with_batch(const Tensor& tensor, const Dims& batch, int last) {
  Dims sizes = batch, strides;
  const int own = tensor.rank() - last, offset = batch.size() - own;
  for (int d = 0; d < batch.size(); ++d) {
    const bool repeated = d < offset || tensor.size(d - offset) != batch[d];
    strides.push_back(repeated ? 0 : tensor.stride(d - offset));
  }
  for (int d = own; d < tensor.rank(); ++d) {
    sizes.push_back(tensor.size(d));
    strides.push_back(tensor.stride(d));
  }
  return sizes == tensor.sizes() ? tensor : tensor.as_strided(sizes, strides, 0);
}

}  // namespace ingot::linalg

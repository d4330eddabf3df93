#include "ops/matmul.h"

#include <algorithm>
#include <complex>

#include "base/thread_pool.h"
#include "kernels/gemm.h"
#include "ops/compute.h"
#include "ops/plan/linear_node.h"
#include "tensor/iterate.h"

namespace ingot {

namespace {

template <class F>
void dispatch_product(DType compute, F&& f) {
  switch (compute) {
    case DType::f32: return f(std::type_identity<float>{});
    case DType::f64: return f(std::type_identity<double>{});
    case DType::i64: return f(std::type_identity<int64_t>{});
    case DType::c64: return f(std::type_identity<std::complex<float>>{});
    case DType::c128: return f(std::type_identity<std::complex<double>>{});
    default: fail(ErrorCode::internal, "no matrix product for dtype ", compute);
  }
}

template <class T>
T number(const Scalar& value) {
  if constexpr (std::is_arithmetic_v<T>)
    return value.to<T>();
  else
    return T(value.to_complex());
}

// Element offset of matrix number `index` of a tensor of matrices.
int64_t matrix_offset(const Tensor& tensor, int64_t index) {
  int64_t offset = 0;
  for (int d = tensor.rank() - 3; d >= 0; --d) {
    offset += index % tensor.size(d) * tensor.stride(d);
    index /= tensor.size(d);
  }
  return offset;
}

template <class T>
MatrixView<T> matrix_of(const Tensor& tensor) {
  const int rank = tensor.rank();
  return {tensor.data<T>(), tensor.stride(rank - 2), tensor.stride(rank - 1)};
}

}  // namespace

void multiply_matrices(const Tensor& a, const Tensor& b, Tensor& out, const Scalar& alpha,
                       const Scalar& beta, const Tensor& bias) {
  const int rank = out.rank();
  const int64_t m = out.size(rank - 2);
  const int64_t n = out.size(rank - 1);
  const int64_t k = a.size(rank - 1);
  if (out.numel() == 0) return;
  const int64_t matrices = out.numel() / (m * n);
  dispatch_product(out.dtype(), [&]<class T>(std::type_identity<T>) {
    const GemmEpilogue<T> epilogue = {number<T>(alpha), number<T>(beta), nullptr,
                                      data_or_null<T>(bias)};
    const MatrixView<T> a0 = matrix_of<T>(a);
    const MatrixView<T> b0 = matrix_of<T>(b);
    const auto product = [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i)
        gemm<T>(m, n, k, {a0.data + matrix_offset(a, i), a0.row_stride, a0.column_stride},
                {b0.data + matrix_offset(b, i), b0.row_stride, b0.column_stride},
                out.data<T>() + i * m * n, n, epilogue);
    };
    // Few matrices: each one is spread over the threads. Many: every thread has its own.
    constexpr int64_t kWorkPerThread = 1 << 17;
    if (matrices < 2 * pool_threads())
      product(0, matrices);
    else
      parallel_for(0, matrices, std::max<int64_t>(1, kWorkPerThread / (m * n * k + 1)), product);
  });
}

DType product_dtype(const Tensor& a, const Tensor& b) {
  INGOT_CHECK(a.dtype() == b.dtype(),
              "expected both operands of a matrix product to have the "
              "same dtype, but got ",
              a.dtype(), " and ", b.dtype());
  INGOT_CHECK(a.dtype() != DType::boolean,
              "matrix products of bool tensors are not supported; "
              "convert them to a number type first");
  return a.dtype();
}

namespace {

// A view of `tensor` whose leading sizes are broadcast to `batch`.
Tensor expand_batch(const Tensor& tensor, const Dims& batch) {
  const int matrix = tensor.rank() - 2;
  Dims sizes = batch;
  Dims strides = Dims::filled(batch.size(), 0);
  for (int d = 0; d < matrix; ++d) {
    const int to = batch.size() - matrix + d;
    if (tensor.size(d) != 1) strides[to] = tensor.stride(d);
  }
  for (int d = matrix; d < tensor.rank(); ++d) {
    sizes.push_back(tensor.size(d));
    strides.push_back(tensor.stride(d));
  }
  return tensor.as_strided(sizes, strides, 0);
}

// Computes in the compute dtype and converts the result.
void product_into(const Tensor& a, const Tensor& b, Tensor& out) {
  ComputeOutput result(out);
  multiply_matrices(in_compute_dtype(a), in_compute_dtype(b), result.tensor());
  result.store();
}

// --- mm, bmm ----------------------------------------------------------------------------

TensorInfo mm_meta(const Tensor& self, const Tensor& mat2) {
  INGOT_CHECK(self.rank() == 2 && mat2.rank() == 2, "self and mat2 must be matrices, but are ",
              self, " and ", mat2);
  INGOT_CHECK(self.size(1) == mat2.size(0), "shapes ", self.sizes(), " and ", mat2.sizes(),
              " cannot be multiplied: ", self.size(1), " columns meet ", mat2.size(0), " rows");
  return {product_dtype(self, mat2), {self.size(0), mat2.size(1)}};
}

TensorInfo bmm_meta(const Tensor& self, const Tensor& mat2) {
  INGOT_CHECK(self.rank() == 3 && mat2.rank() == 3, "both must be 3-D tensors, but are ", self,
              " and ", mat2);
  INGOT_CHECK(self.size(0) == mat2.size(0), "expected as many matrices in both, but got shapes ",
              self.sizes(), " and ", mat2.sizes());
  INGOT_CHECK(self.size(2) == mat2.size(1), "shapes ", self.sizes(), " and ", mat2.sizes(),
              " cannot be multiplied: ", self.size(2), " columns meet ", mat2.size(1), " rows");
  return {product_dtype(self, mat2), {self.size(0), self.size(1), mat2.size(2)}};
}

bool lower_product(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  *out = plan::record_product(recorder, in[0].tensor(), in[1].tensor(), {});
  return out->defined();
}

INGOT_OP("aten::mm(Tensor self, Tensor mat2) -> Tensor",
         Structured<mm_meta, product_into, lower_product>);
INGOT_OP("aten::bmm(Tensor self, Tensor mat2) -> Tensor", Structured<bmm_meta, product_into>);

// --- addmm, baddbmm, addbmm, addmv ---------------------------------------------------------

// The product's info, once `self` is known to broadcast to it.
TensorInfo with_addend(const Tensor& self, TensorInfo product) {
  INGOT_CHECK(self.dtype() == product.dtype, "expected self to have the dtype of the product, ",
              product.dtype, ", but got ", self.dtype());
  const Dims all = broadcast(self.sizes(), product.sizes);
  INGOT_CHECK(all == product.sizes, "self with shape ", self.sizes(),
              " does not broadcast to the product's shape ", product.sizes);
  return product;
}

// Factors of integer products lose their fractions, as PyTorch's.
void product_with_addend(const Tensor& self, const Tensor& a, const Tensor& b, const Scalar& beta,
                         const Scalar& alpha, Tensor& out) {
  ComputeOutput result(out);
  const bool ignored = beta.to_complex() == 0.0;
  const bool is_bias =
      self.rank() == 1 && self.size(0) == out.sizes().back() && beta.to_complex() == 1.0;
  if (is_bias) {
    multiply_matrices(in_compute_dtype(a), in_compute_dtype(b), result.tensor(), alpha, 0.0,
                      as_dense(self, result.tensor().dtype()));
  } else {
    if (!ignored) copy_into(self, result.tensor());
    multiply_matrices(in_compute_dtype(a), in_compute_dtype(b), result.tensor(), alpha, beta);
  }
  result.store();
}

TensorInfo addmm_meta(const Tensor& self, const Tensor& mat1, const Tensor& mat2, const Scalar&,
                      const Scalar&) {
  return with_addend(self, mm_meta(mat1, mat2));
}

TensorInfo baddbmm_meta(const Tensor& self, const Tensor& batch1, const Tensor& batch2,
                        const Scalar&, const Scalar&) {
  return with_addend(self, bmm_meta(batch1, batch2));
}

bool lower_addmm(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  if (Scalar(in[3]).to_double() != 1 || Scalar(in[4]).to_double() != 1) return false;
  *out = plan::record_product(recorder, in[1].tensor(), in[2].tensor(), in[0].tensor());
  return out->defined();
}

INGOT_OP(
    "aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) "
    "-> Tensor",
    Structured<addmm_meta, product_with_addend, lower_addmm>);
INGOT_OP(
    "aten::baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, "
    "Scalar alpha=1) -> Tensor",
    Structured<baddbmm_meta, product_with_addend>);

TensorInfo addbmm_meta(const Tensor& self, const Tensor& batch1, const Tensor& batch2,
                       const Scalar&, const Scalar&) {
  TensorInfo product = bmm_meta(batch1, batch2);
  product.sizes.erase(0);
  return with_addend(self, product);
}

void addbmm(const Tensor& self, const Tensor& batch1, const Tensor& batch2, const Scalar& beta,
            const Scalar& alpha, Tensor& out) {
  // The sum over the batch is one product with k = batch · K.
  const int64_t batch = batch1.size(0), m = batch1.size(1), k = batch1.size(2), n = batch2.size(2);
  const Tensor left = in_compute_dtype(batch1);
  Tensor gathered = Tensor::empty(left.dtype(), {m, batch, k});
  copy_into(
      left.as_strided(gathered.sizes(), Dims{left.stride(1), left.stride(0), left.stride(2)}, 0),
      gathered);
  product_with_addend(self, gathered.as_strided(Dims{m, batch * k}, Dims{batch * k, 1}, 0),
                      batch2.contiguous().as_strided(Dims{batch * k, n}, Dims{n, 1}, 0), beta,
                      alpha, out);
}

INGOT_OP(
    "aten::addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, "
    "Scalar alpha=1) -> Tensor",
    Structured<addbmm_meta, addbmm>);

// --- vectors: mv, addmv, dot ----------------------------------------------------------------

Tensor as_column(const Tensor& vector) {
  return vector.as_strided(Dims{vector.size(0), 1}, Dims{vector.stride(0), 1}, 0);
}

Tensor as_row(const Tensor& vector) {
  return vector.as_strided(Dims{1, vector.size(0)}, Dims{1, vector.stride(0)}, 0);
}

TensorInfo mv_meta(const Tensor& self, const Tensor& vec) {
  INGOT_CHECK(self.rank() == 2 && vec.rank() == 1, "expected a matrix and a vector, but got ", self,
              " and ", vec);
  INGOT_CHECK(self.size(1) == vec.size(0), "a matrix of shape ", self.sizes(),
              " cannot be multiplied with a vector of ", vec.size(0), " elements");
  return {product_dtype(self, vec), {self.size(0)}};
}

void mv(const Tensor& self, const Tensor& vec, Tensor& out) {
  Tensor column = as_column(out);
  product_into(self, as_column(vec), column);
}

TensorInfo addmv_meta(const Tensor& self, const Tensor& mat, const Tensor& vec, const Scalar&,
                      const Scalar&) {
  return with_addend(self, mv_meta(mat, vec));
}

void addmv(const Tensor& self, const Tensor& mat, const Tensor& vec, const Scalar& beta,
           const Scalar& alpha, Tensor& out) {
  Tensor row = as_row(out);
  const Tensor transposed =
      mat.as_strided(Dims{mat.size(1), mat.size(0)}, Dims{mat.stride(1), mat.stride(0)}, 0);
  product_with_addend(self, as_row(vec), transposed, beta, alpha, row);
}

TensorInfo dot_meta(const Tensor& self, const Tensor& tensor) {
  INGOT_CHECK(self.rank() == 1 && tensor.rank() == 1, "expected two vectors, but got ", self,
              " and ", tensor);
  INGOT_CHECK(self.size(0) == tensor.size(0), "vectors of ", self.size(0), " and ", tensor.size(0),
              " elements have no dot product");
  return {product_dtype(self, tensor), {}};
}

void dot(const Tensor& self, const Tensor& tensor, Tensor& out) {
  Tensor matrix = out.as_strided(Dims{1, 1}, Dims{1, 1}, 0);
  product_into(as_row(self), as_column(tensor), matrix);
}

INGOT_OP("aten::mv(Tensor self, Tensor vec) -> Tensor", Structured<mv_meta, mv>);
INGOT_OP(
    "aten::addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> "
    "Tensor",
    Structured<addmv_meta, addmv>);
INGOT_OP("aten::dot(Tensor self, Tensor tensor) -> Tensor", Structured<dot_meta, dot>);

// --- matmul -----------------------------------------------------------------------------------

TensorInfo matmul_meta(const Tensor& self, const Tensor& other) {
  INGOT_CHECK(self.rank() > 0 && other.rank() > 0,
              "both arguments need at least 1 dimension, but are ", self, " and ", other);
  const int a = self.rank(), b = other.rank();
  const int64_t inner = self.size(a - 1);
  const int64_t other_inner = other.size(b == 1 ? 0 : b - 2);
  INGOT_CHECK(inner == other_inner, "shapes ", self.sizes(), " and ", other.sizes(),
              " cannot be multiplied: the inner sizes ", inner, " and ", other_inner, " differ");
  const auto leading = [](const Tensor& t) {
    return std::span<const int64_t>(t.sizes()).first(
        static_cast<size_t>(std::max(t.rank() - 2, 0)));
  };
  Dims sizes = broadcast(leading(self), leading(other));
  if (a > 1) sizes.push_back(self.size(a - 2));
  if (b > 1) sizes.push_back(other.size(b - 1));
  return {product_dtype(self, other), sizes};
}

// The distance between rows if [..., M, K] can be read as one matrix of all rows.
std::optional<int64_t> folded_row_stride(const Tensor& tensor) {
  int64_t stride = tensor.sizes().back(), rows = 1;
  for (int d = tensor.rank() - 2; d >= 0; --d) {
    if (tensor.size(d) == 1) continue;
    if (rows == 1)
      stride = tensor.stride(d);
    else if (tensor.stride(d) != stride * rows)
      return std::nullopt;
    rows *= tensor.size(d);
  }
  return stride;
}

void matmul(const Tensor& self, const Tensor& other, Tensor& out) {
  ComputeOutput result(out);
  Tensor a = in_compute_dtype(self);
  Tensor b = in_compute_dtype(other);
  if (a.rank() == 1) a = as_row(a);
  if (b.rank() == 1) b = as_column(b);
  const int64_t m = a.size(a.rank() - 2), n = b.size(b.rank() - 1);
  if (out.numel() == 0) return;
  const std::optional<int64_t> row_stride = folded_row_stride(a);
  if (b.rank() == 2 && a.rank() > 2 && row_stride) {
    const int64_t rows = out.numel() / n, k = b.size(0);
    Tensor matrix = result.tensor().as_strided(Dims{rows, n}, Dims{n, 1}, 0);
    multiply_matrices(a.as_strided(Dims{rows, k}, Dims{*row_stride, a.strides().back()}, 0), b,
                      matrix);
  } else {
    Dims batch = out.sizes();
    if (self.rank() > 1) batch.erase(batch.size() - 1);
    if (other.rank() > 1) batch.erase(batch.size() - 1);
    Dims sizes = batch, strides = Dims::filled(batch.size(), 0);
    sizes.push_back(m);
    sizes.push_back(n);
    strides.push_back(n);
    strides.push_back(1);
    for (int d = batch.size() - 1; d >= 0; --d) strides[d] = strides[d + 1] * sizes[d + 1];
    Tensor matrices = result.tensor().as_strided(sizes, strides, 0);
    multiply_matrices(expand_batch(a, batch), expand_batch(b, batch), matrices);
  }
  result.store();
}

INGOT_OP("aten::matmul(Tensor self, Tensor other) -> Tensor",
         Structured<matmul_meta, matmul, lower_product>);

// --- linear -----------------------------------------------------------------------------------

TensorInfo linear_meta(const Tensor& input, const Tensor& weight, const Tensor* bias) {
  INGOT_CHECK(input.rank() > 0, "input needs at least 1 dimension, but is ", input);
  INGOT_CHECK(weight.rank() == 1 || weight.rank() == 2, "weight must be [out, in] or [in], but is ",
              weight);
  const int64_t inner = input.sizes().back(), expected = weight.sizes().back();
  INGOT_CHECK(inner == expected, "the last size of input ", input.sizes(), " must be ", expected,
              ", as weight is ", weight.sizes());
  Dims sizes = input.sizes();
  sizes.erase(sizes.size() - 1);
  if (weight.rank() == 2) sizes.push_back(weight.size(0));
  const TensorInfo info = {product_dtype(input, weight), sizes};
  // A bias of one element per column needs no broadcasting rules: they are a twentieth of
  // SimpleModel's instructions.
  const bool plain = !bias || (weight.rank() == 2 && bias->rank() == 1 &&
                               bias->size(0) == weight.size(0) && bias->dtype() == info.dtype);
  return plain ? info : with_addend(*bias, info);
}

void linear(const Tensor& input, const Tensor& weight, const Tensor* bias, Tensor& out) {
  if (out.numel() == 0) return;
  ComputeOutput result(out);
  const DType compute = result.tensor().dtype();
  Tensor x = input.to(compute);
  const Tensor w = weight.to(compute);
  std::optional<int64_t> row_stride = folded_row_stride(x);
  if (!row_stride) {
    x = x.contiguous();
    row_stride = x.sizes().back();
  }
  const bool vector = w.rank() == 1;
  const int64_t n = vector ? 1 : w.size(0), k = w.sizes().back(), m = out.numel() / n;
  const bool per_column = bias && !vector && bias->rank() == 1 && bias->size(0) == n;
  const Tensor column_bias = as_dense(per_column ? bias : nullptr, compute);
  const bool added = bias && !per_column;
  if (added) copy_into(*bias, result.tensor());
  dispatch_product(compute, [&]<class T>(std::type_identity<T>) {
    gemm<T>(m, n, k, {x.data<T>(), *row_stride, x.strides().back()},
            {w.data<T>(), w.strides().back(), vector ? 0 : w.stride(0)}, result.data<T>(), n,
            {T(1), T(added ? 1 : 0), nullptr, data_or_null<T>(column_bias)});
  });
  result.store();
}

bool lower_linear(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  const Tensor& weight = in[1].tensor();
  if (weight.rank() != 2) return false;
  *out = plan::record_product(recorder, in[0].tensor(),
                              weight.as_strided(Dims{weight.size(1), weight.size(0)},
                                                Dims{weight.stride(1), weight.stride(0)}, 0),
                              in[2].is_none() ? Tensor() : in[2].tensor());
  return out->defined();
}

INGOT_OP("aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor",
         Structured<linear_meta, linear, lower_linear>);

}  // namespace

}  // namespace ingot

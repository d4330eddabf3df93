// Distances between the rows of matrices: _cdist_forward, _euclidean_dist, _pdist_forward.
#include <cmath>
#include <limits>

#include <ingot/op.h>
#include "base/thread_pool.h"
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/functions.h"
#include "ops/view.h"
#include "tensor/iterate.h"

namespace ingot {
namespace {

// The p-norm of a - b; p = 0 counts what differs.
template <class T>
T distance(const T* a, const T* b, int64_t length, double p) {
  const auto difference = [&](int64_t i) { return static_cast<double>(std::abs(a[i] - b[i])); };
  double sum = 0;
  if (p == 0) {
    for (int64_t i = 0; i < length; ++i) {
      const double apart = difference(i);
      sum += fn::is_nan(apart) ? apart : apart != 0;
    }
  } else if (p == 1) {
    for (int64_t i = 0; i < length; ++i) sum += difference(i);
  } else if (p == 2) {
    for (int64_t i = 0; i < length; ++i) sum += difference(i) * difference(i);
    sum = std::sqrt(sum);
  } else if (std::isinf(p)) {
    for (int64_t i = 0; i < length; ++i) sum = fn::maximum(sum, difference(i));
  } else {
    for (int64_t i = 0; i < length; ++i) sum += std::pow(difference(i), p);
    sum = std::pow(sum, 1 / p);
  }
  return static_cast<T>(sum);
}

void check_rows(const Tensor& self) {
  INGOT_CHECK(self.rank() >= 2 && is_floating(self.dtype()),
              "distances are taken between rows of floating-point matrices, got ", self);
}
void check_norm(double p) { INGOT_CHECK(p >= 0, "p must not be negative, but is ", p); }

Dims batch_sizes(const Tensor& x1, const Tensor& x2) {
  const auto batch = [](const Tensor& x) {
    return std::span<const int64_t>(x.sizes()).first(static_cast<size_t>(x.rank() - 2));
  };
  return broadcast(batch(x1), batch(x2));
}

TensorInfo cdist_meta(const Tensor& x1, const Tensor& x2, double p,
                      std::optional<int64_t> compute_mode) {
  check_rows(x1);
  check_rows(x2);
  check_norm(p);
  INGOT_CHECK(x1.dtype() == x2.dtype(), "the matrices must have one dtype, got ", x1, " and ", x2);
  INGOT_CHECK(compute_mode.value_or(0) >= 0 && compute_mode.value_or(0) <= 2, "compute mode ",
              *compute_mode, " is unknown");
  INGOT_CHECK(x1.sizes().back() == x2.sizes().back(), "the rows of ", x1, " and ", x2,
              " differ in length");
  Dims sizes = batch_sizes(x1, x2);
  sizes.push_back(x1.size(x1.rank() - 2));
  sizes.push_back(x2.size(x2.rank() - 2));
  return {x1.dtype(), sizes};
}
// The choice of PyTorch's matrix product for long rows is one of speed.
void cdist(const Tensor& x1, const Tensor& x2, double p, std::optional<int64_t>, Tensor& out) {
  if (out.numel() == 0) return;
  const DType compute = compute_dtype(x1.dtype());
  const auto rows_of = [&](const Tensor& x) {
    Dims sizes = batch_sizes(x1, x2);
    sizes.push_back(x.size(x.rank() - 2));
    sizes.push_back(x.sizes().back());
    return as_dense(expand(x, sizes), compute);
  };
  const Tensor left = rows_of(x1);
  const Tensor right = rows_of(x2);
  const int64_t length = x1.sizes().back();
  const int64_t columns = out.sizes().back();
  const int64_t rows = out.size(out.rank() - 2);
  ComputeOutput result(out);
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    parallel_for(0, out.numel() / columns, 1 + 4096 / (columns * (length + 1)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i)
                     for (int64_t j = 0; j < columns; ++j)
                       result.data<T>()[i * columns + j] =
                           distance(left.data<T>() + i * length,
                                    right.data<T>() + (i / rows * columns + j) * length, length, p);
                 });
  });
  result.store();
}

TensorInfo euclidean_dist_meta(const Tensor& x1, const Tensor& x2) {
  return cdist_meta(x1, x2, 2, {});
}
void euclidean_dist(const Tensor& x1, const Tensor& x2, Tensor& out) { cdist(x1, x2, 2, {}, out); }

// Of all pairs of rows, the earlier first.
TensorInfo pdist_meta(const Tensor& self, double p) {
  check_rows(self);
  check_norm(p);
  INGOT_CHECK(self.rank() == 2, "pdist() takes one matrix, got ", self);
  const int64_t rows = self.size(0);
  INGOT_CHECK(rows < (int64_t{1} << 31), "the matrix ", self, " has too many rows");
  return {self.dtype(), Dims{rows * (rows - 1) / 2}};
}
void pdist(const Tensor& self, double p, Tensor& out) {
  const DType compute = compute_dtype(self.dtype());
  const Tensor rows = as_dense(self, compute);
  const int64_t length = self.size(1);
  ComputeOutput result(out);
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    T* to = result.data<T>();
    for (int64_t i = 0; i < self.size(0); ++i)
      for (int64_t j = i + 1; j < self.size(0); ++j)
        *to++ = distance(rows.data<T>() + i * length, rows.data<T>() + j * length, length, p);
  });
  result.store();
}

INGOT_OP("aten::_cdist_forward(Tensor x1, Tensor x2, float p, int? compute_mode) -> Tensor",
         Structured<cdist_meta, cdist>);
INGOT_OP("aten::_euclidean_dist(Tensor x1, Tensor x2) -> Tensor",
         Structured<euclidean_dist_meta, euclidean_dist>);
INGOT_OP("aten::_pdist_forward(Tensor self, float p=2.) -> Tensor", Structured<pdist_meta, pdist>);

}  // namespace
}  // namespace ingot

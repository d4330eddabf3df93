// Batches of matrices between tensors and Eigen. Everything is computed in double: results of f32
// and c64 are those of f64 and c128, rounded.
#pragma once

#include <algorithm>
#include <complex>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <ingot/tensor.h>
#include <Eigen/Core>

#include <ingot/check.h>
#include "base/thread_pool.h"
#include "ops/compute.h"

namespace ingot::linalg {

using Eigen::Index;
using Complex = std::complex<double>;

// T: double or Complex. Column-major, unless a tensor's memory.
template <class T>
using Mat = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using Vec = Eigen::Matrix<T, Eigen::Dynamic, 1>;
template <class T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using MatRef = Eigen::Ref<Mat<T>>;

template <class T>
inline constexpr bool kComplex = !std::is_floating_point_v<T>;
template <class T>
inline constexpr DType kDType = kComplex<T> ? DType::c128 : DType::f64;

constexpr DType real_of(DType dtype) {
  if (dtype == DType::c64) return DType::f32;
  return dtype == DType::c128 ? DType::f64 : dtype;
}
constexpr DType complex_of(DType dtype) {
  if (dtype == DType::f32) return DType::c64;
  return dtype == DType::f64 ? DType::c128 : dtype;
}
// The distance from 1 to the next number of that precision.
constexpr double epsilon_of(DType dtype) {
  return real_of(dtype) == DType::f32 ? 1.1920928955078125e-7 : 2.220446049250313e-16;
}

// Calls f(std::type_identity<T>) with the T that computes `dtype`.
template <class F>
void dispatch(DType dtype, F&& f) {
  if (is_complex(dtype))
    f(std::type_identity<Complex>{});
  else
    f(std::type_identity<double>{});
}

// Raises unless the tensor has at least two dimensions and dtype f32, f64, c64 or c128; with
// `halves` also f16 or bf16.
void check_matrix(const Tensor& tensor, std::string_view name, bool halves = false);
// The same, and as many rows as columns.
void check_square(const Tensor& tensor, std::string_view name, bool halves = false);
void check_same_dtype(const Tensor& a, const Tensor& b);

inline int64_t rows_of(const Tensor& tensor) { return tensor.size(tensor.rank() - 2); }
inline int64_t columns_of(const Tensor& tensor) { return tensor.size(tensor.rank() - 1); }
inline int64_t smaller_side(const Tensor& tensor) {
  return std::min(rows_of(tensor), columns_of(tensor));
}
// The sizes before the last `last` ones.
Dims batch_of(const Tensor& tensor, int last = 2);
// What both broadcast to. Raises if they do not.
Dims broadcast(const Dims& a, const Dims& b);

inline TensorInfo numbers(DType dtype, const Dims& batch) { return {dtype, batch}; }
TensorInfo vectors(DType dtype, Dims batch, int64_t size);
TensorInfo matrices(DType dtype, Dims batch, int64_t rows, int64_t columns);
// The result that was not asked for.
inline TensorInfo nothing(DType dtype) { return {dtype, Dims{0}}; }

// The tensor with its dimensions before the last `last` ones broadcast to `batch`.
Tensor with_batch(const Tensor& tensor, const Dims& batch, int last = 2);

// The matrices of an input, row after row.
template <class T>
class Matrices {
 public:
  explicit Matrices(const Tensor& tensor)
      : dense_(as_dense(tensor, kDType<T>)),
        rows(rows_of(tensor)),
        columns(columns_of(tensor)),
        count(numel_of(batch_of(tensor))) {}
  Matrices(const Tensor& tensor, const Dims& batch) : Matrices(with_batch(tensor, batch)) {}
  Eigen::Map<const RowMajor<T>> operator[](int64_t i) const {
    return {dense_.data<T>() + i * rows * columns, rows, columns};
  }

 private:
  Tensor dense_;

 public:
  const int64_t rows;
  const int64_t columns;
  const int64_t count;
};

// The vectors of an input.
template <class T>
class Vectors {
 public:
  explicit Vectors(const Tensor& tensor)
      : dense_(as_dense(tensor, kDType<T>)), size_(columns_of(tensor)) {}
  Eigen::Map<const Vec<T>> operator[](int64_t i) const {
    return {dense_.data<T>() + i * size_, size_};
  }

 private:
  Tensor dense_;
  int64_t size_;
};

// An output on its way: written in double, stored in its dtype at the end.
template <class T>
class Output : public ComputeOutput {
 public:
  explicit Output(Tensor& out) : ComputeOutput(out, kDType<T>) {}
  ~Output() { store(); }
  // Of an output of matrices.
  Eigen::Map<RowMajor<T>> matrix(int64_t i) {
    const int64_t rows = rows_of(tensor()), columns = columns_of(tensor());
    return {data<T>() + i * rows * columns, rows, columns};
  }
  // Of an output of vectors.
  Eigen::Map<Vec<T>> vector(int64_t i) {
    const int64_t size = columns_of(tensor());
    return {data<T>() + i * size, size};
  }
  T& number(int64_t i) { return data<T>()[i]; }
};

// f(i) for each of `count` matrices whose treatment takes about `operations`.
template <class F>
void for_each(int64_t count, int64_t operations, const F& f) {
  const int64_t grain = std::max<int64_t>((1 << 15) / std::max<int64_t>(operations, 1), 1);
  parallel_for(0, count, grain, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) f(i);
  });
}
// n^3 without overflow.
inline int64_t cube(int64_t n) {
  const int64_t bounded = std::min<int64_t>(n, 1 << 20);
  return bounded * bounded * bounded;
}

// Raises Error (runtime) if any element of `info` (i32) is not zero, as LAPACK reports failures:
// names the function, such as "linalg.inv", and the first matrix that failed.
void raise_if_failed(const Tensor& info, std::string_view function, bool is_matrix);

}  // namespace ingot::linalg

// LDL factors of symmetric and Hermitian matrices, D of blocks of 1 and 2 (Bunch and Kaufman, "Some
// stable methods for calculating inertia and solving symmetric linear systems", 1977), laid out as
// LAPACK's sytrf and hetrf do for the lower triangle: pivots count from 1 and are negative, twice,
// for a block of 2.
#include <array>
#include <cmath>

#include <ingot/op.h>
#include "linalg/right_side.h"

namespace ingot::linalg {
namespace {

double size_of_number(double x) { return std::abs(x); }
double size_of_number(Complex x) { return std::abs(x.real()) + std::abs(x.imag()); }

// How the triangle above mirrors the one below.
template <class T, bool kHermitian>
struct Symmetry {
  static T mirrored(T x) {
    if constexpr (kHermitian && kComplex<T>)
      return std::conj(x);
    else
      return x;
  }
  static T diagonal(T x) {
    if constexpr (kHermitian && kComplex<T>)
      return x.real();
    else
      return x;
  }
  static Mat<T> mirrored(const Mat<T>& x) {
    if constexpr (kHermitian)
      return x.adjoint();
    else
      return x.transpose();
  }
};

struct Largest {
  Index at = 0;
  double size = 0;
};

template <class Numbers>
Largest largest(const Numbers& numbers, Index offset) {
  Largest best{offset, 0};
  for (Index i = 0; i < numbers.size(); ++i)
    if (const double size = size_of_number(numbers[i]); size > best.size) best = {offset + i, size};
  return best;
}

// Exchanges rows and columns `a` < `b` of the trailing matrix from `a` on; lower triangle.
template <class T, bool kHermitian>
void exchange(Mat<T>& m, Index a, Index b) {
  using S = Symmetry<T, kHermitian>;
  const Index below = m.rows() - b - 1;
  m.col(a).tail(below).swap(m.col(b).tail(below));
  for (Index j = a + 1; j < b; ++j) {
    const T kept = S::mirrored(m(j, a));
    m(j, a) = S::mirrored(m(b, j));
    m(b, j) = kept;
  }
  m(b, a) = S::mirrored(m(b, a));
  std::swap(m(a, a), m(b, b));
}

// The size of the next block and the row that is exchanged with its last row.
struct Pivot {
  Index size;
  Index row;
};

template <class T, bool kHermitian>
Pivot choose(const Mat<T>& m, Index k) {
  const double alpha = (1 + std::sqrt(17.0)) / 8;
  const Index n = m.rows();
  const double here = size_of_number(Symmetry<T, kHermitian>::diagonal(m(k, k)));
  const Largest column = largest(m.col(k).tail(n - k - 1), k + 1);
  if (here >= alpha * column.size) return {1, k};
  const Index r = column.at;
  const double row = std::max(largest(m.row(r).segment(k, r - k), k).size,
                              largest(m.col(r).tail(n - r - 1), r + 1).size);
  if (here >= alpha * column.size * (column.size / row)) return {1, k};
  if (size_of_number(Symmetry<T, kHermitian>::diagonal(m(r, r))) >= alpha * row) return {1, r};
  return {2, r};
}

// D of the block at k.
template <class T, bool kHermitian>
Mat<T> block_of(const Mat<T>& m, Index k) {
  using S = Symmetry<T, kHermitian>;
  Mat<T> block(2, 2);
  block << S::diagonal(m(k, k)), S::mirrored(m(k + 1, k)), m(k + 1, k),
      S::diagonal(m(k + 1, k + 1));
  return block;
}

template <class T>
Mat<T> inverse_of_2(const Mat<T>& d) {
  // Divided by the element off the diagonal, the largest one, so that nothing overflows.
  const T off = d(1, 0), p = d(0, 0) / off, q = d(1, 1) / off, mirror = d(0, 1) / off;
  const T factor = T(1) / (p * q - mirror) / off;
  Mat<T> inverse(2, 2);
  inverse << q * factor, -mirror * factor, -factor, p * factor;
  return inverse;
}

template <class T, bool kHermitian>
int32_t factor_in_place(Mat<T>& m, int32_t* pivots) {
  using S = Symmetry<T, kHermitian>;
  const Index n = m.rows();
  int32_t info = 0;
  for (Index k = 0; k < n;) {
    const Index below = n - k - 1;
    const double largest_here =
        std::max(size_of_number(S::diagonal(m(k, k))), largest(m.col(k).tail(below), k + 1).size);
    if (!(largest_here > 0)) {
      if (info == 0) info = static_cast<int32_t>(k + 1);
      m(k, k) = S::diagonal(m(k, k));
      pivots[k] = static_cast<int32_t>(k + 1);
      ++k;
      continue;
    }
    const Pivot pivot = choose<T, kHermitian>(m, k);
    const Index last = k + pivot.size - 1;
    if (pivot.row != last) {
      exchange<T, kHermitian>(m, last, pivot.row);
      if (pivot.size == 2) std::swap(m(k + 1, k), m(pivot.row, k));
    }
    const Index rest = n - last - 1;
    const Mat<T> columns = m.block(last + 1, k, rest, pivot.size);
    Mat<T> inverse(1, 1);
    for (Index i = k; i <= last; ++i) m(i, i) = S::diagonal(m(i, i));
    if (pivot.size == 1)
      inverse(0, 0) = T(1) / m(k, k);
    else
      inverse = inverse_of_2<T>(block_of<T, kHermitian>(m, k));
    const Mat<T> scaled = columns * inverse;
    m.bottomRightCorner(rest, rest).template triangularView<Eigen::Lower>() -=
        scaled * S::mirrored(columns);
    for (Index i = last + 1; i < n; ++i) m(i, i) = S::diagonal(m(i, i));
    m.block(last + 1, k, rest, pivot.size) = scaled;
    const auto row = static_cast<int32_t>(pivot.row + 1);
    for (Index i = k; i <= last; ++i) pivots[i] = pivot.size == 1 ? row : -row;
    k = last + 1;
  }
  return info;
}

template <class T, bool kHermitian>
void solve_in_place(const Mat<T>& m, const int32_t* pivots, Mat<T>& b) {
  using S = Symmetry<T, kHermitian>;
  const Index n = m.rows();
  for (Index k = 0; k < n;) {
    const Index size = pivots[k] > 0 ? 1 : 2, last = k + size - 1, rest = n - last - 1;
    b.row(last).swap(b.row(std::abs(pivots[k]) - 1));
    b.bottomRows(rest) -= m.block(last + 1, k, rest, size) * b.middleRows(k, size);
    if (size == 1)
      b.row(k) /= S::diagonal(m(k, k));
    else
      b.middleRows(k, 2) =
          (inverse_of_2<T>(block_of<T, kHermitian>(m, k)) * b.middleRows(k, 2)).eval();
    k = last + 1;
  }
  for (Index last = n - 1; last >= 0;) {
    const Index size = pivots[last] > 0 ? 1 : 2, k = last - size + 1, rest = n - last - 1;
    const Mat<T> columns = m.block(last + 1, k, rest, size);
    b.middleRows(k, size) -= S::mirrored(columns) * b.bottomRows(rest);
    b.row(last).swap(b.row(std::abs(pivots[last]) - 1));
    last = k - 1;
  }
}

std::array<TensorInfo, 3> factor_meta(const Tensor& self, bool, bool) {
  check_square(self, "A");
  return {self.info(), vectors(DType::i32, batch_of(self), rows_of(self)),
          numbers(DType::i32, batch_of(self))};
}
void factor(const Tensor& self, bool hermitian, bool check_errors, Tensor& ld, Tensor& pivots,
            Tensor& info) {
  const int64_t n = rows_of(self);
  dispatch(self.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> in(self);
    Output<T> out(ld);
    for_each(in.count, cube(n), [&](int64_t i) {
      Mat<T> matrix = in[i];
      int32_t* const rows = pivots.data<int32_t>() + i * n;
      info.data<int32_t>()[i] = hermitian ? factor_in_place<T, true>(matrix, rows)
                                          : factor_in_place<T, false>(matrix, rows);
      out.matrix(i) = matrix.template triangularView<Eigen::Lower>();
    });
  });
  if (check_errors) raise_if_failed(info, "torch.linalg.ldl_factor_ex", self.rank() == 2);
}
INGOT_OP(
    "aten::linalg_ldl_factor_ex(Tensor self, *, bool hermitian=False, bool check_errors=False) -> "
    "(Tensor LD, Tensor pivots, Tensor info)",
    Structured<factor_meta, factor>);

// Raises unless the pivots of one matrix are such as factor_in_place gives.
void check_ldl_pivots(const int32_t* pivots, int64_t n) {
  for (int64_t k = 0; k < n; ++k) {
    const int64_t row = std::abs(static_cast<int64_t>(pivots[k]));
    const bool pair = pivots[k] < 0;
    INGOT_CHECK(row >= 1 && row <= n && (!pair || (k + 1 < n && pivots[k + 1] == pivots[k])),
                "pivots must be numbers of rows, from 1 to ", n,
                ", those of blocks of two negative and equal in pairs");
    if (pair) ++k;
  }
}

TensorInfo solve_meta(const Tensor& ld, const Tensor& pivots, const Tensor& b, bool) {
  check_square(ld, "LD");
  INGOT_CHECK(b.rank() >= 2, "B must have at least 2 dimensions, got ", b);
  INGOT_CHECK(is_integral(pivots.dtype()) && pivots.dtype() != DType::boolean,
              "pivots must be integers, got ", pivots);
  INGOT_CHECK(pivots.sizes() == batch_of(ld, 1), "pivots must have a row of ", rows_of(ld),
              " for each matrix of ", ld, ", got ", pivots);
  return solution_of(ld, b, true);
}
void solve(const Tensor& ld, const Tensor& pivots, const Tensor& b, bool hermitian, Tensor& out) {
  const int64_t n = rows_of(ld);
  const Dims batch = batch_of(out);
  const Tensor rows = as_dense(with_batch(pivots, batch, 1), DType::i32);
  const int64_t count = numel_of(batch);
  for (int64_t i = 0; i < count; ++i) check_ldl_pivots(rows.data<int32_t>() + i * n, n);
  dispatch(ld.dtype(), [&]<class T>(std::type_identity<T>) {
    const Matrices<T> factors(ld, batch), sides(b, batch);
    Output<T> result(out);
    for_each(count, n * n * sides.columns, [&](int64_t i) {
      Mat<T> x = sides[i];
      if (hermitian)
        solve_in_place<T, true>(factors[i], rows.data<int32_t>() + i * n, x);
      else
        solve_in_place<T, false>(factors[i], rows.data<int32_t>() + i * n, x);
      result.matrix(i) = x;
    });
  });
}
INGOT_OP(
    "aten::linalg_ldl_solve(Tensor LD, Tensor pivots, Tensor B, *, bool hermitian=False) -> Tensor",
    Structured<solve_meta, solve>);

}  // namespace
}  // namespace ingot::linalg

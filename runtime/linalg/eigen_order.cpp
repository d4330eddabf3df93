#include "linalg/eigen_order.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

namespace ingot::linalg {
namespace {

constexpr int64_t kLargest = 75;
constexpr int kExceptional = 10;  // deflations fail so often before a shift of another kind

template <class T>
struct RealOf {
  using Type = T;
};
template <class R>
struct RealOf<std::complex<R>> {
  using Type = R;
};
template <class T>
using Real = typename RealOf<T>::Type;
template <class T>
constexpr bool kComplex = !std::is_floating_point_v<T>;

template <class T>
T conjugate(T x) {
  if constexpr (kComplex<T>)
    return std::conj(x);
  else
    return x;
}
template <class T>
Real<T> magnitude(T x) {
  return std::abs(std::real(x)) + std::abs(std::imag(x));
}
// A negative zero counts as positive.
template <class R>
R with_sign(R x, R of) {
  return of < 0 ? -std::abs(x) : std::abs(x);
}

// Rows and columns [low, high] of a matrix are still to be reduced.
template <class T>
struct Matrix {
  using R = Real<T>;
  int64_t n;
  std::vector<T> values;  // [n, n]
  int64_t low = 0;
  int64_t high = n - 1;

  T& operator()(int64_t i, int64_t j) { return values[static_cast<size_t>(i * n + j)]; }

  R column_norm(int64_t j) {
    R sum = 0;
    for (int64_t i = low; i <= high; ++i) sum += std::norm((*this)(i, j));
    return std::sqrt(sum);
  }
  R row_norm(int64_t i) {
    R sum = 0;
    for (int64_t j = low; j <= high; ++j) sum += std::norm((*this)(i, j));
    return std::sqrt(sum);
  }
  void exchange(int64_t i, int64_t j) {
    if (i == j) return;
    for (int64_t k = 0; k <= high; ++k) std::swap((*this)(k, i), (*this)(k, j));
    for (int64_t k = low; k < n; ++k) std::swap((*this)(i, k), (*this)(j, k));
  }
};

// Rows, then columns with nothing beside the diagonal move to the ends.
template <class T>
void isolate(Matrix<T>& a) {
  const auto row_is_alone = [&](int64_t i) {
    for (int64_t j = 0; j <= a.high; ++j)
      if (j != i && a(i, j) != T(0)) return false;
    return true;
  };
  const auto column_is_alone = [&](int64_t j) {
    for (int64_t i = a.low; i <= a.high; ++i)
      if (i != j && a(i, j) != T(0)) return false;
    return true;
  };
  for (int64_t i = a.high; i >= 0;) {
    if (!row_is_alone(i)) {
      --i;
      continue;
    }
    a.exchange(i, a.high);
    if (a.high == 0) return;
    i = --a.high;
  }
  for (int64_t j = a.low; j <= a.high;) {
    if (!column_is_alone(j)) {
      ++j;
      continue;
    }
    a.exchange(j, a.low);
    j = ++a.low;
  }
}

// Scales by powers of two until rows and columns have norms of the same size.
template <class T>
void balance(Matrix<T>& a) {
  using R = Real<T>;
  for (bool again = true; again;) {
    again = false;
    for (int64_t i = a.low; i <= a.high; ++i) {
      R column = a.column_norm(i), row = a.row_norm(i), factor = 1;
      if (column == 0 || row == 0 || !std::isfinite(column + row)) continue;
      const R sum = column + row;
      for (; column < row / 2; column *= 2, row /= 2) factor *= 2;
      for (; column / 2 >= row; column /= 2, row *= 2) factor /= 2;
      if (column + row >= R(0.95) * sum || factor == 0 || !std::isfinite(factor)) continue;
      again = true;
      for (int64_t k = a.low; k < a.n; ++k) a(i, k) /= factor;
      for (int64_t k = 0; k <= a.high; ++k) a(k, i) *= factor;
    }
  }
}

// 1 - tau v v*, whose adjoint maps x to a multiple of the first unit vector; v[0] is 1.
template <class T>
struct Reflector {
  T tau = 0;
  Real<T> beta = 0;  // the multiple
};
template <class T>
Reflector<T> reflect(T* x, int64_t count) {
  using R = Real<T>;
  R rest = 0;
  for (int64_t i = 1; i < count; ++i) rest += std::norm(x[i]);
  const T alpha = x[0];
  x[0] = 1;
  if (rest == 0 && std::imag(alpha) == 0) return {0, std::real(alpha)};
  const R beta = -with_sign(std::sqrt(std::norm(alpha) + rest), std::real(alpha));
  for (int64_t i = 1; i < count; ++i) x[i] /= alpha - beta;
  return {(beta - alpha) / beta, beta};
}

// No elements below the first subdiagonal.
template <class T>
void to_hessenberg(Matrix<T>& a) {
  std::vector<T> v(static_cast<size_t>(a.n));
  for (int64_t k = a.low; k < a.high; ++k) {
    const int64_t count = a.high - k;
    for (int64_t i = 0; i < count; ++i) v[static_cast<size_t>(i)] = a(k + 1 + i, k);
    const auto [tau, beta] = reflect(v.data(), count);
    a(k + 1, k) = beta;
    for (int64_t i = 1; i < count; ++i) a(k + 1 + i, k) = 0;
    for (int64_t i = 0; i <= a.high; ++i) {
      T sum = 0;
      for (int64_t j = 0; j < count; ++j) sum += a(i, k + 1 + j) * v[static_cast<size_t>(j)];
      for (int64_t j = 0; j < count; ++j)
        a(i, k + 1 + j) -= tau * sum * conjugate(v[static_cast<size_t>(j)]);
    }
    for (int64_t j = k + 1; j < a.n; ++j) {
      T sum = 0;
      for (int64_t i = 0; i < count; ++i)
        sum += conjugate(v[static_cast<size_t>(i)]) * a(k + 1 + i, j);
      for (int64_t i = 0; i < count; ++i)
        a(k + 1 + i, j) -= conjugate(tau) * v[static_cast<size_t>(i)] * sum;
    }
  }
}

// The first row of the last block [row, i] that nothing below couples to the rows before.
template <class T>
int64_t first_of_block(Matrix<T>& h, int64_t first, int64_t i) {
  using R = Real<T>;
  constexpr R ulp = std::numeric_limits<R>::epsilon();
  const R tiny = std::numeric_limits<R>::min() * (static_cast<R>(h.high - h.low + 1) / ulp);
  int64_t k = i;
  for (; k > first; --k) {
    const R below = magnitude(h(k, k - 1));
    if (below <= tiny) break;
    R beside = magnitude(h(k - 1, k - 1)) + magnitude(h(k, k));
    if (beside == 0) {
      if (k - 2 >= h.low) beside += magnitude(h(k - 1, k - 2));
      if (k + 1 <= h.high) beside += magnitude(h(k + 1, k));
    }
    if (below > ulp * beside) continue;
    const auto [ba, ab] = std::minmax({below, magnitude(h(k - 1, k))});
    const auto [bb, aa] = std::minmax({magnitude(h(k, k)), magnitude(h(k - 1, k - 1) - h(k, k))});
    const R sum = aa + ab;
    if (ba * (ab / sum) <= std::max(tiny, ulp * (bb * (aa / sum)))) break;
  }
  return k;
}

// --- real: two shifts at a time ------------------------------------------------------------------

template <class R>
struct Shifts {
  R real1 = 0, imaginary1 = 0, real2 = 0, imaginary2 = 0;
};

// The eigenvalues of the last 2 x 2 of rows [first, i]; of two real ones twice that nearer to the
// last element. Every tenth time something else, lest the iteration goes in circles.
template <class R>
Shifts<R> choose_shifts(Matrix<R>& h, int64_t first, int64_t i, int failures) {
  R a, b, c, d;
  if (failures % kExceptional == 0) {
    const bool last = failures % (2 * kExceptional) == 0;
    c = last ? std::abs(h(i, i - 1)) + std::abs(h(i - 1, i - 2))
             : std::abs(h(first + 1, first)) + std::abs(h(first + 2, first + 1));
    a = d = R(0.75) * c + (last ? h(i, i) : h(first, first));
    b = R(-0.4375) * c;
  } else {
    a = h(i - 1, i - 1), b = h(i - 1, i), c = h(i, i - 1), d = h(i, i);
  }
  const R scale = std::abs(a) + std::abs(b) + std::abs(c) + std::abs(d);
  if (scale == 0) return {};
  a /= scale, b /= scale, c /= scale, d /= scale;
  const R half = (a + d) / 2;
  const R determinant = (a - half) * (d - half) - b * c;
  const R root = std::sqrt(std::abs(determinant));
  if (determinant >= 0) return {half * scale, root * scale, half * scale, -root * scale};
  const R one = half + root, other = half - root;
  const R nearer = (std::abs(one - d) <= std::abs(other - d) ? one : other) * scale;
  return {nearer, 0, nearer, 0};
}

template <class R>
void double_step(Matrix<R>& h, int64_t first, int64_t i, int failures) {
  constexpr R ulp = std::numeric_limits<R>::epsilon();
  const auto [r1, i1, r2, i2] = choose_shifts(h, first, i, failures);
  std::array<R, 3> v;
  int64_t m = i - 2;
  for (;; --m) {  // rows before m stay as they are
    const R scale = std::abs(h(m, m) - r2) + std::abs(i2) + std::abs(h(m + 1, m));
    const R below = h(m + 1, m) / scale;
    v = {below * h(m, m + 1) + (h(m, m) - r1) * ((h(m, m) - r2) / scale) - i1 * (i2 / scale),
         below * (h(m, m) + h(m + 1, m + 1) - r1 - r2), below * h(m + 2, m + 1)};
    const R sum = std::abs(v[0]) + std::abs(v[1]) + std::abs(v[2]);
    for (R& each : v) each /= sum;
    if (m == first) break;
    if (std::abs(h(m, m - 1)) * (std::abs(v[1]) + std::abs(v[2])) <=
        ulp * std::abs(v[0]) *
            (std::abs(h(m - 1, m - 1)) + std::abs(h(m, m)) + std::abs(h(m + 1, m + 1))))
      break;
  }
  for (int64_t k = m; k < i; ++k) {
    const int64_t count = std::min<int64_t>(3, i - k + 1);
    for (int64_t p = 0; k > m && p < count; ++p) v[static_cast<size_t>(p)] = h(k + p, k - 1);
    const auto [tau, beta] = reflect(v.data(), count);
    if (k > m) {
      h(k, k - 1) = beta;
      for (int64_t p = 1; p < count; ++p) h(k + p, k - 1) = 0;
    } else if (m > first) {
      h(k, k - 1) *= 1 - tau;
    }
    for (int64_t j = k; j < h.n; ++j) {
      R sum = 0;
      for (int64_t p = 0; p < count; ++p) sum += v[static_cast<size_t>(p)] * h(k + p, j);
      for (int64_t p = 0; p < count; ++p) h(k + p, j) -= sum * (tau * v[static_cast<size_t>(p)]);
    }
    for (int64_t j = 0; j <= std::min(k + 3, i); ++j) {
      R sum = 0;
      for (int64_t p = 0; p < count; ++p) sum += h(j, k + p) * v[static_cast<size_t>(p)];
      for (int64_t p = 0; p < count; ++p) h(j, k + p) -= sum * (tau * v[static_cast<size_t>(p)]);
    }
  }
}

// The eigenvalues of [[a, b], [c, d]] in the order in which they stand on the diagonal of its
// Schur form (lanv2).
template <class R>
std::array<std::complex<R>, 2> pair_of(R a, R b, R c, R d) {
  using C = std::complex<R>;
  if (c == 0) return {C(a), C(d)};
  if (b == 0) return {C(d), C(a)};
  const R half = (a - d) / 2;
  const R larger = std::max(std::abs(b), std::abs(c));
  const R smaller = std::min(std::abs(b), std::abs(c)) * with_sign(R(1), b) * with_sign(R(1), c);
  const R scale = std::max(std::abs(half), larger);
  const R discriminant = half / scale * half + larger / scale * smaller;
  const R mean = d + half;
  if (discriminant >= 4 * std::numeric_limits<R>::epsilon()) {
    const R z = half + with_sign(std::sqrt(scale) * std::sqrt(discriminant), half);
    return {C(d + z), C(d - larger / z * smaller)};
  }
  const R root = std::sqrt(scale) * std::sqrt(std::abs(discriminant));
  if (discriminant > 0) return {C(mean + with_sign(root, c)), C(mean - with_sign(root, c))};
  return {C(mean, root), C(mean, -root)};
}

// --- complex: one shift at a time ----------------------------------------------------------------

template <class R>
void multiply_row(Matrix<std::complex<R>>& h, int64_t i, int64_t begin, std::complex<R> by) {
  for (int64_t j = begin; j < h.n; ++j) h(i, j) *= by;
}
template <class R>
void multiply_column(Matrix<std::complex<R>>& h, int64_t j, int64_t end, std::complex<R> by) {
  for (int64_t i = 0; i < end; ++i) h(i, j) *= by;
}

// Rotates until the subdiagonal is real.
template <class R>
void make_subdiagonal_real(Matrix<std::complex<R>>& h) {
  for (int64_t i = h.low + 1; i <= h.high; ++i) {
    const std::complex<R> below = h(i, i - 1);
    if (below.imag() == 0) continue;
    const std::complex<R> phase = std::conj(below) / std::abs(below);
    h(i, i - 1) = std::abs(below);
    multiply_row(h, i, i, phase);
    multiply_column(h, i, std::min(h.n, i + 2), std::conj(phase));
  }
}

template <class R>
std::complex<R> choose_shift(Matrix<std::complex<R>>& h, int64_t first, int64_t i, int failures) {
  using C = std::complex<R>;
  if (failures % (2 * kExceptional) == 0) return R(0.75) * std::abs(h(i, i - 1).real()) + h(i, i);
  if (failures % kExceptional == 0)
    return R(0.75) * std::abs(h(first + 1, first).real()) + h(first, first);
  const C t = h(i, i);
  const C u = std::sqrt(h(i - 1, i)) * std::sqrt(h(i, i - 1));
  if (magnitude(u) == 0) return t;
  const C x = R(0.5) * (h(i - 1, i - 1) - t);
  const R scale = std::max(magnitude(u), magnitude(x));
  C y = scale * std::sqrt((x / scale) * (x / scale) + (u / scale) * (u / scale));
  if (x.real() * y.real() + x.imag() * y.imag() < 0) y = -y;
  return t - u * (u / (x + y));
}

template <class R>
void single_step(Matrix<std::complex<R>>& h, int64_t first, int64_t i, int failures) {
  using C = std::complex<R>;
  constexpr R ulp = std::numeric_limits<R>::epsilon();
  const C shift = choose_shift(h, first, i, failures);
  std::array<C, 2> v;
  int64_t m = i - 1;
  for (;; --m) {  // rows before m stay as they are
    C top = h(m, m) - shift;
    R below = h(m + 1, m).real();
    const R scale = magnitude(top) + std::abs(below);
    top /= scale, below /= scale;
    v = {top, C(below)};
    if (m == first) break;
    if (std::abs(h(m, m - 1).real()) * std::abs(below) <=
        ulp * (magnitude(top) * (magnitude(h(m, m)) + magnitude(h(m + 1, m + 1)))))
      break;
  }
  for (int64_t k = m; k < i; ++k) {
    if (k > m) v = {h(k, k - 1), h(k + 1, k - 1)};
    const auto [tau, beta] = reflect(v.data(), 2);
    if (k > m) h(k, k - 1) = beta, h(k + 1, k - 1) = 0;
    const R tau2 = (tau * v[1]).real();
    for (int64_t j = k; j < h.n; ++j) {
      const C sum = std::conj(tau) * h(k, j) + tau2 * h(k + 1, j);
      h(k, j) -= sum;
      h(k + 1, j) -= sum * v[1];
    }
    for (int64_t j = 0; j <= std::min(k + 2, i); ++j) {
      const C sum = tau * h(j, k) + tau2 * h(j, k + 1);
      h(j, k) -= sum;
      h(j, k + 1) -= sum * std::conj(v[1]);
    }
    if (k > m || m == first) continue;
    // The step began in the middle: what is beside it turns with it, so that the subdiagonal
    // stays real.
    const C phase = (C(1) - tau) / std::abs(C(1) - tau);
    h(m + 1, m) *= std::conj(phase);
    if (m + 2 <= i) h(m + 2, m + 1) *= phase;
    for (int64_t j = m; j <= i; ++j) {
      if (j == m + 1) continue;
      multiply_row(h, j, j + 1, phase);
      multiply_column(h, j, j, std::conj(phase));
    }
  }
  const C below = h(i, i - 1);
  if (below.imag() == 0) return;
  h(i, i - 1) = std::abs(below);
  const C phase = below / std::abs(below);
  multiply_row(h, i, i + 1, std::conj(phase));
  multiply_column(h, i, i, phase);
}

}  // namespace

template <class T>
std::vector<std::complex<double>> eigenvalues_in_order(std::vector<T> a, int64_t n) {
  if (n == 0 || n > kLargest) return {};
  Matrix<T> h{n, std::move(a)};
  isolate(h);
  balance(h);
  to_hessenberg(h);
  if constexpr (kComplex<T>) make_subdiagonal_real(h);
  std::vector<std::complex<double>> result(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) result[static_cast<size_t>(i)] = std::complex<double>(h(i, i));
  const int64_t most = 30 * std::max<int64_t>(10, h.high - h.low + 1);
  constexpr int64_t kAtOnce = kComplex<T> ? 1 : 2;
  for (int64_t i = h.high; i > h.low;) {
    int64_t first = h.low;
    for (int failures = 1;; ++failures) {
      first = first_of_block(h, first, i);
      if (first > h.low) h(first, first - 1) = 0;
      if (first > i - kAtOnce) break;
      if (failures > most) return {};
      if constexpr (kComplex<T>)
        single_step(h, first, i, failures);
      else
        double_step(h, first, i, failures);
    }
    const auto at = static_cast<size_t>(i);
    result[at] = std::complex<double>(h(i, i));
    if constexpr (!kComplex<T>)
      if (first < i) {
        const auto pair = pair_of(h(i - 1, i - 1), h(i - 1, i), h(i, i - 1), h(i, i));
        result[at - 1] = std::complex<double>(pair[0]), result[at] = std::complex<double>(pair[1]);
      }
    i = first - 1;
    if (i == h.low) result[static_cast<size_t>(i)] = std::complex<double>(h(i, i));
  }
  return result;
}

template std::vector<std::complex<double>> eigenvalues_in_order(std::vector<float>, int64_t);
template std::vector<std::complex<double>> eigenvalues_in_order(std::vector<double>, int64_t);
template std::vector<std::complex<double>> eigenvalues_in_order(std::vector<std::complex<float>>,
                                                                int64_t);
template std::vector<std::complex<double>> eigenvalues_in_order(std::vector<std::complex<double>>,
                                                                int64_t);

}  // namespace ingot::linalg

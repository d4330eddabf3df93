#include "kernels/rows_f32.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rows_f32_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/foreach_target.h>

#include "kernels/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

// Sums run in this many chains of this many vectors each before they are folded.
constexpr int kChains = 4;
constexpr int64_t kBlock = 16 * kChains * kLanes;

// The sum of term(vector of x), a block at a time. Lanes beyond the row count as `rest_zero`
// says: term gives 0 there, or must be masked.
template <class Term>
HWY_INLINE double sum_of(const float* x, int64_t count, Term term) {
  const D d;
  double total = 0;
  while (count >= kChains * kLanes) {
    V part[kChains];
    for (V& chain : part) chain = hn::Zero(d);
    const int64_t steps = (count < kBlock ? count : kBlock) / (kChains * kLanes);
    for (int64_t i = 0; i < steps; ++i, x += kChains * kLanes)
      for (int q = 0; q < kChains; ++q)
        part[q] = hn::Add(part[q], term(hn::LoadU(d, x + q * kLanes)));
    count -= steps * kChains * kLanes;
    total += static_cast<double>(
        sum_of_lanes(hn::Add(hn::Add(part[0], part[1]), hn::Add(part[2], part[3]))));
  }
  V part = hn::Zero(d);
  for (; count >= kLanes; count -= kLanes, x += kLanes) part = hn::Add(part, term(hn::LoadU(d, x)));
  if (count > 0) {
    const M inside = hn::FirstN(d, static_cast<size_t>(count));
    part = hn::Add(part, hn::IfThenElseZero(inside, term(load_first(x, count))));
  }
  return total + static_cast<double>(sum_of_lanes(part));
}

double sum(const float* x, int64_t count) {
  return sum_of(x, count, [](V v) INGOT_LAMBDA { return v; });
}

double sum_of_squares(const float* x, int64_t count) {
  return sum_of(x, count, [](V v) INGOT_LAMBDA { return hn::Mul(v, v); });
}

void add_to_sums(const float* x, int64_t count, double* sums) {
  int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::Half<D> half;
  const hn::Rebind<double, hn::Half<D>> wide;
  constexpr int64_t kHalf = kLanes / 2;
  for (; i + kHalf <= count; i += kHalf) {
    const auto value = hn::PromoteTo(wide, hn::LoadU(half, x + i));
    hn::StoreU(hn::Add(hn::LoadU(wide, sums + i), value), wide, sums + i);
  }
#endif
  for (; i < count; ++i) sums[i] += static_cast<double>(x[i]);
}

template <bool kLargest>
HWY_INLINE V further(V a, V b) {
  return kLargest ? hn::Max(a, b) : hn::Min(a, b);
}
template <bool kLargest>
HWY_INLINE float extreme(const float* x, int64_t count) {
  const D d;
  const float start = kLargest ? -kInfinity : kInfinity;
  V best[kChains];
  for (V& chain : best) chain = set(start);
  // NaN wherever a NaN was met.
  V seen = hn::Zero(d);
  int64_t i = 0;
  for (; i + kChains * kLanes <= count; i += kChains * kLanes) {
    for (int q = 0; q < kChains; ++q) {
      const V v = hn::LoadU(d, x + i + q * kLanes);
      best[q] = further<kLargest>(best[q], v);
      seen = hn::Or(seen, hn::VecFromMask(d, hn::IsNaN(v)));
    }
  }
  for (; i < count; i += kLanes) {
    const int64_t rest = count - i < kLanes ? count - i : kLanes;
    V v = load_first(x + i, rest);
    v = hn::IfThenElse(hn::FirstN(d, static_cast<size_t>(rest)), v, set(start));
    best[0] = further<kLargest>(best[0], v);
    seen = hn::Or(seen, hn::VecFromMask(d, hn::IsNaN(v)));
  }
  if (!hn::AllFalse(d, hn::MaskFromVec(seen))) return std::numeric_limits<float>::quiet_NaN();
  const V all =
      further<kLargest>(further<kLargest>(best[0], best[1]), further<kLargest>(best[2], best[3]));
  return hn::GetLane(kLargest ? hn::MaxOfLanes(d, all) : hn::MinOfLanes(d, all));
}
float largest(const float* x, int64_t count) { return extreme<true>(x, count); }
float smallest(const float* x, int64_t count) { return extreme<false>(x, count); }

Moments moments(const float* x, int64_t count) {
  // Stays in the first-level cache for its second pass.
  constexpr int64_t kPart = 4096;
  double mean = 0;
  double squares = 0;
  for (int64_t done = 0; done < count; done += kPart) {
    const int64_t part = count - done < kPart ? count - done : kPart;
    const double n = static_cast<double>(part);
    const double part_mean = sum(x + done, part) / n;
    const float center = static_cast<float>(part_mean);
    const V shift = set(center);
    double part_squares = sum_of(x + done, part, [shift](V v) INGOT_LAMBDA {
      const V deviation = hn::Sub(v, shift);
      return hn::Mul(deviation, deviation);
    });
    const double rounding = part_mean - static_cast<double>(center);
    part_squares -= n * rounding * rounding;
    const double all = static_cast<double>(done) + n;
    const double difference = part_mean - mean;
    squares += part_squares + difference * difference * (static_cast<double>(done) * n / all);
    mean += difference * (n / all);
  }
  const double variance = squares / static_cast<double>(count);
  if (count == 0) mean = variance;
  return {mean, variance < 0 ? 0 : variance};
}

// y[i] = f(x[i], i) for vectors; `first` is the number of lanes that count.
template <class F>
HWY_INLINE void for_vectors(int64_t count, F f) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    f(
        i, [](const float* from) INGOT_LAMBDA { return hn::LoadU(D(), from); },
        [](V v, float* to) INGOT_LAMBDA { hn::StoreU(v, D(), to); });
  const int64_t rest = count - i;
  if (rest > 0)
    f(
        i, [rest](const float* from) INGOT_LAMBDA { return load_first(from, rest); },
        [rest](V v, float* to) INGOT_LAMBDA { store_first(v, to, rest); });
}

void normalize(const float* x, int64_t count, float center, float scale, const float* weight,
               const float* bias, float* y) {
  const V c = set(center);
  const V s = set(scale);
  if (weight && bias) {
    for_vectors(count, [=](int64_t i, auto load, auto store) INGOT_LAMBDA {
      const V value = hn::Mul(hn::Sub(load(x + i), c), s);
      store(hn::MulAdd(value, load(weight + i), load(bias + i)), y + i);
    });
  } else if (weight) {
    for_vectors(count, [=](int64_t i, auto load, auto store) INGOT_LAMBDA {
      store(hn::Mul(hn::Mul(hn::Sub(load(x + i), c), s), load(weight + i)), y + i);
    });
  } else {
    for_vectors(count, [=](int64_t i, auto load, auto store) INGOT_LAMBDA {
      const V value = hn::Mul(hn::Sub(load(x + i), c), s);
      store(bias ? hn::Add(value, load(bias + i)) : value, y + i);
    });
  }
}

void shift_and_scale(const float* x, int64_t count, float center, float scale, float shift,
                     float* y) {
  const V c = set(center);
  const V s = set(scale);
  const V b = set(shift);
  for_vectors(count, [=](int64_t i, auto load, auto store)
                         INGOT_LAMBDA { store(hn::MulAdd(hn::Sub(load(x + i), c), s, b), y + i); });
}

// exp(x - shift) summed, and stored unless y is null.
template <bool kStore>
HWY_INLINE double exp_sum(int64_t size, const float* x, float shift, float* y) {
  constexpr int64_t kStep = kChains * kLanes;
  const D d;
  const V s = set(shift);
  double total = 0;
  int64_t i = 0;
  while (i + kStep <= size) {
    V part[kChains];
    for (V& chain : part) chain = hn::Zero(d);
    const int64_t end = size - i < kBlock ? size : i + kBlock;
    for (; i + kStep <= end; i += kStep) {
      V value[kChains];
      for (int q = 0; q < kChains; ++q) value[q] = hn::Sub(hn::LoadU(d, x + i + q * kLanes), s);
      exp_to_zero(value);
      for (int q = 0; q < kChains; ++q) {
        if (kStore) hn::StoreU(value[q], d, y + i + q * kLanes);
        part[q] = hn::Add(part[q], value[q]);
      }
    }
    total += static_cast<double>(
        sum_of_lanes(hn::Add(hn::Add(part[0], part[1]), hn::Add(part[2], part[3]))));
  }
  for (; i < size; i += kLanes) {
    const int64_t rest = size - i < kLanes ? size - i : kLanes;
    const V value = exp_to_zero(hn::Sub(load_first(x + i, rest), s));
    if (kStore) store_first(value, y + i, rest);
    total += static_cast<double>(
        sum_of_lanes(hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(rest)), value)));
  }
  return total;
}

// The largest element, NaN among them or not.
HWY_INLINE float peak_of(int64_t size, const float* x) {
  const D d;
  V best[2] = {set(-kInfinity), set(-kInfinity)};
  int64_t i = 0;
  for (; i + 2 * kLanes <= size; i += 2 * kLanes)
    for (int q = 0; q < 2; ++q) best[q] = hn::Max(hn::LoadU(d, x + i + q * kLanes), best[q]);
  for (; i < size; i += kLanes) {
    const int64_t rest = size - i < kLanes ? size - i : kLanes;
    const V v = load_first(x + i, rest);
    best[0] = hn::Max(hn::IfThenElse(hn::FirstN(d, static_cast<size_t>(rest)), v, set(-kInfinity)),
                      best[0]);
  }
  return hn::GetLane(hn::MaxOfLanes(d, hn::Max(best[0], best[1])));
}

void softmax_row(int64_t size, const float* x, float* y, SoftmaxForm form) {
  const float peak = peak_of(size, x);
  if (form.safe && peak == -kInfinity && sum(x, size) == -static_cast<double>(kInfinity)) {
    for (int64_t i = 0; i < size; ++i) y[i] = 0;
    return;
  }
  if (form.logarithm) {
    const double total = exp_sum<false>(size, x, peak, nullptr);
    const V p = set(peak);
    const V shift = set(static_cast<float>(std::log(total)));
    for_vectors(size, [=](int64_t i, auto load, auto store)
                          INGOT_LAMBDA { store(hn::Sub(hn::Sub(load(x + i), p), shift), y + i); });
    return;
  }
  const V scale = set(static_cast<float>(1 / exp_sum<true>(size, x, peak, y)));
  for_vectors(size, [=](int64_t i, auto load, auto store)
                        INGOT_LAMBDA { store(hn::Mul(load(y + i), scale), y + i); });
}

// One vector of columns.
template <class Load, class Store>
HWY_INLINE void softmax_vector(int64_t size, int64_t stride, const float* x, float* y,
                               SoftmaxForm form, Load load, Store store) {
  constexpr int64_t kRun = 64;
  const D d;
  V peak = set(-kInfinity);
  M number = hn::Eq(peak, peak);
  for (int64_t i = 0; i < size; ++i) {
    const V v = load(x + i * stride);
    peak = hn::Max(v, peak);
    number = hn::And(number, hn::Eq(v, v));
  }
  V total = hn::Zero(d);
  for (int64_t i0 = 0; i0 < size; i0 += kRun) {
    V part = hn::Zero(d);
    for (int64_t i = i0; i < size && i < i0 + kRun; ++i) {
      const V value = exp_to_zero(hn::Sub(load(x + i * stride), peak));
      if (!form.logarithm) store(value, y + i * stride);
      part = hn::Add(part, value);
    }
    total = hn::Add(total, part);
  }
  if (form.logarithm) {
    const V shift = log(total);
    for (int64_t i = 0; i < size; ++i)
      store(hn::Sub(hn::Sub(load(x + i * stride), peak), shift), y + i * stride);
    return;
  }
  V scale = hn::Div(set(1.0f), total);
  const M hidden = hn::And(number, hn::Eq(peak, set(-kInfinity)));
  const bool safe = form.safe;
  for (int64_t i = 0; i < size; ++i) {
    const V value = hn::Mul(load(y + i * stride), scale);
    store(safe ? hn::IfThenZeroElse(hidden, value) : value, y + i * stride);
  }
}

void softmax_columns(int64_t columns, int64_t size, int64_t stride, const float* x, float* y,
                     SoftmaxForm form) {
  for_vectors(columns, [=](int64_t i, auto load, auto store) INGOT_LAMBDA {
    softmax_vector(size, stride, x + i, y + i, form, load, store);
  });
}

void column_moments(const float* x, int64_t rows, int64_t columns, int64_t stride, float* mean,
                    float* squares) {
  const V count = set(1 / static_cast<float>(rows));
  for_vectors(columns, [=](int64_t c, auto load, auto store) INGOT_LAMBDA {
    V sum = hn::Zero(D());
    for (int64_t r = 0; r < rows; ++r) sum = hn::Add(sum, load(x + r * stride + c));
    const V center = hn::Mul(sum, count);
    V deviations = hn::Zero(D());
    for (int64_t r = 0; r < rows; ++r) {
      const V deviation = hn::Sub(load(x + r * stride + c), center);
      deviations = hn::MulAdd(deviation, deviation, deviations);
    }
    store(center, mean + c);
    store(deviations, squares + c);
  });
}

void normalize_columns(const float* x, int64_t rows, int64_t columns, int64_t x_stride,
                       const float* center, const float* scale, const float* shift, float* y,
                       int64_t y_stride) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += y_stride) {
    for_vectors(columns, [=](int64_t c, auto load, auto store) INGOT_LAMBDA {
      const V value = hn::Sub(load(x + c), load(center + c));
      store(hn::MulAdd(value, load(scale + c), load(shift + c)), y + c);
    });
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::f32 {

double sum(const float* x, int64_t count) { INGOT_SIMD_RETURN(sum(x, count)); }
double sum_of_squares(const float* x, int64_t count) {
  INGOT_SIMD_RETURN(sum_of_squares(x, count));
}
void add_to_sums(const float* x, int64_t count, double* sums) {
  INGOT_SIMD_RETURN(add_to_sums(x, count, sums));
}
float largest(const float* x, int64_t count) { INGOT_SIMD_RETURN(largest(x, count)); }
float smallest(const float* x, int64_t count) { INGOT_SIMD_RETURN(smallest(x, count)); }
Moments moments(const float* x, int64_t count) { INGOT_SIMD_RETURN(moments(x, count)); }
void normalize(const float* x, int64_t count, float center, float scale, const float* weight,
               const float* bias, float* y) {
  INGOT_SIMD_RETURN(normalize(x, count, center, scale, weight, bias, y));
}
void shift_and_scale(const float* x, int64_t count, float center, float scale, float shift,
                     float* y) {
  INGOT_SIMD_RETURN(shift_and_scale(x, count, center, scale, shift, y));
}
void softmax_row(int64_t size, const float* x, float* y, SoftmaxForm form) {
  INGOT_SIMD_RETURN(softmax_row(size, x, y, form));
}
void softmax_columns(int64_t columns, int64_t size, int64_t stride, const float* x, float* y,
                     SoftmaxForm form) {
  INGOT_SIMD_RETURN(softmax_columns(columns, size, stride, x, y, form));
}
void column_moments(const float* x, int64_t rows, int64_t columns, int64_t stride, float* mean,
                    float* squares) {
  INGOT_SIMD_RETURN(column_moments(x, rows, columns, stride, mean, squares));
}
void normalize_columns(const float* x, int64_t rows, int64_t columns, int64_t x_stride,
                       const float* center, const float* scale, const float* shift, float* y,
                       int64_t y_stride) {
  INGOT_SIMD_RETURN(
      normalize_columns(x, rows, columns, x_stride, center, scale, shift, y, y_stride));
}

}  // namespace ingot::f32
#endif

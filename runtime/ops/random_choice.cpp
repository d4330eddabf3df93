// Random choices and waiting times: Bernoulli, exponential, geometric, Cauchy, multinomial.
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "ops/random.h"
#include "ops/shape.h"

namespace ingot {
namespace {

// Registers `name_(self, arguments)` and its twin that gives a new tensor, from
// `void draw_name(Tensor& out, double, ...)`.
template <auto kDraw, class Signature = decltype(kDraw)>
struct Filled;
template <auto kDraw, class... P>
struct Filled<kDraw, void (*)(Tensor&, P...)> {
  static Tensor in_place(const Tensor& self, P... arguments, const MaybeGenerator&) {
    check_writable(self);
    Tensor out = self;
    kDraw(out, arguments...);
    return self;
  }
  static Tensor functional(const Tensor& self, P... arguments, const MaybeGenerator&) {
    Tensor out = Tensor::empty(self.info());
    kDraw(out, arguments...);
    return out;
  }
};
#define INGOT_FILLED(name, arguments, draw)                 \
  INGOT_OP("aten::" name "_(Tensor(a!) self, " arguments    \
           ", *, Generator? generator=None) -> Tensor(a!)", \
           Random<Function<&Filled<draw>::in_place>>);      \
  INGOT_OP("aten::" name "(Tensor self, " arguments         \
           ", *, Generator? generator=None) -> "            \
           "Tensor",                                        \
           Random<Function<&Filled<draw>::functional>>)

void check_floating(const Tensor& out) {
  INGOT_CHECK(is_floating(out.dtype()), "random floats cannot be drawn as ", out.dtype());
}

void draw_exponential(Tensor& out, double lambd) {
  check_floating(out);
  INGOT_CHECK(lambd > 0, "lambd must be positive, got ", lambd);
  draw<double>(out, [&](Generator& g) { return -std::log1p(-g.uniform()) / lambd; });
}
INGOT_FILLED("exponential", "float lambd=1.", draw_exponential);

void draw_geometric(Tensor& out, double p) {
  INGOT_CHECK(!is_complex(out.dtype()) && out.dtype() != DType::boolean,
              "counts cannot be drawn as ", out.dtype());
  INGOT_CHECK(p > 0 && p < 1, "p must be between 0 and 1, got ", p);
  draw<double>(out,
               [&](Generator& g) { return std::ceil(std::log(g.uniform()) / std::log1p(-p)); });
}
INGOT_FILLED("geometric", "float p", draw_geometric);

void draw_cauchy(Tensor& out, double median, double sigma) {
  check_floating(out);
  INGOT_CHECK(sigma > 0, "sigma must be positive, got ", sigma);
  draw<double>(out, [&](Generator& g) {
    return median + sigma * std::tan(std::numbers::pi * (g.uniform() - 0.5));
  });
}
INGOT_FILLED("cauchy", "float median=0., float sigma=1.", draw_cauchy);

// --- Bernoulli ---------------------------------------------------------------------------------

void check_probability(double p) {
  INGOT_CHECK(p >= 0 && p <= 1, "a probability must be between 0 and 1, got ", p);
}

void draw_bernoulli(Tensor& out, double p) {
  check_probability(p);
  draw<double>(out, [&](Generator& g) { return g.uniform() < p ? 1.0 : 0.0; });
}
// One probability for each element.
void draw_bernoulli_each(Tensor& out, const Tensor& p) {
  INGOT_CHECK(is_floating(p.dtype()), "probabilities must be floats, got ", p);
  const bool wide = p.dtype() == DType::f64;
  Tensor each = Tensor::empty(DType::f64, out.sizes());
  copy_into(p, each);
  // In the order in which the elements are drawn.
  const Tensor chances = reordered(each, memory_order(out)).contiguous();
  const auto* chance = chances.data<double>();
  draw<double>(out, [&](Generator& g) {
    check_probability(*chance);
    const double u = wide ? g.uniform() : static_cast<double>(g.uniform_float());
    return u < *chance++ ? 1.0 : 0.0;
  });
}
INGOT_OP(
    "aten::bernoulli_.float(Tensor(a!) self, float p=0.5, *, Generator? generator=None) -> "
    "Tensor(a!)",
    Random<Function<&Filled<draw_bernoulli>::in_place>>);
INGOT_OP("aten::bernoulli.p(Tensor self, float p, *, Generator? generator=None) -> Tensor",
         Random<Function<&Filled<draw_bernoulli>::functional>>);
INGOT_OP(
    "aten::bernoulli_.Tensor(Tensor(a!) self, Tensor p, *, Generator? generator=None) -> "
    "Tensor(a!)",
    Random<Function<&Filled<draw_bernoulli_each>::in_place>>);
INGOT_OP("aten::bernoulli.Tensor(Tensor self, Tensor p, *, Generator? generator=None) -> Tensor",
         Random<Function<&Filled<draw_bernoulli_each>::functional>>);
Tensor bernoulli(const Tensor& self, const MaybeGenerator&) {
  Tensor out = Tensor::empty(self.info());
  draw_bernoulli_each(out, self);
  return out;
}
INGOT_OP("aten::bernoulli(Tensor self, *, Generator? generator=None) -> Tensor",
         Random<Function<bernoulli>>);

// --- multinomial -------------------------------------------------------------------------------

// `samples` of one row's categories without putting back: the largest of weight / exponential
// (the race of Efraimidis and Spirakis).
template <class T>
void race(const T* weights, T* times, int64_t categories, int64_t samples, int64_t* out) {
  for (int64_t c = 0; c < categories; ++c) times[c] = weights[c] / times[c];
  std::vector<int64_t> order(static_cast<size_t>(categories));
  std::iota(order.begin(), order.end(), int64_t{0});
  std::partial_sort(order.begin(), order.begin() + samples, order.end(), [&](int64_t a, int64_t b) {
    return times[a] != times[b] ? times[a] > times[b] : a < b;
  });
  std::copy_n(order.begin(), samples, out);
}

// With putting back, by the distribution function.
template <class T>
void pick(const T* weights, T* sums, int64_t categories, int64_t samples, int64_t* out) {
  T sum = 0;
  for (int64_t c = 0; c < categories; ++c) sums[c] = sum += weights[c];
  for (int64_t c = 0; c < categories; ++c) sums[c] /= sum;
  const Draws generator;
  for (int64_t i = 0; i < samples; ++i) {
    const double u = generator->uniform();
    const T* const at = std::partition_point(
        sums, sums + categories - 1, [&](T value) { return static_cast<double>(value) < u; });
    out[i] = at - sums;
  }
}

template <class T>
void choose(const Tensor& self, int64_t samples, bool replacement, Tensor& out) {
  const Tensor weights = self.to(dtype_of<T>::value).contiguous();
  const int64_t categories = self.size(self.rank() - 1);
  const int64_t rows = self.rank() == 2 ? self.size(0) : 1;
  for (int64_t r = 0; r < rows; ++r) {
    const T* const row = weights.data<T>() + r * categories;
    T sum = 0;
    for (int64_t c = 0; c < categories; ++c) {
      INGOT_CHECK(row[c] >= 0 && std::isfinite(row[c]),
                  "the weights must be finite and not negative, got ", row[c]);
      sum += row[c];
    }
    INGOT_CHECK(sum > 0, "the weights of row ", r, " are all 0");
  }
  const bool races = !replacement || samples == 1;
  // ATen's times have the dtype of the weights.
  Tensor scratch = Tensor::empty(races ? self.dtype() : dtype_of<T>::value, weights.sizes());
  if (races) draw_exponential(scratch, 1);
  scratch = scratch.to(dtype_of<T>::value);
  for (int64_t r = 0; r < rows; ++r) {
    const T* const row = weights.data<T>() + r * categories;
    T* const own = scratch.data<T>() + r * categories;
    int64_t* const to = out.data<int64_t>() + r * samples;
    races ? race(row, own, categories, samples, to) : pick(row, own, categories, samples, to);
  }
}

Tensor multinomial(const Tensor& self, int64_t samples, bool replacement, const MaybeGenerator&) {
  check_floating(self);
  INGOT_CHECK(self.rank() == 1 || self.rank() == 2, "the weights must have 1 or 2 dimensions, got ",
              self);
  const int64_t categories = self.size(self.rank() - 1);
  INGOT_CHECK(samples > 0, "num_samples must be positive, got ", samples);
  INGOT_CHECK(replacement || samples <= categories, "cannot draw ", samples, " of ", categories,
              " categories without replacement");
  Dims sizes = self.sizes();
  sizes[self.rank() - 1] = samples;
  Tensor out = Tensor::empty(DType::i64, sizes);
  if (out.numel() == 0) return out;
  INGOT_CHECK(categories > 0, "there is no category to draw");
  if (self.dtype() == DType::f64)
    choose<double>(self, samples, replacement, out);
  else
    choose<float>(self, samples, replacement, out);
  return out;
}
INGOT_OP(
    "aten::multinomial(Tensor self, SymInt num_samples, bool replacement=False, *, Generator? "
    "generator=None) -> Tensor",
    Random<Function<multinomial>>);

}  // namespace
}  // namespace ingot

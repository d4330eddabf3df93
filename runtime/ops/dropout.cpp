// Ops that drop or scale elements at random while a model trains.
#include <cmath>

#include "ops/random.h"
#include "ops/shape.h"

namespace ingot {
namespace {

void check_dropout(double p) {
  INGOT_CHECK(p >= 0 && p <= 1, "the probability to drop must be between 0 and 1, got ", p);
}

// One draw per element or, of features, per [n, c]: 1 keeps it.
Tensor draw_mask(const Tensor& self, double p, bool features) {
  Dims sizes = self.sizes();
  if (features) {
    INGOT_CHECK(self.rank() >= 2, "features need at least 2 dimensions, got ", self);
    for (int d = 2; d < self.rank(); ++d) sizes[d] = 1;
  }
  Tensor mask = Tensor::empty(DType::f64, sizes);
  draw<double>(mask, [&](Generator& g) { return g.uniform() < 1 - p ? 1.0 : 0.0; });
  return mask;
}

// self * (mask * scale) + (mask * shift + offset), in self's dtype.
Tensor masked(const Tensor& self, const Tensor& mask, double scale, double shift, double offset) {
  INGOT_CHECK(is_floating(self.dtype()), "is not defined for dtype ", self.dtype());
  Tensor values = Tensor::empty(DType::f64, self.sizes());
  copy_into(self, values);
  Tensor keep = Tensor::empty(DType::f64, self.sizes());
  copy_into(mask, keep);
  auto* const to = values.data<double>();
  for (int64_t i = 0; i < keep.numel(); ++i) {
    const double kept = keep.data<double>()[i];
    to[i] = to[i] * (kept * scale) + kept * shift + offset;
  }
  return values.to(self.dtype());
}

// kAlpha: what is dropped becomes SELU's lower bound, and the rest is scaled and moved so that
// mean and variance stay (Klambauer et al., Self-Normalizing Neural Networks).
template <bool kFeatures, bool kAlpha>
Tensor dropout(const Tensor& self, double p, bool train) {
  check_dropout(p);
  if (!train || p == 0 || self.numel() == 0) return self;
  if (p == 1) return masked(self, Tensor::zeros(DType::f64, {}), 1, 0, 0);
  const Tensor mask = draw_mask(self, p, kFeatures);
  if (!kAlpha) return masked(self, mask, 1 / (1 - p), 0, 0);
  constexpr double kLower = 1.7580993408473766;
  const double scale = 1 / std::sqrt((kLower * kLower * p + 1) * (1 - p));
  return masked(self, mask, scale, kLower * scale, kLower * scale * (p - 1));
}
template <bool kFeatures, bool kAlpha>
Tensor dropout_(const Tensor& self, double p, bool train) {
  Tensor out = self;
  const Tensor result = dropout<kFeatures, kAlpha>(self, p, train);
  if (result.impl() == self.impl()) return self;
  check_writable(self);
  copy_into(result, out);
  return self;
}
#define INGOT_DROPOUT(name, features, alpha)                                      \
  INGOT_OP("aten::" name "(Tensor input, float p, bool train) -> Tensor",         \
           Random<Function<&dropout<features, alpha>>>);                          \
  INGOT_OP("aten::" name "_(Tensor(a!) self, float p, bool train) -> Tensor(a!)", \
           Random<Function<&dropout_<features, alpha>>>)
INGOT_DROPOUT("dropout", false, false);
INGOT_DROPOUT("feature_dropout", true, false);
INGOT_DROPOUT("alpha_dropout", false, true);
INGOT_DROPOUT("feature_alpha_dropout", true, true);

// The result and the mask of what was kept.
std::pair<Tensor, Tensor> native_dropout(const Tensor& self, double p, std::optional<bool> train) {
  check_dropout(p);
  if (train && !*train) {
    Tensor all = Tensor::empty(DType::boolean, self.sizes());
    std::fill_n(all.data<uint8_t>(), all.numel(), uint8_t{1});
    return {self.clone(), all};
  }
  if (p == 1) {
    const Tensor none = Tensor::zeros(DType::boolean, self.sizes());
    return {Tensor::zeros(self.dtype(), self.sizes()), none};
  }
  const Tensor mask = draw_mask(self, p, false);
  return {masked(self, mask, 1 / (1 - p), 0, 0), mask.to(DType::boolean)};
}
INGOT_OP("aten::native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)",
         Random<Function<native_dropout>>);

// --- randomised leaky ReLU ---------------------------------------------------------------------

// Negative elements times draws from [lower, upper), or times their mean; `noise` gets the factors.
Tensor leaky(const Tensor& self, Tensor* noise, const Scalar& lower, const Scalar& upper,
             bool training) {
  INGOT_CHECK(is_floating(self.dtype()), "is not defined for dtype ", self.dtype());
  const double low = lower.to_double(), high = upper.to_double();
  INGOT_CHECK(low <= high, "lower must not be larger than upper, got ", low, " and ", high);
  Tensor values = self.to(DType::f64).contiguous();
  if (self.dtype() == DType::f64) values = values.clone();
  Tensor factors = Tensor::empty(DType::f64, self.sizes());
  const double middle = (low + high) / 2;
  const Draws generator;
  for (int64_t i = 0; i < values.numel(); ++i) {
    double& value = values.data<double>()[i];
    double factor = 1;
    if (training && value <= 0) factor = generator->uniform() * (high - low) + low;
    if (!training && !(value > 0)) factor = middle;
    value *= factor;
    factors.data<double>()[i] = factor;
  }
  if (noise && training) {
    INGOT_CHECK(noise->sizes() == self.sizes(), "noise ", *noise, " must be like ", self);
    copy_into(factors, *noise);
  }
  return values.to(self.dtype());
}
Tensor rrelu(const Tensor& self, Scalar lower, Scalar upper, bool training, const MaybeGenerator&) {
  return leaky(self, nullptr, lower, upper, training);
}
Tensor rrelu_(const Tensor& self, Scalar lower, Scalar upper, bool training,
              const MaybeGenerator&) {
  check_writable(self);
  Tensor out = self;
  copy_into(leaky(self, nullptr, lower, upper, training), out);
  return self;
}
Tensor rrelu_with_noise(const Tensor& self, const Tensor& noise, Scalar lower, Scalar upper,
                        bool training, const MaybeGenerator&) {
  check_writable(noise);
  Tensor written = noise;
  return leaky(self, &written, lower, upper, training);
}
std::pair<Tensor, Tensor> rrelu_with_noise_functional(const Tensor& self, const Tensor& noise,
                                                      Scalar lower, Scalar upper, bool training,
                                                      const MaybeGenerator&) {
  Tensor written = noise.clone();
  Tensor out = leaky(self, &written, lower, upper, training);
  return {out, written};
}
#define INGOT_RRELU                                                             \
  "Scalar lower=0.125, Scalar upper=0.33333333333333331, bool training=False, " \
  "Generator? generator=None) -> "
INGOT_OP("aten::rrelu(Tensor self, " INGOT_RRELU "Tensor", Random<Function<rrelu>>);
INGOT_OP("aten::rrelu_(Tensor(a!) self, " INGOT_RRELU "Tensor(a!)", Random<Function<rrelu_>>);
INGOT_OP("aten::rrelu_with_noise(Tensor self, Tensor(b!) noise, " INGOT_RRELU "Tensor",
         Random<Function<rrelu_with_noise>>);
INGOT_OP("aten::rrelu_with_noise_functional(Tensor self, Tensor noise, " INGOT_RRELU
         "(Tensor, Tensor noise_out)",
         Random<Function<rrelu_with_noise_functional>>);

}  // namespace
}  // namespace ingot

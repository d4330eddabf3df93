#include "kernels/f32_loops.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "simd_levels.h"

namespace ingot {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Distance of `value` from the exact result in units of that result's last place as a float.
double ulps(float value, double exact) {
  const float rounded = static_cast<float>(exact);
  if (std::isnan(exact) || std::isnan(value))
    return std::isnan(exact) == std::isnan(value) ? 0 : 1e9;
  if (value == rounded) return std::signbit(value) == std::signbit(rounded) ? 0 : 1e9;
  if (std::isinf(rounded) || std::isinf(value)) return std::abs(value) >= 0x1.fffffep127f ? 1 : 1e9;
  int exponent;
  std::frexp(rounded, &exponent);
  return std::abs(value - exact) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

// Floats of every exponent and sign, the special ones among them.
std::vector<float> all_kinds(uint32_t step) {
  std::vector<float> values = {0.0f, -0.0f, 1.0f,     -1.0f,     kInf, -kInf,
                               kNan, 0.5f,  1e-45f,   -1e-45f,   2.0f, 88.72283f,
                               3.0f, -2.0f, 1.0e-38f, 88.72284f, 1.5f, -87.4f};
  for (uint64_t bits = 0; bits < (1ull << 32); bits += step)
    values.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  return values;
}

struct Case {
  const char* name;
  f32::Loop loop;
  double (*exact)(double x);
  double bound;
  double flushed = 0;  // exact results below are allowed to be 0
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double rsqrt(double x) { return 1 / std::sqrt(x); }
double reciprocal(double x) { return 1 / x; }
double frac(double x) { return x - std::trunc(x); }
double sign(double x) { return (x > 0) - (x < 0); }
double relu(double x) { return x < 0 ? 0 : x; }
double relu6(double x) { return x < 0 ? 0 : x > 6 ? 6 : x; }
double selu(double x) {
  return 1.0507009873554804934 * (x > 0 ? x : 1.6732632423543772848 * std::expm1(x));
}
double log_sigmoid(double x) { return x < -50 ? x : -std::log1p(std::exp(-x)); }

TEST(F32Loops, FunctionsOfOneNumberStayWithinTheirBounds) {
  const Case cases[] = {
      {"exp", f32::exp, std::exp, 1},
      {"exp2", f32::exp2, std::exp2, 1},
      {"expm1", f32::expm1, std::expm1, 2},
      {"log", f32::log, std::log, 1},
      {"log2", f32::log2, std::log2, 2},
      {"log10", f32::log10, std::log10, 2},
      {"log1p", f32::log1p, std::log1p, 2},
      {"sigmoid", f32::sigmoid, sigmoid, 2.5, 0x1.001p-126},
      {"tanh", f32::tanh, std::tanh, 3},
      {"erf", f32::erf, std::erf, 2},
      {"sin", f32::sin, std::sin, 2.5},
      {"cos", f32::cos, std::cos, 2.5},
      {"sqrt", f32::sqrt, std::sqrt, 0.5},
      {"rsqrt", f32::rsqrt, rsqrt, 1.5},
      {"reciprocal", f32::reciprocal, reciprocal, 0.5},
      {"abs", f32::abs, std::fabs, 0},
      {"ceil", f32::ceil, std::ceil, 0},
      {"floor", f32::floor, std::floor, 0},
      {"trunc", f32::trunc, std::trunc, 0},
      {"round", f32::round, std::nearbyint, 0},
      {"frac", f32::frac, frac, 0},
      {"sign", f32::sign, sign, 0},
      {"relu", f32::relu, relu, 0},
      {"relu6", f32::relu6, relu6, 0},
      {"selu", f32::selu, selu, 3},
      {"log_sigmoid", f32::log_sigmoid, log_sigmoid, 3, 0x1.001p-126},
  };
  const std::vector<float> x = all_kinds(4001);
  std::vector<float> y(x.size());
  for_each_simd_level([&] {
    for (const Case& one : cases) {
      const void* in[] = {x.data()};
      one.loop(static_cast<int64_t>(x.size()), y.data(), in, nullptr);
      double worst = 0;
      float worst_at = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        const double exact = one.exact(x[i]);
        if (std::abs(exact) < one.flushed && y[i] == 0) continue;
        const double error = ulps(y[i], exact);
        if (error > worst) worst = error, worst_at = x[i];
      }
      EXPECT_LE(worst, one.bound) << one.name << " at " << worst_at;
      RecordProperty(one.name, std::to_string(worst));
    }
  });
}

TEST(F32Loops, Pow) {
  std::vector<float> special = all_kinds(1u << 26);
  for (const float value : {-3.0f, 4.0f, 5.0f, -0.5f, 1e30f, -1e30f, 1.0000001f, 0.99999994f})
    special.push_back(value);
  std::vector<float> x;
  std::vector<float> y;
  for (const float a : special) {
    for (const float b : special) {
      x.push_back(a);
      y.push_back(b);
    }
  }
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> base(0, 4);
  std::uniform_real_distribution<float> exponent(-20, 20);
  for (int i = 0; i < 200000; ++i) {
    x.push_back(base(generator));
    y.push_back(exponent(generator));
  }
  std::vector<float> out(x.size());
  for_each_simd_level([&] {
    const void* in[] = {x.data(), y.data()};
    f32::pow(static_cast<int64_t>(x.size()), out.data(), in, nullptr);
    double worst = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double error = ulps(out[i], std::pow(static_cast<double>(x[i]), y[i]));
      ASSERT_LE(error, 1) << x[i] << " to the " << y[i] << " gave " << out[i];
      worst = std::max(worst, error);
    }
    RecordProperty("pow", std::to_string(worst));
  });
}

TEST(F32Loops, RemaindersAreExact) {
  const std::vector<float> special = all_kinds(1u << 25);
  std::vector<float> x;
  std::vector<float> y;
  for (const float a : special) {
    for (const float b : special) {
      x.push_back(a);
      y.push_back(b);
    }
  }
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> draw(-100, 100);
  for (int i = 0; i < 100000; ++i) {
    x.push_back(draw(generator));
    y.push_back(i % 3 == 0 ? std::round(draw(generator)) : draw(generator));
  }
  std::vector<float> out(x.size());
  for_each_simd_level([&] {
    const void* in[] = {x.data(), y.data()};
    f32::fmod(static_cast<int64_t>(x.size()), out.data(), in, nullptr);
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_EQ(ulps(out[i], std::fmod(x[i], y[i])), 0) << x[i] << " % " << y[i];
    f32::remainder(static_cast<int64_t>(x.size()), out.data(), in, nullptr);
    for (size_t i = 0; i < x.size(); ++i) {
      float rest = std::fmod(x[i], y[i]);
      if (rest != 0 && (rest < 0) != (y[i] < 0)) rest += y[i];
      ASSERT_EQ(ulps(out[i], rest), 0) << x[i] << " % " << y[i];
    }
  });
}

// Activations whose error is a part of the argument, not of the result.
TEST(F32Loops, Activations) {
  struct Row {
    const char* name;
    f32::Loop loop;
    double (*exact)(double x, const float* params);
    double bound;  // times max(|x|, |result|)
  };
  using P = const float*;
  const Row rows[] = {
      {"silu", f32::silu, [](double x, P) { return x * sigmoid(x); }, 2e-7},
      {"mish", f32::mish, [](double x, P) { return x * std::tanh(std::log1p(std::exp(x))); }, 3e-7},
      {"gelu", f32::gelu, [](double x, P) { return x / 2 * std::erfc(-x * std::sqrt(0.5)); }, 1e-7},
      {"gelu_tanh", f32::gelu_tanh,
       [](double x, P) {
         return x / 2 * (1 + std::tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
       },
       2e-7},
      {"hardsigmoid", f32::hardsigmoid,
       [](double x, P) { return std::min(std::max(x + 3, 0.0), 6.0) / 6; }, 2e-7},
      {"hardswish", f32::hardswish,
       [](double x, P) { return x * std::min(std::max(x + 3, 0.0), 6.0) / 6; }, 2e-7},
      {"hardtanh", f32::hardtanh,
       [](double x, P p) { return x < p[0]   ? p[0]
                                  : x > p[1] ? p[1]
                                             : x; }, 0},
      {"leaky_relu", f32::leaky_relu, [](double x, P p) { return x > 0 ? x : x * p[0]; }, 6e-8},
      {"threshold", f32::threshold, [](double x, P p) { return x <= p[0] ? p[1] : x; }, 0},
      {"elu", f32::elu,
       [](double x, P p) { return x > 0 ? x * p[1] : std::expm1(x * p[2]) * p[0] * p[1]; }, 3e-7},
      {"celu", f32::celu, [](double x, P p) { return x > 0 ? x : std::expm1(x / p[0]) * p[0]; },
       3e-7},
      {"softplus", f32::softplus,
       [](double x, P p) { return x * p[0] > p[1] ? x : std::log1p(std::exp(x * p[0])) / p[0]; },
       4e-7},
  };
  std::vector<float> x;
  for (int i = -6000; i <= 6000; ++i) x.push_back(static_cast<float>(i) / 500);
  for (const float value : {-100.0f, 100.0f, -1e30f, 1e30f, -0.0f, 1e-30f}) x.push_back(value);
  const float params[] = {-0.75f, 1.25f, 1.5f};
  const float positive[] = {0.75f, 1.25f, 1.5f};
  std::vector<float> y(x.size());
  for_each_simd_level([&] {
    for (const Row& row : rows) {
      const bool needs_positive = row.loop == f32::softplus || row.loop == f32::celu;
      const float* p = needs_positive ? positive : params;
      const void* in[] = {x.data()};
      row.loop(static_cast<int64_t>(x.size()), y.data(), in, p);
      for (size_t i = 0; i < x.size(); ++i) {
        const double exact = row.exact(x[i], p);
        const double scale = std::max<double>(std::abs(x[i]), std::abs(exact));
        ASSERT_LE(std::abs(y[i] - exact), row.bound * scale + 1e-44) << row.name << " at " << x[i];
      }
      const float nan[] = {kNan, 0.0f};
      const void* nan_in[] = {nan};
      float out[2];
      row.loop(2, out, nan_in, p);
      EXPECT_TRUE(std::isnan(out[0])) << row.name;
    }
  });
}

// Any count, any place, in place: the same bits and nothing written beyond.
TEST(F32Loops, ResultsDependOnTheElementAlone) {
#define INGOT_NAMED(name) {#name, f32::name},
  const std::pair<const char*, f32::Loop> loops[] = {INGOT_F32_ARITHMETIC(
      INGOT_NAMED) INGOT_F32_FUNCTIONS(INGOT_NAMED) INGOT_F32_ACTIVATIONS(INGOT_NAMED)};
  const float params[] = {0.5f, 1.5f, 1.25f};
  std::mt19937 generator(3);
  std::uniform_real_distribution<float> draw(-4, 4);
  std::vector<float> a(200);
  std::vector<float> b(200);
  std::vector<float> c(200);
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = i % 17 == 0 ? kNan : draw(generator);
    b[i] = i % 19 == 0 ? -kInf : draw(generator);
    c[i] = draw(generator);
  }
  const void* in[] = {a.data(), b.data(), c.data()};
  for_each_simd_level([&] {
    for (const auto& [name, loop] : loops) {
      std::vector<float> all(a.size());
      loop(static_cast<int64_t>(all.size()), all.data(), in, params);
      for (const int64_t count : {0, 1, 2, 3, 7, 8, 15, 17, 31, 33, 63, 65, 100}) {
        std::vector<float> part(static_cast<size_t>(count) + 1, 7.0f);
        const void* from[] = {a.data() + 5, b.data() + 5, c.data() + 5};
        loop(count, part.data(), from, params);
        ASSERT_EQ(part.back(), 7.0f) << name;
        for (size_t i = 0; i + 1 < part.size(); ++i)
          ASSERT_TRUE(part[i] == all[i + 5] || (std::isnan(part[i]) && std::isnan(all[i + 5])))
              << name << " " << count << " at " << i << ": " << part[i] << " " << all[i + 5];
        std::vector<float> x(a.begin() + 5, a.begin() + 6 + count);  // data() even for none
        const void* same[] = {x.data(), b.data() + 5, c.data() + 5};
        loop(count, x.data(), same, params);
        ASSERT_EQ(std::memcmp(x.data(), part.data(), sizeof(float) * static_cast<size_t>(count)), 0)
            << name;
      }
    }
  });
}

TEST(F32Loops, ComparisonsAndSelections) {
  const std::vector<float> values = {1, 2, kNan, -kInf, kInf, 0, -0.0f, 3, 5};
  std::vector<float> a;
  std::vector<float> b;
  for (const float x : values) {
    for (const float y : values) {
      a.push_back(x);
      b.push_back(y);
    }
  }
  const size_t size = a.size();
  std::vector<uint8_t> mask(size);
  for (size_t i = 0; i < size; ++i) mask[i] = static_cast<uint8_t>(i % 3 == 0 ? 0 : i);
  struct Row {
    f32::Loop loop;
    bool (*exact)(float, float);
  };
  const Row rows[] = {
      {f32::eq, [](float x, float y) { return x == y; }},
      {f32::ne, [](float x, float y) { return x != y; }},
      {f32::lt, [](float x, float y) { return x < y; }},
      {f32::le, [](float x, float y) { return x <= y; }},
      {f32::gt, [](float x, float y) { return x > y; }},
      {f32::ge, [](float x, float y) { return x >= y; }},
      {f32::logical_not, [](float x, float) { return x == 0; }},
      {f32::isnan, [](float x, float) { return x != x; }},
  };
  for_each_simd_level([&] {
    for (size_t count = 0; count <= size; ++count) {
      std::vector<uint8_t> out(count + 1);
      for (const Row& row : rows) {
        out[count] = 9;
        const void* in[] = {a.data(), b.data()};
        row.loop(static_cast<int64_t>(count), out.data(), in, nullptr);
        ASSERT_EQ(out[count], 9);
        for (size_t i = 0; i < count; ++i)
          ASSERT_EQ(out[i], row.exact(a[i], b[i]) ? 1 : 0) << a[i] << ' ' << b[i];
      }
      std::vector<float> chosen(count + 1, 9.0f);
      const void* in[] = {mask.data(), a.data(), b.data()};
      f32::where(static_cast<int64_t>(count), chosen.data(), in, nullptr);
      ASSERT_EQ(chosen[count], 9.0f);
      for (size_t i = 0; i < count; ++i)
        ASSERT_EQ(ulps(chosen[i], static_cast<double>(mask[i] != 0 ? a[i] : b[i])), 0);
      const void* filled[] = {b.data(), mask.data(), a.data()};
      std::vector<float> again(count + 1);
      f32::masked_fill(static_cast<int64_t>(count), again.data(), filled, nullptr);
      ASSERT_EQ(std::memcmp(again.data(), chosen.data(), count * sizeof(float)), 0);
    }
    std::vector<float> out(size);
    const void* in[] = {a.data(), b.data()};
    f32::maximum(static_cast<int64_t>(size), out.data(), in, nullptr);
    for (size_t i = 0; i < size; ++i)
      ASSERT_EQ(ulps(out[i], std::isnan(b[i]) ? kNan : !(a[i] < b[i]) ? a[i] : b[i]), 0);
    f32::minimum(static_cast<int64_t>(size), out.data(), in, nullptr);
    for (size_t i = 0; i < size; ++i)
      ASSERT_EQ(ulps(out[i], std::isnan(b[i]) ? kNan : !(a[i] > b[i]) ? a[i] : b[i]), 0);
  });
}

}  // namespace
}  // namespace ingot

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <ingot/c.h>
#include <ingot/ingot.h>

#include "base/half.h"
#include "file_builder.h"
#include "simd_levels.h"

namespace ingot {
namespace {

float rounded(float value) { return to_float(to_bfloat16(value)); }

// What the sample's two layers of equal weights give for rows of equal numbers.
float expected_of(float x, Precision precision) {
  const auto operand = [&](float v) { return precision == Precision::bf16 ? rounded(v) : v; };
  const float hidden = 10 * operand(x) * operand(0.01f) + 0.01f;
  return 20 * operand(hidden) * operand(0.01f) + 0.01f;
}

Module load_sample(const LoadOptions& options = {}) {
  const std::string file = testing::sample_file();
  return load(std::as_bytes(std::span(file)), options);
}

void check(const Module& model, Precision precision) {
  EXPECT_EQ(model.precision(), precision);
  for (const int64_t batch : {1, 3, 50}) {
    const std::vector<float> values(static_cast<size_t>(10 * batch), 1.2345f);
    const int64_t sizes[] = {batch, 10};
    const Tensor y = model.forward({Tensor::from<float>(values, sizes)}).to_tensor().contiguous();
    for (int64_t i = 0; i < y.numel(); ++i)
      EXPECT_NEAR(y.data<float>()[i], expected_of(1.2345f, precision), 1e-7);
  }
}

TEST(Precision, ModuleComputesInBf16) {
  ASSERT_GT(std::abs(expected_of(1.2345f, Precision::bf16) - expected_of(1.2345f, Precision::f32)),
            1e-6);
  for_each_bf16_product([] {
    const Module model = load_sample({.precision = Precision::bf16});
    check(model, Precision::bf16);
    check(model.fork(), Precision::bf16);
    check(load_sample(), Precision::f32);
    const std::vector<ProfileEvent> steps = model.profile("forward", model.example_inputs());
    ASSERT_FALSE(steps.empty());
    EXPECT_EQ(steps[0].text.rfind("linear bf16 [1, 10] x [10, 20]", 0), 0) << steps[0].text;
  });
}

// forward(x: f32[1, 3, H, W]): a convolution 3x3 of stride 2 to 8 channels, all weights `weight`.
std::string convolution_file(float weight) {
  testing::FileBuilder file;
  const uint32_t tensor = file.type(fb::TypeKind::Tensor);
  const uint32_t integer = file.type(fb::TypeKind::Int);
  const uint32_t list = file.type(fb::TypeKind::List, {integer});
  const uint32_t weight_type = file.tensor_type(DType::f32, {8, 3, 3, 3});
  Tensor weights = Tensor::zeros(DType::f32, Dims{8, 3, 3, 3});
  std::fill_n(weights.data<float>(), weights.numel(), weight);
  file.state("weight", weight_type, weights);
  file.begin_method();
  const uint32_t x = file.input("x", tensor);
  const uint32_t none = file.constant(file.type(fb::TypeKind::None), 0);
  const uint32_t zero = file.constant(integer, file.literal(int64_t{0}));
  const uint32_t one = file.constant(integer, file.literal(int64_t{1}));
  const uint32_t two = file.constant(integer, file.literal(int64_t{2}));
  const auto pair = [&](uint32_t n) { return file.node("prim::ListConstruct", {n, n}, {list})[0]; };
  const uint32_t inputs[] = {
      x, file.get_state("weight", weight_type), none, pair(two), pair(zero), pair(one), one};
  file.end_method("forward", file.node("aten::conv2d", {inputs, inputs + 7}, {tensor})[0]);
  return file.finish();
}

TEST(Precision, ConvolutionComputesInBf16) {
  const std::string file = convolution_file(0.01f);
  for_each_bf16_product([&] {
    const Module model = load(std::as_bytes(std::span(file)), {.precision = Precision::bf16});
    Tensor x = Tensor::zeros(DType::f32, Dims{1, 3, 7, 7});
    std::fill_n(x.data<float>(), x.numel(), 1.2345f);
    const std::vector<ProfileEvent> steps = model.profile("forward", std::vector<Value>{x});
    std::string text;
    for (const ProfileEvent& step : steps) text += step.text + "; ";
    EXPECT_NE(text.find("implicit_gemm bf16"), std::string::npos) << text;
    const Tensor y = model.forward({x}).to_tensor().contiguous();
    ASSERT_EQ(y.numel(), 8 * 3 * 3);
    for (int64_t i = 0; i < y.numel(); ++i)
      EXPECT_NEAR(y.data<float>()[i], 27 * rounded(1.2345f) * rounded(0.01f), 1e-6);
  });
}

TEST(Precision, IsRefusedWhereTheMachineLacksIt) {
  set_simd_level(SimdLevel::baseline);
  try {
    load_sample({.precision = Precision::bf16});
    ADD_FAILURE() << "loaded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_NE(error.message().find("AVX-512 BF16"), std::string::npos) << error.what();
    EXPECT_NE(error.hint().find("f32"), std::string::npos) << error.what();
  }
  check(load_sample(), Precision::f32);

  const std::string file = testing::sample_file();
  ingot_module* module = nullptr;
  ingot_load_options options = {INGOT_PRECISION_BF16};
  EXPECT_EQ(ingot_load_memory_with(file.data(), file.size(), &options, &module),
            INGOT_ERROR_UNSUPPORTED);
  options.precision = 7;
  EXPECT_EQ(ingot_load_memory_with(file.data(), file.size(), &options, &module),
            INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(ingot_load_memory_with(file.data(), file.size(), nullptr, &module),
            INGOT_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(module, nullptr);
  options.precision = INGOT_PRECISION_F32;
  EXPECT_EQ(ingot_load_memory_with(file.data(), file.size(), &options, &module), INGOT_OK);
  ingot_module_free(module);
  set_simd_level(best_simd_level());
}

TEST(Precision, Names) {
  for (const Precision precision : {Precision::f32, Precision::bf16})
    EXPECT_EQ(precision_of_name(name_of(precision)), precision);
  EXPECT_THROW(precision_of_name("f16"), Error);
}

}  // namespace
}  // namespace ingot

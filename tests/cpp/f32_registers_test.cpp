#include "kernels/f32_registers.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "simd_levels.h"

namespace ingot {
namespace {

using f32::RegisterStep;

constexpr int64_t kCount = 256;  // a multiple of the block at every level

struct Named {
  const char* name;
  f32::Loop loop;
};
const Named kLoops[] = {
#define INGOT_NAMED(name) {#name, f32::name},
    INGOT_F32_IN_REGISTERS(INGOT_NAMED)
#undef INGOT_NAMED
};

std::array<std::vector<float>, 3> operands() {
  constexpr float kSpecial[] = {0.0f,
                                -0.0f,
                                1.0f,
                                -1.0f,
                                std::numeric_limits<float>::infinity(),
                                -std::numeric_limits<float>::infinity(),
                                std::numeric_limits<float>::quiet_NaN()};
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> draw(-4, 4);
  std::uniform_int_distribution<size_t> kind(0, 20);
  std::array<std::vector<float>, 3> values;
  for (std::vector<float>& one : values) {
    for (int64_t i = 0; i < kCount; ++i) {
      const size_t k = kind(generator);
      one.push_back(k < std::size(kSpecial) ? kSpecial[k] : draw(generator));
    }
  }
  return values;
}

void expect_same(const std::vector<float>& found, const std::vector<float>& wanted,
                 const std::string& what) {
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (std::isnan(wanted[i]) && std::isnan(found[i])) continue;
    ASSERT_EQ(found[i], wanted[i]) << what << ", element " << i;
    ASSERT_EQ(std::signbit(found[i]), std::signbit(wanted[i])) << what << ", element " << i;
  }
}

TEST(F32Registers, StepsGiveWhatLoopsGive) {
  const auto tensors = operands();
  constexpr float kNumbers[] = {-0.5f, 0.75f, -0.0f};
  constexpr float kParams[] = {0.75f, 2.5f, 0, 0};
  for_each_simd_level([&] {
    const f32::RegisterKernels& kernels = f32::register_kernels();
    ASSERT_EQ(kCount % kernels.block, 0);
    for (const Named& one : kLoops) {
      for (int64_t i = 0; i < 6; ++i) {
        const int64_t held = i / 2;
        const bool numbers = i % 2 == 1;
        RegisterStep steps[2];
        steps[0].run = kernels.find(one.loop, static_cast<int>(held), numbers);
        ASSERT_NE(steps[0].run, nullptr);
        // A step without such an operand has its only one, or its first, in registers.
        const bool has = held == 0 || steps[0].run != kernels.find(one.loop, 0, numbers);
        if (!has) continue;
        auto values = tensors;
        for (int64_t k = 0; k < 3 && numbers; ++k)
          if (k != held)
            std::fill(values[static_cast<size_t>(k)].begin(), values[static_cast<size_t>(k)].end(),
                      kNumbers[k]);
        const void* in[] = {values[0].data(), values[1].data(), values[2].data()};
        std::vector<float> wanted(kCount);
        one.loop(kCount, wanted.data(), in, kParams);
        steps[0].held.at = held;
        int64_t other = 0;
        for (int64_t k = 0; k < 3; ++k)
          if (k != held) steps[0].others[other++].at = k;
        steps[0].result.at = 3;
        std::copy_n(kParams, 4, steps[0].params);
        std::vector<float> found(kCount);
        const std::byte* addresses[4];
        for (size_t k = 0; k < 3; ++k)
          addresses[k] = reinterpret_cast<const std::byte*>(values[k].data());
        addresses[3] = reinterpret_cast<const std::byte*>(found.data());
        kernels.run(steps, addresses, kCount);
        expect_same(found, wanted,
                    std::string(one.name) + " held " + std::to_string(held) +
                        (numbers ? " beside numbers" : ""));
      }
    }
  });
}

// sqrt(|x * 2 + y|) - x, with x * 2 + y and the result in memory.
TEST(F32Registers, AChainHandsResultsOn) {
  const auto values = operands();
  std::vector<float> two(kCount, 2.0f), sum(kCount), result(kCount), wanted_sum, wanted;
  for (size_t i = 0; i < kCount; ++i) {
    wanted_sum.push_back(values[0][i] * 2 + values[1][i]);
    wanted.push_back(std::sqrt(std::abs(wanted_sum[i])) - values[0][i]);
  }
  for_each_simd_level([&] {
    const f32::RegisterKernels& kernels = f32::register_kernels();
    std::fill(two.begin() + kernels.block, two.end(), 0.0f);  // nobody looks beyond a block
    RegisterStep steps[6];
    const f32::Loop loops[] = {f32::mul, f32::add, f32::abs, f32::sqrt, f32::sub};
    for (size_t i = 0; i < std::size(loops); ++i) {
      steps[i].run = kernels.find(loops[i], 0, i == 0);
      steps[i].params[0] = 1;
    }
    steps[0].held.at = 0;
    steps[0].others[0] = {2, 0};
    steps[1].others[0].at = 1;
    steps[1].result.at = 3;
    steps[4].others[0].at = 0;
    steps[4].result.at = 4;
    const std::byte* addresses[5];
    size_t at = 0;
    const std::vector<float>* const vectors[] = {&values[0], &values[1], &two, &sum, &result};
    for (const std::vector<float>* one : vectors)
      addresses[at++] = reinterpret_cast<const std::byte*>(one->data());
    kernels.run(steps, addresses, kCount);
    expect_same(sum, wanted_sum, "sum");
    expect_same(result, wanted, "result");
    std::fill(two.begin(), two.end(), 2.0f);
  });
}

}  // namespace
}  // namespace ingot

#include "kernels/packed_rnn.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/thread_pool.h"
#include "simd_levels.h"

namespace ingot {
namespace {

using Values = std::vector<float>;

Values random_values(int64_t count, uint32_t seed, float scale = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> draw(0, scale);
  Values values(static_cast<size_t>(count));
  for (float& value : values) value = draw(generator);
  return values;
}

struct Wide {
  std::vector<double> values;
  explicit Wide(const Values& from) : values(from.begin(), from.end()) {}
  operator const double*() const { return values.data(); }
};

void expect_close(const Values& actual, const std::vector<double>& exact, const char* what) {
  ASSERT_EQ(actual.size(), exact.size());
  for (size_t i = 0; i < actual.size(); ++i) ASSERT_NEAR(actual[i], exact[i], 3e-5) << what << i;
}

void check(RnnKind kind, int64_t input_size, int64_t hidden, int64_t projected,
           const std::vector<int64_t>& rows, bool reverse, bool biases, bool padded_output) {
  RnnSteps steps;
  steps.offsets.push_back(0);
  for (const int64_t count : rows) steps.offsets.push_back(steps.offsets.back() + count);
  const int64_t batch = rows.front();
  const int64_t width = gates_of(kind) * hidden;
  const bool projects = projected != hidden;
  const Values w_ih = random_values(width * input_size, 1, 0.4f);
  const Values w_hh = random_values(width * projected, 2, 0.3f);
  const Values b_ih = random_values(width, 3);
  const Values b_hh = random_values(width, 4);
  const Values w_hr = random_values(projected * hidden, 5, 0.4f);
  const Values input = random_values(steps.rows() * input_size, 6);
  Values h = random_values(batch * projected, 7);
  Values c = random_values(batch * hidden, 8);
  const int64_t batch_stride = projected + 3;
  const int64_t step_stride = padded_output ? batch * batch_stride : 0;
  Values out(static_cast<size_t>(steps.count() * batch * batch_stride), 0.5f);
  const Wide exact_ih(w_ih), exact_hh(w_hh), exact_b_ih(b_ih), exact_b_hh(b_hh), exact_hr(w_hr),
      exact_input(input);
  Wide exact_h(h), exact_c(c), exact_out(out);
  RnnWeights<double> exact = {exact_ih, exact_hh};
  RnnWeights<float> weights = {w_ih.data(), w_hh.data()};
  if (biases) {
    exact.b_ih = exact_b_ih;
    exact.b_hh = exact_b_hh;
    weights.b_ih = b_ih.data();
    weights.b_hh = b_hh.data();
  }
  if (projects) {
    exact.w_hr = exact_hr;
    weights.w_hr = w_hr.data();
  }
  run_rnn<double>(kind, steps, reverse, input_size, hidden, projected, exact_input, exact,
                  exact_h.values.data(), exact_c.values.data(),
                  {exact_out.values.data(), step_stride, batch_stride});
  const auto packed = PackedRnn::pack(kind, input_size, hidden, projected, weights);
  EXPECT_GE(packed->bytes(), static_cast<size_t>(width * (input_size + projected)) * sizeof(float));
  packed->run(steps, reverse, input.data(), h.data(), c.data(),
              {out.data(), step_stride, batch_stride});
  expect_close(h, exact_h.values, "h");
  expect_close(c, exact_c.values, "c");
  expect_close(out, exact_out.values, "out");
}

TEST(PackedRnn, AsInDouble) {
  for (const int threads : {1, 2}) {
    set_pool_threads(threads);
    for_each_simd_level([] {
      for (const RnnKind kind : {RnnKind::lstm, RnnKind::gru, RnnKind::tanh, RnnKind::relu}) {
        for (const int64_t hidden : {1, 3, 8, 17, 32, 50})
          for (const bool reverse : {false, true})
            check(kind, 5, hidden, hidden, {7, 7, 4, 1}, reverse, hidden % 2 == 0, false);
        for (const int64_t batch : {1, 2, 3, 5, 6, 13})
          check(kind, 3, 20, 20, {batch, batch}, false, true, true);
        check(kind, 1, 9, 9, {1}, true, false, true);
      }
      check(RnnKind::lstm, 4, 20, 7, {3, 3, 2}, false, true, false);
      check(RnnKind::lstm, 4, 7, 5, {2, 1}, true, false, false);
    });
  }
  set_pool_threads(0);
}

TEST(PackedRnn, LargeLayersUseTheThreadPool) {
  set_pool_threads(2);
  check(RnnKind::lstm, 40, 300, 300, {8, 8, 5}, false, true, false);
  set_pool_threads(0);
}

}  // namespace
}  // namespace ingot

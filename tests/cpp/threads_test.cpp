// Many callers at once; `make test-tsan` runs these under the thread sanitizer.
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <ingot/ingot.h>

#include "file_builder.h"

namespace ingot {
namespace {

constexpr int kCallers = 4;

class Threads : public ::testing::Test {
 protected:
  void TearDown() override { set_num_threads(0); }

  static Module sample() {
    const std::string file = testing::sample_file();
    return load(std::as_bytes(std::span(file)));
  }

  // `call(caller, i)` for i in [0, calls), in kCallers threads that begin together.
  static void together(int calls, const std::function<void(int, int)>& call) {
    std::atomic<int> waiting = kCallers;
    std::vector<std::thread> threads;
    for (int caller = 0; caller < kCallers; ++caller)
      threads.emplace_back([&, caller] {
        --waiting;
        while (waiting > 0) std::this_thread::yield();
        for (int i = 0; i < calls; ++i) call(caller, i);
      });
    for (std::thread& thread : threads) thread.join();
  }

  static Value ones(int64_t rows) {
    const std::vector<float> data(static_cast<size_t>(rows * 10), 1.0f);
    return Tensor::from<float>(data, Dims{rows, 10});
  }

  static void expect_right(const Value& output, int64_t rows) {
    const Tensor y = output.tensor();
    ASSERT_EQ(y.size(0), rows);
    for (int64_t i = 0; i < y.numel(); ++i) ASSERT_NEAR(y.data<float>()[i], 0.032, 1e-6);
  }
};

// More sizes than plans are kept, so that callers make, use and drop plans at the same time.
TEST_F(Threads, CallAModuleAtManySizes) {
  const Module module = sample();
  together(150, [&](int caller, int i) {
    const int64_t rows = 1 + (caller * 61 + i * 7) % 97;
    expect_right(module.forward({ones(rows)}), rows);
  });
}

// Large enough for several threads of one call.
TEST_F(Threads, ShareThePool) {
  set_num_threads(3);
  const Module module = sample();
  together(4, [&](int caller, int) {
    const int64_t rows = 20'000 + caller;
    expect_right(module.forward({ones(rows)}), rows);
  });
}

TEST_F(Threads, ChangeTheNumberOfThreadsDuringCalls) {
  const Module module = sample();
  together(12, [&](int caller, int i) {
    if (caller == 0) return set_num_threads(1 + i % 4);
    expect_right(module.forward({ones(5'000)}), 5'000);
  });
}

TEST_F(Threads, LoadForkAndReadTheSameFile) {
  const Module module = sample();
  together(20, [&](int, int) {
    expect_right(module.fork().forward({ones(3)}), 3);
    EXPECT_FALSE(module.state().empty());
    expect_right(sample().forward({ones(2)}), 2);
  });
}

// A method that updates the module's state runs one call at a time.
TEST_F(Threads, TakeTurnsWithState) {
  const Module module = sample();
  together(50, [&](int, int) { module.run("count", std::vector<Value>{ones(1)}); });
  EXPECT_EQ(module.state_value("counter").tensor().data<float>()[0], 50 * kCallers);
}

}  // namespace
}  // namespace ingot

#include "timing.h"

#include <time.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "kernels/workspace.h"
#include "peaks.h"

namespace ingot {
namespace {

constexpr int kRepetitions = 15;
constexpr size_t kLeastPeaks = 10;

// Processor time of this thread: other processes' turns do not count.
double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

double seconds(const std::function<void()>& run, int64_t times) {
  const double start = now();
  for (int64_t i = 0; i < times; ++i) run();
  return (now() - start) / static_cast<double>(times);
}

namespace {

class Triad {
 public:
  Triad(int64_t n, bool past_caches, int64_t times)
      : n_(n), past_caches_(past_caches), times_(times), numbers_(3 * n) {
    std::fill_n(numbers_.data(), 3 * n, 1.0f);
  }
  double rate() {
    float* const x = numbers_.data();
    const double time =
        seconds([&] { run_triad(x, x + n_, x + 2 * n_, n_, past_caches_); }, times_);
    return 3.0 * sizeof(float) * static_cast<double>(n_) / time;
  }

 private:
  int64_t n_;
  bool past_caches_;
  int64_t times_;
  Workspace<float> numbers_;
};

std::vector<double> compute_peaks, memory_peaks, cache_peaks;

double median_of(std::vector<double>& found, const Rate& peak) {
  while (found.size() < kLeastPeaks) peak();
  return median(found);
}

}  // namespace

double compute_peak() {
  int64_t operations = 0;
  const double time = seconds([&] { operations = run_fma_peak(60'000'000); }, 1);
  return compute_peaks.emplace_back(static_cast<double>(operations) / time);
}

double memory_peak() {
  static Triad triad(10'000'000 / 64 * 64, true, 1);
  return memory_peaks.emplace_back(triad.rate());
}

double cache_peak() {
  static Triad triad(1 << 18, false, 16);
  return cache_peaks.emplace_back(triad.rate());
}

Peaks median_peaks() {
  return {median_of(compute_peaks, compute_peak), median_of(memory_peaks, memory_peak),
          median_of(cache_peaks, cache_peak)};
}

Timing measure(double work, const std::function<void()>& run, const Rate& peak) {
  run();
  const int64_t times = std::max<int64_t>(1, static_cast<int64_t>(2e-3 / seconds(run, 1)));
  Timing result = {1e30, 0, 0, 0};
  double best_peak = 0;
  std::vector<double> all, shares;
  for (int i = 0; i < kRepetitions; ++i) {
    const double before = peak();
    const double time = seconds(run, times);
    const double around = std::max(before, peak());
    result.time = std::min(result.time, time);
    best_peak = std::max(best_peak, around);
    all.push_back(time);
    shares.push_back(work / time / around);
  }
  result.middle = median(std::move(all));
  result.share = median(std::move(shares));
  result.best = work / result.time / best_peak;
  return result;
}

}  // namespace ingot

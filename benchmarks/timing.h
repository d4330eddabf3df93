// Times of kernels beside the machine's peaks, for machines that other programs use too.
#pragma once

#include <cstdint>
#include <functional>

namespace ingot {

// Floating-point operations or bytes per second.
using Rate = std::function<double()>;

// One measurement each, and kept for the medians below.
double compute_peak();
double memory_peak();  // of three arrays of 40 MB
double cache_peak();   // of 3 MB in all: beyond the second level of most processors

struct Peaks {
  double compute, memory, cache;
};
// The medians of at least ten measurements each.
Peaks median_peaks();

// Processor time of a call, the mean of `times`.
double seconds(const std::function<void()>& run, int64_t times = 1);

struct Timing {
  double time;    // seconds of the best repetition
  double middle;  // of the median one
  double share;   // median share of the peak measured around each repetition
  double best;    // the best time's share of the best peak
};
// Repeats `run`, which does `work` operations or bytes, with `peak` before and after each.
Timing measure(double work, const std::function<void()>& run, const Rate& peak = compute_peak);

}  // namespace ingot

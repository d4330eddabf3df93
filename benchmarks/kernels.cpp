// Speed of products and convolutions as a share of the machine's multiply-add peak, and the
// check that choose_conv_method picks the fastest method.
//
//   ingot-kernel-bench [FILTER]     one thread, every case whose name contains FILTER
//   ingot-kernel-bench --choice [FILTER]
//
// Machines are noisy: the peak is measured between the repetitions of each case, and the share
// is the median of the ratios.

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "fma_peak.h"
#include "kernels/conv_nhwc.h"
#include "kernels/packed_gemm.h"
#include "kernels/workspace.h"

namespace ingot {
namespace {

// Processor time of this thread: other processes' turns do not count.
double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double seconds(const std::function<void()>& run, int64_t times) {
  const double start = now();
  for (int64_t i = 0; i < times; ++i) run();
  return (now() - start) / static_cast<double>(times);
}

double peak_rate() {
  int64_t operations = 0;
  const double time = seconds([&] { operations = run_fma_peak(60'000'000); }, 1);
  return static_cast<double>(operations) / time;
}

struct Result {
  double time;   // best of all repetitions
  double share;  // median share of the peak measured around each repetition
  double best;   // the best time's share of the best peak
};

Result measure(double operations, const std::function<void()>& run) {
  run();
  const int64_t times = std::max<int64_t>(1, static_cast<int64_t>(2e-3 / seconds(run, 1)));
  Result result = {1e30, 0, 0};
  double best_peak = 0;
  std::vector<double> shares;
  for (int i = 0; i < 15; ++i) {
    const double before = peak_rate();
    const double time = seconds(run, times);
    const double peak = std::max(before, peak_rate());
    result.time = std::min(result.time, time);
    best_peak = std::max(best_peak, peak);
    shares.push_back(operations / time / peak);
  }
  std::nth_element(shares.begin(), shares.begin() + 7, shares.end());
  result.share = shares[7];
  result.best = operations / result.time / best_peak;
  return result;
}

void print(const std::string& name, double operations, const Result& r) {
  std::printf("%-58s %9.3f us %7.1f GFLOP/s %6.1f %% %6.1f %%\n", name.c_str(), r.time * 1e6,
              operations / r.time * 1e-9, r.best * 100, r.share * 100);
  std::fflush(stdout);
}

std::vector<float> random_values(int64_t count) {
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> draw(-1, 1);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = draw(generator);
  return values;
}

struct GemmCase {
  int64_t m, k, n;
};

const GemmCase kGemms[] = {
    {256, 256, 256},  {512, 512, 512},  {1024, 1024, 1024}, {128, 768, 768},  {128, 768, 3072},
    {128, 3072, 768}, {197, 768, 3072}, {197, 3072, 768},   {197, 768, 2304}, {64, 768, 2304},
    {64, 3072, 768},  {100, 256, 1024}, {49, 2048, 512},    {4, 768, 3072},   {1, 768, 3072},
    {1, 3072, 768},   {1, 784, 512},    {1, 512, 256},      {1, 256, 10},     {1, 10, 20},
};

void bench_gemm(const GemmCase& one, const char* filter) {
  const std::string name = "gemm " + std::to_string(one.m) + " x " + std::to_string(one.k) + " x " +
                           std::to_string(one.n);
  if (!std::strstr(name.c_str(), filter)) return;
  const std::vector<float> a = random_values(one.m * one.k);
  const std::vector<float> b = random_values(one.n * one.k);
  const std::vector<float> bias = random_values(one.n);
  std::vector<float> c(static_cast<size_t>(one.m * one.n));
  const auto packed = PackedMatrix::pack(one.k, one.n, {b.data(), 1, one.k});
  Epilogue epilogue;
  epilogue.bias = bias.data();
  const double operations = 2.0 * static_cast<double>(one.m * one.n * one.k);
  print(name, operations, measure(operations, [&] {
          gemm_packed(one.m, a.data(), one.k, *packed, c.data(), one.n, epilogue);
        }));
}

struct ConvCase {
  const char* model;
  int64_t size, in, out, kernel, stride, groups;
};

const ConvCase kConvs[] = {
    {"resnet50", 56, 64, 64, 1, 1, 1},
    {"resnet50", 56, 64, 256, 1, 1, 1},
    {"resnet50", 56, 256, 64, 1, 1, 1},
    {"resnet50", 28, 512, 128, 1, 1, 1},
    {"resnet50", 28, 128, 512, 1, 1, 1},
    {"resnet50", 14, 1024, 256, 1, 1, 1},
    {"resnet50", 14, 256, 1024, 1, 1, 1},
    {"resnet50", 7, 2048, 512, 1, 1, 1},
    {"resnet50", 7, 512, 2048, 1, 1, 1},
    {"resnet50", 56, 256, 512, 1, 2, 1},
    {"resnet50", 14, 1024, 2048, 1, 2, 1},
    {"mobilenet_v3", 112, 16, 64, 1, 1, 1},
    {"mobilenet_v3", 56, 64, 24, 1, 1, 1},
    {"mobilenet_v3", 56, 24, 72, 1, 1, 1},
    {"mobilenet_v3", 28, 72, 40, 1, 1, 1},
    {"mobilenet_v3", 28, 40, 120, 1, 1, 1},
    {"mobilenet_v3", 28, 120, 40, 1, 1, 1},
    {"mobilenet_v3", 14, 200, 80, 1, 1, 1},
    {"mobilenet_v3", 14, 80, 184, 1, 1, 1},
    {"mobilenet_v3", 14, 480, 112, 1, 1, 1},
    {"mobilenet_v3", 14, 112, 672, 1, 1, 1},
    {"mobilenet_v3", 7, 672, 160, 1, 1, 1},
    {"mobilenet_v3", 7, 160, 960, 1, 1, 1},
    {"resnet", 224, 3, 64, 7, 2, 1},
    {"vgg16", 224, 3, 64, 3, 1, 1},
    {"mobilenet_v3", 224, 3, 16, 3, 2, 1},
    {"convnext", 224, 3, 96, 4, 4, 1},
    {"vit", 224, 3, 768, 16, 16, 1},
    {"convnext", 56, 96, 192, 2, 2, 1},
    {"resnet", 56, 64, 64, 3, 1, 1},
    {"resnet", 28, 128, 128, 3, 1, 1},
    {"resnet", 14, 256, 256, 3, 1, 1},
    {"resnet", 7, 512, 512, 3, 1, 1},
    {"resnet", 56, 64, 128, 3, 2, 1},
    {"resnet", 28, 128, 256, 3, 2, 1},
    {"resnet", 14, 256, 512, 3, 2, 1},
    {"vgg16", 224, 64, 64, 3, 1, 1},
    {"vgg16", 112, 64, 128, 3, 1, 1},
    {"vgg16", 112, 128, 128, 3, 1, 1},
    {"vgg16", 56, 128, 256, 3, 1, 1},
    {"vgg16", 56, 256, 256, 3, 1, 1},
    {"vgg16", 28, 256, 512, 3, 1, 1},
    {"vgg16", 28, 512, 512, 3, 1, 1},
    {"vgg16", 14, 512, 512, 3, 1, 1},
    {"mobilenet_v3", 112, 16, 16, 3, 1, 16},
    {"mobilenet_v3", 112, 64, 64, 3, 2, 64},
    {"mobilenet_v3", 56, 72, 72, 3, 1, 72},
    {"mobilenet_v3", 56, 72, 72, 5, 2, 72},
    {"mobilenet_v3", 28, 120, 120, 5, 1, 120},
    {"mobilenet_v3", 28, 240, 240, 3, 2, 240},
    {"mobilenet_v3", 14, 184, 184, 3, 1, 184},
    {"mobilenet_v3", 14, 672, 672, 3, 1, 672},
    {"mobilenet_v3", 14, 672, 672, 5, 2, 672},
    {"mobilenet_v3", 7, 960, 960, 5, 1, 960},
    {"convnext", 56, 96, 96, 7, 1, 96},
    {"convnext", 14, 384, 384, 7, 1, 384},
    {"resnext", 56, 128, 128, 3, 1, 32},
    {"resnext", 14, 512, 512, 3, 1, 32},
    {"regnet", 28, 56, 56, 3, 1, 7},
};

ConvGeometry geometry_of(const ConvCase& one) {
  const int64_t pad = one.kernel == one.stride ? 0 : one.kernel / 2;
  const int64_t out = (one.size + 2 * pad - one.kernel) / one.stride + 1;
  return {1,
          one.groups,
          one.in,
          one.out,
          {1, one.size, one.size},
          {1, out, out},
          {1, one.kernel, one.kernel},
          {1, one.stride, one.stride},
          {0, pad, pad},
          {1, 1, 1}};
}

std::string name_of(const ConvCase& one) {
  return std::string(one.model) + " " + std::to_string(one.kernel) + "x" +
         std::to_string(one.kernel) + "/" + std::to_string(one.stride) + " " +
         std::to_string(one.size) + "^2 " + std::to_string(one.in) + "->" +
         std::to_string(one.out) + (one.groups > 1 ? " g" + std::to_string(one.groups) : "");
}

// Operations of the direct convolution, whatever the method saves.
double operations_of(const ConvGeometry& g) {
  return 2.0 * static_cast<double>(g.batch * volume_of(g.out) * volume_of(g.kernel) *
                                   (g.in_channels / g.groups) * g.out_channels);
}

Result measure_conv(const ConvGeometry& g, ConvMethod method) {
  const std::vector<float> input = random_values(g.batch * volume_of(g.in) * g.in_channels);
  const std::vector<float> weight =
      random_values(g.out_channels * (g.in_channels / g.groups) * volume_of(g.kernel));
  const std::vector<float> bias = random_values(g.out_channels);
  std::vector<float> out(static_cast<size_t>(g.batch * volume_of(g.out) * g.out_channels));
  const auto packed = PackedConv::pack(g, method, weight.data());
  Workspace<char> workspace(static_cast<int64_t>(conv_workspace(g, *packed)));
  Epilogue epilogue;
  epilogue.bias = bias.data();
  epilogue.low = 0;
  return measure(operations_of(g), [&] {
    conv_nhwc(g, *packed, input.data(), g.in_channels, out.data(), g.out_channels, epilogue,
              workspace.data());
  });
}

constexpr ConvMethod kMethods[] = {ConvMethod::pointwise,  ConvMethod::implicit_gemm,
                                   ConvMethod::depthwise,  ConvMethod::grouped,
                                   ConvMethod::winograd_2, ConvMethod::winograd_4};

// False if the rule's method is slower than another by more than 15 %, three times in a row: the
// machine may be busy with something else.
bool check_choice(const ConvCase& one, int attempts = 3) {
  const ConvGeometry g = geometry_of(one);
  const ConvMethod chosen = choose_conv_method(g);
  double best = 1e30;
  double time_of_chosen = 0;
  ConvMethod fastest = chosen;
  for (const ConvMethod method : kMethods) {
    if (!conv_method_fits(method, g)) continue;
    const double time = measure_conv(g, method).time;
    if (time < best) {
      best = time;
      fastest = method;
    }
    if (method == chosen) time_of_chosen = time;
  }
  const bool right = time_of_chosen <= 1.15 * best;
  if (!right && attempts > 1) return check_choice(one, attempts - 1);
  std::printf("%-8s %-40s chosen %-14s %9.1f us   fastest %-14s %9.1f us\n", right ? "ok" : "WRONG",
              name_of(one).c_str(), ingot::name_of(chosen), time_of_chosen * 1e6,
              ingot::name_of(fastest), best * 1e6);
  std::fflush(stdout);
  return right;
}

int run(int count, char** arguments) {
  const bool choice = count > 1 && std::strcmp(arguments[1], "--choice") == 0;
  const char* filter = count > (choice ? 2 : 1) ? arguments[choice ? 2 : 1] : "";
  set_pool_threads(1);
  if (choice) {
    int wrong = 0;
    for (const ConvCase& one : kConvs)
      if (std::strstr(name_of(one).c_str(), filter) && !check_choice(one)) ++wrong;
    return wrong == 0 ? 0 : 1;
  }
  std::printf("peak %.1f GFLOP/s\n", peak_rate() * 1e-9);
  for (const GemmCase& one : kGemms) bench_gemm(one, filter);
  for (const ConvCase& one : kConvs) {
    const ConvGeometry g = geometry_of(one);
    const ConvMethod method = choose_conv_method(g);
    const std::string name = name_of(one) + " " + ingot::name_of(method);
    if (std::strstr(name.c_str(), filter)) print(name, operations_of(g), measure_conv(g, method));
  }
  return 0;
}

}  // namespace
}  // namespace ingot

int main(int count, char** arguments) { return ingot::run(count, arguments); }

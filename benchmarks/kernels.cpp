// Speed of products and convolutions as a share of the machine's multiply-add peak, and the
// check of choose_conv_method against the times of all methods.
//
//   ingot-kernel-bench [FILTER]        one thread, every case whose name contains FILTER
//   ingot-kernel-bench --json [FILTER] the same for programs, with the machine's peaks
//   ingot-kernel-bench --chain FILE    a program of two f32[10000000] beside the memory's peak
//   ingot-kernel-bench --peaks         the peaks alone
//   ingot-kernel-bench --choice [FILTER]
//
// Machines are noisy: the peak is measured between the repetitions of each case, and the share
// is the median of the ratios.

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <ingot/ingot.h>

#include "base/thread_pool.h"
#include "kernel_cases.h"
#include "kernels/packed_gemm.h"
#include "kernels/workspace.h"
#include "timing.h"

namespace ingot {
namespace {

std::vector<float> random_values(int64_t count) {
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> draw(-1, 1);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = draw(generator);
  return values;
}

// How many copies of `bytes` must take turns for each to come from memory: more than the caches of
// any processor hold.
int64_t copies_past_caches(size_t bytes) {
  constexpr size_t kPastCaches = size_t{256} << 20;
  return static_cast<int64_t>(kPastCaches / bytes + 1);
}

double bytes_of(int64_t numbers) { return sizeof(float) * static_cast<double>(numbers); }

Timing time_gemm(const GemmCase& one) {
  const std::vector<float> a = random_values(one.m * one.k);
  const std::vector<float> b = random_values(one.n * one.k);
  const std::vector<float> bias = random_values(one.n);
  std::vector<float> c(static_cast<size_t>(one.m * one.n));
  std::vector<std::shared_ptr<const PackedMatrix>> packed;
  for (int64_t i = 0; i < (one.cold ? copies_past_caches(sizeof(float) * b.size()) : 1); ++i)
    packed.push_back(PackedMatrix::pack(one.k, one.n, {b.data(), 1, one.k}));
  Epilogue epilogue;
  epilogue.bias = bias.data();
  size_t next = 0;
  return measure(operations_of(one), [&] {
    const PackedMatrix& weight = *packed[next];
    next = (next + 1) % packed.size();
    gemm_packed(one.m, a.data(), one.k, weight, c.data(), one.n, epilogue);
  });
}

// A convolution with the weights of one method. `from_memory`: no cache holds them from the
// call before, as in a model.
class ConvRun {
 public:
  ConvRun(const ConvGeometry& g, ConvMethod method, bool from_memory)
      : geometry_(g),
        input_(random_values(g.batch * volume_of(g.in) * g.in_channels)),
        weight_(random_values(weights_of(g))),
        bias_(random_values(g.out_channels)),
        out_(static_cast<size_t>(g.batch * volume_of(g.out) * g.out_channels)),
        packed_{PackedConv::pack(g, method, weight_.data())},
        workspace_(static_cast<int64_t>(conv_workspace(g, *packed_[0]))) {
    const int64_t copies = from_memory ? copies_past_caches(packed_[0]->bytes()) : 1;
    while (static_cast<int64_t>(packed_.size()) < copies)
      packed_.push_back(PackedConv::pack(g, method, weight_.data()));
  }
  void operator()() {
    Epilogue epilogue;
    epilogue.bias = bias_.data();
    epilogue.low = 0;
    const PackedConv& packed = *packed_[next_];
    next_ = (next_ + 1) % packed_.size();
    conv_nhwc(geometry_, packed, input_.data(), geometry_.in_channels, out_.data(),
              geometry_.out_channels, epilogue, workspace_.data());
  }

 private:
  ConvGeometry geometry_;
  std::vector<float> input_, weight_, bias_, out_;
  std::vector<std::shared_ptr<const PackedConv>> packed_;
  size_t next_ = 0;
  Workspace<char> workspace_;
};

Timing time_conv(const ConvGeometry& g, ConvMethod method) {
  ConvRun run(g, method, false);
  return measure(operations_of(g), [&] { run(); });
}

constexpr ConvMethod kMethods[] = {ConvMethod::pointwise,  ConvMethod::implicit_gemm,
                                   ConvMethod::depthwise,  ConvMethod::grouped,
                                   ConvMethod::winograd_2, ConvMethod::winograd_4};

struct Contender {
  ConvMethod method;
  std::unique_ptr<ConvRun> run;
  double time = 1e30;  // of the fastest call
};

// Whether `chosen` is the right one of the contenders by their times if its own is given 15 %: the
// fastest or, where Winograd's methods fit, what the rule makes of the times.
bool is_right(ConvMethod chosen, const std::vector<Contender>& contenders) {
  const auto time_of = [&](ConvMethod method) {
    double time = 1e30;
    for (const Contender& one : contenders)
      if (one.method == method) time = one.time;
    return method == chosen ? time / 1.15 : time;
  };
  if (contenders.back().method == ConvMethod::winograd_4)
    return chosen == worth_its_memory(time_of(ConvMethod::implicit_gemm),
                                      time_of(ConvMethod::winograd_2),
                                      time_of(ConvMethod::winograd_4));
  return std::all_of(contenders.begin(), contenders.end(),
                     [&](const Contender& one) { return time_of(chosen) <= time_of(one.method); });
}

// Weights come from memory, for the rule counts with that. The methods run in turns and the
// fastest of their calls count; more rounds follow while the rule seems wrong, for others may have
// kept the machine busy. Prints `name_if_wrong` before the times where it does so to the end.
bool check_choice(const ConvCase& one, const char* name_if_wrong) {
  constexpr int kRounds = 10;
  constexpr int kMostRounds = 100;
  const ConvGeometry g = geometry_of(one);
  const ConvMethod chosen = choose_conv_method(g);
  std::vector<Contender> contenders;
  for (const ConvMethod method : kMethods)
    if (conv_method_fits(method, g))
      contenders.push_back({method, std::make_unique<ConvRun>(g, method, true)});
  bool right = false;
  for (int round = 0; round < kMostRounds && !(right && round >= kRounds); ++round) {
    for (Contender& c : contenders) c.time = std::min(c.time, seconds([&] { (*c.run)(); }));
    right = is_right(chosen, contenders);
  }
  std::printf("%-5s %-40s chosen %-14s", right ? "ok" : name_if_wrong, name_of(one).c_str(),
              ingot::name_of(chosen));
  for (const Contender& c : contenders)
    std::printf("  %s %.1f us", ingot::name_of(c.method), c.time * 1e6);
  std::printf("\n");
  std::fflush(stdout);
  return right;
}

// The number of cases whose name contains `filter` in which the rule is wrong. A doubtful case is
// tried again after all others, in new memory: a method that was slow because of where its buffers
// lay, or because the machine was, is then fast.
size_t count_wrong_choices(const char* filter) {
  constexpr int kTries = 4;
  std::vector<const ConvCase*> open;
  for (const ConvCase& one : kConvs)
    if (std::strstr(name_of(one).c_str(), filter)) open.push_back(&one);
  for (int i = 1; i <= kTries; ++i)
    std::erase_if(open, [&](const ConvCase* one) {
      return check_choice(*one, i < kTries ? "again" : "WRONG");
    });
  return open.size();
}

class Report {
 public:
  explicit Report(bool json) : json_(json) {
    if (!json_) std::printf("peak %.1f GFLOP/s\n", compute_peak() * 1e-9);
  }
  // `size`: least side of a product, or side of an image. `system`: share of the time that is the
  // system's.
  void add(const char* kind, const std::string& name, int64_t size, double flops, double bytes,
           const Timing& t, double system = 0) {
    if (json_) {
      rows_ += std::string(rows_.empty() ? "" : ", ") + "{\"kind\": \"" + kind +
               "\", \"text\": \"" + name + "\", \"size\": " + std::to_string(size);
      for (const auto& [key, value] : {std::pair{"us", t.middle * 1e6},
                                       {"flops", flops},
                                       {"bytes", bytes},
                                       {"share", t.share},
                                       {"system", system}})
        rows_ += std::string(", \"") + key + "\": " + std::to_string(value);
      rows_ += "}";
    } else {
      std::printf("%-58s %9.3f us %7.1f GFLOP/s %6.1f %% %6.1f %%\n", name.c_str(), t.time * 1e6,
                  flops / t.time * 1e-9, t.best * 100, t.share * 100);
      std::fflush(stdout);
    }
  }
  void end() const {
    if (!json_) return;
    const Peaks peaks = median_peaks();
    std::printf(
        "{\"peaks\": {\"gflops\": %.4g, \"memory_gbps\": %.4g, \"cache_gbps\": %.4g}, "
        "\"rows\": [%s]}\n",
        peaks.compute * 1e-9, peaks.memory * 1e-9, peaks.cache * 1e-9, rows_.c_str());
  }

 private:
  bool json_;
  std::string rows_;
};

void time_all(Report& report, const char* filter) {
  for (const GemmCase& one : kGemms)
    if (std::strstr(name_of(one).c_str(), filter))
      report.add("gemm", name_of(one), std::min({one.m, one.k, one.n}), operations_of(one),
                 bytes_of(one.m * one.k + one.k * one.n + one.m * one.n), time_gemm(one));
  for (const ConvCase& one : kConvs) {
    const ConvGeometry g = geometry_of(one);
    const ConvMethod method = choose_conv_method(g);
    const std::string name = name_of(one) + " " + ingot::name_of(method);
    const bool plain = one.stride == 1 && one.groups == 1;
    const char* const kind = plain && one.kernel == 1   ? "pointwise"
                             : plain && one.kernel == 3 ? "3x3"
                                                        : "conv";
    const int64_t numbers =
        volume_of(g.in) * g.in_channels + weights_of(g) + volume_of(g.out) * g.out_channels;
    if (std::strstr(name.c_str(), filter))
      report.add(kind, name, one.size, operations_of(g), bytes_of(numbers), time_conv(g, method));
  }
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

// The share of processor time that the system takes: for new pages, if nothing else is asked of it.
double system_share(const std::function<void()>& run) {
  rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  for (int i = 0; i < 20; ++i) run();
  getrusage(RUSAGE_SELF, &after);
  const double system = seconds_of(after.ru_stime) - seconds_of(before.ru_stime);
  const double user = seconds_of(after.ru_utime) - seconds_of(before.ru_utime);
  return system / (user + system);
}

// The whole call, its output's memory included.
void time_chain(Report& report, const char* file) {
  constexpr int64_t kNumbers = 10'000'000;
  const Module module = load(file);
  const std::vector<float> values = random_values(kNumbers);
  std::vector<Value> inputs;
  for (int i = 0; i < 2; ++i)
    inputs.push_back(Tensor::from<float>(values, std::vector<int64_t>{kNumbers}));
  const auto call = [&] { module.forward(inputs); };
  call();
  double bytes = 0;
  for (const ProfileEvent& event : module.profile("forward", inputs)) bytes += event.bytes;
  report.add("chain", "elementwise chain", kNumbers, 0, bytes, measure(bytes, call, memory_peak),
             system_share(call));
}

int run(int count, char** arguments) {
  const std::string option = count > 1 && arguments[1][0] == '-' ? arguments[1] : "";
  const int place = option.empty() ? 1 : 2;
  const char* const argument = count > place ? arguments[place] : "";
  set_pool_threads(1);
  if (option == "--choice") return count_wrong_choices(argument) == 0 ? 0 : 1;
  Report report(!option.empty());
  if (option.empty() || option == "--json") {
    time_all(report, argument);
  } else if (option == "--chain") {
    time_chain(report, argument);
  } else if (option != "--peaks") {
    std::fprintf(stderr, "no option %s; the head of benchmarks/kernels.cpp has them\n",
                 option.c_str());
    return 2;
  }
  report.end();
  return 0;
}

}  // namespace
}  // namespace ingot

int main(int count, char** arguments) { return ingot::run(count, arguments); }

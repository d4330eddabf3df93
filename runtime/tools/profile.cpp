#include "tools/profile.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <numeric>

#include <rapidjson/ostreamwrapper.h>
#include <rapidjson/writer.h>

namespace ingot {
namespace {

constexpr size_t kMostLines = 40;

// The user's innermost line, without the spaces before it.
std::string innermost(const std::string& location) {
  const size_t begin = location.find_first_not_of(' ');
  if (begin == std::string::npos) return {};
  return location.substr(begin, location.find('\n', begin) - begin);
}

}  // namespace

std::vector<ProfileEvent> profile_steps(const Module& module, std::string_view method,
                                        std::span<const Value> inputs, int runs) {
  module.run(method, inputs);
  std::vector<ProfileEvent> steps = module.profile(method, inputs);
  std::vector<std::vector<double>> times(steps.size());
  for (int run = 0; run < std::max(runs, 1); ++run) {
    const std::vector<ProfileEvent> events = module.profile(method, inputs);
    if (events.size() != steps.size())
      throw Error(ErrorCode::unsupported,
                  "runs on the same inputs took different steps, so they have no common profile");
    for (size_t i = 0; i < events.size(); ++i) times[i].push_back(events[i].duration);
  }
  double start = 0;
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto middle = times[i].begin() + static_cast<int64_t>(times[i].size() / 2);
    std::nth_element(times[i].begin(), middle, times[i].end());
    steps[i].start = start;
    steps[i].duration = *middle;
    start += *middle;
  }
  return steps;
}

std::string profile_table(std::span<const ProfileEvent> steps) {
  double total = 0;
  double flops = 0;
  for (const ProfileEvent& step : steps) {
    total += step.duration;
    flops += step.flops;
  }
  std::vector<size_t> order(steps.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return steps[a].duration > steps[b].duration; });
  std::string text = "        us      %  GFLOP/s    GB/s  step\n";
  char line[160];
  for (size_t k = 0; k < std::min(order.size(), kMostLines); ++k) {
    const ProfileEvent& step = steps[order[k]];
    const double rate = step.duration > 0 ? 1e-9 / step.duration : 0;
    std::snprintf(line, sizeof(line), "%10.2f  %5.1f  %7.1f  %6.1f  ", step.duration * 1e6,
                  total > 0 ? 100 * step.duration / total : 0, step.flops * rate,
                  step.bytes * rate);
    text += line + step.text + (step.planned ? "" : " (interpreted)");
    if (const std::string at = innermost(step.location); !at.empty()) text += "  # " + at;
    text += "\n";
  }
  if (order.size() > kMostLines)
    text += "           and " + std::to_string(order.size() - kMostLines) + " steps more\n";
  std::snprintf(line, sizeof(line), "%10.2f  100.0  %7.1f          all %zu steps\n", total * 1e6,
                total > 0 ? flops * 1e-9 / total : 0, steps.size());
  return text + line;
}

void write_chrome_trace(const std::string& path, std::span<const ProfileEvent> steps) {
  std::ofstream file(path);
  rapidjson::OStreamWrapper stream(file);
  rapidjson::Writer<rapidjson::OStreamWrapper> writer(stream);
  writer.StartObject();
  writer.Key("traceEvents");
  writer.StartArray();
  for (const ProfileEvent& step : steps) {
    writer.StartObject();
    writer.Key("name");
    writer.String(step.text.c_str());
    writer.Key("ph");
    writer.String("X");
    writer.Key("pid");
    writer.Int(0);
    writer.Key("tid");
    writer.Int(0);
    writer.Key("ts");
    writer.Double(step.start * 1e6);
    writer.Key("dur");
    writer.Double(step.duration * 1e6);
    writer.Key("args");
    writer.StartObject();
    writer.Key("source");
    writer.String(step.location.c_str());
    writer.Key("flops");
    writer.Double(step.flops);
    writer.Key("bytes");
    writer.Double(step.bytes);
    writer.EndObject();
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  file.close();
  if (!file) throw Error(ErrorCode::io, "cannot write the trace to " + path);
}

}  // namespace ingot

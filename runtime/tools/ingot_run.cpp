// ingot-run: runs an .ingot file on .npy inputs, without Python.

#include <dlfcn.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <ingot/ingot.h>

#include "tools/literal.h"
#include "tools/npy.h"
#include "tools/profile.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kHelp = R"(usage: ingot-run FILE [options]

Runs a method of an .ingot file and prints its outputs.

  --input FILE.npy   a tensor input; once per input, in the method's order
  --value TEXT       any other input, in the same order, as Python writes it: 3, 0.5, None, text,
                     [1, 2], {"a": (True, "b")}; @FILE.npy is a tensor, as in [@x.npy, @y.npy]
  --output FILE.npy  writes the output; once per output tensor, in order
  --library PATH     a shared library with custom ops that the file needs; any number
  --method NAME      the method to run (default: forward)
  --threads N        threads of one call (default: one per physical core)
  --precision NAME   f32 (default), or bf16: faster products of rounded operands
  --repeat N         calls to time after the first one (default: 0)
  --profile          prints what each step took (median of --repeat runs, default 20)
  --trace FILE.json  the same for chrome://tracing and Perfetto
  --json             prints one JSON object: load_ms, first_ms, median_us, peak_rss_kb, outputs
  --version          prints the version
  --help             prints this text

The ops of libingot-linalg are found where it lies beside libingot. Without --input, inputs are made of zeros from the method's signature; free sizes are 1.

examples:
  ingot-run model.ingot
  ingot-run model.ingot --input x.npy --output y.npy
  ingot-run model.ingot --input x.npy --repeat 1000 --json
  ingot-run model.ingot --threads 1 --profile --trace steps.json
)";

struct Options {
  std::string file;
  std::string method = "forward";
  std::vector<std::pair<bool, std::string>> inputs;  // is it a tensor's file, text
  std::vector<std::string> outputs;
  std::vector<std::string> libraries;
  int threads = 0;
  ingot::LoadOptions load;
  int repeat = 0;
  bool json = false;
  bool profile = false;
  std::string trace;
};

[[noreturn]] void usage(const std::string& sentence) {
  std::cerr << "ingot-run: " << sentence << "\nTry 'ingot-run --help'.\n";
  std::exit(2);
}

int number(std::string_view flag, std::string_view text) {
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < 0)
    usage(std::string(flag) + " takes a number of 0 or more, not '" + std::string(text) + "'");
  return value;
}

ingot::Precision precision(const std::string& name) {
  try {
    return ingot::precision_of_name(name);
  } catch (const ingot::Error& error) {
    usage(error.message());
  }
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 >= argc) usage(std::string(flag) + " needs a value");
      return argv[++i];
    };
    if (flag == "--help" || flag == "-h") {
      std::cout << kHelp;
      std::exit(0);
    } else if (flag == "--version") {
      std::cout << "ingot-run " << ingot::version() << "\n";
      std::exit(0);
    } else if (flag == "--input") {
      options.inputs.emplace_back(true, value());
    } else if (flag == "--value") {
      options.inputs.emplace_back(false, value());
    } else if (flag == "--output") {
      options.outputs.push_back(value());
    } else if (flag == "--library") {
      options.libraries.push_back(value());
    } else if (flag == "--method") {
      options.method = value();
    } else if (flag == "--threads") {
      options.threads = number(flag, value());
    } else if (flag == "--precision") {
      options.load.precision = precision(value());
    } else if (flag == "--repeat") {
      options.repeat = number(flag, value());
    } else if (flag == "--profile") {
      options.profile = true;
    } else if (flag == "--trace") {
      options.trace = value();
    } else if (flag == "--json") {
      options.json = true;
    } else if (flag.starts_with("--")) {
      usage("there is no option " + std::string(flag));
    } else if (options.file.empty()) {
      options.file = flag;
    } else {
      usage("one file at a time: '" + std::string(flag) + "' is the second");
    }
  }
  if (options.file.empty()) usage("which file?");
  return options;
}

// Containers and quoted strings as Python writes them; other text that is no number is a string.
ingot::Value parse_value(const std::string& text) {
  constexpr std::string_view kOpens = "[({'\"@";
  if (!text.empty() && kOpens.find(text[0]) != kOpens.npos) return ingot::parse_literal(text);
  try {
    return ingot::parse_literal(text);
  } catch (const ingot::Error&) {
    return ingot::Value(text);
  }
}

// Tensors of an output value in order, whatever it is nested in.
void collect(const ingot::Value& value, std::vector<ingot::Tensor>& tensors) {
  if (value.is_tensor()) tensors.push_back(value.to_tensor());
  if (value.is_tuple())
    for (const auto& v : value.to_tuple().elements) collect(v, tensors);
  if (value.is_list())
    for (const auto& v : value.to_list().elements) collect(v, tensors);
  if (value.is_dict())
    for (const auto& [key, v] : value.to_dict().items()) collect(v, tensors);
}

double since(Clock::time_point start, double unit) {
  return std::chrono::duration<double>(Clock::now() - start).count() * unit;
}

// getrusage counts the parent as well: the kernel keeps a process's peak across exec.
int64_t peak_rss_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::atoll(line.c_str() + 6);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

void print_json(double load_ms, double first_ms, const std::vector<double>& times_us,
                const ingot::Value& output) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.StartObject();
  writer.Key("load_ms");
  writer.Double(load_ms);
  writer.Key("first_ms");
  writer.Double(first_ms);
  writer.Key("median_us");
  if (times_us.empty())
    writer.Null();
  else
    writer.Double(times_us[times_us.size() / 2]);
  writer.Key("peak_rss_kb");
  writer.Int64(peak_rss_kb());
  writer.Key("outputs");
  writer.StartArray();
  std::vector<ingot::Tensor> tensors;
  collect(output, tensors);
  for (const auto& tensor : tensors) writer.String(tensor.describe().c_str());
  writer.EndArray();
  writer.EndObject();
  std::cout << buffer.GetString() << "\n";
}

// libingot-linalg in the folder of libingot; empty if there is none.
std::filesystem::path component_beside_ingot() {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<const void*>(&ingot::version), &info)) return {};
  const auto path = std::filesystem::path(info.dli_fname).parent_path() / INGOT_LINALG_FILE;
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

// A file that needs more ops than libingot has is tried again with those of the component.
ingot::Module load(const Options& options) {
  try {
    return ingot::load(options.file, options.load);
  } catch (const ingot::Error& error) {
    const std::filesystem::path component = component_beside_ingot();
    if (error.code() != ingot::ErrorCode::unsupported || component.empty()) throw;
    ingot::load_library(component);
  }
  return ingot::load(options.file, options.load);
}

int run(const Options& options) {
  if (options.threads) ingot::set_num_threads(options.threads);
  std::vector<ingot::Value> inputs;
  for (const auto& [is_file, text] : options.inputs)
    inputs.push_back(is_file ? ingot::Value(ingot::read_npy(text)) : parse_value(text));

  for (const std::string& library : options.libraries) ingot::load_library(library);
  const auto load_start = Clock::now();
  const ingot::Module module = load(options);
  const double load_ms = since(load_start, 1e3);
  if (options.inputs.empty()) inputs = module.example_inputs(options.method);

  const auto first_start = Clock::now();
  const ingot::Value output = module.run(options.method, inputs);
  const double first_ms = since(first_start, 1e3);

  if (options.profile || !options.trace.empty()) {
    constexpr int kRuns = 20;
    const std::vector<ingot::ProfileEvent> steps = ingot::profile_steps(
        module, options.method, inputs, options.repeat > 0 ? options.repeat : kRuns);
    if (!options.trace.empty()) ingot::write_chrome_trace(options.trace, steps);
    if (options.profile) std::cout << ingot::profile_table(steps);
    return 0;
  }

  // Calls too short for the clock are timed by the batch.
  constexpr double kShortestBatchUs = 50;
  std::vector<double> times_us;
  for (int done = 0, batch = 1; done < options.repeat;) {
    const int count = std::min(batch, options.repeat - done);
    const auto start = Clock::now();
    for (int i = 0; i < count; ++i) module.run(options.method, inputs);
    const double us = since(start, 1e6);
    times_us.push_back(us / count);
    done += count;
    if (us < kShortestBatchUs) batch *= 2;
  }
  std::sort(times_us.begin(), times_us.end());

  std::vector<ingot::Tensor> tensors;
  collect(output, tensors);
  if (options.outputs.size() > tensors.size())
    throw ingot::Error(ingot::ErrorCode::invalid_argument,
                       "--output is given " + std::to_string(options.outputs.size()) +
                           " times, but the method returns " + std::to_string(tensors.size()) +
                           " tensors");
  for (size_t i = 0; i < options.outputs.size(); ++i)
    ingot::write_npy(options.outputs[i], tensors[i]);

  if (options.json) {
    print_json(load_ms, first_ms, times_us, output);
    return 0;
  }
  std::cout << output.describe() << "\n";
  std::printf("load %.3f ms, first call %.3f ms", load_ms, first_ms);
  if (!times_us.empty()) std::printf(", median %.3f us", times_us[times_us.size() / 2]);
  std::printf("\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  try {
    return run(options);
  } catch (const ingot::Error& error) {
    std::cerr << "ingot-run: " << error.what() << "\n";
    return 1;
  }
}

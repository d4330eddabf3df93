// Runs the calls of ops in a file that tests/ops/cases.py wrote, interpreted and planned. The
// sanitizers that it is built with are what is tested: values are compared elsewhere.
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ingot/ingot.h>
#include "exec/plan/options.h"

namespace {

std::vector<ingot::Value> inputs_of(const ingot::Module& module, const std::string& number) {
  const ingot::Value made = module.run("inputs_" + number, {});
  return made.to_tuple().elements;
}

// Empty, or the error that the method raised.
std::string outcome(const ingot::Module& module, const std::string& method,
                    const std::vector<ingot::Value>& inputs) {
  try {
    module.run(method, inputs);
  } catch (const ingot::Error& error) {
    return error.message();
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: ingot-replay FILE.ingot\n";
    return 2;
  }
  ingot::load_library(INGOT_TEST_LINALG);
  ingot::set_num_threads(1);
  const ingot::Module module = ingot::load(argv[1]);
  int calls = 0;
  int wrong = 0;
  for (const bool planned : {false, true}) {
    ingot::set_plan_stage("plan", planned);
    for (const std::string& method : module.methods()) {
      const size_t end = method.find('_');
      const std::string kind = method.substr(0, end);
      if (kind == "inputs") continue;
      const std::string error = outcome(module, method, inputs_of(module, method.substr(end + 1)));
      ++calls;
      // That others are refused, and how, is for tests/ops/test_error_inputs.py.
      if (kind == "case" && !error.empty()) {
        ++wrong;
        std::cerr << method << (planned ? ", planned: " : ": ") << error << "\n";
      }
    }
  }
  std::cout << calls << " calls, " << wrong << " unexpected outcomes\n";
  return wrong > 0;
}

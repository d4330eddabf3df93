// Loads a model and runs it on a batch of rows 0, 0.1, 0.2, ...
//   run_model simple_model.ingot 3

#include <cstdio>
#include <cstdlib>
#include <vector>

#include <ingot/ingot.h>

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fprintf(stderr, "usage: run_model FILE BATCH\n");
    return 2;
  }
  const ingot::Module model = ingot::load(argv[1]);
  for (const ingot::Port& port : model.inputs())
    std::printf("# input %s: %s\n", port.name.c_str(), port.type.c_str());

  const int64_t batch = std::atoll(argv[2]);
  std::vector<float> values(static_cast<size_t>(batch) * 10);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.1f * static_cast<float>(i);
  const int64_t sizes[] = {batch, 10};
  const auto x = ingot::Tensor::from<float>(values, sizes);

  const ingot::Tensor y = model.forward({x}).to_tensor().contiguous();
  for (int64_t row = 0; row < y.size(0); ++row) {
    for (int64_t column = 0; column < y.size(1); ++column)
      std::printf("%.9g ", y.data<float>()[row * y.size(1) + column]);
    std::printf("\n");
  }
  return 0;
} catch (const ingot::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

// Answers requests from several threads with one loaded model: it is immutable and shared.
//   serve simple_model.ingot 4 1000

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include <ingot/ingot.h>

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fprintf(stderr, "usage: serve FILE THREADS REQUESTS\n");
    return 2;
  }
  const ingot::Module model = ingot::load(argv[1]);
  const int requests = std::atoi(argv[3]);
  // Requests are the parallelism; one call stays on its thread.
  ingot::set_num_threads(1);

  std::atomic<int> next{0};
  std::atomic<int> answered{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < std::atoi(argv[2]); ++i) {
    workers.emplace_back([&] {
      for (int request = next++; request < requests; request = next++) {
        // Batches differ from request to request; nothing is compiled for each.
        const int64_t sizes[] = {1 + request % 7, 10};
        const ingot::Tensor x = ingot::Tensor::zeros(ingot::DType::f32, sizes);
        if (model.forward({x}).tensor().size(0) == sizes[0]) ++answered;
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  std::printf("%d of %d requests answered\n", answered.load(), requests);
  return answered == requests ? 0 : 1;
} catch (const ingot::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

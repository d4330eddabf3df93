#include "base/thread_pool.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <ingot/check.h>

namespace ingot {
namespace {

constexpr int kMostDefaultThreads = 16;
constexpr int kMostThreads = 256;

int physical_cores() {
  std::set<std::string> cores;
  const int logical = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  for (int cpu = 0; cpu < logical; ++cpu) {
    std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                       "/topology/thread_siblings_list");
    std::string siblings;
    if (!std::getline(file, siblings)) return logical;
    cores.insert(siblings);
  }
  return std::max(1, static_cast<int>(cores.size()));
}

// The work of one parallel_for: `pieces` equal parts, taken by number.
struct Job {
  Job(detail::RangeFunction f, void* c, int64_t first, int64_t last, int64_t count)
      : function(f), context(c), begin(first), end(last), pieces(count) {}

  const detail::RangeFunction function;
  void* const context;
  const int64_t begin;
  const int64_t end;
  const int64_t pieces;
  std::atomic<int64_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;

  void work() {
    for (;;) {
      const int64_t piece = next.fetch_add(1, std::memory_order_relaxed);
      if (piece >= pieces) return;
      const int64_t share = (end - begin) / pieces;
      const int64_t extra = (end - begin) % pieces;
      const int64_t first = begin + piece * share + std::min(piece, extra);
      try {
        function(context, first, first + share + (piece < extra ? 1 : 0));
      } catch (...) {
        const std::lock_guard lock(failure_mutex);
        if (!failure) failure = std::current_exception();
      }
    }
  }
};

thread_local bool inside_job = false;

// How often a thread looks for news before it sleeps: first for some ten microseconds, then, unless
// other callers want the processor, for some hundred more between which others may run. So
// workers stay awake from one step of a plan to the next over those that one thread does alone;
// waking up takes longer than many steps.
constexpr int kLooks = 400;
constexpr int kYields = 200;
// Jobs for which other callers are remembered.
constexpr int kCrowdedJobs = 1000;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Returns once `word` no longer holds `old`. `crowded`: not 0 where other callers have work.
void wait_for_change(const std::atomic<uint32_t>& word, uint32_t old,
                     const std::atomic<int>& crowded) {
  for (int i = 0; i < kLooks; ++i) {
    if (word.load(std::memory_order_acquire) != old) return;
    pause();
  }
  for (int i = 0; i < kYields && crowded.load(std::memory_order_relaxed) == 0; ++i) {
    if (word.load(std::memory_order_acquire) != old) return;
    std::this_thread::yield();
  }
  word.wait(old, std::memory_order_acquire);
}

class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { loop(); });
  }

  ~Pool() {
    stopping_ = true;
    call_workers();
    for (std::thread& worker : workers_) worker.join();
  }

  // Alone if another caller has the workers.
  void run(Job& job) {
    std::unique_lock busy(busy_, std::try_to_lock);
    inside_job = true;
    if (!busy.owns_lock()) {
      crowded_.store(kCrowdedJobs, std::memory_order_relaxed);
      job.work();
      inside_job = false;
      return;
    }
    if (const int crowded = crowded_.load(std::memory_order_relaxed); crowded > 0)
      crowded_.store(crowded - 1, std::memory_order_relaxed);
    job_ = &job;
    state_.store(kOpen, std::memory_order_release);
    call_workers();
    job.work();
    inside_job = false;
    // A worker that has not come by now finds the door closed.
    uint32_t state = state_.fetch_and(~kOpen, std::memory_order_acq_rel) & ~kOpen;
    while (state != 0) {
      wait_for_change(state_, state, crowded_);
      state = state_.load(std::memory_order_acquire);
    }
  }

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

 private:
  // state_: whether workers may still join the job, and how many have.
  static constexpr uint32_t kOpen = 1;
  static constexpr uint32_t kWorker = 2;

  void call_workers() {
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
  }

  bool join() {
    uint32_t state = state_.load(std::memory_order_acquire);
    while (state & kOpen)
      if (state_.compare_exchange_weak(state, state + kWorker, std::memory_order_acq_rel))
        return true;
    return false;
  }

  void loop() {
    inside_job = true;
    for (uint32_t seen = 0;;) {
      wait_for_change(generation_, seen, crowded_);
      seen = generation_.load(std::memory_order_acquire);
      if (stopping_) return;
      if (!join()) continue;
      job_->work();
      if (state_.fetch_sub(kWorker, std::memory_order_acq_rel) == kWorker) state_.notify_one();
    }
  }

  std::vector<std::thread> workers_;
  std::mutex busy_;     // held by the caller whose job runs
  Job* job_ = nullptr;  // valid while a worker has joined
  std::atomic<uint32_t> generation_{0};
  std::atomic<uint32_t> state_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<int> crowded_{0};
};

// Started at the first parallel_for. Runs keep their pool alive while its size changes.
struct Shared {
  std::mutex mutex;
  std::shared_ptr<Pool> pool;
  std::atomic<int> threads{0};
};

Shared* shared_state = nullptr;

Shared& shared() {
  static std::once_flag once;
  std::call_once(once, [] {
    shared_state = new Shared;
    // A child has none of its parent's threads, and its locks may be held by them.
    pthread_atfork(nullptr, nullptr, [] {
      const int threads = shared_state->threads.load();
      shared_state = new Shared;
      shared_state->threads = threads;
      inside_job = false;
    });
  });
  return *shared_state;
}

std::shared_ptr<Pool> current_pool() {
  Shared& state = shared();
  const int threads = state.threads.load();
  const std::lock_guard lock(state.mutex);
  if (!state.pool || state.pool->threads() != threads) {
    state.pool.reset();
    state.pool = std::make_shared<Pool>(threads);
  }
  return state.pool;
}

}  // namespace

void set_pool_threads(int threads) {
  INGOT_CHECK(threads >= 0 && threads <= kMostThreads, "the number of threads must be 0 to ",
              kMostThreads, ", not ", threads);
  shared().threads = threads == 0 ? std::min(physical_cores(), kMostDefaultThreads) : threads;
}

namespace {

thread_local int kept_threads = 0;

}  // namespace

KeepThreads::KeepThreads() : before_(kept_threads), count_(pool_threads()) {
  kept_threads = count_;
}
KeepThreads::~KeepThreads() { kept_threads = before_; }

int pool_threads() {
  if (kept_threads > 0) return kept_threads;
  Shared& state = shared();
  int threads = state.threads.load(std::memory_order_relaxed);
  if (threads == 0) {
    threads = std::min(physical_cores(), kMostDefaultThreads);
    int unset = 0;
    if (!state.threads.compare_exchange_strong(unset, threads)) threads = unset;
  }
  return threads;
}

void detail::run_parallel(int64_t begin, int64_t end, int64_t grain, RangeFunction function,
                          void* context) {
  if (begin >= end) return;
  const int threads = inside_job ? 1 : pool_threads();
  const int64_t pieces =
      std::min<int64_t>((end - begin) / std::max<int64_t>(grain, 1), 4 * int64_t{threads});
  if (threads == 1 || pieces < 2) return function(context, begin, end);
  Job job(function, context, begin, end, pieces);
  current_pool()->run(job);
  if (job.failure) std::rethrow_exception(job.failure);
}

}  // namespace ingot

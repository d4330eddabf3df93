// One pool of threads per process, shared by all runs.
//
// A run that finds the pool busy with another one's work computes on its own thread instead
// of waiting, so several callers never oversubscribe the cores. Idle threads sleep.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include <ingot/export.h>

namespace ingot {

// 0 restores the default: one per physical core, at most 16.
INGOT_API void set_pool_threads(int threads);
INGOT_API int pool_threads();

// While it lives, pool_threads() on this thread is what it was when it began, so that a run and
// the memory laid out for it count on the same number.
class KeepThreads {
 public:
  KeepThreads();
  ~KeepThreads();
  KeepThreads(const KeepThreads&) = delete;
  int count() const { return count_; }

 private:
  int before_;
  int count_;
};

namespace detail {

using RangeFunction = void (*)(void* context, int64_t begin, int64_t end);
INGOT_API void run_parallel(int64_t begin, int64_t end, int64_t grain, RangeFunction function,
                            void* context);

}  // namespace detail

// Calls function(first, last) over pieces that cover [begin, end) once, from several threads
// if there are at least two pieces of `grain`. Pieces depend only on the range, the grain and
// pool_threads(), never on timing. Returns when all are done; the first exception thrown by
// `function` is thrown here. Nested calls run on the calling thread.
template <class F>
void parallel_for(int64_t begin, int64_t end, int64_t grain, F&& function) {
  if (end - begin <= grain) {
    if (begin < end) function(begin, end);
    return;
  }
  using Plain = std::remove_reference_t<F>;
  detail::run_parallel(
      begin, end, grain,
      [](void* context, int64_t first, int64_t last) {
        (*static_cast<Plain*>(context))(first, last);
      },
      const_cast<std::remove_const_t<Plain>*>(std::addressof(function)));
}

}  // namespace ingot

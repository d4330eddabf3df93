#include "kernels/simd.h"

#include <atomic>

#include <ingot/check.h>

namespace ingot {

namespace {

SimdLevel detect() {
#if defined(__x86_64__)
  // The builtins also ask the operating system whether it saves the wide registers.
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi2");
  if (!avx2) return SimdLevel::baseline;
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
                      __builtin_cpu_supports("avx512dq");
  return avx512 ? SimdLevel::avx512 : SimdLevel::avx2;
#else
  return SimdLevel::baseline;
#endif
}

bool detect_bf16_dot() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

std::atomic<SimdLevel>& current() {
  static std::atomic<SimdLevel> level = best_simd_level();
  return level;
}

}  // namespace

SimdLevel best_simd_level() {
  static const SimdLevel best = detect();
  return best;
}

SimdLevel simd_level() { return current().load(std::memory_order_relaxed); }

void set_simd_level(SimdLevel level) {
  if (level > best_simd_level())
    fail(ErrorCode::unsupported, "this machine lacks the requested vector instructions");
  current().store(level, std::memory_order_relaxed);
}

bool has_bf16_dot() {
  static const bool present = detect_bf16_dot();
  return present && simd_level() == SimdLevel::avx512;
}

}  // namespace ingot

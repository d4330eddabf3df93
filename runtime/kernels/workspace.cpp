#include "kernels/workspace.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <new>

namespace ingot::detail {

namespace {

constexpr size_t kLargePage = size_t{2} << 20;

// From this size on at most a fifth of the memory is lost to rounding up to whole large pages.
constexpr bool is_large(size_t bytes) { return bytes >= kLargePage; }

std::align_val_t alignment(size_t bytes) {
  return std::align_val_t{is_large(bytes) ? kLargePage : 64};
}

}  // namespace

void* allocate_workspace(size_t bytes) {
  void* memory = ::operator new(bytes, alignment(bytes));
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  // Only whole large pages, so that none is rounded up. A refusal leaves small pages, which work.
  if (is_large(bytes)) madvise(memory, bytes / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
  return memory;
}

void free_workspace(void* memory, size_t bytes) { ::operator delete(memory, alignment(bytes)); }

}  // namespace ingot::detail

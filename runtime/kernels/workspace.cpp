#include "kernels/workspace.h"

#include <new>

#include "base/large_pages.h"

namespace ingot::detail {

namespace {

std::align_val_t alignment(size_t bytes) {
  return std::align_val_t{bytes >= kLargePage ? kLargePage : 64};
}

}  // namespace

void* allocate_workspace(size_t bytes) {
  void* memory = ::operator new(bytes, alignment(bytes));
  prefer_large_pages(memory, bytes);
  return memory;
}

void free_workspace(void* memory, size_t bytes) { ::operator delete(memory, alignment(bytes)); }

}  // namespace ingot::detail

#include "kernels/workspace.h"

#include <new>

#include "base/large_pages.h"

namespace ingot::detail {

namespace {

constexpr bool is_large(size_t bytes) { return bytes >= kLargePage; }

std::align_val_t alignment(size_t bytes) {
  return std::align_val_t{is_large(bytes) ? kLargePage : 64};
}

}  // namespace

void* allocate_workspace(size_t bytes) {
  void* memory = ::operator new(bytes, alignment(bytes));
  if (is_large(bytes)) prefer_large_pages(memory, bytes);
  return memory;
}

void free_workspace(void* memory, size_t bytes) { ::operator delete(memory, alignment(bytes)); }

}  // namespace ingot::detail

// Memory for tensors, weights and workspaces.
#pragma once

#include <cstddef>
#include <new>

namespace ingot {

// The system gives and takes memory by pages, and every page's first touch is a fault: for a call
// that allocates and frees megabytes that can cost more than its arithmetic. Freed blocks of at
// least kLeastKept bytes therefore wait for the next request of their size, at most kMostKept
// bytes of them; then the oldest go back to the system.
inline constexpr size_t kLeastKept = size_t{64} << 10;
inline constexpr size_t kMostKept = size_t{64} << 20;

// Sanitizers shall see every use after a block's end.
#if defined(__SANITIZE_ADDRESS__)
#define INGOT_KEEPS_BLOCKS false
#elif defined(__has_feature)
#define INGOT_KEEPS_BLOCKS !__has_feature(address_sanitizer)
#else
#define INGOT_KEEPS_BLOCKS true
#endif
inline constexpr bool kKeepsBlocks = INGOT_KEEPS_BLOCKS;
#undef INGOT_KEEPS_BLOCKS

// Uninitialised and 64-byte aligned. Blocks of megabytes ask for large pages, which save address
// translations. Null if there is no memory.
void* allocate_block(size_t bytes);
// `bytes` as allocated.
void free_block(void* block, size_t bytes);

// For containers that hold as much as tensors do.
template <class T>
struct BlockAllocator {
  using value_type = T;
  BlockAllocator() = default;
  template <class U>
  BlockAllocator(const BlockAllocator<U>&) {}
  T* allocate(size_t count) {
    void* block = allocate_block(count * sizeof(T));
    if (!block) throw std::bad_alloc();
    return static_cast<T*>(block);
  }
  void deallocate(T* block, size_t count) { free_block(block, count * sizeof(T)); }
  template <class U>
  bool operator==(const BlockAllocator<U>&) const {
    return true;
  }
};

}  // namespace ingot

#include "base/blocks.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <mutex>
#include <new>

namespace ingot {

namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kLargePage = size_t{2} << 20;

// Eight sizes between powers of two.
size_t size_class(size_t bytes) {
  size_t unit = kAlignment;
  if (bytes >= kLeastKept) unit = std::max(unit, std::bit_floor(bytes) / 8);
  return (bytes + unit - 1) / unit * unit;
}

std::align_val_t alignment(size_t size) {
  return std::align_val_t{size >= kLargePage ? kLargePage : kAlignment};
}

void* from_system(size_t size) {
  void* memory = ::operator new(size, alignment(size), std::nothrow);
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  // A refusal leaves small pages, which work.
  if (memory && size >= kLargePage) madvise(memory, size / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
  return memory;
}

void to_system(void* memory, size_t size) { ::operator delete(memory, alignment(size)); }

class KeptBlocks {
 public:
  // Null if none has that size.
  void* take(size_t size) {
    const std::lock_guard lock(mutex_);
    for (size_t i = count_; i-- > 0;)
      if (blocks_[i].size == size) return remove(i).memory;
    return nullptr;
  }

  void keep(void* memory, size_t size) {
    std::array<Block, kMost> old;
    size_t leaving = 0;
    {
      const std::lock_guard lock(mutex_);
      while (count_ == kMost || total_ + size > kMostKept) old[leaving++] = remove(0);
      blocks_[count_++] = {memory, size};
      total_ += size;
    }
    for (size_t i = 0; i < leaving; ++i) to_system(old[i].memory, old[i].size);
  }

 private:
  struct Block {
    void* memory;
    size_t size;
  };
  static constexpr size_t kMost = 64;

  Block remove(size_t i) {
    const Block block = blocks_[i];
    std::copy(blocks_.begin() + i + 1, blocks_.begin() + count_, blocks_.begin() + i);
    --count_;
    total_ -= block.size;
    return block;
  }

  std::mutex mutex_;
  std::array<Block, kMost> blocks_;  // the oldest first
  size_t count_ = 0;
  size_t total_ = 0;
};

// Never destroyed: tensors may outlive it.
KeptBlocks& kept_blocks() {
  static KeptBlocks& blocks = *new KeptBlocks;
  return blocks;
}

}  // namespace

void* allocate_block(size_t bytes) {
  if (bytes > SIZE_MAX / 2) return nullptr;
  const size_t size = size_class(bytes);
  if (kKeepsBlocks && size >= kLeastKept)
    if (void* kept = kept_blocks().take(size)) return kept;
  return from_system(size);
}

void free_block(void* block, size_t bytes) {
  if (!block) return;
  const size_t size = size_class(bytes);
  if (kKeepsBlocks && size >= kLeastKept && size <= kMostKept)
    kept_blocks().keep(block, size);
  else
    to_system(block, size);
}

}  // namespace ingot

// Memory that is kept for the next request of its size.
#include "base/blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace ingot {
namespace {

struct Block {
  std::byte* memory;
  size_t bytes;
  std::byte mark;
};

Block allocate(size_t bytes, std::byte mark) {
  Block block = {static_cast<std::byte*>(allocate_block(bytes)), bytes, mark};
  std::memset(block.memory, static_cast<int>(mark), bytes);
  return block;
}

bool is_whole(const Block& block) {
  return std::all_of(block.memory, block.memory + block.bytes,
                     [&](std::byte byte) { return byte == block.mark; });
}

// Blocks of many sizes, several alive at a time, in random order.
void exercise(unsigned seed, bool* whole) {
  std::mt19937 random(seed);
  std::vector<Block> alive;
  *whole = true;
  for (int i = 0; i < 400; ++i) {
    const size_t bytes = size_t{1} << (random() % 23);
    alive.push_back(allocate(bytes + random() % bytes, static_cast<std::byte>(random())));
    *whole &= reinterpret_cast<uintptr_t>(alive.back().memory) % 64 == 0;
    while (alive.size() > 8) {
      std::swap(alive[random() % alive.size()], alive.back());
      *whole &= is_whole(alive.back());
      free_block(alive.back().memory, alive.back().bytes);
      alive.pop_back();
    }
  }
  for (const Block& block : alive) {
    *whole &= is_whole(block);
    free_block(block.memory, block.bytes);
  }
}

TEST(Blocks, NeverShareMemory) {
  bool whole[4];
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) threads.emplace_back(exercise, i, &whole[i]);
  for (std::thread& thread : threads) thread.join();
  for (const bool one : whole) EXPECT_TRUE(one);
}

TEST(Blocks, RefusesWhatNoMachineHas) {
  EXPECT_EQ(allocate_block(SIZE_MAX), nullptr);
  EXPECT_EQ(allocate_block(SIZE_MAX / 4), nullptr);
}

TEST(Blocks, ComeBack) {
  if (!kKeepsBlocks) GTEST_SKIP() << "a sanitizer watches every block to its end";
  void* const first = allocate_block(1'000'000);
  free_block(first, 1'000'000);
  void* const second = allocate_block(1'000'001);
  EXPECT_EQ(first, second);
  free_block(second, 1'000'001);
}
}  // namespace
}  // namespace ingot

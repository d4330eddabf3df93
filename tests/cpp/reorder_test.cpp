#include "tensor/reorder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <span>
#include <vector>

namespace ingot {
namespace {

constexpr size_t kItems[] = {1, 2, 4, 8, 16};

std::vector<int64_t> row_major(std::span<const int64_t> sizes) {
  std::vector<int64_t> strides(sizes.size());
  int64_t stride = 1;
  for (size_t d = sizes.size(); d-- > 0; stride *= sizes[d]) strides[d] = stride;
  return strides;
}

int64_t extent(std::span<const int64_t> sizes, std::span<const int64_t> strides) {
  int64_t last = 0;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] == 0) return 0;
    last += (sizes[d] - 1) * strides[d];
  }
  return last + 1;
}

// Runs a Reorder beside a loop over all indices; what lies between the elements stays.
void check(const std::vector<int64_t>& sizes, const std::vector<int64_t>& from,
           const std::vector<int64_t>& to, size_t item) {
  std::vector<std::byte> source(static_cast<size_t>(extent(sizes, from)) * item);
  std::vector<std::byte> target(static_cast<size_t>(extent(sizes, to)) * item, std::byte{0x5a});
  std::mt19937 random(7);
  for (std::byte& byte : source) byte = static_cast<std::byte>(random());
  std::vector<std::byte> wanted = target;
  const int64_t count =
      std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, std::multiplies<>());
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i, a = 0, b = 0;
    for (size_t d = sizes.size(); d-- > 0; rest /= sizes[d]) {
      a += rest % sizes[d] * from[d];
      b += rest % sizes[d] * to[d];
    }
    std::copy_n(source.begin() + a * static_cast<int64_t>(item), item,
                wanted.begin() + b * static_cast<int64_t>(item));
  }
  Reorder(sizes, from, to, item).run(source.data(), target.data());
  ASSERT_EQ(target, wanted) << "sizes " << testing::PrintToString(sizes) << " from "
                            << testing::PrintToString(from) << " to " << testing::PrintToString(to)
                            << " items of " << item;
}

TEST(Reorder, MatricesOfEverySize) {
  const int64_t lengths[] = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 130};
  for (const int64_t rows : lengths)
    for (const int64_t columns : lengths)
      for (const size_t item : kItems) check({rows, columns}, {1, rows}, {columns, 1}, item);
}

TEST(Reorder, ImagesThereAndBack) {
  for (const int64_t channels : {1, 2, 3, 4, 5, 21, 64})
    for (const int64_t side : {1, 3, 17, 56})
      for (const size_t item : kItems) {
        const std::vector<int64_t> sizes = {2, channels, side, side};
        const std::vector<int64_t> last = {channels * side * side, 1, side * channels, channels};
        check(sizes, row_major(sizes), last, item);
        check(sizes, last, row_major(sizes), item);
      }
}

TEST(Reorder, AnyOrderWithGapsAndRepetitions) {
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    const size_t rank = random() % 6;
    std::vector<int64_t> sizes(rank);
    for (int64_t& size : sizes) size = random() % 20 == 0 ? 0 : 1 + random() % 9;
    const auto strides = [&](bool may_repeat) {
      std::vector<size_t> order(rank);
      std::iota(order.begin(), order.end(), size_t{0});
      std::shuffle(order.begin(), order.end(), random);
      std::vector<int64_t> made(rank);
      int64_t stride = random() % 4 == 0 ? 2 : 1;
      for (const size_t d : order) {
        made[d] = stride;
        stride *= std::max<int64_t>(sizes[d], 1) + (random() % 5 == 0 ? 1 : 0);
      }
      if (may_repeat)
        for (int64_t& one : made)
          if (random() % 6 == 0) one = 0;
      return made;
    };
    const std::vector<int64_t> from = strides(true);
    check(sizes, from, strides(false), kItems[random() % std::size(kItems)]);
  }
}

}  // namespace
}  // namespace ingot

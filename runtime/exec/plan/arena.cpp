#include "exec/plan/arena.h"

#include <algorithm>

namespace ingot {
namespace {

constexpr size_t kAlignment = 64;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) & ~(kAlignment - 1); }

// Free stretches below the end of the arena, ordered by offset, never adjacent.
class FreeList {
 public:
  // The offset of `bytes` free bytes: the tightest hole, or the end.
  size_t take(size_t bytes) {
    auto best = holes_.end();
    for (auto hole = holes_.begin(); hole != holes_.end(); ++hole)
      if (hole->bytes >= bytes && (best == holes_.end() || hole->bytes < best->bytes)) best = hole;
    if (best != holes_.end()) {
      const size_t offset = best->offset;
      best->offset += bytes;
      best->bytes -= bytes;
      if (best->bytes == 0) holes_.erase(best);
      return offset;
    }
    size_t offset = end_;
    if (!holes_.empty() && holes_.back().offset + holes_.back().bytes == end_) {
      offset = holes_.back().offset;
      holes_.pop_back();
    }
    end_ = offset + bytes;
    return offset;
  }

  void give(size_t offset, size_t bytes) {
    auto next = std::lower_bound(holes_.begin(), holes_.end(), offset,
                                 [](const Hole& hole, size_t at) { return hole.offset < at; });
    if (next != holes_.begin() && (next - 1)->offset + (next - 1)->bytes == offset) {
      --next;
      next->bytes += bytes;
    } else {
      next = holes_.insert(next, {offset, bytes});
    }
    if (next + 1 != holes_.end() && next->offset + next->bytes == (next + 1)->offset) {
      next->bytes += (next + 1)->bytes;
      holes_.erase(next + 1);
    }
  }

  size_t end() const { return end_; }

 private:
  struct Hole {
    size_t offset;
    size_t bytes;
  };
  std::vector<Hole> holes_;
  size_t end_ = 0;
};

}  // namespace

size_t lay_out(std::vector<Lifetime>& lifetimes, bool reuse) {
  FreeList free;
  std::vector<size_t> alive;  // by index
  std::vector<bool> taken_over(lifetimes.size());
  size_t end = 0;
  for (size_t i = 0; i < lifetimes.size(); ++i) {
    Lifetime& next = lifetimes[i];
    const size_t bytes = aligned(std::max<size_t>(next.bytes, 1));
    if (!reuse) {
      next.offset = static_cast<int64_t>(end);
      end += bytes;
      continue;
    }
    std::erase_if(alive, [&](size_t k) {
      if (lifetimes[k].last >= next.first) return false;
      if (!taken_over[k])
        free.give(static_cast<size_t>(lifetimes[k].offset),
                  aligned(std::max<size_t>(lifetimes[k].bytes, 1)));
      return true;
    });
    const auto replaced = static_cast<size_t>(next.replaces);
    if (next.replaces >= 0 && lifetimes[replaced].last == next.first && !taken_over[replaced] &&
        aligned(std::max<size_t>(lifetimes[replaced].bytes, 1)) == bytes) {
      taken_over[replaced] = true;
      next.offset = lifetimes[replaced].offset;
    } else {
      next.offset = static_cast<int64_t>(free.take(bytes));
    }
    alive.push_back(i);
  }
  return reuse ? free.end() : end;
}

}  // namespace ingot

#include "file/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include <ingot/check.h>

namespace ingot {
namespace {

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

// All files that are mapped now.
class Mappings {
 public:
  void add(const void* data, size_t size) {
    const std::lock_guard lock(mutex_);
    sizes_[reinterpret_cast<uintptr_t>(data)] = size;
  }
  void remove(const void* data) {
    const std::lock_guard lock(mutex_);
    sizes_.erase(reinterpret_cast<uintptr_t>(data));
  }
  // Tells the kernel to drop the whole pages within, if they are a mapping's.
  void drop(uintptr_t begin, uintptr_t end) {
    const std::lock_guard lock(mutex_);
    auto after = sizes_.upper_bound(begin);
    if (after == sizes_.begin()) return;
    const auto& [start, size] = *std::prev(after);
    if (end > start + size) return;
    const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    const uintptr_t first = (begin + page - 1) / page * page;
    const uintptr_t last = end / page * page;
    if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  }

 private:
  std::mutex mutex_;
  std::map<uintptr_t, size_t> sizes_;
};

Mappings& mappings() {
  static auto* instance = new Mappings;  // outlives every module
  return *instance;
}

[[noreturn]] void cannot_read(const std::string& path) {
  fail(ErrorCode::io, path, " cannot be read: ", std::strerror(errno));
}

}  // namespace

SharedBytes map_file(const std::string& path) {
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) cannot_read(path);
  struct stat status {};
  if (fstat(file.fd, &status) != 0) cannot_read(path);
  if (S_ISDIR(status.st_mode)) fail(ErrorCode::io, path, " is a directory, not a file");
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) return {};
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (data == MAP_FAILED) cannot_read(path);
  mappings().add(data, size);
  std::shared_ptr<const void> owner(data, [size](void* p) {
    mappings().remove(p);
    munmap(p, size);
  });
  return {std::move(owner), {static_cast<const std::byte*>(data), size}};
}

void drop_pages(std::span<const std::byte> bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(bytes.data());
  mappings().drop(begin, begin + bytes.size());
}

SharedBytes copy_bytes(std::span<const std::byte> bytes) {
  if (bytes.empty()) return {};
  const size_t rounded = (bytes.size() + 63) / 64 * 64;
  std::shared_ptr<void> owner(std::aligned_alloc(64, rounded), &std::free);
  if (!owner) fail(ErrorCode::out_of_memory, "out of memory: a copy of ", bytes.size(), " bytes");
  std::memcpy(owner.get(), bytes.data(), bytes.size());
  return {owner, {static_cast<const std::byte*>(owner.get()), bytes.size()}};
}

}  // namespace ingot

#include "file/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace ingot {
namespace {

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

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
  std::shared_ptr<const void> owner(data, [size](void* p) { munmap(p, size); });
  return {std::move(owner), {static_cast<const std::byte*>(data), size}};
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

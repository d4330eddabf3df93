// A file's bytes, mapped read-only.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace ingot {

// Bytes that stay valid and unmoved while `owner` lives.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
};

// Throws Error (io) with the system's reason.
SharedBytes map_file(const std::string& path);
// A 64-byte aligned copy.
SharedBytes copy_bytes(std::span<const std::byte> bytes);

}  // namespace ingot

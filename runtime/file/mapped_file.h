// A file's bytes, mapped read-only.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <ingot/export.h>

namespace ingot {

// Bytes that stay valid and unmoved while `owner` lives.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
};

// Throws Error (io) with the system's reason.
INGOT_API SharedBytes map_file(const std::string& path);
// Gives back the memory of `bytes` if they are part of a mapped file, from which they are read
// again when next used; does nothing otherwise.
void drop_pages(std::span<const std::byte> bytes);
// A 64-byte aligned copy.
INGOT_API SharedBytes copy_bytes(std::span<const std::byte> bytes);

}  // namespace ingot

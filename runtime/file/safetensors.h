// The container format of .ingot files: https://github.com/huggingface/safetensors (format).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <ingot/dtype.h>

namespace ingot {

struct SafetensorsEntry {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

struct Safetensors {
  std::vector<SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;
};

// Reads and checks the header; entries point into `file`. Throws Error (corrupt_file).
Safetensors read_safetensors(std::span<const std::byte> file);

}  // namespace ingot

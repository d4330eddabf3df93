// Any bytes must give a module or an ingot::Error: never undefined behaviour, an endless loop
// or memory without bound.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string>

#include <ingot/ingot.h>

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

// Everything that reads a loaded program without running it.
void look_at(const ingot::Module& module) {
  module.state();
  module.extra_files();
  module.fork();
  for (const std::string& method : module.methods()) {
    module.inputs(method);
    module.outputs(method);
    try {
      module.example_inputs(method);
    } catch (const ingot::Error&) {
      // The signature leaves a dtype open.
    }
  }
}

// Where the parts of a well-formed file lie; empty if it is too damaged to tell.
struct Layout {
  size_t header = 0;  // bytes of JSON after the first 8
  size_t program = 0;
  size_t program_bytes = 0;
};

Layout find_parts(const uint8_t* data, size_t size) {
  Layout layout;
  uint64_t length = 0;
  if (size < 16) return {};
  std::memcpy(&length, data, 8);
  if (length > size - 8) return {};
  layout.header = length;
  layout.program = 8 + length;
  const std::string_view json(reinterpret_cast<const char*>(data) + 8, length);
  constexpr std::string_view kKey = "\"__ingot__.program\":{\"dtype\":\"U8\",\"shape\":[";
  const size_t found = json.find(kKey);
  if (found != json.npos)
    layout.program_bytes = std::strtoull(json.data() + found + kKey.size(), nullptr, 10);
  if (layout.program_bytes > size - layout.program) layout.program_bytes = 0;
  return layout;
}

// Changes numbers of the FlatBuffer, most of which are indices, offsets or counts, so that
// damage comes past the flatbuffers verifier.
void change_numbers(uint8_t* program, size_t bytes, std::minstd_rand& random) {
  for (uint32_t changes = 1 + random() % 3; changes > 0; --changes) {
    uint8_t* place = program + random() % (bytes / 4) * 4;
    uint32_t number;
    std::memcpy(&number, place, 4);
    switch (random() % 4) {
      case 0: number += random() % 9 - 4; break;
      case 1: number = static_cast<uint32_t>(random()) % 64; break;
      case 2: number ^= 1u << (random() % 32); break;
      default: std::memcpy(&number, program + random() % (bytes / 4) * 4, 4);
    }
    std::memcpy(place, &number, 4);
  }
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  std::minstd_rand random(seed + 1);
  const Layout layout = find_parts(data, size);
  switch (random() % 8) {
    case 0: return LLVMFuzzerMutate(data, size, max_size);
    case 1:
    case 2: {
      if (layout.header == 0) return LLVMFuzzerMutate(data, size, max_size);
      const std::string rest(reinterpret_cast<char*>(data) + 8 + layout.header,
                             size - 8 - layout.header);
      const uint64_t length = LLVMFuzzerMutate(data + 8, layout.header, max_size - 8 - rest.size());
      std::memcpy(data, &length, 8);
      std::memcpy(data + 8 + length, rest.data(), rest.size());
      return 8 + length + rest.size();
    }
    case 3:
      if (layout.program_bytes < 8) return LLVMFuzzerMutate(data, size, max_size);
      // Bytes change, sizes stay: what a shorter result leaves at the end is kept.
      LLVMFuzzerMutate(data + layout.program, layout.program_bytes, layout.program_bytes);
      return size;
    default:
      if (layout.program_bytes < 8) return LLVMFuzzerMutate(data, size, max_size);
      change_numbers(data + layout.program, layout.program_bytes, random);
      return size;
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    look_at(ingot::load(std::span(reinterpret_cast<const std::byte*>(data), size)));
  } catch (const ingot::Error& error) {
    // The promise of internal is "a bug of Ingot".
    if (error.code() == ingot::ErrorCode::internal) __builtin_trap();
  }
  return 0;
}

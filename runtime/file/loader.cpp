#include "file/loader.h"

#include <charconv>
#include <string_view>

#include <ingot/check.h>
#include "file/decode.h"
#include "file/safetensors.h"
#include "file/verify.h"

namespace ingot {
namespace {

constexpr std::string_view kProgramName = "__ingot__.program";
constexpr std::string_view kExtraPrefix = "__ingot__.extra.";

Tensor weight(const SafetensorsEntry& entry, const std::shared_ptr<const void>& owner) {
  auto keep = std::make_unique<std::shared_ptr<const void>>(owner);
  auto* data = const_cast<std::byte*>(entry.bytes.data());
  Tensor tensor = Tensor::from_blob(
      data, entry.dtype, entry.shape, {},
      [](void* context) { delete static_cast<std::shared_ptr<const void>*>(context); }, keep.get(),
      false);
  static_cast<void>(keep.release());  // the tensor's from now on
  // Files rewritten by other tools may place tensors anywhere.
  const bool aligned = reinterpret_cast<uintptr_t>(data) % size_of(entry.dtype) == 0;
  return aligned ? tensor : tensor.clone();
}

}  // namespace

std::shared_ptr<const Program> assemble_program(std::span<const std::byte> bytes,
                                                const std::map<std::string, Tensor>& tensors,
                                                std::map<std::string, std::string> extra_files) {
  SharedBytes aligned{nullptr, bytes};
  if (reinterpret_cast<uintptr_t>(bytes.data()) % 8 != 0) aligned = copy_bytes(bytes);
  std::shared_ptr<Program> program = decode_program(aligned.bytes, tensors);
  program->extra_files = std::move(extra_files);
  verify_program(*program);
  return program;
}

std::shared_ptr<const Program> load_program(SharedBytes file) {
  const Safetensors container = read_safetensors(file.bytes);
  if (const auto format = container.metadata.find("ingot.format");
      format != container.metadata.end()) {
    uint32_t number = 0;
    std::from_chars(format->second.data(), format->second.data() + format->second.size(), number);
    if (number > kFormat)
      throw Error(ErrorCode::version,
                  concat("the file has format ", number,
                         ", this Ingot (" INGOT_VERSION ") reads up to ", kFormat))
          .with_hint("install a newer Ingot, or export the model again with this one");
  }
  std::span<const std::byte> program;
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> extra_files;
  for (const SafetensorsEntry& entry : container.entries) {
    if (entry.name == kProgramName) {
      program = entry.bytes;
    } else if (entry.name.starts_with(kExtraPrefix)) {
      extra_files[entry.name.substr(kExtraPrefix.size())] =
          std::string(reinterpret_cast<const char*>(entry.bytes.data()), entry.bytes.size());
    } else {
      INGOT_CHECK(entry.shape.size() <= kMaxRank, "tensor '", entry.name, "' has ",
                  entry.shape.size(), " dimensions; at most ", kMaxRank, " are supported");
      tensors.emplace(entry.name, weight(entry, file.owner));
    }
  }
  if (program.empty())
    fail(ErrorCode::corrupt_file,
         "this is a safetensors file without a program, not an .ingot file");
  return assemble_program(program, tensors, std::move(extra_files));
}

}  // namespace ingot

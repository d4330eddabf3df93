// FlatBuffers to Program: structure only; verify.h checks meaning.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "file/program.h"

namespace ingot {

// Throws Error: corrupt_file (bad buffer, an index out of range), version, unsupported (ops
// that the catalogue lacks, all listed).
std::shared_ptr<Program> decode_program(std::span<const std::byte> bytes,
                                        const std::map<std::string, Tensor>& tensors);

}  // namespace ingot

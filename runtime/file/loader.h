// From bytes to a verified Program.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include <ingot/export.h>
#include <ingot/tensor.h>

#include "file/mapped_file.h"
#include "file/program.h"

namespace ingot {

// Reads and verifies a whole .ingot file. Weights stay in `file`, which the program keeps.
// Throws Error: corrupt_file, version, unsupported.
INGOT_API std::shared_ptr<const Program> load_program(SharedBytes file);

// The same from parts in memory: the bytes of `__ingot__.program` and the tensors that its
// state entries name, used in place.
INGOT_API std::shared_ptr<const Program> assemble_program(
    std::span<const std::byte> program, const std::map<std::string, Tensor>& tensors,
    std::map<std::string, std::string> extra_files = {});

}  // namespace ingot

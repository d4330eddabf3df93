// NumPy's .npy files (format 1.0 to 3.0, numpy.lib.format).
#pragma once

#include <string>

#include <ingot/tensor.h>

namespace ingot {

// Throws Error: io, or corrupt_file for anything but a little-endian numeric array.
Tensor read_npy(const std::string& path);
// bf16, which NumPy lacks, is written as f32.
void write_npy(const std::string& path, const Tensor& tensor);

}  // namespace ingot

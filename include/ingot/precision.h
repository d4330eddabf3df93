// What a module computes its products in.
#pragma once

#include <cstdint>
#include <string_view>

#include <ingot/export.h>

namespace ingot {

// Of products and convolutions with constant weights; everything else is computed as written.
//   f32   in f32
//   bf16  of operands rounded to bf16 (eight significant bits), summed in f32, where that is faster
enum class Precision : uint8_t { f32, bf16 };

// "f32", "bf16"
INGOT_API std::string_view name_of(Precision precision);
// Throws Error (invalid_argument) if there is none of that name.
INGOT_API Precision precision_of_name(std::string_view name);

}  // namespace ingot

#include <ingot/precision.h>

#include <ingot/check.h>

namespace ingot {

std::string_view name_of(Precision precision) {
  return precision == Precision::bf16 ? "bf16" : "f32";
}

Precision precision_of_name(std::string_view name) {
  for (const Precision precision : {Precision::f32, Precision::bf16})
    if (name == name_of(precision)) return precision;
  fail(ErrorCode::invalid_argument, "there is no precision '", name, "'; there are f32 and bf16");
}

}  // namespace ingot

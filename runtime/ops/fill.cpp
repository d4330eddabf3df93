#include "ops/fill.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "tensor/convert.h"

namespace ingot {
namespace {

// Negative numbers may wrap into the unsigned type, as in PyTorch.
bool in_range(const Scalar& number, DType dtype) {
  if (number.is_complex()) return is_complex(dtype);
  const double value = number.to_double();
  if (!std::isfinite(value)) return true;
  const double magnitude = std::abs(value);
  switch (dtype) {
    case DType::u8: return magnitude <= 255;
    case DType::i8: return value >= -128 && value <= 127;
    case DType::i16: return value >= -32768 && value <= 32767;
    case DType::i32: return value >= -0x1p31 && value < 0x1p31;
    case DType::i64: return !number.is_double() || (value >= -0x1p63 && value < 0x1p63);
    case DType::f16: return magnitude <= 65504;
    case DType::bf16: return magnitude <= 0x1.fep127;
    case DType::f32: return magnitude <= std::numeric_limits<float>::max();
    default: return true;
  }
}

}  // namespace

int64_t saturated_int(const Scalar& number) {
  if (number.is_int() || number.is_bool()) return number.to_int();
  const double value = number.to_double();
  if (value != value) return 0;
  if (value >= 0x1p63) return std::numeric_limits<int64_t>::max();
  return value < -0x1p63 ? std::numeric_limits<int64_t>::min() : static_cast<int64_t>(value);
}

void store_number(const Scalar& number, DType dtype, void* element) {
  if (number.is_complex()) {
    const std::complex<double> value = number.to_complex();
    convert(&value, DType::c128, element, dtype, 1);
  } else if (number.is_double()) {
    const double value = number.to_double();
    convert(&value, DType::f64, element, dtype, 1);
  } else {
    const int64_t value = number.to_int();
    convert(&value, DType::i64, element, dtype, 1);
  }
}

void fill(Tensor& out, const Scalar& number) {
  INGOT_CHECK(in_range(number, out.dtype()), "the value ", box(number).describe(),
              " does not fit in dtype ", out.dtype());
  alignas(16) std::byte element[16];
  store_number(number, out.dtype(), element);
  copy_into(Tensor::from_blob(element, out.dtype(), Dims{}), out);
}

}  // namespace ingot

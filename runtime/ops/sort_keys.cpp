#include "ops/sort_keys.h"

#include <bit>
#include <cmath>

#include <ingot/check.h>
#include "base/half.h"

namespace ingot {
namespace {

constexpr uint64_t kSign = uint64_t{1} << 63;

uint64_t key(int64_t value) { return static_cast<uint64_t>(value) ^ kSign; }
uint64_t key(double value) {
  if (std::isnan(value)) return kNanKey;
  const uint64_t bits = std::bit_cast<uint64_t>(value + 0.0);  // -0.0 + 0.0 is 0.0
  return bits & kSign ? ~bits : bits | kSign;
}

template <class T>
void fill(const std::byte* from, int64_t step, std::vector<uint64_t>& keys) {
  const auto* data = reinterpret_cast<const T*>(from);
  for (size_t i = 0; i < keys.size(); ++i) {
    const T value = data[static_cast<int64_t>(i) * step];
    if constexpr (std::is_integral_v<T>)
      keys[i] = key(static_cast<int64_t>(value));
    else if constexpr (std::is_floating_point_v<T>)
      keys[i] = key(static_cast<double>(value));
    else
      keys[i] = key(static_cast<double>(to_float(value)));
  }
}

}  // namespace

void check_sortable(DType dtype) {
  if (is_complex(dtype))
    fail(ErrorCode::unsupported, "complex numbers have no order: dtype ", dtype);
}

void sort_keys(const std::byte* from, int64_t step, DType dtype, std::vector<uint64_t>& keys) {
  switch (dtype) {
    case DType::u8:
    case DType::boolean: return fill<uint8_t>(from, step, keys);
    case DType::i8: return fill<int8_t>(from, step, keys);
    case DType::i16: return fill<int16_t>(from, step, keys);
    case DType::i32: return fill<int32_t>(from, step, keys);
    case DType::i64: return fill<int64_t>(from, step, keys);
    case DType::f16: return fill<Half>(from, step, keys);
    case DType::bf16: return fill<BFloat16>(from, step, keys);
    case DType::f32: return fill<float>(from, step, keys);
    case DType::f64: return fill<double>(from, step, keys);
    default: check_sortable(dtype);
  }
}

}  // namespace ingot

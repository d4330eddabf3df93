#include <cmath>
#include <complex>
#include <cstring>
#include <limits>

#include <ingot/check.h>
#include "base/half.h"
#include "ops/index.h"
#include "ops/view.h"

namespace ingot {

Positions positions_in(const Tensor& index, int64_t size, bool wrap) {
  INGOT_CHECK(is_integral(index.dtype()) && index.dtype() != DType::boolean,
              "an index must hold integers, got ", index);
  const Tensor packed = index.to(DType::i64).contiguous();
  const auto* data = packed.data<int64_t>();
  Positions positions(data, data + packed.numel());
  const int64_t added = wrap ? size : 0;
  int64_t outside = 0;  // negative once one is
  for (int64_t& position : positions) {
    position += added & (position >> 63);
    outside |= position | static_cast<int64_t>(static_cast<uint64_t>(size - 1) -
                                               static_cast<uint64_t>(position));
  }
  if (outside < 0) [[unlikely]]
    for (int64_t i = 0; i < packed.numel(); ++i)
      if (positions[static_cast<size_t>(i)] < 0 || positions[static_cast<size_t>(i)] >= size)
        fail_as("IndexError", "index ", data[i], " is out of range for size ", size);
  return positions;
}

Positions nonzero_coordinates(const Tensor& self) {
  // A byte other than 0 is true in every dtype's memory, except -0.0 and friends.
  const Tensor truth = self.to(DType::boolean).contiguous();
  const auto* data = truth.data<uint8_t>();
  Positions coordinates;
  const int rank = self.rank();
  int64_t index[kMaxRank] = {};
  for (int64_t i = 0; i < truth.numel(); ++i) {
    if (data[i]) coordinates.insert(coordinates.end(), index, index + rank);
    for (int d = rank - 1; d >= 0 && ++index[d] == self.size(d); --d) index[d] = 0;
  }
  return coordinates;
}

namespace {

template <Reduction kReduction, class T>
T combined(T a, T b) {
  if constexpr (kReduction == Reduction::add) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
    else
      return a + b;
  } else if constexpr (kReduction == Reduction::multiply) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
    else
      return a * b;
  } else {
    if constexpr (std::is_floating_point_v<T>)
      if (std::isnan(a)) return a;
    const bool keep = kReduction == Reduction::maximum ? a >= b : a <= b;
    return keep ? a : b;
  }
}

template <Reduction kReduction, class T>
T combined_stored(T a, T b) {
  if constexpr (std::is_same_v<T, Half>)
    return to_half(combined<kReduction>(to_float(a), to_float(b)));
  else if constexpr (std::is_same_v<T, BFloat16>)
    return to_bfloat16(combined<kReduction>(to_float(a), to_float(b)));
  else
    return combined<kReduction>(a, b);
}
// Bools are read as bytes: a file or a caller may hold others than 0 and 1.
struct StoredBool {
  uint8_t byte;
};
template <Reduction kReduction>
StoredBool combined_stored(StoredBool a, StoredBool b) {
  constexpr bool kEither = kReduction == Reduction::add || kReduction == Reduction::maximum;
  return {static_cast<uint8_t>(kEither ? (a.byte | b.byte) != 0 : (a.byte && b.byte))};
}

template <Reduction kReduction, class T>
void combine(std::byte* to, const Axis& places, const std::byte* from) {
  auto* const target = reinterpret_cast<T*>(to);
  const auto* const values = reinterpret_cast<const T*>(from);
  const auto take_in = [&](int64_t place, int64_t i) {
    target[place] = combined_stored<kReduction>(target[place], values[i]);
  };
  if (places.table) {
    for (int64_t i = 0; i < places.size; ++i) take_in(places.table[i], i);
  } else {
    for (int64_t i = 0; i < places.size; ++i) take_in(i * places.stride, i);
  }
}

template <class T>
void replace(std::byte* to, const Axis& places, const std::byte* from) {
  const auto* const values = reinterpret_cast<const T*>(from);
  for (int64_t i = 0; i < places.size; ++i) reinterpret_cast<T*>(to)[places.at(i)] = values[i];
}

template <Reduction kReduction>
Combine combine_for(DType dtype) {
  switch (dtype) {
    case DType::u8: return combine<kReduction, uint8_t>;
    case DType::i8: return combine<kReduction, int8_t>;
    case DType::i16: return combine<kReduction, int16_t>;
    case DType::i32: return combine<kReduction, int32_t>;
    case DType::i64: return combine<kReduction, int64_t>;
    case DType::f16: return combine<kReduction, Half>;
    case DType::bf16: return combine<kReduction, BFloat16>;
    case DType::f32: return combine<kReduction, float>;
    case DType::f64: return combine<kReduction, double>;
    case DType::boolean: return combine<kReduction, StoredBool>;
    case DType::c64:
      if constexpr (kReduction == Reduction::add || kReduction == Reduction::multiply)
        return combine<kReduction, std::complex<float>>;
      break;
    case DType::c128:
      if constexpr (kReduction == Reduction::add || kReduction == Reduction::multiply)
        return combine<kReduction, std::complex<double>>;
      break;
  }
  fail(ErrorCode::unsupported, "complex numbers have no order: dtype ", dtype);
}

}  // namespace

Combine combine_of(Reduction reduction, DType dtype) {
  switch (reduction) {
    case Reduction::add: return combine_for<Reduction::add>(dtype);
    case Reduction::multiply: return combine_for<Reduction::multiply>(dtype);
    case Reduction::maximum: return combine_for<Reduction::maximum>(dtype);
    case Reduction::minimum: return combine_for<Reduction::minimum>(dtype);
    case Reduction::replace: break;
  }
  switch (size_of(dtype)) {
    case 1: return replace<uint8_t>;
    case 2: return replace<uint16_t>;
    case 4: return replace<uint32_t>;
    case 8: return replace<uint64_t>;
    default: return replace<std::complex<double>>;
  }
}

Reduction reduction_of(std::string_view name) {
  if (name == "sum" || name == "mean" || name == "add") return Reduction::add;
  if (name == "prod" || name == "multiply") return Reduction::multiply;
  if (name == "amax") return Reduction::maximum;
  if (name == "amin") return Reduction::minimum;
  fail(ErrorCode::invalid_argument, "reduction '", name,
       "' is unknown: use sum, prod, mean, amax or amin");
}

}  // namespace ingot

#include "tensor/convert.h"

#include <algorithm>
#include <complex>
#include <cstring>
#include <limits>
#include <type_traits>

#include <ingot/check.h>
#include "base/half.h"
#include "tensor/abstract.h"
#include "tensor/iterate.h"
#include "tensor/reorder.h"

namespace ingot {
namespace {

template <class T>
inline constexpr bool kIsComplex = false;
template <class T>
inline constexpr bool kIsComplex<std::complex<T>> = true;

// Truncates; what does not fit becomes the smallest integer, as the x86 instructions give.
template <class To>
To truncate(double value) {
  constexpr double kLimit = -static_cast<double>(std::numeric_limits<To>::min());
  return value >= -kLimit && value < kLimit ? static_cast<To>(value)
                                            : std::numeric_limits<To>::min();
}

template <class To, class From>
To convert_value(From value) {
  if constexpr (std::is_same_v<To, bool>) {
    return value != From(0);
  } else if constexpr (kIsComplex<To>) {
    using Real = typename To::value_type;
    if constexpr (kIsComplex<From>)
      return To(static_cast<Real>(value.real()), static_cast<Real>(value.imag()));
    else
      return To(static_cast<Real>(value), 0);
  } else if constexpr (kIsComplex<From>) {
    return convert_value<To>(value.real());
  } else if constexpr (std::is_same_v<To, Half>) {
    return to_half(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, BFloat16>) {
    return to_bfloat16(static_cast<float>(value));
  } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    // PyTorch converts to u8 through 64 bits, to the signed types through 32.
    if constexpr (std::is_same_v<To, int64_t> || std::is_same_v<To, uint8_t>)
      return static_cast<To>(truncate<int64_t>(static_cast<double>(value)));
    else
      return static_cast<To>(truncate<int32_t>(static_cast<double>(value)));
  } else {
    return static_cast<To>(value);
  }
}

template <class From, class To>
void convert_loop(const void* from, void* to, int64_t count) {
  const auto* source = static_cast<const From*>(from);
  auto* target = static_cast<To*>(to);
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>)
      target[i] = to_float(source[i]);
    else
      target[i] = convert_value<To>(source[i]);
  }
}

// From a compute dtype to any other.
template <class From>
void narrow(const void* from, void* to, DType to_dtype, int64_t count) {
  switch (to_dtype) {
    case DType::u8: return convert_loop<From, uint8_t>(from, to, count);
    case DType::i8: return convert_loop<From, int8_t>(from, to, count);
    case DType::i16: return convert_loop<From, int16_t>(from, to, count);
    case DType::i32: return convert_loop<From, int32_t>(from, to, count);
    case DType::i64: return convert_loop<From, int64_t>(from, to, count);
    case DType::f16: return convert_loop<From, Half>(from, to, count);
    case DType::bf16: return convert_loop<From, BFloat16>(from, to, count);
    case DType::f32: return convert_loop<From, float>(from, to, count);
    case DType::f64: return convert_loop<From, double>(from, to, count);
    case DType::c64: return convert_loop<From, std::complex<float>>(from, to, count);
    case DType::c128: return convert_loop<From, std::complex<double>>(from, to, count);
    case DType::boolean: return convert_loop<From, bool>(from, to, count);
  }
}

void narrow(const void* from, DType from_dtype, void* to, DType to_dtype, int64_t count) {
  switch (from_dtype) {
    case DType::i64: return narrow<int64_t>(from, to, to_dtype, count);
    case DType::f32: return narrow<float>(from, to, to_dtype, count);
    case DType::f64: return narrow<double>(from, to, to_dtype, count);
    case DType::c64: return narrow<std::complex<float>>(from, to, to_dtype, count);
    default: return narrow<std::complex<double>>(from, to, to_dtype, count);
  }
}

// From any dtype to its compute dtype, another one.
void widen(const void* from, DType from_dtype, void* to, int64_t count) {
  switch (from_dtype) {
    case DType::i8: return convert_loop<int8_t, int64_t>(from, to, count);
    case DType::i16: return convert_loop<int16_t, int64_t>(from, to, count);
    case DType::i32: return convert_loop<int32_t, int64_t>(from, to, count);
    case DType::f16: return convert_loop<Half, float>(from, to, count);
    case DType::bf16: return convert_loop<BFloat16, float>(from, to, count);
    case DType::boolean: {  // a byte other than 0 is true, whatever wrote it
      const auto* source = static_cast<const uint8_t*>(from);
      auto* target = static_cast<int64_t*>(to);
      for (int64_t i = 0; i < count; ++i) target[i] = source[i] != 0;
      return;
    }
    default: return convert_loop<uint8_t, int64_t>(from, to, count);
  }
}

}  // namespace

void convert(const void* from, DType from_dtype, void* to, DType to_dtype, int64_t count) {
  if (from_dtype == to_dtype) {
    if (count > 0) std::memcpy(to, from, static_cast<size_t>(count) * size_of(to_dtype));
    return;
  }
  const DType between = compute_dtype(from_dtype);
  if (from_dtype == between) return narrow(from, between, to, to_dtype, count);
  if (to_dtype == between) return widen(from, from_dtype, to, count);
  constexpr int64_t kStep = 512;
  alignas(64) std::byte tile[kStep * sizeof(int64_t)];
  const auto* source = static_cast<const std::byte*>(from);
  auto* target = static_cast<std::byte*>(to);
  for (int64_t done = 0; done < count; done += kStep) {
    const int64_t step = std::min(kStep, count - done);
    widen(source + done * static_cast<int64_t>(size_of(from_dtype)), from_dtype, tile, step);
    narrow(tile, between, target + done * static_cast<int64_t>(size_of(to_dtype)), to_dtype, step);
  }
}

void copy_into(const Tensor& from, Tensor& to) {
  INGOT_CHECK(!detail::abstract_memory(from), "the elements of ", from, " do not exist yet");
  if (to.numel() == 0) return;
  if (from.is_contiguous() && to.is_contiguous() && from.sizes() == to.sizes())
    return convert(from.data(), from.dtype(), to.data(), to.dtype(), to.numel());
  if (from.dtype() == to.dtype()) {
    const Reorder reorder(to.sizes(), broadcast_strides(from, to.sizes()), to.strides(),
                          size_of(to.dtype()));
    return reorder.run(from.data<const std::byte>(), to.data<std::byte>());
  }
  TileReader reader(from, to.sizes(), to.dtype());
  TileWriter writer(to, to.dtype());
  const int64_t step = tile_elements(std::max(size_of(from.dtype()), size_of(to.dtype())));
  for (int64_t begin = 0; begin < to.numel(); begin += step) {
    const int64_t count = std::min(step, to.numel() - begin);
    writer.write(reader.read(begin, count), begin, count);
  }
}

Tensor Tensor::to(DType dtype) const {
  if (dtype == this->dtype()) return *this;
  if (auto* memory = detail::abstract_memory(*this)) return memory->copy(*this, dtype);
  Tensor out = empty(dtype, sizes());
  copy_into(*this, out);
  return out;
}

}  // namespace ingot

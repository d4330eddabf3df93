// Element types of tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ingot/export.h>

namespace ingot {

// Numbered as PyTorch's ScalarType, because programs carry dtypes as ints.
enum class DType : int8_t {
  u8 = 0,
  i8 = 1,
  i16 = 2,
  i32 = 3,
  i64 = 4,
  f16 = 5,
  f32 = 6,
  f64 = 7,
  c64 = 9,
  c128 = 10,
  boolean = 11,
  bf16 = 15,
};

// True if `number` names one of the types above.
constexpr bool is_dtype(int64_t number) {
  return (number >= 0 && number <= 7) || number == 9 || number == 10 || number == 11 ||
         number == 15;
}

// Bytes of one element.
constexpr size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::u8:
    case DType::i8:
    case DType::boolean: return 1;
    case DType::i16:
    case DType::f16:
    case DType::bf16: return 2;
    case DType::i32:
    case DType::f32: return 4;
    case DType::i64:
    case DType::f64:
    case DType::c64: return 8;
    case DType::c128: return 16;
  }
  return 0;
}

constexpr bool is_complex(DType dtype) { return dtype == DType::c64 || dtype == DType::c128; }

constexpr bool is_floating(DType dtype) {
  return dtype == DType::f16 || dtype == DType::f32 || dtype == DType::f64 || dtype == DType::bf16;
}

// Integers and bool, as PyTorch's is_integral(include_bool=true).
constexpr bool is_integral(DType dtype) { return !is_floating(dtype) && !is_complex(dtype); }

// The short name used in program text and error sentences: "f32", "bool".
constexpr std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::u8: return "u8";
    case DType::i8: return "i8";
    case DType::i16: return "i16";
    case DType::i32: return "i32";
    case DType::i64: return "i64";
    case DType::f16: return "f16";
    case DType::f32: return "f32";
    case DType::f64: return "f64";
    case DType::c64: return "c64";
    case DType::c128: return "c128";
    case DType::boolean: return "bool";
    case DType::bf16: return "bf16";
  }
  return "?";
}

// PyTorch's type promotion of two tensor dtypes (torch.promote_types).
INGOT_API DType promote(DType a, DType b);

// Storage types of the 16-bit floats; arithmetic goes through float.
struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

}  // namespace ingot

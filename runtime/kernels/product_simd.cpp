#include "kernels/product_simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/product_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <atomic>
#include <cstring>

#include <ingot/check.h>
#include "kernels/partial-inl.h"

// Tiles of one template may only differ in their instructions, not in their target. Compilers
// make no bf16 instructions out of f32 code.
#if HWY_TARGET == HWY_AVX3
HWY_PUSH_ATTRIBUTES(HWY_TARGET_STR ",avx512bf16")
#else
HWY_BEFORE_NAMESPACE();
#endif
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));

// The tallest tile has kHeight x 2 (or 4) vectors of sums; two vectors of B and one broadcast
// element of A need registers too. On AVX-512 panels are multiples of half a vector, computed in
// 256-bit registers: Zen 4 executes two of them in the time of one of 512 bits.
#if HWY_TARGET == HWY_AVX3
constexpr SimdLevel kLevel = SimdLevel::avx512;
constexpr int kHeight = 12;
constexpr int kVectors = 2;
constexpr int kUnit = kLanes / 2;
constexpr int64_t kBlockRows = 144;
constexpr int64_t kBlockColumns = 384;
constexpr int64_t kBlockDepth = 384;
#elif HWY_TARGET == HWY_AVX2
constexpr SimdLevel kLevel = SimdLevel::avx2;
constexpr int kHeight = 6;
constexpr int kVectors = 2;
constexpr int kUnit = kLanes;
constexpr int64_t kBlockRows = 132;
constexpr int64_t kBlockColumns = 256;
constexpr int64_t kBlockDepth = 256;
#else
constexpr SimdLevel kLevel = SimdLevel::baseline;
constexpr int kHeight = HWY_TARGET == HWY_NEON ? 6 : 3;
constexpr int kVectors = 4;
constexpr int kUnit = kLanes;
constexpr int64_t kBlockRows = 96;
constexpr int64_t kBlockColumns = 256;
constexpr int64_t kBlockDepth = 256;
#endif
constexpr int kUnits = kVectors * kLanes / kUnit;
constexpr int kCacheLine = 64 / sizeof(float);
static_assert(kHeight <= ProductKernels::kMostRows && kUnits <= ProductKernels::kMostUnits);

// Row r of a finished tile goes to memory, `columns` of them.
template <int kWidth>
HWY_NOINLINE void store_edge(const TileCall& t, const float* sums, int rows) {
  for (int r = 0; r < rows; ++r) {
    for (int j = 0; j < t.columns; ++j) {
      float* to = t.c + r * t.c_stride + j;
      float value = sums[r * kWidth + j];
      if (t.accumulate) value += *to;
      if (t.finish) {
        if (t.bias) value += t.bias[j];
        if (t.residual) value += t.residual[r * t.residual_stride + j];
        value = value < t.low ? t.low : value > t.high ? t.high : value;
      }
      *to = value;
    }
  }
}

// Vectors of one row of a panel: whole ones, then perhaps half a one.
template <int kWidth>
struct PanelRow {
  static constexpr int kWhole = kWidth / kLanes;
  static constexpr bool kHalf = kWidth % kLanes != 0;
};

#if HWY_TARGET == HWY_AVX3
using DHalf = hn::Half<D>;
HWY_INLINE hn::Vec<DHalf> lower_half(V v) { return hn::LowerHalf(DHalf(), v); }
#else
using DHalf = D;  // no panel has a half
[[maybe_unused]] HWY_INLINE V lower_half(V v) { return v; }
#endif
using VHalf = hn::Vec<DHalf>;

// What A and B are made of: how a float of A, broadcast, meets those of B, and how A is copied.
struct F32 {
  static constexpr int kElements = 1;
  template <class W>
  static HWY_INLINE W multiply_add(W a, W b, W sum) {
    return hn::MulAdd(a, b, sum);
  }
  static void copy(const float* from, int64_t count, float* to, int64_t at) {
    std::memcpy(to + at, from, sizeof(float) * static_cast<size_t>(count));
  }
};

using D16 = hn::Rebind<uint16_t, D>;

template <class Rounding>
void copy_rounded(const float* from, int64_t count, float* to, int64_t at) {
  const D d;
  const D16 d16;
  uint16_t* bits = reinterpret_cast<uint16_t*>(to) + at;
  if (count < kLanes) {
    HWY_ALIGN uint16_t few[kLanes];
    hn::Store(Rounding::round(load_first(d, from, count)), d16, few);
    std::memcpy(bits, few, sizeof(uint16_t) * static_cast<size_t>(count));
    return;
  }
  for (int64_t i = 0; i + kLanes <= count; i += kLanes)
    hn::StoreU(Rounding::round(hn::LoadU(d, from + i)), d16, bits + i);
  const int64_t last = count - kLanes;
  hn::StoreU(Rounding::round(hn::LoadU(d, from + last)), d16, bits + last);
}

// Pairs of bf16. Products of two of them are exact in f32, so this and the instruction below give
// the same bits; but that takes subnormal numbers for zeros and makes none.
struct EmulatedBf16 {
  static constexpr int kElements = 2;
  template <class W>
  static HWY_INLINE W multiply_add(W a, W b, W sum) {
    const hn::DFromV<W> d;
    const hn::RebindToUnsigned<decltype(d)> bits;
    const auto second = hn::Set(bits, 0xffff0000u);
    const auto a_bits = hn::BitCast(bits, a);
    const auto b_bits = hn::BitCast(bits, b);
    sum = hn::MulAdd(hn::BitCast(d, hn::And(a_bits, second)),
                     hn::BitCast(d, hn::And(b_bits, second)), sum);
    return hn::MulAdd(hn::BitCast(d, hn::ShiftLeft<16>(a_bits)),
                      hn::BitCast(d, hn::ShiftLeft<16>(b_bits)), sum);
  }
  // To nearest, ties to even; NaN stays NaN.
  static HWY_INLINE hn::Vec<D16> round(V v) {
    const hn::RebindToUnsigned<D> bits;
    const hn::RebindToSigned<D> numbers;
    const auto b = hn::BitCast(bits, v);
    const auto upper = hn::ShiftRight<16>(b);
    const auto half = hn::Add(hn::Set(bits, 0x7fffu), hn::And(upper, hn::Set(bits, 1u)));
    const auto rounded = hn::ShiftRight<16>(hn::Add(b, half));
    const auto nan = hn::Or(upper, hn::Set(bits, 0x40u));
    const auto is_nan = hn::RebindMask(bits, hn::IsNaN(v));
    return hn::DemoteTo(D16(), hn::BitCast(numbers, hn::IfThenElse(is_nan, nan, rounded)));
  }
  static constexpr auto copy = &copy_rounded<EmulatedBf16>;
};

#if HWY_TARGET == HWY_AVX3
struct Bf16 {
  static constexpr int kElements = 2;
  static HWY_INLINE V multiply_add(V a, V b, V sum) {
    return V{_mm512_dpbf16_ps(sum.raw, (__m512bh)a.raw, (__m512bh)b.raw)};
  }
  static HWY_INLINE VHalf multiply_add(VHalf a, VHalf b, VHalf sum) {
    return VHalf{_mm256_dpbf16_ps(sum.raw, (__m256bh)a.raw, (__m256bh)b.raw)};
  }
  static HWY_INLINE hn::Vec<D16> round(V v) {
    return hn::Vec<D16>{(__m256i)_mm512_cvtneps_pbh(v.raw)};
  }
  static constexpr auto copy = &copy_rounded<Bf16>;
};
#endif

// Vector v of row u of panels that are kStep wide.
template <int kStep>
HWY_INLINE V panel_vector(const TileCall& t, const float* b, int u, int v) {
  return hn::LoadU(D(), b + v * kLanes / kStep * t.panel_stride + u * kStep + v * kLanes % kStep);
}

// kWidth columns in kPanels equal panels.
template <class Elements, int kRows, int kWidth, int kPanels = 1>
HWY_NOINLINE void tile(const TileCall& t) {
  using Row = PanelRow<kWidth>;
  constexpr int kWhole = Row::kWhole;
  constexpr int kStep = kWidth / kPanels;  // floats of a panel's row
  static_assert(kPanels == 1 || kStep % kLanes == 0);
  constexpr int kAll = kWhole + (Row::kHalf ? 1 : 0);
  // Enough independent sums to hide the latency of the multiply-add.
  constexpr int kPhases = kRows * kAll >= 8 ? 1 : kRows * kAll >= 4 ? 2 : 4;
  constexpr int kUnroll = kPhases;
  const D d;
  const DHalf dh;
  V sum[kPhases][kRows][kWhole + 1];
  VHalf half[kPhases][kRows];
  HWY_UNROLL(4)
  for (int h = 0; h < kPhases; ++h) {
    HWY_UNROLL(12)
    for (int r = 0; r < kRows; ++r) {
      HWY_UNROLL(8)
      for (int v = 0; v < kWhole; ++v) sum[h][r][v] = hn::Zero(d);
      half[h][r] = hn::Zero(dh);
    }
  }
  const float* const* rows = t.rows;
  const float* tap_panel = t.panel;
  [[maybe_unused]] const float* ahead = t.ahead;
  for (int64_t tap = 0; tap < t.taps; ++tap, rows += kRows, tap_panel += t.tap_stride) {
    const float* a[kRows];
    HWY_UNROLL(12)
    for (int r = 0; r < kRows; ++r) a[r] = rows[r] + t.offset;
    const float* HWY_RESTRICT b = tap_panel;
    int64_t i = 0;
    for (; i + kUnroll <= t.run; i += kUnroll, b += kUnroll * kStep) {
      HWY_UNROLL(4)
      for (int u = 0; u < kUnroll; ++u) {
        if constexpr (kPanels == 1) {
          HWY_UNROLL(4)
          for (int line = 0; line < kWidth; line += kCacheLine) hwy::Prefetch(ahead + line);
          ahead += t.ahead_step;
        }
        V row[kWhole + 1];
        HWY_UNROLL(8)
        for (int v = 0; v < kWhole; ++v) row[v] = panel_vector<kStep>(t, b, u, v);
        VHalf row_half;
        if constexpr (Row::kHalf) row_half = hn::LoadU(dh, b + u * kStep + kWhole * kLanes);
        HWY_UNROLL(12)
        for (int r = 0; r < kRows; ++r) {
          if constexpr (kWhole > 0) {
            const V x = hn::Set(d, a[r][i + u]);
            HWY_UNROLL(8)
            for (int v = 0; v < kWhole; ++v)
              sum[u % kPhases][r][v] = Elements::multiply_add(x, row[v], sum[u % kPhases][r][v]);
            if constexpr (Row::kHalf)
              half[u % kPhases][r] =
                  Elements::multiply_add(lower_half(x), row_half, half[u % kPhases][r]);
          } else {
            half[u % kPhases][r] =
                Elements::multiply_add(hn::Set(dh, a[r][i + u]), row_half, half[u % kPhases][r]);
          }
        }
      }
    }
    if constexpr (kUnroll > 1)
      for (; i < t.run; ++i, b += kStep) {
        V row[kWhole + 1];
        HWY_UNROLL(8)
        for (int v = 0; v < kWhole; ++v) row[v] = panel_vector<kStep>(t, b, 0, v);
        VHalf row_half;
        if constexpr (Row::kHalf) row_half = hn::LoadU(dh, b + kWhole * kLanes);
        HWY_UNROLL(12)
        for (int r = 0; r < kRows; ++r) {
          const V x = hn::Set(d, a[r][i]);
          HWY_UNROLL(8)
          for (int v = 0; v < kWhole; ++v)
            sum[0][r][v] = Elements::multiply_add(x, row[v], sum[0][r][v]);
          if constexpr (Row::kHalf)
            half[0][r] = Elements::multiply_add(lower_half(x), row_half, half[0][r]);
        }
      }
  }
  HWY_UNROLL(4)
  for (int h = 1; h < kPhases; ++h) {
    HWY_UNROLL(12)
    for (int r = 0; r < kRows; ++r) {
      HWY_UNROLL(8)
      for (int v = 0; v < kWhole; ++v) sum[0][r][v] = hn::Add(sum[0][r][v], sum[h][r][v]);
      if constexpr (Row::kHalf) half[0][r] = hn::Add(half[0][r], half[h][r]);
    }
  }
  if (HWY_UNLIKELY(t.columns != kWidth)) {
    HWY_ALIGN float sums[kRows * kWidth];
    HWY_UNROLL(12)
    for (int r = 0; r < kRows; ++r) {
      HWY_UNROLL(8)
      for (int v = 0; v < kWhole; ++v) hn::StoreU(sum[0][r][v], d, sums + r * kWidth + v * kLanes);
      if constexpr (Row::kHalf) hn::StoreU(half[0][r], dh, sums + r * kWidth + kWhole * kLanes);
    }
    return store_edge<kWidth>(t, sums, kRows);
  }
  if (t.accumulate) {
    HWY_UNROLL(12)
    for (int r = 0; r < kRows; ++r) {
      const float* from = t.c + r * t.c_stride;
      HWY_UNROLL(8)
      for (int v = 0; v < kWhole; ++v)
        sum[0][r][v] = hn::Add(sum[0][r][v], hn::LoadU(d, from + v * kLanes));
      if constexpr (Row::kHalf)
        half[0][r] = hn::Add(half[0][r], hn::LoadU(dh, from + kWhole * kLanes));
    }
  }
  if (t.finish) {
    if (t.bias) {
      HWY_UNROLL(8)
      for (int v = 0; v < kWhole; ++v) {
        const V bias = hn::LoadU(d, t.bias + v * kLanes);
        HWY_UNROLL(12)
        for (int r = 0; r < kRows; ++r) sum[0][r][v] = hn::Add(sum[0][r][v], bias);
      }
      if constexpr (Row::kHalf) {
        const VHalf bias = hn::LoadU(dh, t.bias + kWhole * kLanes);
        HWY_UNROLL(12)
        for (int r = 0; r < kRows; ++r) half[0][r] = hn::Add(half[0][r], bias);
      }
    }
    if (t.residual) {
      HWY_UNROLL(12)
      for (int r = 0; r < kRows; ++r) {
        const float* from = t.residual + r * t.residual_stride;
        HWY_UNROLL(8)
        for (int v = 0; v < kWhole; ++v)
          sum[0][r][v] = hn::Add(sum[0][r][v], hn::LoadU(d, from + v * kLanes));
        if constexpr (Row::kHalf)
          half[0][r] = hn::Add(half[0][r], hn::LoadU(dh, from + kWhole * kLanes));
      }
    }
    const V low = hn::Set(d, t.low);
    const V high = hn::Set(d, t.high);
    HWY_UNROLL(12)
    for (int r = 0; r < kRows; ++r) {
      HWY_UNROLL(8)
      for (int v = 0; v < kWhole; ++v) sum[0][r][v] = clamp(sum[0][r][v], low, high);
      if constexpr (Row::kHalf) half[0][r] = clamp(half[0][r], lower_half(low), lower_half(high));
    }
  }
  HWY_UNROLL(12)
  for (int r = 0; r < kRows; ++r) {
    float* to = t.c + r * t.c_stride;
    HWY_UNROLL(8)
    for (int v = 0; v < kWhole; ++v) hn::StoreU(sum[0][r][v], d, to + v * kLanes);
    if constexpr (Row::kHalf) hn::StoreU(half[0][r], dh, to + kWhole * kLanes);
  }
}

template <class Elements, int kRows, int kUnitsWide>
constexpr TileFunction tile_or_null() {
  if constexpr (kRows <= kHeight && kUnitsWide <= kUnits)
    return &tile<Elements, kRows, kUnitsWide * kUnit>;
  else
    return nullptr;
}

// Panels that few rows meet at once: the sums need registers, as does what they are made of.
constexpr int kRegistersOfSums = HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON ? 24 : 12;
template <int kRows>
constexpr int kAbreast = kRows * 4 * kVectors <= kRegistersOfSums   ? 4
                         : kRows * 2 * kVectors <= kRegistersOfSums ? 2
                                                                    : 1;

template <class E, int kRows>
constexpr ProductKernels::Abreast abreast() {
  if constexpr (kAbreast<kRows> == 1)
    return {1, nullptr};
  else
    return {kAbreast<kRows>, &tile<E, kRows, kAbreast<kRows> * kVectors * kLanes, kAbreast<kRows>>};
}

#define INGOT_TILES(w)                                                               \
  {                                                                                  \
    tile_or_null<E, 1, w>(), tile_or_null<E, 2, w>(), tile_or_null<E, 3, w>(),       \
        tile_or_null<E, 4, w>(), tile_or_null<E, 5, w>(), tile_or_null<E, 6, w>(),   \
        tile_or_null<E, 7, w>(), tile_or_null<E, 8, w>(), tile_or_null<E, 9, w>(),   \
        tile_or_null<E, 10, w>(), tile_or_null<E, 11, w>(), tile_or_null<E, 12, w>() \
  }

template <class E>
constexpr ProductKernels kKernels = {
    .level = kLevel,
    .elements = E::kElements,
    .height = kHeight,
    .unit = kUnit,
    .width = kVectors* kLanes,
    .block_rows = kBlockRows,
    .block_columns = kBlockColumns,
    .block_depth = kBlockDepth,
    .copy = E::copy,
    .tiles = {INGOT_TILES(1), INGOT_TILES(2), INGOT_TILES(3), INGOT_TILES(4)},
    .abreast = {abreast<E, 1>(), abreast<E, 2>()},
};
#undef INGOT_TILES

const ProductKernels& f32_kernels() { return kKernels<F32>; }
const ProductKernels& emulated_kernels() { return kKernels<EmulatedBf16>; }
#if HWY_TARGET == HWY_AVX3
const ProductKernels& bf16_kernels() { return kKernels<Bf16>; }
#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot {

namespace {

const ProductKernels& emulated() { INGOT_SIMD_RETURN(emulated_kernels()); }

// Not `emulated` itself: what nobody calls is then left out of the library.
std::atomic<const ProductKernels& (*)()> emulation{nullptr};

// Null if neither the machine nor an emulation has them.
const ProductKernels* bf16_products() {
  if (const auto kernels = emulation.load(std::memory_order_relaxed)) return &kernels();
#if HWY_TARGETS & HWY_AVX3
  if (has_bf16_dot()) return &N_AVX3::bf16_kernels();
#endif
  return nullptr;
}

}  // namespace

const ProductKernels& product_kernels(Precision precision) {
  if (precision == Precision::bf16) {
    if (const ProductKernels* kernels = bf16_products()) return *kernels;
    fail(ErrorCode::unsupported, "this machine lacks products of bf16");
  }
  INGOT_SIMD_RETURN(f32_kernels());
}

bool has_product_kernels(Precision precision) {
  return precision == Precision::f32 || bf16_products() != nullptr;
}

void emulate_bf16_products(bool emulate) { emulation = emulate ? &emulated : nullptr; }

}  // namespace ingot
#endif

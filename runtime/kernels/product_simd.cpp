#include "kernels/product_simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/product_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/partial-inl.h"

HWY_BEFORE_NAMESPACE();
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
// Floats ahead in the panel, for products of so few rows that reading B takes longest.
constexpr int kPrefetch = 1024;
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
HWY_INLINE V lower_half(V v) { return v; }
#endif
using VHalf = hn::Vec<DHalf>;

template <int kRows, int kWidth>
HWY_NOINLINE void tile(const TileCall& t) {
  using Row = PanelRow<kWidth>;
  constexpr int kWhole = Row::kWhole;
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
      HWY_UNROLL(4)
      for (int v = 0; v < kWhole; ++v) sum[h][r][v] = hn::Zero(d);
      half[h][r] = hn::Zero(dh);
    }
  }
  const float* const* rows = t.rows;
  const float* tap_panel = t.panel;
  for (int64_t tap = 0; tap < t.taps; ++tap, rows += kRows, tap_panel += t.tap_stride) {
    const float* a[kRows];
    HWY_UNROLL(12)
    for (int r = 0; r < kRows; ++r) a[r] = rows[r] + t.offset;
    const float* HWY_RESTRICT b = tap_panel;
    int64_t i = 0;
    for (; i + kUnroll <= t.run; i += kUnroll, b += kUnroll * kWidth) {
      HWY_UNROLL(4)
      for (int u = 0; u < kUnroll; ++u) {
        if constexpr (kRows <= 4) hwy::Prefetch(b + u * kWidth + kPrefetch);
        V row[kWhole + 1];
        HWY_UNROLL(4)
        for (int v = 0; v < kWhole; ++v) row[v] = hn::LoadU(d, b + u * kWidth + v * kLanes);
        VHalf row_half;
        if constexpr (Row::kHalf) row_half = hn::LoadU(dh, b + u * kWidth + kWhole * kLanes);
        HWY_UNROLL(12)
        for (int r = 0; r < kRows; ++r) {
          if constexpr (kWhole > 0) {
            const V x = hn::Set(d, a[r][i + u]);
            HWY_UNROLL(4)
            for (int v = 0; v < kWhole; ++v)
              sum[u % kPhases][r][v] = hn::MulAdd(x, row[v], sum[u % kPhases][r][v]);
            if constexpr (Row::kHalf)
              half[u % kPhases][r] = hn::MulAdd(lower_half(x), row_half, half[u % kPhases][r]);
          } else {
            half[u % kPhases][r] =
                hn::MulAdd(hn::Set(dh, a[r][i + u]), row_half, half[u % kPhases][r]);
          }
        }
      }
    }
    if constexpr (kUnroll > 1)
      for (; i < t.run; ++i, b += kWidth) {
        V row[kWhole + 1];
        HWY_UNROLL(4)
        for (int v = 0; v < kWhole; ++v) row[v] = hn::LoadU(d, b + v * kLanes);
        VHalf row_half;
        if constexpr (Row::kHalf) row_half = hn::LoadU(dh, b + kWhole * kLanes);
        HWY_UNROLL(12)
        for (int r = 0; r < kRows; ++r) {
          const V x = hn::Set(d, a[r][i]);
          HWY_UNROLL(4)
          for (int v = 0; v < kWhole; ++v) sum[0][r][v] = hn::MulAdd(x, row[v], sum[0][r][v]);
          if constexpr (Row::kHalf) half[0][r] = hn::MulAdd(lower_half(x), row_half, half[0][r]);
        }
      }
  }
  HWY_UNROLL(4)
  for (int h = 1; h < kPhases; ++h) {
    HWY_UNROLL(12)
    for (int r = 0; r < kRows; ++r) {
      HWY_UNROLL(4)
      for (int v = 0; v < kWhole; ++v) sum[0][r][v] = hn::Add(sum[0][r][v], sum[h][r][v]);
      if constexpr (Row::kHalf) half[0][r] = hn::Add(half[0][r], half[h][r]);
    }
  }
  if (HWY_UNLIKELY(t.columns != kWidth)) {
    HWY_ALIGN float sums[kRows * kWidth];
    HWY_UNROLL(12)
    for (int r = 0; r < kRows; ++r) {
      HWY_UNROLL(4)
      for (int v = 0; v < kWhole; ++v) hn::StoreU(sum[0][r][v], d, sums + r * kWidth + v * kLanes);
      if constexpr (Row::kHalf) hn::StoreU(half[0][r], dh, sums + r * kWidth + kWhole * kLanes);
    }
    return store_edge<kWidth>(t, sums, kRows);
  }
  if (t.accumulate) {
    HWY_UNROLL(12)
    for (int r = 0; r < kRows; ++r) {
      const float* from = t.c + r * t.c_stride;
      HWY_UNROLL(4)
      for (int v = 0; v < kWhole; ++v)
        sum[0][r][v] = hn::Add(sum[0][r][v], hn::LoadU(d, from + v * kLanes));
      if constexpr (Row::kHalf)
        half[0][r] = hn::Add(half[0][r], hn::LoadU(dh, from + kWhole * kLanes));
    }
  }
  if (t.finish) {
    if (t.bias) {
      HWY_UNROLL(4)
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
        HWY_UNROLL(4)
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
      HWY_UNROLL(4)
      for (int v = 0; v < kWhole; ++v) sum[0][r][v] = clamp(sum[0][r][v], low, high);
      if constexpr (Row::kHalf) half[0][r] = clamp(half[0][r], lower_half(low), lower_half(high));
    }
  }
  HWY_UNROLL(12)
  for (int r = 0; r < kRows; ++r) {
    float* to = t.c + r * t.c_stride;
    HWY_UNROLL(4)
    for (int v = 0; v < kWhole; ++v) hn::StoreU(sum[0][r][v], d, to + v * kLanes);
    if constexpr (Row::kHalf) hn::StoreU(half[0][r], dh, to + kWhole * kLanes);
  }
}

template <int kRows, int kUnitsWide>
constexpr TileFunction tile_or_null() {
  if constexpr (kRows <= kHeight && kUnitsWide <= kUnits)
    return &tile<kRows, kUnitsWide * kUnit>;
  else
    return nullptr;
}

#define INGOT_TILES(w)                                                                            \
  {                                                                                               \
    tile_or_null<1, w>(), tile_or_null<2, w>(), tile_or_null<3, w>(), tile_or_null<4, w>(),       \
        tile_or_null<5, w>(), tile_or_null<6, w>(), tile_or_null<7, w>(), tile_or_null<8, w>(),   \
        tile_or_null<9, w>(), tile_or_null<10, w>(), tile_or_null<11, w>(), tile_or_null<12, w>() \
  }

constexpr ProductKernels kProduct = {
    kLevel,      kHeight,
    kUnit,       kVectors* kLanes,
    kBlockRows,  kBlockColumns,
    kBlockDepth, {INGOT_TILES(1), INGOT_TILES(2), INGOT_TILES(3), INGOT_TILES(4)}};
#undef INGOT_TILES

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot {

const ProductKernels& product_kernels() { INGOT_SIMD_RETURN(kProduct); }

}  // namespace ingot
#endif

// Small f32 products: B in panels or in place, A in place. Include once per target.
#if defined(INGOT_KERNELS_PANEL_PRODUCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INGOT_KERNELS_PANEL_PRODUCT_INL_H_
#undef INGOT_KERNELS_PANEL_PRODUCT_INL_H_
#else
#define INGOT_KERNELS_PANEL_PRODUCT_INL_H_
#endif

#include <type_traits>

#include "kernels/gemm.h"
#include "kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

// The register tile: rows by vectors.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int kTileRows = 12;
#elif HWY_TARGET == HWY_AVX2
constexpr int kTileRows = 6;
#else
constexpr int kTileRows = 4;
#endif
constexpr int kTileVectors = 2;
constexpr int64_t kPanel = kTileVectors * kLanes;

constexpr int64_t rounded_up(int64_t value, int64_t unit) {
  return (value + unit - 1) / unit * unit;
}

// One tile of out[rows, vectors]: factors[r] · out + A[rows, k] · B[k, vectors], without the
// first term if `factors` is null. Rows of A are contiguous along k. The last vector of a row has
// `last` lanes if kPartial.
template <int kRows, int kVectors, bool kPartial>
HWY_NOINLINE void product_tile(int64_t k, const float* a, int64_t a_stride, const float* b,
                               int64_t b_stride, int64_t last, const float* factors, float* out,
                               int64_t out_stride) {
  const D d;
  // Rolled loops would keep the sums in memory.
  V sum[kRows][kVectors];
  HWY_UNROLL(12)
  for (int r = 0; r < kRows; ++r) {
    HWY_UNROLL(8)
    for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Zero(d);
  }
  for (int64_t i = 0; i < k; ++i, b += b_stride) {
    V row[kVectors];
    HWY_UNROLL(8)
    for (int v = 0; v < kVectors; ++v)
      row[v] = kPartial && v == kVectors - 1 ? load_first(b + v * kLanes, last)
                                             : hn::LoadU(d, b + v * kLanes);
    HWY_UNROLL(12)
    for (int r = 0; r < kRows; ++r) {
      const V x = set(a[r * a_stride + i]);
      HWY_UNROLL(8)
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(x, row[v], sum[r][v]);
    }
  }
  HWY_UNROLL(12)
  for (int r = 0; r < kRows; ++r) {
    HWY_UNROLL(8)
    for (int v = 0; v < kVectors; ++v) {
      const bool partial = kPartial && v == kVectors - 1;
      float* to = out + r * out_stride + v * kLanes;
      V value = sum[r][v];
      if (factors)
        value =
            hn::MulAdd(set(factors[r]), partial ? load_first(to, last) : hn::LoadU(d, to), value);
      if (partial)
        store_first(value, to, last);
      else
        hn::StoreU(value, d, to);
    }
  }
}

// All rows of out[rows, kVectors vectors].
template <int kVectors, bool kPartial>
HWY_INLINE void product_columns(int64_t rows, int64_t k, const float* a, int64_t a_stride,
                                const float* b, int64_t b_stride, int64_t last,
                                const float* factors, float* out, int64_t out_stride) {
  const auto tiles = [&]<int kRows>(std::integral_constant<int, kRows>) INGOT_LAMBDA {
    for (; rows >= kRows; rows -= kRows, a += kRows * a_stride, out += kRows * out_stride) {
      product_tile<kRows, kVectors, kPartial>(k, a, a_stride, b, b_stride, last, factors, out,
                                              out_stride);
      if (factors) factors += kRows;
    }
  };
  tiles(std::integral_constant<int, kTileRows>());
  if constexpr (kTileRows > 4) tiles(std::integral_constant<int, 4>());
  tiles(std::integral_constant<int, 2>());
  tiles(std::integral_constant<int, 1>());
}

// out[rows, columns] = factors · out + A[rows, k] · B[k, columns]; `b_panel` elements lie between
// panels of kPanel columns, kPanel where rows of B are whole in memory. A panel meets all rows
// while it is in the first-level cache.
HWY_INLINE void product(int64_t rows, int64_t columns, int64_t k, const float* a, int64_t a_stride,
                        const float* b, int64_t b_stride, int64_t b_panel, const float* factors,
                        float* out, int64_t out_stride) {
  if (rows == 1 && b_panel == kPanel) {
    // Many sums side by side hide the latency of one row's.
    const auto wide = [&]<int kVectors>(std::integral_constant<int, kVectors>) INGOT_LAMBDA {
      constexpr int64_t kWidth = kVectors * kLanes;
      for (; columns >= kWidth; columns -= kWidth, b += kWidth, out += kWidth)
        product_tile<1, kVectors, false>(k, a, 0, b, b_stride, kLanes, factors, out, 0);
    };
    wide(std::integral_constant<int, 8>());
    wide(std::integral_constant<int, 4>());
  }
  for (; columns >= kPanel; columns -= kPanel, b += b_panel, out += kPanel)
    product_columns<kTileVectors, false>(rows, k, a, a_stride, b, b_stride, kLanes, factors, out,
                                         out_stride);
  for (; columns >= kLanes; columns -= kLanes, b += kLanes, out += kLanes)
    product_columns<1, false>(rows, k, a, a_stride, b, b_stride, kLanes, factors, out, out_stride);
  if (columns > 0)
    product_columns<1, true>(rows, k, a, a_stride, b, b_stride, columns, factors, out, out_stride);
}

// B[k, n], whose columns are contiguous, as panels.
HWY_INLINE void pack_columns(int64_t k, int64_t n, const float* b, int64_t b_stride,
                             float* panels) {
  for (int64_t j0 = 0; j0 < n; j0 += kPanel, panels += k * kPanel) {
    const int64_t count = n - j0 < kPanel ? n - j0 : kPanel;
    if (count < kPanel) std::memset(panels, 0, sizeof(float) * static_cast<size_t>(k * kPanel));
    int64_t j = 0;
#if HWY_TARGET != HWY_SCALAR
    const hn::Full128<float> d4;
    for (; j + 4 <= count; j += 4) {
      const float* column[4];
      for (int q = 0; q < 4; ++q) column[q] = b + (j0 + j + q) * b_stride;
      int64_t i = 0;
      for (; i + 4 <= k; i += 4) {
        const auto x = hn::LoadU(d4, column[0] + i);
        const auto y = hn::LoadU(d4, column[1] + i);
        const auto z = hn::LoadU(d4, column[2] + i);
        const auto w = hn::LoadU(d4, column[3] + i);
        const auto xz0 = hn::InterleaveLower(d4, x, z);
        const auto xz1 = hn::InterleaveUpper(d4, x, z);
        const auto yw0 = hn::InterleaveLower(d4, y, w);
        const auto yw1 = hn::InterleaveUpper(d4, y, w);
        float* to = panels + i * kPanel + j;
        hn::StoreU(hn::InterleaveLower(d4, xz0, yw0), d4, to);
        hn::StoreU(hn::InterleaveUpper(d4, xz0, yw0), d4, to + kPanel);
        hn::StoreU(hn::InterleaveLower(d4, xz1, yw1), d4, to + 2 * kPanel);
        hn::StoreU(hn::InterleaveUpper(d4, xz1, yw1), d4, to + 3 * kPanel);
      }
      for (; i < k; ++i)
        for (int q = 0; q < 4; ++q) panels[i * kPanel + j + q] = column[q][i];
    }
#endif
    for (; j < count; ++j)
      for (int64_t i = 0; i < k; ++i) panels[i * kPanel + j] = b[(j0 + j) * b_stride + i];
  }
}

// B[k, n] as panels of kPanel columns, zeros beyond.
HWY_INLINE void pack_panels(int64_t k, int64_t n, MatrixView<float> b, float* panels) {
  const D d;
  if (b.row_stride == 1 && b.column_stride != 1)
    return pack_columns(k, n, b.data, b.column_stride, panels);
  for (int64_t c = 0; c < n; c += kPanel, panels += k * kPanel) {
    const int64_t count = n - c < kPanel ? n - c : kPanel;
    for (int64_t i = 0; i < k; ++i) {
      const float* from = b.data + i * b.row_stride + c * b.column_stride;
      float* to = panels + i * kPanel;
      if (b.column_stride == 1 && count == kPanel) {
        for (int v = 0; v < kTileVectors; ++v)
          hn::StoreU(hn::LoadU(d, from + v * kLanes), d, to + v * kLanes);
      } else {
        for (int64_t j = 0; j < kPanel; ++j) to[j] = j < count ? from[j * b.column_stride] : 0;
      }
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#endif  // include guard of this target

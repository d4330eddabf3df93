#include "kernels/gemm_f32_simd.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gemm_f32_simd.cpp"
#include "kernels/simd_targets.h"

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

// Accumulators of the register tile: kTileRows x 2 vectors, with two more for a row of B and
// one for a broadcast element of A.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr int kTileRows = 12;
constexpr int kTileVectors = 2;
#elif HWY_TARGET == HWY_AVX2
constexpr int kTileRows = 6;
constexpr int kTileVectors = 2;
#else
constexpr int kTileRows = 4;
constexpr int kTileVectors = 4;
#endif
constexpr int kTileColumns = kTileVectors * kLanes;

int panel_rows(int rows) {
  if (rows <= 2) return rows;
  return rows <= 4 ? 4 : rows <= 6 ? 6 : rows <= 8 ? 8 : 12;
}

// The scalar form of the epilogue, for the edges of C.
HWY_INLINE float finish(float product, float c, int64_t row, int64_t column,
                        const GemmEpilogue<float>& e) {
  float value = e.alpha * product;
  if (e.beta != 0) value += e.beta * c;
  if (e.row_bias) value += e.row_bias[row];
  if (e.column_bias) value += e.column_bias[column];
  return value;
}

template <int kRows>
HWY_NOINLINE void tile_rows(int rows, int columns, int64_t k, const float* HWY_RESTRICT a,
                            const float* HWY_RESTRICT b, int64_t b_stride, float* HWY_RESTRICT c,
                            int64_t c_stride, const GemmEpilogue<float>& e) {
  const D d;
  V sum[kRows][kTileVectors];
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kTileVectors; ++v) sum[r][v] = hn::Zero(d);
  for (int64_t i = 0; i < k; ++i, a += kRows, b += b_stride) {
    V row[kTileVectors];
    for (int v = 0; v < kTileVectors; ++v) row[v] = hn::LoadU(d, b + v * kLanes);
    for (int r = 0; r < kRows; ++r) {
      const V x = hn::Set(d, a[r]);
      for (int v = 0; v < kTileVectors; ++v) sum[r][v] = hn::MulAdd(x, row[v], sum[r][v]);
    }
  }
  if (rows == kRows && columns == kTileColumns) {
    const V alpha = hn::Set(d, e.alpha);
    const V beta = hn::Set(d, e.beta);
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kTileVectors; ++v) {
        float* to = c + r * c_stride + v * kLanes;
        V value = hn::Mul(sum[r][v], alpha);
        if (e.beta != 0) value = hn::MulAdd(hn::LoadU(d, to), beta, value);
        if (e.row_bias) value = hn::Add(value, hn::Set(d, e.row_bias[r]));
        if (e.column_bias) value = hn::Add(value, hn::LoadU(d, e.column_bias + v * kLanes));
        hn::StoreU(value, d, to);
      }
    }
    return;
  }
  HWY_ALIGN float edge[kRows * kTileColumns];
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kTileVectors; ++v)
      hn::Store(sum[r][v], d, edge + r * kTileColumns + v * kLanes);
  for (int r = 0; r < rows; ++r) {
    for (int j = 0; j < columns; ++j) {
      float* to = c + r * c_stride + j;
      *to = finish(edge[r * kTileColumns + j], *to, r, j, e);
    }
  }
}

void tile(int rows, int columns, int64_t k, const float* a_panel, const float* b, int64_t b_stride,
          float* c, int64_t c_stride, const GemmEpilogue<float>& e) {
  switch (panel_rows(rows)) {
    case 1: return tile_rows<1>(rows, columns, k, a_panel, b, b_stride, c, c_stride, e);
    case 2: return tile_rows<2>(rows, columns, k, a_panel, b, b_stride, c, c_stride, e);
    case 4: return tile_rows<4>(rows, columns, k, a_panel, b, b_stride, c, c_stride, e);
    case 6:
      if constexpr (kTileRows >= 6)
        return tile_rows<6>(rows, columns, k, a_panel, b, b_stride, c, c_stride, e);
      break;
    case 8:
      if constexpr (kTileRows >= 12)
        return tile_rows<8>(rows, columns, k, a_panel, b, b_stride, c, c_stride, e);
      break;
    case 12:
      if constexpr (kTileRows >= 12)
        return tile_rows<12>(rows, columns, k, a_panel, b, b_stride, c, c_stride, e);
      break;
  }
}

void pack_a(int rows, int64_t k, MatrixView<float> a, float* panel) {
  const int height = panel_rows(rows);
  if (rows < height)
    std::memset(panel, 0, sizeof(float) * static_cast<size_t>(k) * static_cast<size_t>(height));
  if (a.column_stride == 1) {
    for (int r = 0; r < rows; ++r) {
      const float* from = a.data + r * a.row_stride;
      for (int64_t i = 0; i < k; ++i) panel[i * height + r] = from[i];
    }
    return;
  }
  for (int64_t i = 0; i < k; ++i)
    for (int r = 0; r < rows; ++r)
      panel[i * height + r] = a.data[r * a.row_stride + i * a.column_stride];
}

void pack_b(int64_t k, int columns, MatrixView<float> b, float* panel) {
  if (columns < kTileColumns)
    std::memset(panel, 0, sizeof(float) * static_cast<size_t>(k) * kTileColumns);
  if (b.column_stride == 1) {
    const D d;
    for (int64_t i = 0; i < k; ++i) {
      const float* from = b.data + i * b.row_stride;
      float* to = panel + i * kTileColumns;
      if (columns == kTileColumns) {
        for (int v = 0; v < kTileVectors; ++v)
          hn::Store(hn::LoadU(d, from + v * kLanes), d, to + v * kLanes);
      } else {
        std::memcpy(to, from, sizeof(float) * static_cast<size_t>(columns));
      }
    }
    return;
  }
  // Column by column in strips of k that stay in the first-level cache.
  constexpr int64_t kStrip = 64;
  for (int64_t i0 = 0; i0 < k; i0 += kStrip) {
    const int64_t i1 = i0 + kStrip < k ? i0 + kStrip : k;
    for (int j = 0; j < columns; ++j) {
      const float* from = b.data + j * b.column_stride;
      for (int64_t i = i0; i < i1; ++i) panel[i * kTileColumns + j] = from[i * b.row_stride];
    }
  }
}

// The sums of the lanes of four vectors.
#if HWY_TARGET == HWY_SCALAR
HWY_INLINE void sum_lanes(V a, V b, V c, V e, float* out) {
  out[0] = hn::GetLane(a);
  out[1] = hn::GetLane(b);
  out[2] = hn::GetLane(c);
  out[3] = hn::GetLane(e);
}
#else
template <class DFold, class VFold>
HWY_INLINE auto fold_to_four(DFold, VFold v) {
  if constexpr (hn::MaxLanes(DFold()) == 4) {
    return v;
  } else {
    const hn::Half<DFold> half;
    return fold_to_four(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

HWY_INLINE void sum_lanes(V a, V b, V c, V e, float* out) {
  const hn::Full128<float> d4;
  const auto a4 = fold_to_four(D(), a);
  const auto b4 = fold_to_four(D(), b);
  const auto c4 = fold_to_four(D(), c);
  const auto e4 = fold_to_four(D(), e);
  const auto ac = hn::Add(hn::InterleaveLower(d4, a4, c4), hn::InterleaveUpper(d4, a4, c4));
  const auto be = hn::Add(hn::InterleaveLower(d4, b4, e4), hn::InterleaveUpper(d4, b4, e4));
  hn::Store(hn::Add(hn::InterleaveLower(d4, ac, be), hn::InterleaveUpper(d4, ac, be)), d4, out);
}
#endif

template <int kRows>
HWY_NOINLINE void dot_rows(int64_t n, int64_t k, const float* HWY_RESTRICT a, int64_t a_stride,
                           const float* HWY_RESTRICT b, int64_t b_stride, float* HWY_RESTRICT c,
                           int64_t c_stride, const GemmEpilogue<float>& e) {
  constexpr int kColumns = 4;
  // Enough independent sums to hide the latency of the multiply-add.
  constexpr int kChains = kRows == 1 ? 2 : 1;
  const D d;
  for (int64_t j = 0; j < n; j += kColumns) {
    const int columns = n - j < kColumns ? static_cast<int>(n - j) : kColumns;
    // Past the last column the last one is repeated and its result dropped.
    const float* column[kColumns];
    for (int q = 0; q < kColumns; ++q)
      column[q] = b + (j + (q < columns ? q : columns - 1)) * b_stride;
    V sum[kChains][kRows][kColumns];
    for (int h = 0; h < kChains; ++h)
      for (int r = 0; r < kRows; ++r)
        for (int q = 0; q < kColumns; ++q) sum[h][r][q] = hn::Zero(d);
    int64_t i = 0;
    for (; i + kChains * kLanes <= k; i += kChains * kLanes) {
      for (int h = 0; h < kChains; ++h) {
        V x[kRows];
        for (int r = 0; r < kRows; ++r) x[r] = hn::LoadU(d, a + r * a_stride + i + h * kLanes);
        for (int q = 0; q < kColumns; ++q) {
          const V w = hn::LoadU(d, column[q] + i + h * kLanes);
          for (int r = 0; r < kRows; ++r) sum[h][r][q] = hn::MulAdd(x[r], w, sum[h][r][q]);
        }
      }
    }
    for (; i < k; i += kLanes) {
      const int64_t count = k - i < kLanes ? k - i : kLanes;
      V x[kRows];
      for (int r = 0; r < kRows; ++r) x[r] = load_first(d, a + r * a_stride + i, count);
      for (int q = 0; q < kColumns; ++q) {
        const V w = load_first(d, column[q] + i, count);
        for (int r = 0; r < kRows; ++r) sum[0][r][q] = hn::MulAdd(x[r], w, sum[0][r][q]);
      }
    }
    for (int h = 1; h < kChains; ++h)
      for (int r = 0; r < kRows; ++r)
        for (int q = 0; q < kColumns; ++q) sum[0][r][q] = hn::Add(sum[0][r][q], sum[h][r][q]);
    HWY_ALIGN float products[kRows][kColumns];
    // A rolled loop would send all sums through memory.
    HWY_UNROLL(4)
    for (int r = 0; r < kRows; ++r)
      sum_lanes(sum[0][r][0], sum[0][r][1], sum[0][r][2], sum[0][r][3], products[r]);
    for (int r = 0; r < kRows; ++r) {
      float* to = c + r * c_stride + j;
      for (int q = 0; q < columns; ++q) to[q] = finish(products[r][q], to[q], r, j + q, e);
    }
  }
}

void dots(int64_t rows, int64_t n, int64_t k, const float* a, int64_t a_stride, const float* b,
          int64_t b_stride, float* c, int64_t c_stride, const GemmEpilogue<float>& epilogue) {
  GemmEpilogue<float> e = epilogue;
  while (rows > 0) {
    const int64_t step = rows >= 4 ? 4 : rows >= 2 ? 2 : 1;
    if (step == 4)
      dot_rows<4>(n, k, a, a_stride, b, b_stride, c, c_stride, e);
    else if (step == 2)
      dot_rows<2>(n, k, a, a_stride, b, b_stride, c, c_stride, e);
    else
      dot_rows<1>(n, k, a, a_stride, b, b_stride, c, c_stride, e);
    rows -= step;
    a += step * a_stride;
    c += step * c_stride;
    if (e.row_bias) e.row_bias += step;
  }
}

constexpr GemmF32Kernels kGemmF32 = {kTileRows, kTileColumns, &tile,      &pack_a,
                                     &pack_b,   &dots,        &panel_rows};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot {

const GemmF32Kernels& gemm_f32_kernels() { INGOT_SIMD_RETURN(kGemmF32); }

}  // namespace ingot
#endif

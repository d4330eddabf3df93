#include "kernels/small_product.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/small_product_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/foreach_target.h>

#include "kernels/panel_product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

// Rows that meet a panel while both are in the first-level cache.
constexpr int64_t kRows = 4 * kTileRows;

int64_t workspace(int64_t n, int64_t k) { return rounded_up(n, kPanel) * k; }

void multiply(int64_t m, int64_t n, int64_t k, MatrixView<float> a, MatrixView<float> b, float* c,
              int64_t c_stride, float* panels) {
  pack_panels(k, n, b, panels);
  for (int64_t row = 0; row < m; row += kRows)
    product(m - row < kRows ? m - row : kRows, n, k, a.at(row, 0).data, a.row_stride, panels,
            kPanel, k * kPanel, nullptr, c + row * c_stride, c_stride);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot {

int64_t small_product_workspace(int64_t n, int64_t k) { INGOT_SIMD_RETURN(workspace(n, k)); }

void small_product(int64_t m, int64_t n, int64_t k, MatrixView<float> a, MatrixView<float> b,
                   float* c, int64_t c_stride, float* workspace) {
  INGOT_SIMD_RETURN(multiply(m, n, k, a, b, c, c_stride, workspace));
}

}  // namespace ingot
#endif

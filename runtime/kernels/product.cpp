#include "kernels/product.h"

#include <algorithm>

namespace ingot {

namespace {

// Rows this near to a multiple of a page apart share the sets of the first-level cache.
constexpr int64_t kPageFloats = 1024;
constexpr int64_t kNearPage = 16;

bool rows_collide(int64_t stride) {
  const int64_t rest = (stride < 0 ? -stride : stride) % kPageFloats;
  return rest < kNearPage || rest > kPageFloats - kNearPage;
}

}  // namespace

int64_t panels_size(const ProductKernels& kernels, int64_t k, int64_t n) {
  return k * divide_up(n, kernels.unit) * kernels.unit;
}

void pack_panels(const ProductKernels& kernels, int64_t k, int64_t n, MatrixView<float> b,
                 const float* column_scale, float* panels) {
  // Rows of a panel at a time, so that columns of B are read in runs and rows of the panel stay
  // in the first-level cache.
  constexpr int64_t kStrip = 32;
  for (int64_t column = 0; column < n; column += kernels.width) {
    const int64_t columns = std::min<int64_t>(kernels.width, n - column);
    const int64_t width = divide_up(columns, kernels.unit) * kernels.unit;
    for (int64_t i0 = 0; i0 < k; i0 += kStrip) {
      const int64_t i1 = std::min(k, i0 + kStrip);
      for (int64_t j = 0; j < width; ++j) {
        float* to = panels + i0 * width + j;
        if (j >= columns) {
          for (int64_t i = i0; i < i1; ++i, to += width) *to = 0;
          continue;
        }
        const float scale = column_scale ? column_scale[column + j] : 1.0f;
        const float* from = b.data + i0 * b.row_stride + (column + j) * b.column_stride;
        for (int64_t i = i0; i < i1; ++i, to += width, from += b.row_stride) *to = *from * scale;
      }
    }
    panels += k * width;
  }
}

namespace {

void product_of_rows(const Product& product, const float* a, int64_t a_stride) {
  run_product(product,
              [a, a_stride](int64_t, int64_t row, int count, int64_t, int64_t, const float** to) {
                for (int r = 0; r < count; ++r) to[r] = a + (row + r) * a_stride;
              });
}

}  // namespace

void product_of_matrices(const ProductKernels& kernels, int64_t m, int64_t n, int64_t k,
                         const float* a, int64_t a_stride, const float* panels, float* c,
                         int64_t c_stride, const Epilogue& epilogue) {
  Product product = {&kernels, m, n, 1, k, panels, c, c_stride, &epilogue};
  product.copy_rows = m > kernels.height && n >= 4 * kernels.width && rows_collide(a_stride);
  product_of_rows(product, a, a_stride);
}

void product_on_this_thread(const ProductKernels& kernels, int64_t m, int64_t n, int64_t k,
                            const float* a, int64_t a_stride, const float* panels, float* c,
                            int64_t c_stride) {
  const Epilogue none;
  Product product = {&kernels, m, n, 1, k, panels, c, c_stride, &none};
  product.threads = false;
  product_of_rows(product, a, a_stride);
}

}  // namespace ingot

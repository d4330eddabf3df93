#include "kernels/packed_gemm.h"

#include "kernels/product.h"

namespace ingot {

PackedMatrix::PackedMatrix(int64_t k, int64_t n, const ProductKernels& kernels)
    : k_(k),
      n_(n),
      kernels_(&kernels),
      bytes_(sizeof(float) * static_cast<size_t>(panels_size(kernels, k, n))),
      panels_(panels_size(kernels, k, n)) {}

SimdLevel PackedMatrix::level() const { return kernels_->level; }

std::shared_ptr<const PackedMatrix> PackedMatrix::pack(int64_t k, int64_t n, MatrixView<float> b,
                                                       const float* column_scale,
                                                       Precision precision) {
  std::shared_ptr<PackedMatrix> packed(new PackedMatrix(k, n, product_kernels(precision)));
  pack_panels(*packed->kernels_, k, n, b, column_scale, packed->panels_.data());
  return packed;
}

void gemm_packed(int64_t m, const float* a, int64_t a_stride, const PackedMatrix& b, float* c,
                 int64_t c_stride, const Epilogue& epilogue) {
  product_of_matrices(b.kernels(), m, b.n(), b.k(), a, a_stride, b.panels(), c, c_stride, epilogue);
}

}  // namespace ingot

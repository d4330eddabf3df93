// aten::_trilinear: the sum of products of three tensors, what bilinear layers are made of.
#include <ingot/op.h>
#include "base/thread_pool.h"
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/functions.h"
#include "ops/shape.h"
#include "ops/view.h"
#include "tensor/iterate.h"

namespace ingot {
namespace {

// `self` with a dimension of size 1 at each of the places `dims`, ascending.
Tensor spread(Tensor self, const IntList& dims, int rank) {
  uint32_t added = 0;
  for (const int64_t dim : dims) added |= uint32_t{1} << wrap_dim(dim, rank);
  for (int d = 0; d < rank; ++d)
    if (added >> d & 1) self = unsqueeze(self, d);
  INGOT_CHECK(self.rank() == rank, "the tensors must have as many dimensions when expanded");
  return self;
}

struct Product {
  Tensor factors[3];
  Dims sizes;       // of all factors together
  uint32_t summed;  // one bit for each dimension that is summed over

  Product(const Tensor& i1, const Tensor& i2, const Tensor& i3, const IntList& expand1,
          const IntList& expand2, const IntList& expand3, const IntList& sumdim) {
    INGOT_CHECK(i1.dtype() == i2.dtype() && i1.dtype() == i3.dtype() && !is_complex(i1.dtype()),
                "the tensors must have one real dtype, got ", i1, ", ", i2, " and ", i3);
    const int rank = i1.rank() + static_cast<int>(expand1.size());
    INGOT_CHECK(rank <= kMaxRank, "there are too many dimensions");
    factors[0] = spread(i1, expand1, rank);
    factors[1] = spread(i2, expand2, rank);
    factors[2] = spread(i3, expand3, rank);
    for (const Tensor& factor : factors) sizes = broadcast(sizes, factor.sizes());
    summed = 0;
    for (const int64_t dim : sumdim) summed |= uint32_t{1} << wrap_dim(dim, rank);
  }
};

TensorInfo trilinear_meta(const Tensor& i1, const Tensor& i2, const Tensor& i3,
                          const IntList& expand1, const IntList& expand2, const IntList& expand3,
                          const IntList& sumdim, int64_t) {
  const Product product(i1, i2, i3, expand1, expand2, expand3, sumdim);
  Dims kept;
  for (int d = 0; d < product.sizes.size(); ++d)
    if (!(product.summed >> d & 1)) kept.push_back(product.sizes[d]);
  return {i1.dtype(), kept};
}

void trilinear(const Tensor& i1, const Tensor& i2, const Tensor& i3, const IntList& expand1,
               const IntList& expand2, const IntList& expand3, const IntList& sumdim, int64_t,
               Tensor& out) {
  if (out.numel() == 0) return;
  const Product product(i1, i2, i3, expand1, expand2, expand3, sumdim);
  Dims order;
  int64_t length = 1;
  for (int d = 0; d < product.sizes.size(); ++d)
    if (!(product.summed >> d & 1)) order.push_back(d);
  for (int d = 0; d < product.sizes.size(); ++d) {
    if (!(product.summed >> d & 1)) continue;
    order.push_back(d);
    length *= product.sizes[d];
  }
  const DType compute = compute_dtype(i1.dtype());
  Tensor ordered[3];
  for (int k = 0; k < 3; ++k)
    ordered[k] = permute(expand(product.factors[k], product.sizes), order);
  ComputeOutput result(out);
  dispatch_compute(compute, [&]<class T>(std::type_identity<T>) {
    parallel_for(0, out.numel(), 1 + 4096 / (length + 1), [&](int64_t begin, int64_t end) {
      TileReader readers[3];
      for (int k = 0; k < 3; ++k) readers[k].open(ordered[k], ordered[k].sizes(), compute);
      const int64_t tile = tile_elements(sizeof(T));
      for (int64_t i = begin; i < end; ++i) {
        std::conditional_t<std::is_integral_v<T>, int64_t, double> sum = 0;
        for (int64_t at = 0; at < length; at += tile) {
          const int64_t count = std::min(tile, length - at);
          const T* factors[3];
          for (int k = 0; k < 3; ++k)
            factors[k] = static_cast<const T*>(readers[k].read(i * length + at, count));
          for (int64_t j = 0; j < count; ++j)
            sum = fn::add(sum, static_cast<decltype(sum)>(
                                   fn::mul(fn::mul(factors[0][j], factors[2][j]), factors[1][j])));
        }
        result.data<T>()[i] = static_cast<T>(sum);
      }
    });
  });
  result.store();
}

INGOT_OP(
    "aten::_trilinear(Tensor i1, Tensor i2, Tensor i3, int[] expand1, int[] expand2, int[] "
    "expand3, int[] sumdim, int unroll_dim=1) -> Tensor",
    Structured<trilinear_meta, trilinear>);

}  // namespace
}  // namespace ingot

#include "ops/plan/memory_order.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace ingot::plan {
namespace {

// Dimensions from outermost to innermost.
std::array<int, kMaxRank> memory_order(const Tensor& tensor) {
  // Dimensions of size 1 may have any stride: they come first.
  std::array<int, kMaxRank> order;
  auto end = order.begin();
  for (int d = 0; d < tensor.rank(); ++d)
    if (tensor.size(d) == 1) *end++ = d;
  const auto first = end;
  for (int d = 0; d < tensor.rank(); ++d)
    if (tensor.size(d) != 1) *end++ = d;
  std::stable_sort(first, end, [&](int a, int b) { return tensor.stride(a) > tensor.stride(b); });
  return order;
}

}  // namespace

bool is_dense(const Tensor& tensor) {
  if (tensor.is_contiguous()) return true;
  // Each stride but the innermost's is the product of the sizes within it.
  int64_t expected = 1;
  uint32_t done = 0;
  for (int k = 0; k < tensor.rank(); ++k) {
    int next = -1;
    for (int d = 0; d < tensor.rank(); ++d)
      if (!(done >> d & 1) && (tensor.size(d) == 1 || tensor.stride(d) == expected)) next = d;
    if (next < 0) return false;
    done |= uint32_t{1} << next;
    expected *= tensor.size(next);
  }
  return true;
}

StridedRange range_in_order_of(const Tensor& out, const Tensor& operand) {
  if (out.is_contiguous()) return StridedRange(operand, out.sizes());
  const int lead = out.rank() - operand.rank();
  INGOT_CHECK(lead >= 0, "a tensor of sizes ", operand.sizes(), " does not broadcast to ",
              out.sizes());
  const auto order = memory_order(out);
  Dims sizes;
  Dims strides;
  for (int k = 0; k < out.rank(); ++k) {
    const int d = order[static_cast<size_t>(k)];
    const int64_t own = d < lead ? 1 : operand.size(d - lead);
    INGOT_CHECK(own == out.size(d) || own == 1, "a tensor of sizes ", operand.sizes(),
                " does not broadcast to ", out.sizes());
    sizes.push_back(out.size(d));
    strides.push_back(own == 1 ? 0 : operand.stride(d - lead));
  }
  return StridedRange(sizes, strides);
}

Dims strides_in_order_of(const Tensor& like, std::span<const int64_t> sizes) {
  const auto order = memory_order(like);
  Dims strides = Dims::filled(like.rank(), 1);
  int64_t stride = 1;
  for (int k = like.rank() - 1; k >= 0; --k) {
    const int d = order[static_cast<size_t>(k)];
    strides[d] = stride;
    stride *= std::max<int64_t>(sizes[static_cast<size_t>(d)], 1);
  }
  return strides;
}

}  // namespace ingot::plan

#include "ops/plan/memory_order.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <ingot/check.h>

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

// A dimension of memory, or several that follow each other in both orders.
struct Axis {
  int64_t size;
  int64_t from;
  int64_t to;
  int64_t room;  // steps that are left towards its end
};

// Those of memory that `sizes` with the strides `from` fill, outermost first.
std::vector<Axis> axes_of(const Dims& sizes, const Dims& from, const Dims& to) {
  std::vector<Axis> axes;
  for (int d = 0; d < sizes.size(); ++d)
    if (sizes[d] != 1) axes.push_back({sizes[d], from[d], to[d], 0});
  std::stable_sort(axes.begin(), axes.end(),
                   [](const Axis& a, const Axis& b) { return a.from > b.from; });
  std::vector<Axis> joined;
  for (const Axis& axis : axes) {
    if (!joined.empty() && joined.back().to == axis.size * axis.to) {
      joined.back() = {joined.back().size * axis.size, axis.from, axis.to, 0};
      continue;
    }
    joined.push_back(axis);
  }
  return joined;
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

bool may_overlap(const Tensor& tensor) {
  if (tensor.is_contiguous() || tensor.numel() == 0) return false;
  std::vector<std::pair<int64_t, int64_t>> axes;  // stride and size, innermost first
  for (int d = 0; d < tensor.rank(); ++d)
    if (tensor.size(d) != 1) axes.emplace_back(tensor.stride(d), tensor.size(d));
  std::sort(axes.begin(), axes.end());
  int64_t reach = 0;  // of the axes within, from the first element to the last
  for (const auto& [stride, size] : axes) {
    if (stride <= reach) return true;
    reach += (size - 1) * stride;
  }
  return false;
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

std::optional<Tensor> view_in_order(const Tensor& view, const Tensor& whole, const Dims& from,
                                    const Dims& to) {
  if (view.numel() == 0) return whole.as_strided(view.sizes(), view.strides(), 0);
  std::vector<Axis> axes = axes_of(whole.sizes(), from, to);
  int64_t rest =
      (view.data<std::byte>() - view.storage()->data) / static_cast<int64_t>(size_of(view.dtype()));
  int64_t offset = 0;
  for (Axis& axis : axes) {
    const int64_t at = rest / axis.from;
    rest -= at * axis.from;
    offset += at * axis.to;
    axis.room = axis.size - 1 - at;
  }
  Dims strides = Dims::filled(view.rank(), 0);
  for (int d = 0; d < view.rank(); ++d) {
    const int64_t stride = view.stride(d);
    if (view.size(d) == 1 || stride == 0) continue;
    // A step along the outermost axis that it is a multiple of, which it must not leave.
    const auto axis =
        std::find_if(axes.begin(), axes.end(), [&](const Axis& a) { return stride % a.from == 0; });
    if (axis == axes.end()) return std::nullopt;
    const int64_t steps = stride / axis->from;
    if (steps * (view.size(d) - 1) > axis->room) return std::nullopt;
    axis->room -= steps * (view.size(d) - 1);
    strides[d] = steps * axis->to;
  }
  return whole.as_strided(view.sizes(), strides, offset);
}

}  // namespace ingot::plan

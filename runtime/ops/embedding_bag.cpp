// Sums, means and maxima of bags of embeddings; rows scaled to a largest norm.
#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include <ingot/op.h>
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/index.h"
#include "ops/on_copy.h"
#include "ops/shape.h"
#include "ops/view.h"

namespace ingot {
namespace {

enum Mode : int64_t { kSum, kMean, kMax };

void check_index(const Tensor& index, std::string_view name) {
  INGOT_CHECK(index.rank() == 1 && (index.dtype() == DType::i64 || index.dtype() == DType::i32),
              name, " must have one dimension and dtype i32 or i64, got ", index);
}

// The bags' first places in `indices`, and its end.
Positions bag_bounds(const Tensor& indices, const Tensor& offsets, bool include_last_offset) {
  Positions bounds = positions_in(offsets, indices.numel() + 1, false);
  if (!include_last_offset || bounds.empty()) bounds.push_back(indices.numel());
  INGOT_CHECK(bounds[0] == 0 || bounds.size() == 1, "offsets must begin with 0, but begin with ",
              bounds[0]);
  INGOT_CHECK(std::is_sorted(bounds.begin(), bounds.end()), "offsets must not descend");
  return bounds;
}

using Four = std::array<TensorInfo, 4>;

// PyTorch's shapes, which follow from what its kernels need: the forward-only op does not shorten
// the results of sums by the last offset.
template <bool kForwardOnly>
Four bag_meta(const Tensor& weight, const Tensor& indices, const Tensor& offsets, bool,
              int64_t mode, bool, const Tensor* per_sample_weights, bool include_last_offset,
              int64_t padding_idx) {
  INGOT_CHECK(weight.rank() == 2 && is_floating(weight.dtype()),
              "the weight of an embedding must be a floating-point matrix, got ", weight);
  check_index(indices, "indices");
  check_index(offsets, "offsets");
  INGOT_CHECK(mode >= kSum && mode <= kMax, "mode ", mode,
              " is unknown: use 0 (sum), 1 (mean) or 2 (max)");
  if (per_sample_weights) {
    INGOT_CHECK(mode == kSum, "per_sample_weights are for mode 0 (sum) only");
    INGOT_CHECK(per_sample_weights->dtype() == weight.dtype() &&
                    per_sample_weights->sizes() == indices.sizes(),
                "per_sample_weights ", *per_sample_weights, " must have the dtype of ", weight,
                " and one element for each of ", indices);
  }
  INGOT_CHECK(!include_last_offset || offsets.numel() > 0,
              "offsets must hold the last one, but are empty");
  const int64_t bags = offsets.numel() - include_last_offset;
  const DType index = offsets.dtype();
  const Dims counts = {kForwardOnly && mode == kSum ? offsets.numel() : bags};
  Dims chosen = counts;
  if (mode == kMax) chosen.push_back(weight.size(1));
  const bool plain_sum = mode == kSum && weight.dtype() != DType::f64 && padding_idx < 0;
  return {TensorInfo{weight.dtype(), Dims{bags, weight.size(1)}},
          TensorInfo{index, Dims{plain_sum ? 0 : indices.numel()}}, TensorInfo{index, counts},
          TensorInfo{index, chosen}};
}

void bag(const Tensor& weight, const Tensor& indices, const Tensor& offsets, bool, int64_t mode,
         bool, const Tensor* per_sample_weights, bool include_last_offset, int64_t padding_idx,
         Tensor& out, Tensor& offset2bag, Tensor& bag_size, Tensor& max_indices) {
  const Positions rows = positions_in(indices, weight.size(0), false);
  const Positions bounds = bag_bounds(indices, offsets, include_last_offset);
  const int64_t bags = out.size(0);
  const int64_t width = out.size(1);
  const DType compute = compute_dtype(weight.dtype());
  const Tensor table = as_dense(weight, compute);
  const Tensor scales = as_dense(per_sample_weights, compute);
  ComputeOutput result(out);
  ComputeOutput owners(offset2bag, DType::i64);
  ComputeOutput counts(bag_size, DType::i64);
  ComputeOutput chosen(max_indices, DType::i64);
  std::fill_n(owners.data<int64_t>(), offset2bag.numel(), 0);
  std::fill_n(counts.data<int64_t>(), bag_size.numel(), 0);
  std::fill_n(chosen.data<int64_t>(), max_indices.numel(), 0);
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    std::vector<double> sums(static_cast<size_t>(width));
    for (int64_t b = 0; b < bags; ++b) {
      std::fill(sums.begin(), sums.end(), 0.0);
      int64_t count = 0;
      for (int64_t i = bounds[static_cast<size_t>(b)]; i < bounds[static_cast<size_t>(b + 1)];
           ++i) {
        if (offset2bag.numel() > 0) owners.data<int64_t>()[i] = b;
        const int64_t row = rows[static_cast<size_t>(i)];
        if (row == padding_idx) continue;
        const T* from = table.data<T>() + row * width;
        const double scale = per_sample_weights ? scales.data<T>()[i] : 1;
        for (int64_t k = 0; k < width; ++k) {
          double& sum = sums[static_cast<size_t>(k)];
          if (mode != kMax) {
            sum += scale * from[k];
          } else if (count == 0 || from[k] > sum) {
            sum = from[k];
            chosen.data<int64_t>()[b * width + k] = row;
          }
        }
        ++count;
      }
      if (mode != kSum) counts.data<int64_t>()[b] = count;
      if (mode == kMean) chosen.data<int64_t>()[b] = count;
      const double divisor = mode == kMean && count > 0 ? static_cast<double>(count) : 1;
      for (int64_t k = 0; k < width; ++k)
        result.data<T>()[b * width + k] = static_cast<T>(sums[static_cast<size_t>(k)] / divisor);
    }
  });
  result.store();
  owners.store();
  counts.store();
  chosen.store();
}

// Rows that `indices` name and whose norm is above `max_norm` are scaled to it.
Tensor embedding_renorm_(const Tensor& self, const Tensor& indices, double max_norm,
                         double norm_type) {
  check_writable(self);
  INGOT_CHECK(self.rank() == 2 && is_floating(self.dtype()),
              "the weight of an embedding must be a floating-point matrix, got ", self);
  INGOT_CHECK(indices.dtype() == DType::i64 || indices.dtype() == DType::i32,
              "the indices of an embedding must have dtype i32 or i64, got ", indices);
  constexpr double kEpsilon = 1e-7;
  Positions rows = positions_in(indices, self.size(0), false);
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  for (const int64_t row : rows) {
    Tensor line = select(self, 0, row);
    Tensor wide = as_dense(line, DType::f64);
    if (wide.shares_storage(self)) wide = wide.clone();
    auto* values = wide.data<double>();
    double norm = 0;
    for (int64_t i = 0; i < wide.numel(); ++i) {
      const double size = std::abs(values[i]);
      if (norm_type == 0)
        norm += size != 0;
      else
        norm = std::isinf(norm_type) ? std::max(norm, size) : norm + std::pow(size, norm_type);
    }
    if (norm_type != 0 && !std::isinf(norm_type)) norm = std::pow(norm, 1 / norm_type);
    if (!(norm > max_norm)) continue;
    for (int64_t i = 0; i < wide.numel(); ++i) values[i] *= max_norm / (norm + kEpsilon);
    copy_into(wide, line);
  }
  return self;
}

#define INGOT_EMBEDDING_BAG(name, forward_only)                                                  \
  INGOT_OP("aten::" name                                                                         \
           "(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, "     \
           "int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool "               \
           "include_last_offset=False, int padding_idx=-1) -> (Tensor, Tensor, Tensor, Tensor)", \
           Structured<bag_meta<forward_only>, bag>)

INGOT_EMBEDDING_BAG("_embedding_bag", false);
INGOT_EMBEDDING_BAG("_embedding_bag_forward_only", true);
INGOT_OP(
    "aten::embedding_renorm(Tensor self, Tensor indices, float max_norm, float norm_type) -> "
    "Tensor",
    OnCopy<embedding_renorm_>);
INGOT_OP(
    "aten::embedding_renorm_(Tensor(a!) self, Tensor indices, float max_norm, float norm_type) -> "
    "Tensor(a!)",
    Function<embedding_renorm_>);

}  // namespace
}  // namespace ingot

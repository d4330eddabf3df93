#include "ops/reduce.h"

namespace ingot {

DimSet dims_to_reduce(const Tensor& self, std::span<const int64_t> dims) {
  const int rank = self.rank();
  if (dims.empty()) return (DimSet{1} << rank) - 1;
  DimSet set = 0;
  for (const int64_t dim : wrap_dims(dims, rank)) set |= DimSet{1} << dim;
  return rank == 0 ? 0 : set;
}

Dims reduced_sizes(const Tensor& self, DimSet dims, bool keepdim) {
  Dims sizes;
  for (int d = 0; d < self.rank(); ++d) {
    if (!(dims >> d & 1))
      sizes.push_back(self.size(d));
    else if (keepdim)
      sizes.push_back(1);
  }
  return sizes;
}

void check_not_empty(const Tensor& self, DimSet dims) {
  for (int d = 0; d < self.rank(); ++d)
    INGOT_CHECK(!(dims >> d & 1) || self.size(d) > 0, "dimension ", d, " of ", self,
                " is empty: this reduction has no value for no elements");
}

namespace detail {

ReductionView reduction_view(const Tensor& self, DimSet dims) {
  ReductionView view;
  Dims kept;
  Dims reduced;
  int64_t nearest = INT64_MAX;  // smallest stride of a reduced dimension
  for (int d = 0; d < self.rank(); ++d) {
    const int64_t size = self.size(d);
    (dims >> d & 1 ? view.reduced : view.outputs) *= size;
    if (size == 1) continue;
    if (dims >> d & 1) {
      reduced.push_back(d);
      nearest = std::min(nearest, self.stride(d));
    } else {
      kept.push_back(d);
    }
  }
  int last = -1;
  if (!kept.empty() && self.stride(static_cast<int>(kept.back())) < nearest && !reduced.empty()) {
    last = static_cast<int>(kept.back());
    view.inner = self.size(last);
    kept.erase(kept.size() - 1);
  }
  Dims sizes;
  Dims strides;
  const auto append = [&](int d) {
    sizes.push_back(self.size(d));
    strides.push_back(self.stride(d));
  };
  for (const int64_t d : kept) append(static_cast<int>(d));
  for (const int64_t d : reduced) append(static_cast<int>(d));
  if (last >= 0) append(last);
  view.tensor = self.as_strided(sizes, strides, 0);
  return view;
}

}  // namespace detail
}  // namespace ingot

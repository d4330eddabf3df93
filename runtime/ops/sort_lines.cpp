#include "ops/sort_lines.h"

#include "ops/axes.h"
#include "ops/shape.h"
#include "ops/sort_keys.h"
#include "ops/view.h"

namespace ingot {

void for_each_line(const Tensor& self, int dim, bool descending, Tensor* values, Tensor* indices,
                   const std::function<void(SortEntries&)>& order) {
  const int64_t length = self.rank() == 0 ? 1 : self.size(dim);
  const Tensor& shape = values ? *values : *indices;
  const int64_t kept = self.rank() == 0 ? 1 : shape.size(dim);
  if (shape.numel() == 0) return;
  const int64_t step = self.rank() == 0 ? 0 : self.stride(dim);
  const auto item = static_cast<int64_t>(size_of(self.dtype()));
  std::vector<Axis> axes = axes_of(self);
  std::vector<Axis> out_axes = axes_of(shape);
  int64_t out_step = 1;
  if (self.rank() > 0) {
    out_step = shape.stride(dim);
    axes.erase(axes.begin() + dim);
    out_axes.erase(out_axes.begin() + dim);
  }
  axes.push_back({});
  out_axes.push_back({});
  std::vector<int64_t> starts;
  for_each_row(out_axes, [&](int64_t offset, int64_t) { starts.push_back(offset); });
  std::vector<uint64_t> keys(static_cast<size_t>(length));
  SortEntries entries(static_cast<size_t>(length));
  const auto* data = static_cast<const std::byte*>(self.data());
  for_each_row(axes, [&](int64_t offset, int64_t line) {
    const std::byte* from = data + offset * item;
    sort_keys(from, step, self.dtype(), keys);
    for (int64_t i = 0; i < length; ++i) entries[i] = {descending ? ~keys[i] : keys[i], i};
    order(entries);
    for (int64_t i = 0; indices && i < kept; ++i)
      indices->data<int64_t>()[starts[line] + i * out_step] = entries[i].index;
    if (!values) return;
    std::vector<int64_t> places(static_cast<size_t>(kept));
    std::vector<std::byte> taken(static_cast<size_t>(kept * item));
    for (int64_t i = 0; i < kept; ++i) places[i] = entries[i].index * step;
    const Axis gather{kept, 0, places.data()};
    gather_axes(from, std::span(&gather, 1), static_cast<size_t>(item), taken.data());
    const Axis scatter{kept, out_step};
    scatter_axes(static_cast<std::byte*>(values->data()) + starts[line] * item,
                 std::span(&scatter, 1), static_cast<size_t>(item), taken.data());
  });
}

std::array<TensorInfo, 2> element_of_line_meta(const Tensor& self, int64_t dim, bool keepdim) {
  const int d = wrap_dim(dim, self.rank());
  check_sortable(self.dtype());
  Dims sizes = self.sizes();
  if (self.rank() > 0) {
    INGOT_CHECK(self.size(d) > 0, "dimension ", d, " of ", self, " has no elements to choose from");
    sizes[d] = 1;
    if (!keepdim) sizes.erase(d);
  }
  return {TensorInfo{self.dtype(), sizes}, TensorInfo{DType::i64, sizes}};
}

void element_of_line(const Tensor& self, int64_t dim, bool keepdim, Tensor& values, Tensor& indices,
                     const std::function<void(SortEntries&)>& order) {
  const int d = wrap_dim(dim, self.rank());
  const bool insert = self.rank() > 0 && !keepdim;
  Tensor value_lines = insert ? unsqueeze(values, d) : values;
  Tensor index_lines = insert ? unsqueeze(indices, d) : indices;
  for_each_line(self, d, false, &value_lines, &index_lines, order);
}

}  // namespace ingot

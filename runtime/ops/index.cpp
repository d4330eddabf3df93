// Advanced indexing: x[i, mask, :, j], read and assigned.
#include <algorithm>
#include <cstring>

#include <ingot/op.h>
#include "ops/axes.h"
#include "ops/fill.h"
#include "ops/index.h"
#include "ops/on_copy.h"
#include "ops/promotion.h"
#include "ops/shape.h"
#include "ops/view.h"
#include "tensor/convert.h"
#include "tensor/iterate.h"

namespace ingot {
namespace {

// The places in `self` that a list of index tensors selects.
class Selection {
 public:
  // Without `elements` only sizes() is known; throws DataDependent if a mask decides it.
  Selection(const Tensor& self, OptionalTensorList indices, bool elements = true)
      : self_(self), elements_(elements) {
    read(indices);
    INGOT_CHECK(!columns_.empty(), "an index list must hold at least one tensor");
    for (const Column& column : columns_) shape_ = broadcast(shape_, column.index.sizes());
    if (elements_) {
      table_ = offsets_of(columns_[0]);
      for (size_t k = 1; k < columns_.size(); ++k) {
        const Positions more = offsets_of(columns_[k]);
        for (size_t i = 0; i < table_.size(); ++i) table_[i] += more[i];
      }
    }
    arrange();
  }

  // Sizes of self[indices].
  const Dims& sizes() const { return sizes_; }
  // A walk over the selected elements in that order; valid while this Selection lives.
  const std::vector<Axis>& axes() const { return axes_; }

 private:
  struct Column {
    int dim;
    Tensor index;
  };

  // One column of integers per indexed dimension; a mask stands for the coordinates of its
  // true elements.
  void read(OptionalTensorList indices) {
    int dim = 0;
    for (size_t k = 0; k < indices.size(); ++k) {
      const Tensor* index = indices[k];
      if (!index) {
        ++dim;
        INGOT_CHECK(dim <= self_.rank(), "too many indices for ", self_);
      } else if (index->dtype() == DType::boolean || index->dtype() == DType::u8) {
        read_mask(*index, dim);
        dim += index->rank();
      } else {
        INGOT_CHECK(is_integral(index->dtype()), "an index must hold integers or be a mask, got ",
                    *index);
        INGOT_CHECK(dim < self_.rank(), "too many indices for ", self_);
        columns_.push_back({dim++, *index});
      }
    }
  }

  void read_mask(const Tensor& mask, int dim) {
    if (!elements_) throw DataDependent();
    INGOT_CHECK(dim + mask.rank() <= self_.rank(), "too many indices for ", self_);
    for (int d = 0; d < mask.rank(); ++d)
      INGOT_CHECK(mask.size(d) == self_.size(dim + d), "the mask ", mask, " does not fit ", self_,
                  " at dimension ", dim + d);
    const Positions coordinates = nonzero_coordinates(mask);
    const int rank = mask.rank();
    if (rank == 0) {
      // A mask without dimensions adds one, of size 1 or 0.
      const auto chosen = static_cast<int64_t>(mask.to(DType::i64).item_int() != 0);
      columns_.push_back({-1, Tensor::zeros(DType::i64, Dims{chosen})});
      return;
    }
    const auto count = static_cast<int64_t>(coordinates.size()) / rank;
    const Tensor table = Tensor::from<int64_t>(coordinates, Dims{count, rank});
    for (int d = 0; d < rank; ++d) columns_.push_back({dim + d, select(table, 1, d)});
  }

  Positions offsets_of(const Column& column) const {
    if (column.dim < 0) return Positions(static_cast<size_t>(numel_of(shape_)), 0);
    Positions offsets = positions_in(expand(column.index, shape_), self_.size(column.dim), true);
    const int64_t stride = self_.stride(column.dim);
    if (stride != 1)
      for (int64_t& offset : offsets) offset *= stride;
    return offsets;
  }

  // Indexed dimensions stand where the first of them was if they are neighbours, else first.
  void arrange() {
    uint32_t indexed = 0;
    bool adjacent = true;
    int first = columns_[0].dim;
    for (size_t k = 0; k < columns_.size(); ++k) {
      if (columns_[k].dim < 0) {
        adjacent = false;
        continue;
      }
      indexed |= uint32_t{1} << columns_[k].dim;
      if (k > 0 && columns_[k].dim != columns_[k - 1].dim + 1) adjacent = false;
    }
    if (!adjacent) first = 0;
    bool placed = false;
    const auto place = [&] {
      if (std::exchange(placed, true)) return;
      for (const int64_t size : shape_) sizes_.push_back(size);
      axes_.push_back({static_cast<int64_t>(table_.size()), 0, table_.data()});
    };
    for (int d = 0; d < self_.rank(); ++d) {
      if (d == first) place();
      if (indexed >> d & 1) continue;
      sizes_.push_back(self_.size(d));
      axes_.push_back({self_.size(d), self_.stride(d)});
    }
    place();
  }

  const Tensor& self_;
  const bool elements_;
  std::vector<Column> columns_;
  Dims shape_;
  Positions table_;
  Dims sizes_;
  std::vector<Axis> axes_;
};

void gather(const Tensor& self, const Selection& selection, Tensor& out) {
  gather_axes(static_cast<const std::byte*>(self.data()), selection.axes(), size_of(self.dtype()),
              static_cast<std::byte*>(out.data()));
}

Tensor index(const Tensor& self, OptionalTensorList indices) {
  const Selection selection(self, indices);
  Tensor out = Tensor::empty(self.dtype(), selection.sizes());
  gather(self, selection, out);
  return out;
}
TensorInfo index_meta(const Tensor& self, OptionalTensorList indices) {
  return {self.dtype(), Selection(self, indices, false).sizes()};
}
void index_kernel(const Tensor& self, OptionalTensorList indices, Tensor& out) {
  gather(self, Selection(self, indices), out);
}

Tensor index_put_(const Tensor& self, OptionalTensorList indices, const Tensor& values,
                  bool accumulate) {
  check_writable(self);
  INGOT_CHECK(values.dtype() == self.dtype() ||
                  (values.numel() == 1 && can_cast(values.dtype(), self.dtype())),
              "the values ", values, " must have the dtype of ", self);
  const Selection selection(self, indices);
  const Tensor packed = expand(values.to(self.dtype()), selection.sizes()).contiguous();
  const auto* from = static_cast<const std::byte*>(packed.data());
  auto* to = static_cast<std::byte*>(self.data());
  const size_t item = size_of(self.dtype());
  if (!accumulate) {
    // The values may lie in the memory that is being written.
    const Tensor own = packed.shares_storage(self) ? packed.clone() : packed;
    scatter_axes(to, selection.axes(), item, static_cast<const std::byte*>(own.data()));
    return self;
  }
  const Combine combine = combine_of(Reduction::add, self.dtype());
  const Axis& inner = selection.axes().back();
  for_each_row(selection.axes(), [&](int64_t offset, int64_t position) {
    combine(to + offset * static_cast<int64_t>(item), inner,
            from + position * static_cast<int64_t>(item));
  });
  return self;
}
Tensor index_put_impl_(const Tensor& self, OptionalTensorList indices, const Tensor& values,
                       bool accumulate, bool) {
  return index_put_(self, indices, values, accumulate);
}

// The list with positions outside `self` moved to the nearest inside.
std::vector<Value> clamped(const Tensor& self, OptionalTensorList indices) {
  std::vector<Value> list;
  for (size_t k = 0; k < indices.size(); ++k) {
    if (!indices[k]) {
      list.emplace_back();
      continue;
    }
    const Tensor& index = *indices[k];
    INGOT_CHECK(is_integral(index.dtype()) && index.dtype() != DType::boolean,
                "an index must hold integers, got ", index);
    INGOT_CHECK(k < static_cast<size_t>(self.rank()), "too many indices for ", self);
    const int64_t size = self.size(static_cast<int>(k));
    Tensor inside = Tensor::empty(DType::i64, index.sizes());
    copy_into(index, inside);
    auto* positions = inside.data<int64_t>();
    for (int64_t i = 0; i < inside.numel(); ++i)
      positions[i] = std::clamp(positions[i], -size, size - 1);
    list.emplace_back(std::move(inside));
  }
  return list;
}

TensorInfo masked_index_meta(const Tensor& self, const Tensor& mask, OptionalTensorList indices,
                             Scalar) {
  INGOT_CHECK(mask.dtype() == DType::boolean, "the mask must have dtype bool, got ", mask);
  const Dims sizes = Selection(self, indices, false).sizes();
  INGOT_CHECK(broadcast(mask.sizes(), sizes) == sizes, "the mask ", mask,
              " does not fit the indexed sizes ", sizes);
  return {self.dtype(), sizes};
}
// self[indices] where the mask is true.
void masked_index(const Tensor& self, const Tensor& mask, OptionalTensorList indices, Scalar fill,
                  Tensor& out) {
  if (out.numel() == 0) return;
  const Tensor keep = expand(mask, out.sizes()).contiguous();
  if (self.numel() > 0) {
    const std::vector<Value> inside = clamped(self, indices);
    gather(self, Selection(self, OptionalTensorList(inside)), out);
  }
  std::byte missing[16];
  store_number(fill, self.dtype(), missing);
  const size_t item = size_of(self.dtype());
  for (int64_t i = 0; i < out.numel(); ++i)
    if (self.numel() == 0 || !keep.data<uint8_t>()[i])
      std::memcpy(static_cast<std::byte*>(out.data()) + i * static_cast<int64_t>(item), missing,
                  item);
}

// Adds the values where the mask is true.
Tensor masked_index_put_accumulate_(const Tensor& self, const Tensor& mask,
                                    OptionalTensorList indices, const Tensor& values) {
  INGOT_CHECK(mask.dtype() == DType::boolean, "the mask must have dtype bool, got ", mask);
  if (self.numel() == 0) return self;
  const Dims sizes = broadcast(mask.sizes(), values.sizes());
  const Tensor keep = expand(mask, sizes).contiguous();
  const Tensor kept = expand(values, sizes).clone();
  const size_t item = size_of(values.dtype());
  for (int64_t i = 0; i < kept.numel(); ++i)
    if (!keep.data<uint8_t>()[i])
      std::memset(static_cast<std::byte*>(kept.data()) + i * static_cast<int64_t>(item), 0, item);
  const std::vector<Value> inside = clamped(self, indices);
  return index_put_(self, OptionalTensorList(inside), kept, true);
}

INGOT_OP("aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor",
         Sized<index, index_meta, index_kernel>);
INGOT_OP("aten::_unsafe_index.Tensor(Tensor self, Tensor?[] indices) -> Tensor",
         Sized<index, index_meta, index_kernel>);
INGOT_OP(
    "aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> "
    "Tensor",
    OnCopy<index_put_>);
INGOT_OP(
    "aten::_unsafe_index_put(Tensor self, Tensor?[] indices, Tensor values, bool "
    "accumulate=False) -> Tensor",
    OnCopy<index_put_>);
INGOT_OP(
    "aten::index_put_(Tensor(a!) self, Tensor?[] indices, Tensor values, bool "
    "accumulate=False) -> Tensor(a!)",
    Function<index_put_>);
INGOT_OP(
    "aten::_index_put_impl_(Tensor(a!) self, Tensor?[] indices, Tensor values, bool "
    "accumulate=False, bool unsafe=False) -> Tensor(a!)",
    Function<index_put_impl_>);
INGOT_OP(
    "aten::_unsafe_masked_index(Tensor self, Tensor mask, Tensor?[] indices, Scalar fill) -> "
    "Tensor",
    Structured<masked_index_meta, masked_index>);
INGOT_OP(
    "aten::_unsafe_masked_index_put_accumulate(Tensor self, Tensor mask, Tensor?[] indices, "
    "Tensor values) -> Tensor",
    OnCopy<masked_index_put_accumulate_>);

}  // namespace
}  // namespace ingot

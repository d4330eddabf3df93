// Several tensors, or one several times, into a new one: cat, stack, repeat, tile.
#include <algorithm>
#include <cstring>

#include <ingot/op.h>
#include "ops/axes.h"
#include "ops/plan/join_node.h"
#include "ops/plan/memory_order.h"
#include "ops/shape.h"
#include "ops/view.h"
#include "tensor/convert.h"

namespace ingot {
namespace {

// Fills out[..., start : start + part.size(dim), ...] along `dim`. `out` is row-major.
void place(const Tensor& part, int dim, int64_t start, Tensor& out) {
  if (part.numel() == 0) return;
  if (!part.is_contiguous() || part.dtype() != out.dtype()) {
    Tensor target = slice(out, dim, start, start + part.size(dim), 1);
    return copy_into(part, target);
  }
  size_t inner = size_of(out.dtype());
  for (int d = dim + 1; d < out.rank(); ++d) inner *= static_cast<size_t>(out.size(d));
  const size_t block = inner * static_cast<size_t>(part.size(dim));
  const size_t step = inner * static_cast<size_t>(out.size(dim));
  const auto* from = static_cast<const std::byte*>(part.data());
  auto* to = static_cast<std::byte*>(out.data()) + inner * static_cast<size_t>(start);
  const size_t blocks = part.nbytes() / block;
  for (size_t i = 0; i < blocks; ++i) std::memcpy(to + i * step, from + i * block, block);
}

// cat() skips tensors of size [0], whatever the others' rank.
bool skipped(const Tensor& tensor) { return tensor.rank() == 1 && tensor.size(0) == 0; }

TensorInfo cat_meta(TensorList tensors, int64_t dim) {
  INGOT_CHECK(tensors.size() > 0, "cat() needs at least one tensor");
  DType dtype = tensors[0].dtype();
  const Tensor* first = nullptr;
  for (size_t i = 0; i < tensors.size(); ++i) {
    dtype = promote(dtype, tensors[i].dtype());
    INGOT_CHECK(tensors[i].rank() > 0, "tensor ", i,
                " has no dimensions: cat() needs at least one");
    if (!first && !skipped(tensors[i])) first = &tensors[i];
  }
  if (!first) return {dtype, Dims{0}};
  const int d = wrap_dim(dim, first->rank());
  Dims sizes = first->sizes();
  sizes[d] = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (skipped(tensors[i])) continue;
    INGOT_CHECK(tensors[i].rank() == first->rank(),
                "tensors to join must have the same number of "
                "dimensions: got ",
                *first, " and ", tensors[i]);
    for (int k = 0; k < first->rank(); ++k)
      INGOT_CHECK(k == d || tensors[i].size(k) == first->size(k),
                  "sizes of tensors to join must be equal except in dimension ", d, ": got ",
                  *first, " and ", tensors[i]);
    sizes[d] += tensors[i].size(d);
  }
  return {dtype, sizes};
}

void cat(TensorList tensors, int64_t dim, Tensor& out) {
  const int d = wrap_dim(dim, out.rank());
  int64_t start = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (skipped(tensors[i])) continue;
    place(tensors[i], d, start, out);
    start += tensors[i].size(d);
  }
}

// The parts, each with its place in `whole`, along dimension d.
Tensor record_join(plan::Recorder& recorder, const std::vector<Tensor>& parts, int d,
                   const TensorInfo& info) {
  // The memory order is the first part's if that can be.
  Tensor whole =
      plan::is_dense(parts[0]) && !parts[0].is_contiguous()
          ? recorder.fresh(info.dtype, info.sizes, plan::strides_in_order_of(parts[0], info.sizes))
          : recorder.fresh(info.dtype, info.sizes);
  std::vector<std::pair<Tensor, Tensor>> places;
  int64_t start = 0;
  for (const Tensor& part : parts) {
    places.emplace_back(part.to(info.dtype),
                        whole.as_strided(part.sizes(), whole.strides(), start * whole.stride(d)));
    start += part.size(d);
  }
  recorder.add(std::make_unique<plan::JoinNode>(std::move(places), whole));
  return whole;
}

bool lower_cat(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  const TensorList tensors = Unbox<TensorList>::get(in[0]);
  const TensorInfo info = cat_meta(tensors, in[1].to_int());
  std::vector<Tensor> parts;
  for (size_t i = 0; i < tensors.size(); ++i)
    if (!skipped(tensors[i])) parts.push_back(tensors[i]);
  if (parts.empty()) return false;
  *out = record_join(recorder, parts, wrap_dim(in[1].to_int(), info.sizes.size()), info);
  return true;
}

TensorInfo stack_meta(TensorList tensors, int64_t dim) {
  INGOT_CHECK(tensors.size() > 0, "stack() needs at least one tensor");
  const int d = wrap_dim(dim, tensors[0].rank() + 1);
  DType dtype = tensors[0].dtype();
  for (size_t i = 0; i < tensors.size(); ++i) {
    INGOT_CHECK(tensors[i].sizes() == tensors[0].sizes(),
                "tensors to stack must have equal sizes: "
                "got ",
                tensors[0], " and ", tensors[i]);
    dtype = promote(dtype, tensors[i].dtype());
  }
  Dims sizes = tensors[0].sizes();
  sizes.insert(d, static_cast<int64_t>(tensors.size()));
  return {dtype, sizes};
}

void stack(TensorList tensors, int64_t dim, Tensor& out) {
  const int d = wrap_dim(dim, out.rank());
  for (size_t i = 0; i < tensors.size(); ++i)
    place(unsqueeze(tensors[i], d), d, static_cast<int64_t>(i), out);
}

bool lower_stack(plan::Recorder& recorder, const Arguments& in, Tensor* out) {
  const TensorList tensors = Unbox<TensorList>::get(in[0]);
  const TensorInfo info = stack_meta(tensors, in[1].to_int());
  const int d = wrap_dim(in[1].to_int(), info.sizes.size());
  std::vector<Tensor> parts;
  for (size_t i = 0; i < tensors.size(); ++i) parts.push_back(unsqueeze(tensors[i], d));
  *out = record_join(recorder, parts, d, info);
  return true;
}

// `self` with ones before its sizes, up to `rank` dimensions.
Tensor with_rank(const Tensor& self, int rank) {
  Dims sizes = Dims::filled(rank, 1);
  Dims strides = Dims::filled(rank, 0);
  const int added = rank - self.rank();
  for (int d = 0; d < self.rank(); ++d) {
    sizes[added + d] = self.size(d);
    strides[added + d] = self.stride(d);
  }
  return self.as_strided(sizes, strides, 0);
}

TensorInfo repeat_meta(const Tensor& self, const IntList& repeats) {
  const int rank = static_cast<int>(repeats.size());
  INGOT_CHECK(rank >= self.rank(), "repeats ", std::span<const int64_t>(repeats),
              " must have a number for each dimension of ", self);
  Dims sizes(repeats);
  for (int d = 0; d < rank; ++d) {
    INGOT_CHECK(repeats[d] >= 0, "repeats ", std::span<const int64_t>(repeats),
                " must not be negative");
    const int from = d - (rank - self.rank());
    if (from >= 0)
      INGOT_CHECK(!__builtin_mul_overflow(sizes[d], self.size(from), &sizes[d]), "repeats ",
                  std::span<const int64_t>(repeats), " of ", self, " are too many");
  }
  return {self.dtype(), sizes};
}

void repeat(const Tensor& self, const IntList& repeats, Tensor& out) {
  const Tensor source = with_rank(self, out.rank());
  if (out.numel() == 0) return;
  PositionLists lists(repeats.size());
  for (int d = 0; d < out.rank(); ++d) {
    if (repeats[d] == 1) continue;
    lists[d].resize(static_cast<size_t>(out.size(d)));
    for (int64_t i = 0; i < out.size(d); ++i) lists[d][i] = i % source.size(d);
  }
  take_positions(source, std::move(lists), out);
}

// tile() repeats the last dimensions if it is given fewer numbers.
IntList tile_repeats(const Tensor& self, const IntList& dims) {
  IntList repeats(std::max(dims.size(), static_cast<size_t>(self.rank())));
  const size_t added = repeats.size() - dims.size();
  for (size_t i = 0; i < repeats.size(); ++i) repeats[i] = i < added ? 1 : dims[i - added];
  return repeats;
}
TensorInfo tile_meta(const Tensor& self, const IntList& dims) {
  return repeat_meta(self, tile_repeats(self, dims));
}
void tile(const Tensor& self, const IntList& dims, Tensor& out) {
  repeat(self, tile_repeats(self, dims), out);
}

// repeat_interleave() without a dimension works on all elements in a row.
Tensor along(const Tensor& self, std::optional<int64_t> dim) {
  return dim ? self : reshape(self, Dims{self.numel()});
}

TensorInfo interleave_meta(const Tensor& self, int64_t repeats, std::optional<int64_t> dim,
                           std::optional<int64_t> output_size) {
  INGOT_CHECK(repeats >= 0, "repeats must not be negative, got ", repeats);
  Dims sizes = dim ? self.sizes() : Dims{self.numel()};
  if (sizes.empty()) sizes = Dims{1};
  int64_t& size = sizes[wrap_dim(dim.value_or(0), sizes.size())];
  INGOT_CHECK(!__builtin_mul_overflow(size, repeats, &size), repeats, " repeats of ", self,
              " are too many");
  INGOT_CHECK(!output_size || *output_size == size, "output_size ", *output_size,
              " does not fit: there are ", size, " elements");
  return {self.dtype(), sizes};
}

void interleave(const Tensor& self, int64_t repeats, std::optional<int64_t> dim,
                std::optional<int64_t>, Tensor& out) {
  if (out.numel() == 0) return;
  const Tensor source = with_rank(along(self, dim), out.rank());
  const int d = wrap_dim(dim.value_or(0), out.rank());
  PositionLists lists(out.rank());
  lists[d].resize(static_cast<size_t>(out.size(d)));
  for (int64_t i = 0; i < out.size(d); ++i) lists[d][i] = i / repeats;
  take_positions(source, std::move(lists), out);
}

// Each position i as often as counts[i] says.
Positions repeated_positions(const Tensor& repeats, std::optional<int64_t> output_size) {
  INGOT_CHECK(
      repeats.rank() <= 1 && (repeats.dtype() == DType::i64 || repeats.dtype() == DType::i32),
      "repeats must be an i32 or i64 tensor of one dimension, got ", repeats);
  const Tensor counts = repeats.to(DType::i64).contiguous();
  const auto* count = counts.data<int64_t>();
  int64_t total = 0;
  for (int64_t i = 0; i < counts.numel(); ++i) {
    INGOT_CHECK(count[i] >= 0, "repeats must not be negative, got ", count[i]);
    INGOT_CHECK(!__builtin_add_overflow(total, count[i], &total), "the repeats are too many");
  }
  INGOT_CHECK(!output_size || *output_size == total, "output_size ", *output_size,
              " does not fit: the repeats add up to ", total);
  numel_of(Dims{total, 8});
  Positions positions;
  positions.reserve(static_cast<size_t>(total));
  for (int64_t i = 0; i < counts.numel(); ++i)
    positions.insert(positions.end(), static_cast<size_t>(count[i]), i);
  return positions;
}

Tensor interleave_counts(const Tensor& repeats, std::optional<int64_t> output_size) {
  const Positions positions = repeated_positions(repeats, output_size);
  return Tensor::from<int64_t>(positions, Dims{static_cast<int64_t>(positions.size())});
}

Tensor interleave_tensor(const Tensor& self, const Tensor& repeats, std::optional<int64_t> dim,
                         std::optional<int64_t> output_size) {
  const Tensor source = with_rank(along(self, dim), std::max(along(self, dim).rank(), 1));
  const int d = wrap_dim(dim.value_or(0), source.rank());
  const Tensor counts =
      repeats.numel() == 1 ? expand(reshape(repeats, Dims{1}), Dims{source.size(d)}) : repeats;
  INGOT_CHECK(counts.numel() == source.size(d), "repeats ", repeats,
              " must have a number for each "
              "of the ",
              source.size(d), " elements of dimension ", d);
  Positions positions = repeated_positions(counts, output_size);
  Dims sizes = source.sizes();
  sizes[d] = static_cast<int64_t>(positions.size());
  Tensor out = Tensor::empty(self.dtype(), sizes);
  if (out.numel() == 0) return out;
  PositionLists lists(out.rank());
  lists[d] = std::move(positions);
  take_positions(source, std::move(lists), out);
  return out;
}

INGOT_OP("aten::cat(Tensor[] tensors, int dim=0) -> Tensor", Structured<cat_meta, cat, lower_cat>);
INGOT_OP("aten::concat(Tensor[] tensors, int dim=0) -> Tensor",
         Structured<cat_meta, cat, lower_cat>);
INGOT_OP("aten::concatenate(Tensor[] tensors, int dim=0) -> Tensor",
         Structured<cat_meta, cat, lower_cat>);
INGOT_OP("aten::stack(Tensor[] tensors, int dim=0) -> Tensor",
         Structured<stack_meta, stack, lower_stack>);
INGOT_OP("aten::repeat(Tensor self, SymInt[] repeats) -> Tensor", Structured<repeat_meta, repeat>);
INGOT_OP("aten::tile(Tensor self, SymInt[] dims) -> Tensor", Structured<tile_meta, tile>);
INGOT_OP(
    "aten::repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, *, SymInt? "
    "output_size=None) -> Tensor",
    Structured<interleave_meta, interleave>);
INGOT_OP(
    "aten::repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, *, "
    "SymInt? output_size=None) -> Tensor",
    Function<interleave_tensor>);
INGOT_OP("aten::repeat_interleave.Tensor(Tensor repeats, *, SymInt? output_size=None) -> Tensor",
         Function<interleave_counts>);

}  // namespace
}  // namespace ingot

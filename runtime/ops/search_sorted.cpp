// Places in sorted sequences: searchsorted, bucketize.
#include <ingot/op.h>
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/promotion.h"
#include "ops/scalar_tensor.h"
#include "ops/shape.h"

namespace ingot {
namespace {

// Each line of `sequence` (or the only one) is searched for the elements of one line of `values`.
struct Search {
  const Tensor& sequence;
  const Tensor& values;
  bool right;
  const Tensor* sorter;
};

// The first place whose element is at least `value`, or with `right` above it; NaN comes last.
template <class T>
int64_t place_of(T value, const T* line, const int64_t* order, int64_t length, bool right) {
  int64_t begin = 0;
  int64_t end = length;
  while (begin < end) {
    const int64_t middle = begin + (end - begin) / 2;
    const T element = line[order ? order[middle] : middle];
    if (right ? element > value : element >= value)
      end = middle;
    else
      begin = middle + 1;
  }
  return begin;
}

void search(const Search& call, DType common, Tensor& out) {
  if (out.numel() == 0) return;
  const DType compute = compute_dtype(common);
  const Tensor sequence = as_dense(call.sequence.to(common), compute);
  const Tensor values = as_dense(call.values.to(common), compute);
  const Tensor sorter = as_dense(call.sorter, DType::i64);
  const auto* order = data_or_null<int64_t>(sorter);
  const int64_t length = sequence.sizes().back();
  if (order) {
    for (int64_t i = 0; i < sorter.numel(); ++i)
      INGOT_CHECK(order[i] >= 0 && order[i] < length, "sorter index ", order[i],
                  " is out of range for a sequence of ", length);
  }
  const bool one_line = sequence.rank() == 1;
  const int64_t per_line = one_line ? values.numel() : values.sizes().back();
  ComputeOutput places(out, DType::i64);
  dispatch_compute(compute, [&]<class T>(std::type_identity<T>) {
    for (int64_t i = 0; i < values.numel(); ++i) {
      const int64_t line = i / per_line * length;
      places.data<int64_t>()[i] = place_of(values.data<T>()[i], sequence.data<T>() + line,
                                           order ? order + line : nullptr, length, call.right);
    }
  });
  places.store();
}

template <class Values>
DType common_dtype(const Tensor& sequence, const Values& values) {
  ResultType type;
  type.add(sequence);
  type.add(values);
  const DType common = type.get();
  INGOT_CHECK(!is_complex(common), "complex numbers have no order: dtype ", common);
  return common;
}

TensorInfo places_info(const Dims& sizes, bool out_int32) {
  return {out_int32 ? DType::i32 : DType::i64, sizes};
}

void check_options(const Tensor& sequence, bool right, const std::optional<std::string_view>& side,
                   const Tensor* sorter) {
  INGOT_CHECK(sequence.rank() > 0, "the sorted sequence must have at least one dimension");
  INGOT_CHECK(!side || *side == "left" || *side == "right", "side must be left or right, but is ",
              side.value_or(""));
  INGOT_CHECK(!side || *side == "right" || !right, "side is left, but right is True");
  if (!sorter) return;
  INGOT_CHECK(sorter->sizes() == sequence.sizes() && sorter->dtype() == DType::i64,
              "the sorter must be an i64 tensor of the sizes of ", sequence, ", got ", *sorter);
}
bool goes_right(bool right, const std::optional<std::string_view>& side) {
  return right || (side && *side == "right");
}

TensorInfo searchsorted_meta(const Tensor& sorted_sequence, const Tensor& self, bool out_int32,
                             bool right, std::optional<std::string_view> side,
                             const Tensor* sorter) {
  check_options(sorted_sequence, right, side, sorter);
  common_dtype(sorted_sequence, self);
  const int rank = sorted_sequence.rank();
  bool fits = rank == 1 || rank == self.rank();
  for (int d = 0; fits && rank > 1 && d + 1 < rank; ++d)
    fits = sorted_sequence.size(d) == self.size(d);
  INGOT_CHECK(fits, "the sequences ", sorted_sequence, " must be one, or one for each line of ",
              self);
  return places_info(self.sizes(), out_int32);
}
void searchsorted(const Tensor& sorted_sequence, const Tensor& self, bool, bool right,
                  std::optional<std::string_view> side, const Tensor* sorter, Tensor& out) {
  search({sorted_sequence, self, goes_right(right, side), sorter},
         common_dtype(sorted_sequence, self), out);
}

TensorInfo searchsorted_number_meta(const Tensor& sorted_sequence, Scalar self, bool out_int32,
                                    bool right, std::optional<std::string_view> side,
                                    const Tensor* sorter) {
  check_options(sorted_sequence, right, side, sorter);
  common_dtype(sorted_sequence, self);
  INGOT_CHECK(sorted_sequence.rank() == 1, "a number is searched for in one sequence, got ",
              sorted_sequence);
  return places_info({}, out_int32);
}
void searchsorted_number(const Tensor& sorted_sequence, Scalar self, bool, bool right,
                         std::optional<std::string_view> side, const Tensor* sorter, Tensor& out) {
  search({sorted_sequence, number_tensor(self), goes_right(right, side), sorter},
         common_dtype(sorted_sequence, self), out);
}

void check_boundaries(const Tensor& boundaries) {
  INGOT_CHECK(boundaries.rank() == 1, "the boundaries must have one dimension, got ", boundaries);
}
TensorInfo bucketize_meta(const Tensor& self, const Tensor& boundaries, bool out_int32, bool) {
  check_boundaries(boundaries);
  common_dtype(boundaries, self);
  return places_info(self.sizes(), out_int32);
}
void bucketize(const Tensor& self, const Tensor& boundaries, bool, bool right, Tensor& out) {
  search({boundaries, self, right, nullptr}, common_dtype(boundaries, self), out);
}
TensorInfo bucketize_number_meta(Scalar self, const Tensor& boundaries, bool out_int32, bool) {
  check_boundaries(boundaries);
  common_dtype(boundaries, self);
  return places_info({}, out_int32);
}
void bucketize_number(Scalar self, const Tensor& boundaries, bool, bool right, Tensor& out) {
  search({boundaries, number_tensor(self), right, nullptr}, common_dtype(boundaries, self), out);
}

INGOT_OP(
    "aten::searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool "
    "right=False, str? side=None, Tensor? sorter=None) -> Tensor",
    Structured<searchsorted_meta, searchsorted>);
INGOT_OP(
    "aten::searchsorted.Scalar(Tensor sorted_sequence, Scalar self, *, bool out_int32=False, bool "
    "right=False, str? side=None, Tensor? sorter=None) -> Tensor",
    Structured<searchsorted_number_meta, searchsorted_number>);
INGOT_OP(
    "aten::bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, bool "
    "right=False) -> Tensor",
    Structured<bucketize_meta, bucketize>);
INGOT_OP(
    "aten::bucketize.Scalar(Scalar self, Tensor boundaries, *, bool out_int32=False, bool "
    "right=False) -> Tensor",
    Structured<bucketize_number_meta, bucketize_number>);

}  // namespace
}  // namespace ingot

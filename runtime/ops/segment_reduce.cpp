// aten::segment_reduce: reductions over runs of neighbouring slices.
#include <algorithm>
#include <cmath>
#include <limits>

#include <ingot/op.h>
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/functions.h"
#include "ops/index.h"
#include "ops/shape.h"

namespace ingot {
namespace {

// The dimension that the segments, which have all dimensions before it, too, divide.
int segment_dim(const Tensor& data, const Tensor* lengths, const Tensor* offsets, int64_t axis) {
  INGOT_CHECK((lengths != nullptr) != (offsets != nullptr),
              "exactly one of lengths and offsets must be given");
  const Tensor& segments = lengths ? *lengths : *offsets;
  const int d = wrap_dim(axis, data.rank());
  INGOT_CHECK(segments.rank() == d + 1 &&
                  (segments.dtype() == DType::i64 || segments.dtype() == DType::i32),
              "the segments of axis ", d, " must have ", d + 1, " dimensions and dtype i64, got ",
              segments);
  for (int k = 0; k < d; ++k)
    INGOT_CHECK(segments.size(k) == data.size(k), "the segments ", segments, " do not fit ", data,
                " in dimension ", k);
  INGOT_CHECK(lengths || segments.size(d) > 0, "offsets must hold the first and the last");
  return d;
}

TensorInfo segment_reduce_meta(const Tensor& data, std::string_view reduce, const Tensor* lengths,
                               const Tensor* indices, const Tensor* offsets, int64_t axis, bool,
                               std::optional<Scalar>) {
  INGOT_CHECK(data.rank() > 0 && is_floating(data.dtype()),
              "segments are reduced of floating-point tensors with dimensions, got ", data);
  INGOT_CHECK(
      reduce == "sum" || reduce == "mean" || reduce == "max" || reduce == "min" || reduce == "prod",
      "reduction '", reduce, "' is unknown: use sum, mean, max, min or prod");
  INGOT_CHECK(!indices, "indices are not supported: gather the data first");
  const int d = segment_dim(data, lengths, offsets, axis);
  TensorInfo info = data.info();
  info.sizes[d] = lengths ? lengths->size(d) : offsets->size(d) - 1;
  return info;
}

// First and last position of each segment, [outer * (count + 1)]. `partial`: the lengths may add
// up to less than the axis.
Positions segment_bounds(const Tensor& data, const Tensor* lengths, const Tensor* offsets, int d,
                         int64_t count, bool partial) {
  const int64_t size = data.size(d);
  if (offsets) {
    Positions bounds = positions_in(*offsets, size + 1, false);
    for (size_t i = 0; i + 1 < bounds.size(); ++i)
      INGOT_CHECK(bounds[i] <= bounds[i + 1] || (static_cast<int64_t>(i) + 1) % (count + 1) == 0,
                  "offsets must not descend");
    return bounds;
  }
  const Positions given = positions_in(*lengths, size + 1, false);
  Positions bounds;
  for (size_t i = 0; i < given.size();) {
    bounds.push_back(0);
    for (int64_t k = 0; k < count; ++k) bounds.push_back(bounds.back() + given[i++]);
    INGOT_CHECK(bounds.back() == size || (partial && bounds.back() < size),
                "the lengths add up to ", bounds.back(), ", but axis ", d, " has size ", size);
  }
  return bounds;
}

enum class Kind { sum, mean, largest, smallest, product };

Kind kind_of(std::string_view reduce) {
  if (reduce == "sum") return Kind::sum;
  if (reduce == "mean") return Kind::mean;
  if (reduce == "max") return Kind::largest;
  return reduce == "min" ? Kind::smallest : Kind::product;
}

double combined(Kind kind, double state, double value) {
  switch (kind) {
    case Kind::sum:
    case Kind::mean: return state + value;
    case Kind::largest: return fn::maximum(state, value);
    case Kind::smallest: return fn::minimum(state, value);
    case Kind::product: return state * value;
  }
  return 0;
}

double start_of(Kind kind) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  switch (kind) {
    case Kind::sum:
    case Kind::mean: return 0;
    case Kind::largest: return -kInfinity;
    case Kind::smallest: return kInfinity;
    case Kind::product: return 1;
  }
  return 0;
}

void segment_reduce(const Tensor& data, std::string_view reduce, const Tensor* lengths,
                    const Tensor*, const Tensor* offsets, int64_t axis, bool unsafe,
                    std::optional<Scalar> initial, Tensor& out) {
  const int d = segment_dim(data, lengths, offsets, axis);
  const int64_t count = out.size(d);
  const Positions bounds = segment_bounds(data, lengths, offsets, d, count, unsafe);
  int64_t outer = 1;
  int64_t inner = 1;
  for (int k = 0; k < data.rank(); ++k) (k < d ? outer : inner) *= k == d ? 1 : data.size(k);
  const Kind kind = kind_of(reduce);
  const double start = initial ? initial->to_double() : start_of(kind);
  const DType compute = compute_dtype(data.dtype());
  const Tensor dense = as_dense(data, compute);
  ComputeOutput result(out);
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t s = 0; s < count; ++s) {
        const int64_t* bound = bounds.data() + o * (count + 1) + s;
        const int64_t length = bound[1] - bound[0];
        for (int64_t i = 0; i < inner; ++i) {
          double state = start;
          for (int64_t k = bound[0]; k < bound[1]; ++k)
            state = combined(kind, state, dense.data<T>()[(o * data.size(d) + k) * inner + i]);
          if (kind == Kind::mean && (length > 0 || !initial)) state /= static_cast<double>(length);
          result.data<T>()[(o * count + s) * inner + i] = static_cast<T>(state);
        }
      }
  });
  result.store();
}

INGOT_OP(
    "aten::segment_reduce(Tensor data, str reduce, *, Tensor? lengths=None, Tensor? indices=None, "
    "Tensor? offsets=None, int axis=0, bool unsafe=False, Scalar? initial=None) -> Tensor",
    Structured<segment_reduce_meta, segment_reduce>);

}  // namespace
}  // namespace ingot

// Counts of elements in bins: histc, histogram, histogramdd, bincount.
#include <algorithm>
#include <cmath>
#include <tuple>

#include <ingot/op.h>
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/index.h"
#include "ops/view.h"

namespace ingot {
namespace {

constexpr int64_t kMaxBins = int64_t{1} << 40;

// How an element finds its bin. Rounding decides for elements on an edge, so the dtype's own
// arithmetic and PyTorch's formulas are used.
enum class Search {
  even,     // by its distance from the first edge
  nearby,   // the same, then among the neighbouring edges
  general,  // among all edges
};

template <class T>
int64_t bin_of(T value, const T* edges, int64_t count, Search search) {
  const T first = edges[0];
  const T last = edges[count - 1];
  if (!(value >= first && value <= last)) return -1;
  int64_t begin = 0;
  int64_t end = count;
  if (search != Search::general) {
    const auto bin =
        static_cast<int64_t>((value - first) / (last - first) * static_cast<T>(count - 1));
    if (search == Search::even) return std::min(bin, count - 2);
    begin = std::clamp<int64_t>(bin - 1, 0, count);
    end = std::clamp<int64_t>(bin + 2, begin, count);
  }
  const int64_t bin = std::upper_bound(edges + begin, edges + end, value) - edges - 1;
  return std::clamp<int64_t>(bin, 0, count - 2);
}

// Counts the points, rows of `points`, in a grid of bins; `edges` are row-major tensors of the
// compute dtype, one for each column.
void count_points(const Tensor& points, const Tensor* weight, const Tensors& edges, Search search,
                  bool density, Tensor& out) {
  const DType compute = compute_dtype(points.dtype());
  const Tensor table = as_dense(points, compute);
  const Tensor weights = as_dense(weight, DType::f64);
  const auto columns = static_cast<int64_t>(edges.size());
  const int64_t rows = columns == 0 ? 0 : table.numel() / columns;
  std::vector<double> counts(static_cast<size_t>(out.numel()), 0.0);
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    for (int64_t i = 0; i < rows; ++i) {
      int64_t place = 0;
      for (int64_t d = 0; d < columns && place >= 0; ++d) {
        const Tensor& axis = edges[static_cast<size_t>(d)];
        const int64_t bin =
            bin_of(table.data<T>()[i * columns + d], axis.data<T>(), axis.numel(), search);
        place = bin < 0 ? -1 : place * (axis.numel() - 1) + bin;
      }
      if (place >= 0) counts[static_cast<size_t>(place)] += weight ? weights.data<double>()[i] : 1;
    }
    if (!density) return;
    double total = 0;
    for (const double count : counts) total += count;
    for (int64_t i = 0; i < out.numel(); ++i) {
      double volume = total;
      int64_t rest = i;
      for (size_t d = edges.size(); d-- > 0;) {
        const int64_t bins = edges[d].numel() - 1;
        const T* at = edges[d].data<T>() + rest % bins;
        volume *= static_cast<double>(at[1] - at[0]);
        rest /= bins;
      }
      counts[static_cast<size_t>(i)] /= volume;
    }
  });
  copy_into(view(Tensor::from<double>(counts, Dims{out.numel()}), out.sizes()), out);
}

template <class T>
std::pair<double, double> range_of(const Tensor& values) {
  const T* data = values.data<T>();
  T low = data[0];
  T high = data[0];
  for (int64_t i = 0; i < values.numel(); ++i) {
    if (data[i] != data[i]) return {data[i], data[i]};
    low = std::min(low, data[i]);
    high = std::max(high, data[i]);
  }
  return {low, high};
}

// The outermost edges: as given, else those of the elements; `margin` apart if they are equal.
std::pair<double, double> outer_edges(const Tensor& values, double low, double high, bool given,
                                      double margin) {
  if (!given && values.numel() > 0) {
    const DType compute = compute_dtype(values.dtype());
    const Tensor table = as_dense(values, compute);
    std::tie(low, high) = compute == DType::f64 ? range_of<double>(table) : range_of<float>(table);
  }
  INGOT_CHECK(std::isfinite(low) && std::isfinite(high), "the range of bins [", low, ", ", high,
              "] is not finite");
  INGOT_CHECK(low <= high, "the range of bins ends at ", high, ", before it starts at ", low);
  if (low == high) {
    low -= margin;
    high += margin;
  }
  return {low, high};
}

// `bins` + 1 evenly spaced edges, rounded to `dtype`, in its compute dtype.
Tensor even_edges(double low, double high, int64_t bins, DType dtype) {
  const DType compute = compute_dtype(dtype);
  const Tensor edges = Tensor::empty(compute, Dims{bins + 1});
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    const T first = static_cast<T>(low);
    const T last = static_cast<T>(high);
    const T step = (last - first) / static_cast<T>(bins);
    for (int64_t i = 0; i <= bins; ++i)
      edges.data<T>()[i] = i < (bins + 1) / 2 ? first + step * static_cast<T>(i)
                                              : last - step * static_cast<T>(bins - i);
  });
  return edges.to(dtype).to(compute);
}

void check_floating(const Tensor& self) {
  INGOT_CHECK(is_floating(self.dtype()), "histograms need a floating-point tensor, got ", self);
}
void check_bins(int64_t bins) {
  INGOT_CHECK(bins > 0 && bins < kMaxBins, "the number of bins must be positive, got ", bins);
}
void check_weight(const Tensor& self, const Tensor* weight, int64_t points) {
  if (!weight) return;
  INGOT_CHECK(weight->dtype() == self.dtype() && weight->numel() == points, "the weight ", *weight,
              " must have one element of the dtype of ", self, " for each of its ", points,
              " points");
}

TensorInfo histc_meta(const Tensor& self, int64_t bins, Scalar, Scalar) {
  check_floating(self);
  check_bins(bins);
  return {self.dtype(), Dims{bins}};
}
void histc(const Tensor& self, int64_t bins, Scalar min, Scalar max, Tensor& out) {
  const double low = min.to_double();
  const double high = max.to_double();
  const auto [first, last] = outer_edges(self, low, high, low != high, 1);
  // The edges between are never read.
  const Tensor edges = even_edges(first, last, bins, compute_dtype(self.dtype()));
  count_points(self, nullptr, {edges}, Search::even, false, out);
}

using Range = std::optional<std::vector<double>>;
using Pair = std::array<TensorInfo, 2>;

Pair histogram_meta(const Tensor& self, int64_t bins, const Range& range, const Tensor* weight,
                    bool) {
  check_floating(self);
  check_bins(bins);
  check_weight(self, weight, self.numel());
  INGOT_CHECK(!range || range->size() == 2, "range must have 2 values");
  return {TensorInfo{self.dtype(), Dims{bins}}, TensorInfo{self.dtype(), Dims{bins + 1}}};
}
void histogram(const Tensor& self, int64_t bins, const Range& range, const Tensor* weight,
               bool density, Tensor& out, Tensor& edges) {
  const auto [first, last] =
      outer_edges(self, range ? (*range)[0] : 0, range ? (*range)[1] : 1, range.has_value(), 0.5);
  const Tensor wide = even_edges(first, last, bins, self.dtype());
  copy_into(wide, edges);
  count_points(self, weight, {wide}, Search::nearby, density, out);
}

void check_edges(const Tensor& self, const Tensor& bins) {
  INGOT_CHECK(bins.rank() == 1 && bins.numel() > 1 && bins.dtype() == self.dtype(), "the edges ",
              bins, " must be two or more of the dtype of ", self);
}
Pair histogram_bins_meta(const Tensor& self, const Tensor& bins, const Tensor* weight, bool) {
  check_floating(self);
  check_weight(self, weight, self.numel());
  check_edges(self, bins);
  return {TensorInfo{self.dtype(), Dims{bins.numel() - 1}}, bins.info()};
}
void histogram_bins(const Tensor& self, const Tensor& bins, const Tensor* weight, bool density,
                    Tensor& out, Tensor& edges) {
  copy_into(bins, edges);
  count_points(self, weight, {as_dense(bins, compute_dtype(self.dtype()))}, Search::general,
               density, out);
}

// Points are the lines along the last dimension.
void check_points(const Tensor& self, const Tensor* weight, size_t columns) {
  check_floating(self);
  INGOT_CHECK(self.rank() >= 2, "points need a tensor of two or more dimensions, got ", self);
  INGOT_CHECK(columns == static_cast<size_t>(self.sizes().back()) && columns > 0, "there are ",
              columns, " bins for points of ", self.sizes().back(), " coordinates");
  check_weight(self, weight, self.numel() / self.sizes().back());
}

Tensors grid_edges(const Tensor& self, const IntList& bins, const Range& range,
                   const Tensor* weight) {
  check_points(self, weight, bins.size());
  INGOT_CHECK(!range || range->size() == 2 * bins.size(), "range must have ", 2 * bins.size(),
              " values");
  Tensors edges;
  for (size_t d = 0; d < bins.size(); ++d) {
    check_bins(bins[d]);
    const auto [first, last] = outer_edges(select(self, self.rank() - 1, static_cast<int64_t>(d)),
                                           range ? (*range)[2 * d] : 0,
                                           range ? (*range)[2 * d + 1] : 1, range.has_value(), 0.5);
    edges.push_back(even_edges(first, last, bins[d], self.dtype()));
  }
  return edges;
}
Tensors histogramdd_bin_edges(const Tensor& self, const IntList& bins, const Range& range,
                              const Tensor* weight, bool) {
  Tensors edges = grid_edges(self, bins, range, weight);
  for (Tensor& axis : edges) axis = axis.to(self.dtype());
  return edges;
}
Tensor histogramdd_from_bin_cts(const Tensor& self, const IntList& bins, const Range& range,
                                const Tensor* weight, bool density) {
  const Tensors edges = grid_edges(self, bins, range, weight);
  Tensor out = Tensor::empty(self.dtype(), bins);
  count_points(self, weight, edges, Search::nearby, density, out);
  return out;
}
Tensor histogramdd_from_bin_tensors(const Tensor& self, TensorList bins, const Tensor* weight,
                                    bool density) {
  check_points(self, weight, bins.size());
  Tensors edges;
  Dims sizes;
  for (size_t d = 0; d < bins.size(); ++d) {
    check_edges(self, bins[d]);
    edges.push_back(as_dense(bins[d], compute_dtype(self.dtype())));
    sizes.push_back(bins[d].numel() - 1);
  }
  Tensor out = Tensor::empty(self.dtype(), sizes);
  count_points(self, weight, edges, Search::general, density, out);
  return out;
}

Tensor bincount(const Tensor& self, const Tensor* weights, int64_t minlength) {
  INGOT_CHECK(self.rank() == 1 && is_integral(self.dtype()) && self.dtype() != DType::boolean,
              "bincount() needs integers in one dimension, got ", self);
  INGOT_CHECK(minlength >= 0 && minlength < kMaxBins, "minlength must not be negative, got ",
              minlength);
  if (weights)
    INGOT_CHECK(weights->sizes() == self.sizes(), "the weights ", *weights,
                " must have the sizes of ", self);
  const Positions values = positions_in(self, kMaxBins, false);
  for (const int64_t value : values) minlength = std::max(minlength, value + 1);
  if (!weights || self.numel() == 0) {
    Tensor counts = Tensor::zeros(DType::i64, Dims{minlength});
    for (const int64_t value : values) ++counts.data<int64_t>()[value];
    return counts;
  }
  const DType dtype = weights->dtype() == DType::f32 ? DType::f32 : DType::f64;
  Tensor sums = Tensor::zeros(dtype, Dims{minlength});
  const Tensor dense = as_dense(*weights, dtype);
  dispatch_floating(dtype, [&]<class T>(std::type_identity<T>) {
    for (size_t i = 0; i < values.size(); ++i) sums.data<T>()[values[i]] += dense.data<T>()[i];
  });
  return sums;
}

INGOT_OP("aten::histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor",
         Structured<histc_meta, histc>);
INGOT_OP(
    "aten::histogram.bin_ct(Tensor self, int bins=100, *, float[]? range=None, Tensor? "
    "weight=None, bool density=False) -> (Tensor hist, Tensor bin_edges)",
    Structured<histogram_meta, histogram>);
INGOT_OP(
    "aten::histogram.bins_tensor(Tensor self, Tensor bins, *, Tensor? weight=None, bool "
    "density=False) -> (Tensor hist, Tensor bin_edges)",
    Structured<histogram_bins_meta, histogram_bins>);
INGOT_OP(
    "aten::_histogramdd_bin_edges(Tensor self, int[] bins, *, float[]? range=None, Tensor? "
    "weight=None, bool density=False) -> Tensor[]",
    Function<histogramdd_bin_edges>);
INGOT_OP(
    "aten::_histogramdd_from_bin_cts(Tensor self, int[] bins, *, float[]? range=None, Tensor? "
    "weight=None, bool density=False) -> Tensor",
    Function<histogramdd_from_bin_cts>);
INGOT_OP(
    "aten::_histogramdd_from_bin_tensors(Tensor self, Tensor[] bins, *, Tensor? weight=None, "
    "bool density=False) -> Tensor",
    Function<histogramdd_from_bin_tensors>);
INGOT_OP("aten::bincount(Tensor self, Tensor? weights=None, SymInt minlength=0) -> Tensor",
         Function<bincount>);

}  // namespace
}  // namespace ingot

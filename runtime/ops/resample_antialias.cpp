// aten::_upsample_bilinear2d_aa, bicubic2d_aa and lanczos2d_aa: interpolation whose kernel widens
// with the distance between output pixels, as image libraries shrink pictures.
#include <algorithm>
#include <cmath>
#include <numbers>

#include <ingot/op.h>
#include "base/thread_pool.h"
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/spatial.h"

namespace ingot {
namespace {

enum class Filter { triangle, cubic, lanczos };

// Half the width of each filter.
constexpr int radius_of(Filter filter) {
  return filter == Filter::triangle ? 1 : filter == Filter::cubic ? 2 : 3;
}

template <class T>
T sinc(T x) {
  if (x == 0) return 1;
  x *= std::numbers::pi_v<T>;
  return std::sin(x) / x;
}

// Keys' cubic has a = -0.5 here.
template <Filter kFilter, class T>
T filtered(T x) {
  x = std::abs(x);
  if (x >= static_cast<T>(radius_of(kFilter))) return 0;
  if constexpr (kFilter == Filter::triangle) {
    return 1 - x;
  } else if constexpr (kFilter == Filter::cubic) {
    constexpr T a = T(-0.5);
    return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : (((x - 5) * x + 8) * x - 4) * a;
  } else {
    return sinc(x) * sinc(x / 3);
  }
}

// What each output position reads along one axis.
template <class T>
struct Axis {
  int64_t in, out;
  int64_t width = 0;            // of each row of `weights`
  std::vector<int64_t> first;   // [out]
  std::vector<int64_t> counts;  // [out]
  std::vector<T> weights;       // [out, width], each row's sum is 1
};

template <Filter kFilter, class T>
Axis<T> axis_of(int64_t in, int64_t out, bool align_corners, std::optional<double> given) {
  Axis<T> axis{in, out, 0, {}, {}, {}};
  T scale;
  if (align_corners)
    scale = out > 1 ? static_cast<T>(in - 1) / static_cast<T>(out - 1) : T(0);
  else if (given && *given > 0)
    scale = static_cast<T>(1 / *given);
  else
    scale = static_cast<T>(in) / static_cast<T>(out);
  const T stretch = std::max(scale, T(1));
  const T support = static_cast<T>(radius_of(kFilter)) * stretch;
  INGOT_CHECK(support < static_cast<T>(kSpatialLimit), "the scale is too large: ", scale);
  axis.width = std::min(in, static_cast<int64_t>(std::ceil(support)) * 2 + 1);
  axis.weights.assign(static_cast<size_t>(out * axis.width), T(0));
  for (int64_t i = 0; i < out; ++i) {
    const T center = scale * (static_cast<T>(i) + T(0.5));
    const auto at = [in](T position) {
      return static_cast<int64_t>(std::clamp(position, T(0), static_cast<T>(in)));
    };
    const int64_t first = std::min(at(center - support + T(0.5)), in - 1);
    const int64_t count = std::clamp<int64_t>(at(center + support + T(0.5)) - first, 0, axis.width);
    T* weights = axis.weights.data() + i * axis.width;
    T total = 0;
    for (int64_t k = 0; k < count; ++k) {
      weights[k] =
          filtered<kFilter>((static_cast<T>(k + first) - center + T(0.5)) * (T(1) / stretch));
      total += weights[k];
    }
    for (int64_t k = 0; k < count && total != 0; ++k) weights[k] /= total;
    axis.first.push_back(first);
    axis.counts.push_back(count);
  }
  return axis;
}

// Resamples the middle dimension of [outer, in, inner].
template <class T>
void resample(const T* from, const Axis<T>& axis, int64_t outer, int64_t inner, T* to) {
  parallel_for(0, outer * axis.out, 1 + 4096 / (inner * axis.width),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const auto place = static_cast<size_t>(i % axis.out);
                   const T* rows = from + (i / axis.out * axis.in + axis.first[place]) * inner;
                   const T* weights = axis.weights.data() + i % axis.out * axis.width;
                   T* sums = to + i * inner;
                   std::fill_n(sums, inner, T(0));
                   for (int64_t k = 0; k < axis.counts[place]; ++k)
                     for (int64_t j = 0; j < inner; ++j)
                       sums[j] += weights[k] * rows[k * inner + j];
                 }
               });
}

// Bytes are resampled with weights rounded to as many bits as 16 hold, and rounded to bytes after
// each dimension.
template <class T>
int round_weights(Axis<T>& axis) {
  const T largest = *std::max_element(axis.weights.begin(), axis.weights.end());
  int bits = 0;
  while (bits < 22 && static_cast<int64_t>(T(0.5) + largest * static_cast<T>(2LL << bits)) < 32768)
    ++bits;
  for (T& weight : axis.weights)
    weight = std::trunc(weight * static_cast<T>(1LL << bits) + (weight < 0 ? T(-0.5) : T(0.5)));
  return bits;
}
void round_to_bytes(double* values, int64_t count, int bits) {
  for (int64_t i = 0; i < count; ++i)
    values[i] = std::clamp(std::floor(std::ldexp(values[i], -bits) + 0.5), 0.0, 255.0);
}

TensorInfo antialias_meta(const Tensor& self, const IntList& output_size, bool,
                          std::optional<double>, std::optional<double>) {
  INGOT_CHECK(self.rank() == 4 && (is_floating(self.dtype()) || self.dtype() == DType::u8),
              "interpolation needs 4 dimensions and a floating-point dtype or u8, got ", self);
  const Spatial size = spatial_argument(output_size, 2, 1, 1, "output_size");
  INGOT_CHECK(output_size.size() == 2, "output_size must have 2 values");
  INGOT_CHECK(self.size(1) > 0 && self.size(2) > 0 && self.size(3) > 0, "the input ", self,
              " has no pixels");
  spatial_sizes(self.sizes(), 2);
  return {self.dtype(), Dims{self.size(0), self.size(1), size[1], size[2]}};
}
template <Filter kFilter>
void antialias(const Tensor& self, const IntList&, bool align_corners,
               std::optional<double> scales_h, std::optional<double> scales_w, Tensor& out) {
  if (out.numel() == 0) return;
  const bool bytes = self.dtype() == DType::u8;
  const DType compute = bytes || self.dtype() == DType::f64 ? DType::f64 : DType::f32;
  const Tensor input = as_dense(self, compute);
  const int64_t planes = self.size(0) * self.size(1);
  ComputeOutput result(out, compute);
  const Tensor wide = Tensor::empty(compute, Dims{planes, self.size(2), out.size(3)});
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    Axis<T> across = axis_of<kFilter, T>(self.size(3), out.size(3), align_corners, scales_w);
    Axis<T> down = axis_of<kFilter, T>(self.size(2), out.size(2), align_corners, scales_h);
    const int across_bits = bytes ? round_weights(across) : 0;
    const int down_bits = bytes ? round_weights(down) : 0;
    resample(input.data<T>(), across, planes * self.size(2), 1, wide.data<T>());
    if (bytes) round_to_bytes(wide.data<double>(), wide.numel(), across_bits);
    resample(wide.data<T>(), down, planes, out.size(3), result.data<T>());
    if (bytes) round_to_bytes(result.data<double>(), out.numel(), down_bits);
  });
  result.store();
}

#define INGOT_ANTIALIAS(name, filter)                                              \
  INGOT_OP("aten::_upsample_" name                                                 \
           "2d_aa(Tensor self, SymInt[2] output_size, bool align_corners, float? " \
           "scales_h=None, float? scales_w=None) -> Tensor",                       \
           Structured<antialias_meta, antialias<filter>>)

INGOT_ANTIALIAS("bilinear", Filter::triangle);
INGOT_ANTIALIAS("bicubic", Filter::cubic);
INGOT_ANTIALIAS("lanczos", Filter::lanczos);

}  // namespace
}  // namespace ingot

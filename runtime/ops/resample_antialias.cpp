// aten::_upsample_bilinear2d_aa, bicubic2d_aa and lanczos2d_aa: interpolation whose kernel widens
// with the distance between output pixels, as image libraries shrink pictures.
#include <algorithm>
#include <cmath>
#include <numbers>

#include <ingot/op.h>
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/spatial.h"
#include "ops/window_axis.h"

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

template <Filter kFilter, class T>
WindowAxis<T> axis_of(int64_t in, int64_t out, bool align_corners, std::optional<double> given) {
  WindowAxis<T> axis{in, out, 0, {}, {}, {}};
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
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    WindowAxis<T> across = axis_of<kFilter, T>(self.size(3), out.size(3), align_corners, scales_w);
    WindowAxis<T> down = axis_of<kFilter, T>(self.size(2), out.size(2), align_corners, scales_h);
    if constexpr (std::is_same_v<T, double>)
      if (bytes)
        return resample_bytes(planes, std::move(down), std::move(across), input.data<T>(),
                              result.data<T>());
    resample_windows(planes, down, across, input.data<T>(), result.data<T>());
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

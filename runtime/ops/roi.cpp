// torchvision's pooling of regions of interest: roi_align, roi_pool, ps_roi_align, ps_roi_pool.
// Regions are rows [image, x1, y1, x2, y2]. Position-sensitive pools (ps_) read each cell of their
// output from channels of its own.
#include <algorithm>
#include <cmath>
#include <limits>

#include <ingot/op.h>
#include "base/thread_pool.h"
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/spatial.h"

namespace ingot {
namespace {

// Positions beyond this are as far outside as any.
constexpr double kFar = 1 << 24;

struct Pool {
  int64_t channels, height, width;      // of the input
  int64_t pooled_height, pooled_width;  // of the output
  int64_t cells() const { return pooled_height * pooled_width; }
};

TensorInfo pooled_info(const Tensor& input, const Tensor& rois, int64_t pooled_height,
                       int64_t pooled_width, bool position_sensitive) {
  INGOT_CHECK(input.rank() == 4 && is_floating(input.dtype()),
              "the input must have 4 dimensions and a floating-point dtype, got ", input);
  INGOT_CHECK(rois.rank() == 2 && rois.size(1) == 5 && rois.dtype() == input.dtype(),
              "rois must be a matrix of 5 columns in the dtype of ", input, ", got ", rois);
  INGOT_CHECK(pooled_height > 0 && pooled_width > 0 && pooled_height < kSpatialLimit &&
                  pooled_width < kSpatialLimit,
              "the pooled size must be positive, but is ", pooled_height, " x ", pooled_width);
  int64_t channels = input.size(1);
  if (position_sensitive) {
    INGOT_CHECK(channels % (pooled_height * pooled_width) == 0, "the channels of ", input,
                " must be a multiple of ", pooled_height * pooled_width, ", the pooled cells");
    channels /= pooled_height * pooled_width;
  }
  return {input.dtype(), Dims{rois.size(0), channels, pooled_height, pooled_width}};
}

// Calls body(image, roi, n) for each region: its image's elements and its four numbers.
template <class T, class Body>
void for_each_roi(const Tensor& input, const Tensor& rois, Body&& body) {
  const int64_t image_size = input.size(1) * input.size(2) * input.size(3);
  const auto* regions = rois.data<T>();
  for (int64_t n = 0; n < rois.size(0); ++n) {
    const double image = static_cast<double>(regions[n * 5]);
    INGOT_CHECK(image >= 0 && image < static_cast<double>(input.size(0)), "region ", n,
                " names image ", image, ", but there are ", input.size(0));
  }
  parallel_for(0, rois.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n)
      body(input.data<T>() + static_cast<int64_t>(regions[n * 5]) * image_size, regions + n * 5 + 1,
           n);
  });
}

Pool pool_of(const Tensor& input, const Tensor& out) {
  return {input.size(1), input.size(2), input.size(3), out.size(2), out.size(3)};
}

// A pixel and its neighbour after it, with their weights.
template <class T>
struct Pair {
  int64_t low, high;
  T low_weight, high_weight;
};
// None further than one pixel outside.
template <class T>
bool neighbours(T position, int64_t size, Pair<T>& pair) {
  if (!(position >= -1 && position <= static_cast<T>(size))) return false;
  position = std::max(position, T(0));
  pair.low = std::min(static_cast<int64_t>(position), size - 1);
  pair.high = std::min(pair.low + 1, size - 1);
  const T part = pair.low == size - 1 ? T(0) : position - static_cast<T>(pair.low);
  pair.low_weight = 1 - part;
  pair.high_weight = part;
  return true;
}

// Mean of bilinear samples over each cell: a grid of sampling_ratio squared, or one that adapts to
// the cell's size.
template <class T>
void align(const T* image, const T* roi, const Pool& pool, T scale, int64_t sampling_ratio,
           bool aligned, bool position_sensitive, T* out, int32_t* mapping) {
  const T shift = aligned ? T(0.5) : T(0);
  const T left = roi[0] * scale - shift;
  const T top = roi[1] * scale - shift;
  T width = roi[2] * scale - shift - left;
  T height = roi[3] * scale - shift - top;
  if (!aligned) {
    width = std::max(width, T(1));
    height = std::max(height, T(1));
  }
  const T cell_height = height / static_cast<T>(pool.pooled_height);
  const T cell_width = width / static_cast<T>(pool.pooled_width);
  const auto samples = [&](T cell) {
    if (sampling_ratio > 0) return sampling_ratio;
    const double steps = std::ceil(static_cast<double>(cell));
    INGOT_CHECK(steps < kFar, "a region is too large to be sampled");
    return steps > 0 ? static_cast<int64_t>(steps) : int64_t{0};
  };
  const int64_t rows = samples(cell_height);
  const int64_t columns = samples(cell_width);
  // A mean of no samples: 0 for roi_align, 0 / 0 for the position-sensitive one.
  const int64_t product = rows * columns;
  const T count = static_cast<T>(position_sensitive ? product : std::max<int64_t>(product, 1));
  const int64_t plane = pool.height * pool.width;
  const int64_t outputs = position_sensitive ? pool.channels / pool.cells() : pool.channels;
  std::vector<T> sums(static_cast<size_t>(outputs));
  for (int64_t ph = 0; ph < pool.pooled_height; ++ph)
    for (int64_t pw = 0; pw < pool.pooled_width; ++pw) {
      const int64_t cell = ph * pool.pooled_width + pw;
      const auto channel = [&](int64_t c) {
        return position_sensitive ? c * pool.cells() + cell : c;
      };
      std::fill(sums.begin(), sums.end(), T(0));
      for (int64_t iy = 0; iy < rows; ++iy) {
        const T y = top + static_cast<T>(ph) * cell_height +
                    (static_cast<T>(iy) + T(0.5)) * cell_height / static_cast<T>(rows);
        Pair<T> v;
        if (!neighbours(y, pool.height, v)) continue;
        for (int64_t ix = 0; ix < columns; ++ix) {
          const T x = left + static_cast<T>(pw) * cell_width +
                      (static_cast<T>(ix) + T(0.5)) * cell_width / static_cast<T>(columns);
          Pair<T> h;
          if (!neighbours(x, pool.width, h)) continue;
          for (int64_t c = 0; c < outputs; ++c) {
            const T* at = image + channel(c) * plane;
            const T* low = at + v.low * pool.width;
            const T* high = at + v.high * pool.width;
            sums[static_cast<size_t>(c)] += v.low_weight * h.low_weight * low[h.low] +
                                            v.low_weight * h.high_weight * low[h.high] +
                                            v.high_weight * h.low_weight * high[h.low] +
                                            v.high_weight * h.high_weight * high[h.high];
          }
        }
      }
      for (int64_t c = 0; c < outputs; ++c) {
        out[c * pool.cells() + cell] = sums[static_cast<size_t>(c)] / count;
        if (mapping) mapping[c * pool.cells() + cell] = static_cast<int32_t>(channel(c));
      }
    }
}

// `mapping`, if there is one, makes the pool position-sensitive.
void align_all(const Tensor& input, const Tensor& rois, double spatial_scale,
               int64_t sampling_ratio, bool aligned, Tensor& out, Tensor* mapping) {
  if (out.numel() == 0) return;
  INGOT_CHECK(input.numel() > 0, "the input ", input, " has no pixels");
  INGOT_CHECK(sampling_ratio < (1 << 12), "sampling_ratio is too large: ", sampling_ratio);
  const DType compute = compute_dtype(input.dtype());
  const Tensor images = as_dense(input, compute);
  const Tensor regions = as_dense(rois, compute);
  ComputeOutput result(out);
  const Pool pool = pool_of(input, out);
  const int64_t per_roi = out.numel() / out.size(0);
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    for_each_roi<T>(images, regions, [&](const T* image, const T* roi, int64_t n) {
      align(image, roi, pool, static_cast<T>(spatial_scale), sampling_ratio, aligned,
            mapping != nullptr, result.data<T>() + n * per_roi,
            mapping ? mapping->data<int32_t>() + n * per_roi : nullptr);
    });
  });
  result.store();
}

TensorInfo roi_align_meta(const Tensor& input, const Tensor& rois, double, int64_t pooled_height,
                          int64_t pooled_width, int64_t, bool) {
  return pooled_info(input, rois, pooled_height, pooled_width, false);
}
void roi_align(const Tensor& input, const Tensor& rois, double spatial_scale, int64_t, int64_t,
               int64_t sampling_ratio, bool aligned, Tensor& out) {
  align_all(input, rois, spatial_scale, sampling_ratio, aligned, out, nullptr);
}

using Two = std::array<TensorInfo, 2>;

Two with_indices(const TensorInfo& info) { return {info, TensorInfo{DType::i32, info.sizes}}; }

Two ps_roi_align_meta(const Tensor& input, const Tensor& rois, double, int64_t pooled_height,
                      int64_t pooled_width, int64_t) {
  return with_indices(pooled_info(input, rois, pooled_height, pooled_width, true));
}
void ps_roi_align(const Tensor& input, const Tensor& rois, double spatial_scale, int64_t, int64_t,
                  int64_t sampling_ratio, Tensor& out, Tensor& channel_mapping) {
  align_all(input, rois, spatial_scale, sampling_ratio, true, out, &channel_mapping);
}

// Whole pixels [begin, end) of a cell along one axis.
struct Extent {
  int64_t begin, end;
  bool empty() const { return end <= begin; }
};
template <class T>
Extent cell_extent(int64_t cell, T cell_size, int64_t start, int64_t limit) {
  const auto first = static_cast<int64_t>(std::floor(static_cast<T>(cell) * cell_size));
  const auto last = static_cast<int64_t>(std::ceil(static_cast<T>(cell + 1) * cell_size));
  return {std::clamp<int64_t>(first + start, 0, limit),
          std::clamp<int64_t>(last + start, 0, limit)};
}
template <class T>
int64_t rounded(T position) {
  return static_cast<int64_t>(std::clamp(static_cast<double>(std::round(position)), -kFar, kFar));
}

// Calls body(cell, rows, columns) for each cell of a region rounded to pixels.
template <class T, class Body>
void for_each_cell(const T* roi, const Pool& pool, T scale, int64_t inclusive, int64_t height,
                   int64_t width, Body&& body) {
  INGOT_CHECK(roi[0] == roi[0] && roi[1] == roi[1] && roi[2] == roi[2] && roi[3] == roi[3],
              "a region has a NaN among its coordinates");
  const int64_t left = rounded(roi[0] * scale);
  const int64_t top = rounded(roi[1] * scale);
  const int64_t across = std::max<int64_t>(rounded(roi[2] * scale) - left + inclusive, 1);
  const int64_t down = std::max<int64_t>(rounded(roi[3] * scale) - top + inclusive, 1);
  const T cell_height = static_cast<T>(down) / static_cast<T>(pool.pooled_height);
  const T cell_width = static_cast<T>(across) / static_cast<T>(pool.pooled_width);
  for (int64_t ph = 0; ph < pool.pooled_height; ++ph)
    for (int64_t pw = 0; pw < pool.pooled_width; ++pw)
      body(ph * pool.pooled_width + pw, cell_extent(ph, cell_height, top, height),
           cell_extent(pw, cell_width, left, width));
}

Two roi_pool_meta(const Tensor& input, const Tensor& rois, double, int64_t pooled_height,
                  int64_t pooled_width) {
  return with_indices(pooled_info(input, rois, pooled_height, pooled_width, false));
}
// Maxima, 0 over nothing, and their places in the plane, -1 over nothing.
void roi_pool(const Tensor& input, const Tensor& rois, double spatial_scale, int64_t, int64_t,
              Tensor& out, Tensor& argmax) {
  if (out.numel() == 0) return;
  const DType compute = compute_dtype(input.dtype());
  const Tensor images = as_dense(input, compute);
  const Tensor regions = as_dense(rois, compute);
  ComputeOutput result(out);
  const Pool pool = pool_of(input, out);
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    for_each_roi<T>(images, regions, [&](const T* image, const T* roi, int64_t n) {
      for_each_cell(roi, pool, static_cast<T>(spatial_scale), 1, pool.height, pool.width,
                    [&](int64_t cell, Extent rows, Extent columns) {
                      for (int64_t c = 0; c < pool.channels; ++c) {
                        const T* plane = image + c * pool.height * pool.width;
                        T best = rows.empty() || columns.empty()
                                     ? T(0)
                                     : static_cast<T>(-std::numeric_limits<float>::max());
                        int64_t place = -1;
                        for (int64_t h = rows.begin; h < rows.end; ++h)
                          for (int64_t w = columns.begin; w < columns.end; ++w)
                            if (plane[h * pool.width + w] > best) {
                              place = h * pool.width + w;
                              best = plane[place];
                            }
                        const int64_t at = (n * pool.channels + c) * pool.cells() + cell;
                        result.data<T>()[at] = best;
                        argmax.data<int32_t>()[at] = static_cast<int32_t>(place);
                      }
                    });
    });
  });
  result.store();
}

Two ps_roi_pool_meta(const Tensor& input, const Tensor& rois, double, int64_t pooled_height,
                     int64_t pooled_width) {
  return with_indices(pooled_info(input, rois, pooled_height, pooled_width, true));
}
// Means; the last row and column of the input are never read, as in torchvision.
void ps_roi_pool(const Tensor& input, const Tensor& rois, double spatial_scale, int64_t, int64_t,
                 Tensor& out, Tensor& channel_mapping) {
  if (out.numel() == 0) return;
  INGOT_CHECK(input.numel() > 0, "the input ", input, " has no pixels");
  const DType compute = compute_dtype(input.dtype());
  const Tensor images = as_dense(input, compute);
  const Tensor regions = as_dense(rois, compute);
  ComputeOutput result(out);
  const Pool pool = pool_of(input, out);
  const int64_t outputs = out.size(1);
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    for_each_roi<T>(images, regions, [&](const T* image, const T* roi, int64_t n) {
      for_each_cell(roi, pool, static_cast<T>(spatial_scale), 0, pool.height - 1, pool.width - 1,
                    [&](int64_t cell, Extent rows, Extent columns) {
                      const bool empty = rows.empty() || columns.empty();
                      const T area =
                          static_cast<T>((rows.end - rows.begin) * (columns.end - columns.begin));
                      for (int64_t c = 0; c < outputs; ++c) {
                        const int64_t channel = c * pool.cells() + cell;
                        const T* plane = image + channel * pool.height * pool.width;
                        T sum = 0;
                        for (int64_t h = rows.begin; h < rows.end; ++h)
                          for (int64_t w = columns.begin; w < columns.end; ++w)
                            sum += plane[h * pool.width + w];
                        const int64_t at = n * outputs * pool.cells() + channel;
                        result.data<T>()[at] = empty ? T(0) : sum / area;
                        channel_mapping.data<int32_t>()[at] = static_cast<int32_t>(channel);
                      }
                    });
    });
  });
  result.store();
}

INGOT_OP(
    "torchvision::roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, "
    "SymInt pooled_width, int sampling_ratio, bool aligned) -> Tensor",
    Structured<roi_align_meta, roi_align>);
INGOT_OP(
    "torchvision::ps_roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt "
    "pooled_height, SymInt pooled_width, int sampling_ratio) -> (Tensor, Tensor)",
    Structured<ps_roi_align_meta, ps_roi_align>);
INGOT_OP(
    "torchvision::roi_pool(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, "
    "SymInt pooled_width) -> (Tensor, Tensor)",
    Structured<roi_pool_meta, roi_pool>);
INGOT_OP(
    "torchvision::ps_roi_pool(Tensor input, Tensor rois, float spatial_scale, SymInt "
    "pooled_height, SymInt pooled_width) -> (Tensor, Tensor)",
    Structured<ps_roi_pool_meta, ps_roi_pool>);

}  // namespace
}  // namespace ingot

// aten::fractional_max_pool2d and 3d: maxima of windows at random distances (Graham 2014).
#include <algorithm>
#include <limits>

#include <ingot/op.h>
#include "base/half.h"
#include "ops/compute.h"
#include "ops/dispatch.h"
#include "ops/spatial.h"

namespace ingot {
namespace {

using Two = std::array<TensorInfo, 2>;

template <int kRank>
Two fractional_meta(const Tensor& self, const IntList& kernel_size, const IntList& output_size,
                    const Tensor& random_samples) {
  INGOT_CHECK((self.rank() == kRank + 1 || self.rank() == kRank + 2) && is_floating(self.dtype()),
              "the input must have ", kRank + 1, " or ", kRank + 2,
              " dimensions and a floating-point dtype, got ", self);
  const Spatial kernel = spatial_argument(kernel_size, kRank, 1, 1, "kernel_size");
  const Spatial size = spatial_argument(output_size, kRank, 1, 1, "output_size");
  const Spatial from = spatial_sizes(self.sizes(), kRank);
  Dims sizes = self.sizes();
  for (int d = 0; d < kRank; ++d) {
    const auto axis = static_cast<size_t>(3 - kRank + d);
    INGOT_CHECK(size[axis] + kernel[axis] - 1 <= from[axis], "an output of ", size[axis],
                " windows of ", kernel[axis], " does not fit size ", from[axis]);
    sizes[self.rank() - kRank + d] = size[axis];
  }
  const bool batched = self.rank() == kRank + 2;
  INGOT_CHECK(random_samples.dtype() == self.dtype() && random_samples.rank() == 3 &&
                  random_samples.size(0) == (batched ? self.size(0) : 1) &&
                  random_samples.size(1) == self.size(batched) && random_samples.size(2) == kRank,
              "random_samples must have the dtype of ", self, ", its planes and ", kRank,
              " numbers for each, got ", random_samples);
  return {TensorInfo{self.dtype(), sizes}, TensorInfo{DType::i64, sizes}};
}

// `value` as an element of `dtype` holds it.
template <class T>
T rounded(T value, DType dtype) {
  if (dtype == DType::f16) return static_cast<T>(to_float(to_half(static_cast<float>(value))));
  if (dtype == DType::bf16) return static_cast<T>(to_float(to_bfloat16(static_cast<float>(value))));
  return value;
}

// Where the windows of one axis begin, drawn by one number, usually in [0, 1). Rounding decides, so
// it is the dtype's.
template <class T>
void window_starts(T sample, int64_t size, int64_t count, int64_t kernel, DType dtype,
                   std::vector<int64_t>& to) {
  constexpr T kFar = 1 << 20;
  INGOT_CHECK(sample > -kFar && sample < kFar, "random_samples should lie in [0, 1), but hold ",
              sample);
  to.assign(static_cast<size_t>(count), size - kernel);
  if (count == 1) return;
  const auto in_dtype = [dtype](T value) { return rounded(value, dtype); };
  const T step = in_dtype(static_cast<T>(size - kernel) / static_cast<T>(count - 1));
  for (int64_t i = 0; i + 1 < count; ++i) {
    const auto start = static_cast<int64_t>(in_dtype(in_dtype(static_cast<T>(i) + sample) * step)) -
                       static_cast<int64_t>(in_dtype(sample * step));
    to[static_cast<size_t>(i)] = std::clamp<int64_t>(start, 0, size - kernel);
  }
}

template <int kRank>
void fractional(const Tensor& self, const IntList& kernel_size, const IntList&,
                const Tensor& random_samples, Tensor& out, Tensor& indices) {
  if (out.numel() == 0) return;
  const Spatial kernel = spatial_argument(kernel_size, kRank, 1, 1, "kernel_size");
  const Spatial from = spatial_sizes(self.sizes(), kRank);
  const Spatial to = spatial_sizes(out.sizes(), kRank);
  const DType compute = compute_dtype(self.dtype());
  const Tensor input = as_dense(self, compute);
  const Tensor samples = as_dense(random_samples, compute);
  ComputeOutput result(out);
  const int64_t volume = from[0] * from[1] * from[2];
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    T* best_of = result.data<T>();
    auto* place_of = indices.data<int64_t>();
    std::array<std::vector<int64_t>, 3> starts;
    starts[0] = {0};
    for (int64_t plane = 0; plane < self.numel() / volume; ++plane) {
      const T* values = input.data<T>() + plane * volume;
      const T* sample = samples.data<T>() + plane * kRank;
      for (size_t axis = 3 - kRank; axis < 3; ++axis) {
        // The first number is for the width in two dimensions, for the depth in three.
        const T drawn = kRank == 2 ? sample[2 - axis] : sample[axis];
        window_starts(drawn, from[axis], to[axis], kernel[axis], self.dtype(), starts[axis]);
      }
      for (const int64_t z : starts[0])
        for (const int64_t y : starts[1])
          for (const int64_t x : starts[2]) {
            T best = -std::numeric_limits<T>::infinity();
            int64_t place = (z * from[1] + y) * from[2] + x;
            for (int64_t k = z; k < z + kernel[0]; ++k)
              for (int64_t h = y; h < y + kernel[1]; ++h)
                for (int64_t w = x; w < x + kernel[2]; ++w) {
                  const int64_t at = (k * from[1] + h) * from[2] + w;
                  if (values[at] > best || values[at] != values[at]) {
                    best = values[at];
                    place = at;
                  }
                }
            *best_of++ = best;
            *place_of++ = place;
          }
    }
  });
  result.store();
}

INGOT_OP(
    "aten::fractional_max_pool2d(Tensor self, int[2] kernel_size, int[2] output_size, Tensor "
    "random_samples) -> (Tensor, Tensor)",
    Structured<fractional_meta<2>, fractional<2>>);
INGOT_OP(
    "aten::fractional_max_pool3d(Tensor self, int[3] kernel_size, int[3] output_size, Tensor "
    "random_samples) -> (Tensor, Tensor)",
    Structured<fractional_meta<3>, fractional<3>>);

}  // namespace
}  // namespace ingot

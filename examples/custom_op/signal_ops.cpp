// Two ops of one's own: signal::peak_to_rms with outputs whose sizes the inputs tell, and
// signal::onsets whose result's size depends on the data.
#include <ingot/op.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

using ingot::Dims;
using ingot::DType;
using ingot::Tensor;
using ingot::TensorInfo;

// Sizes and dtype of the result, from those of the input. Also runs while a file is loaded and
// while a plan is made, so it never looks at elements.
TensorInfo peak_to_rms_meta(const Tensor& signal) {
  INGOT_CHECK(signal.dtype() == DType::f32, "signal must be f32, got ", signal);
  INGOT_CHECK(signal.rank() >= 1, "signal must have a time axis, got ", signal);
  Dims sizes;
  for (int d = 0; d + 1 < signal.rank(); ++d) sizes.push_back(signal.size(d));
  return {DType::f32, sizes};
}

// f32[..., time] -> f32[...]: the largest magnitude over the root of the mean square. `out` is
// row-major memory of the size above; inputs may have any strides.
void peak_to_rms(const Tensor& signal, Tensor& out) {
  const Tensor dense = signal.contiguous();
  const int64_t time = dense.size(dense.rank() - 1);
  const float* x = dense.data<float>();
  float* ratios = out.data<float>();
  for (int64_t row = 0; row < out.numel(); ++row, x += time) {
    float peak = 0;
    double squares = 0;
    for (int64_t i = 0; i < time; ++i) {
      peak = std::max(peak, std::abs(x[i]));
      squares += static_cast<double>(x[i]) * x[i];
    }
    ratios[row] = static_cast<float>(peak / std::sqrt(squares / static_cast<double>(time)));
  }
}

// f32[time] -> i64[N]: where the signal rises above `threshold`.
Tensor onsets(const Tensor& signal, double threshold) {
  INGOT_CHECK(signal.dtype() == DType::f32 && signal.rank() == 1, "signal must be f32[time], got ",
              signal);
  const Tensor dense = signal.contiguous();
  const float* x = dense.data<float>();
  std::vector<int64_t> found;
  for (int64_t i = 0; i < dense.numel(); ++i)
    if (x[i] > threshold && (i == 0 || x[i - 1] <= threshold)) found.push_back(i);
  const auto count = static_cast<int64_t>(found.size());
  return Tensor::from<int64_t>(found, std::vector<int64_t>{count});
}

INGOT_OP("signal::peak_to_rms(Tensor signal) -> Tensor",
         ingot::Structured<peak_to_rms_meta, peak_to_rms>);
INGOT_OP("signal::onsets(Tensor signal, float threshold=0.5) -> Tensor", ingot::Function<onsets>);

}  // namespace

// torchvision::nms: boxes that no box of a higher score overlaps by more than a threshold.
#include <algorithm>
#include <numeric>

#include <ingot/op.h>
#include "ops/axes.h"
#include "ops/compute.h"
#include "ops/dispatch.h"

namespace ingot {
namespace {

// Boxes are rows [x1, y1, x2, y2]. Gives the numbers of those kept, highest score first.
Tensor nms(const Tensor& dets, const Tensor& scores, double iou_threshold) {
  INGOT_CHECK(dets.rank() == 2 && dets.size(1) == 4 && is_floating(dets.dtype()),
              "boxes must be a floating-point matrix of 4 columns, got ", dets);
  INGOT_CHECK(
      scores.rank() == 1 && scores.size(0) == dets.size(0) && scores.dtype() == dets.dtype(),
      "the scores ", scores, " must have one element of the same dtype for each of the ", "boxes ",
      dets);
  const DType compute = compute_dtype(dets.dtype());
  const Tensor boxes = as_dense(dets, compute);
  const Tensor values = as_dense(scores, compute);
  Positions kept;
  dispatch_floating(compute, [&]<class T>(std::type_identity<T>) {
    const T* box = boxes.data<T>();
    const T* score = values.data<T>();
    const auto count = static_cast<size_t>(dets.size(0));
    const auto area = [&](int64_t i) {
      return (box[i * 4 + 2] - box[i * 4]) * (box[i * 4 + 3] - box[i * 4 + 1]);
    };
    Positions order(count);
    std::iota(order.begin(), order.end(), 0);
    // NaN is above all numbers.
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return score[a] > score[b] || (score[a] != score[a] && score[b] == score[b]);
    });
    std::vector<bool> suppressed(count);
    for (size_t i = 0; i < count; ++i) {
      if (suppressed[i]) continue;
      const int64_t a = order[i];
      kept.push_back(a);
      for (size_t j = i + 1; j < count; ++j) {
        if (suppressed[j]) continue;
        const int64_t b = order[j];
        const auto shared = [&](int64_t low, int64_t high) {
          return std::max(T(0), std::min(box[a * 4 + high], box[b * 4 + high]) -
                                    std::max(box[a * 4 + low], box[b * 4 + low]));
        };
        const T both = shared(0, 2) * shared(1, 3);
        suppressed[j] = static_cast<double>(both / (area(a) + area(b) - both)) > iou_threshold;
      }
    }
  });
  return Tensor::from<int64_t>(kept, Dims{static_cast<int64_t>(kept.size())});
}

INGOT_OP("torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
         Function<nms>);

}  // namespace
}  // namespace ingot

// Connectionist temporal classification (Graves et al. 2006, section 4.1), forward pass in logs.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <ingot/op.h>
#include "tensor/convert.h"

namespace ingot {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

double log_add(double a, double b) {
  const double high = std::max(a, b);
  return high == kNever ? kNever : high + std::log1p(std::exp(std::min(a, b) - high));
}

// -log of the probability of `target` (its labels with blanks between) given `frames` rows of
// `classes` log-probabilities, `step` elements apart.
double loss_of(const double* log_probs, int64_t frames, int64_t step,
               std::span<const int64_t> target, int64_t blank) {
  const size_t length = 2 * target.size() + 1;
  const auto label = [&](size_t s) { return s % 2 ? target[s / 2] : blank; };
  if (frames == 0) return target.empty() ? 0 : -kNever;
  std::vector<double> alpha(length, kNever), next(length);
  for (size_t s = 0; s < std::min<size_t>(2, length); ++s) alpha[s] = log_probs[label(s)];
  for (int64_t t = 1; t < frames; ++t) {
    const double* const row = log_probs + t * step;
    for (size_t s = 0; s < length; ++s) {
      double sum = alpha[s];
      if (s > 0) sum = log_add(sum, alpha[s - 1]);
      if (s > 1 && label(s) != label(s - 2)) sum = log_add(sum, alpha[s - 2]);
      next[s] = sum + row[label(s)];
    }
    alpha.swap(next);
  }
  return -(length > 1 ? log_add(alpha[length - 1], alpha[length - 2]) : alpha[0]);
}

// log_probs: [T, N, C] or [T, C]; targets: [N, S] or all in a row. reduction: 0 none, 1 mean of
// losses over target lengths, 2 sum.
Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, const IntList& input_lengths,
                const IntList& target_lengths, int64_t blank, int64_t reduction,
                bool zero_infinity) {
  INGOT_CHECK(is_floating(log_probs.dtype()), "log_probs must be floats, got ", log_probs);
  INGOT_CHECK(is_integral(targets.dtype()), "targets must be integers, got ", targets);
  INGOT_CHECK(log_probs.rank() == 2 || log_probs.rank() == 3,
              "log_probs must have 2 or 3 dimensions, got ", log_probs);
  const bool batched = log_probs.rank() == 3;
  const int64_t frames = log_probs.size(0);
  const int64_t batch = batched ? log_probs.size(1) : 1;
  const int64_t classes = log_probs.size(batched ? 2 : 1);
  INGOT_CHECK(blank >= 0 && blank < classes, "blank must be one of ", classes, " classes, got ",
              blank);
  INGOT_CHECK(static_cast<int64_t>(input_lengths.size()) == batch &&
                  static_cast<int64_t>(target_lengths.size()) == batch,
              "needs ", batch, " input and target lengths, got ", input_lengths.size(), " and ",
              target_lengths.size());
  const bool rows = batched ? targets.rank() == 2 : true;
  INGOT_CHECK(!batched || targets.rank() == 1 || (rows && targets.size(0) == batch),
              "targets must be [", batch, ", S] or all in a row, got ", targets);
  const int64_t width = !rows ? 0 : targets.rank() == 0 ? 0 : targets.size(targets.rank() - 1);
  const Tensor probs = log_probs.to(DType::f64).contiguous();
  const Tensor labels = targets.to(DType::i64).contiguous();
  const auto* const all = labels.data<int64_t>();
  std::vector<double> losses;
  int64_t begin = 0;
  for (int64_t n = 0; n < batch; ++n) {
    const int64_t length = target_lengths[static_cast<size_t>(n)];
    const int64_t own_frames = input_lengths[static_cast<size_t>(n)];
    INGOT_CHECK(own_frames >= 0 && own_frames <= frames, "an input length of ", own_frames,
                " is not between 0 and ", frames);
    if (rows) begin = n * width;
    INGOT_CHECK(length >= 0 && (!rows || length <= width) && begin + length <= labels.numel(),
                "a target length of ", length, " is more than targets ", targets, " hold");
    const std::span<const int64_t> target(all + begin, static_cast<size_t>(length));
    for (const int64_t label : target)
      INGOT_CHECK(label >= 0 && label < classes, "the target ", label, " is none of ", classes,
                  " classes");
    const double loss =
        loss_of(probs.data<double>() + n * classes, own_frames, batch * classes, target, blank);
    losses.push_back(zero_infinity && std::isinf(loss) ? 0 : loss);
    begin += length;
  }
  if (reduction == 0) {
    const Dims sizes = batched ? Dims{batch} : Dims{};
    return Tensor::from<double>(losses, sizes).to(log_probs.dtype());
  }
  double total = 0;
  for (size_t n = 0; n < losses.size(); ++n)
    total += reduction == 1
                 ? losses[n] / static_cast<double>(std::max<int64_t>(target_lengths[n], 1))
                 : losses[n];
  if (reduction == 1) total /= static_cast<double>(batch);
  return Tensor::from<double>(std::span(&total, 1), Dims{}).to(log_probs.dtype());
}

Tensor ctc_loss_by_tensors(const Tensor& log_probs, const Tensor& targets,
                           const Tensor& input_lengths, const Tensor& target_lengths, int64_t blank,
                           int64_t reduction, bool zero_infinity) {
  const auto numbers = [](const Tensor& tensor) {
    INGOT_CHECK(is_integral(tensor.dtype()), "lengths must be integers, got ", tensor);
    const Tensor plain = tensor.to(DType::i64).contiguous();
    return IntList(
        std::span<const int64_t>(plain.data<int64_t>(), static_cast<size_t>(plain.numel())));
  };
  return ctc_loss(log_probs, targets, numbers(input_lengths), numbers(target_lengths), blank,
                  reduction, zero_infinity);
}

INGOT_OP(
    "aten::ctc_loss.IntList(Tensor log_probs, Tensor targets, int[] input_lengths, int[] "
    "target_lengths, int blank=0, int reduction=1, bool zero_infinity=False) -> Tensor",
    Function<ctc_loss>);
INGOT_OP(
    "aten::ctc_loss.Tensor(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor "
    "target_lengths, int blank=0, int reduction=1, bool zero_infinity=False) -> Tensor",
    Function<ctc_loss_by_tensors>);

}  // namespace
}  // namespace ingot

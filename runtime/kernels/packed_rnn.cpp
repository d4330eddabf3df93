#include "kernels/packed_rnn.h"

#include <algorithm>

#include "base/thread_pool.h"
#include "kernels/rnn_f32_simd.h"

namespace ingot {

namespace {

// Multiply-adds of one step that are worth waking another thread for.
constexpr int64_t kWorkPerThread = 1 << 16;

}  // namespace

PackedRnn::PackedRnn(RnnKind kind, int64_t input_size, int64_t hidden, int64_t projected,
                     const RnnKernels& kernels)
    : kind_(kind),
      input_size_(input_size),
      hidden_(hidden),
      projected_(projected),
      kernels_(&kernels),
      panels_((hidden + kernels.lanes - 1) / kernels.lanes),
      recurrent_(projected * gate_width()),
      bias_(gate_width()),
      new_bias_(kind == RnnKind::gru ? panels_ * kernels.lanes : 0) {}

int64_t PackedRnn::gate_width() const { return panels_ * gates_of(kind_) * kernels_->lanes; }

size_t PackedRnn::bytes() const {
  const int64_t own = projected_ * gate_width() + gate_width() +
                      (kind_ == RnnKind::gru ? panels_ * kernels_->lanes : 0);
  return static_cast<size_t>(own) * sizeof(float) + input_->bytes() +
         (projection_ ? projection_->bytes() : 0);
}

std::shared_ptr<const PackedRnn> PackedRnn::pack(RnnKind kind, int64_t input_size, int64_t hidden,
                                                 int64_t projected,
                                                 const RnnWeights<float>& weights) {
  std::shared_ptr<PackedRnn> rnn(new PackedRnn(kind, input_size, hidden, projected, rnn_kernels()));
  const int64_t lanes = rnn->kernels_->lanes;
  const int64_t gates = gates_of(kind);
  const int64_t width = rnn->gate_width();
  // Calls body(place in a row of gates, row of the weights) for all elements that exist.
  const auto for_gates = [&](auto&& body) {
    for (int64_t gate = 0; gate < gates; ++gate)
      for (int64_t i = 0; i < hidden; ++i)
        body((i / lanes * gates + gate) * lanes + i % lanes, gate * hidden + i);
  };
  Workspace<float> input(input_size * width);
  std::fill_n(input.data(), input_size * width, 0.0f);
  std::fill_n(rnn->recurrent_.data(), projected * width, 0.0f);
  std::fill_n(rnn->bias_.data(), width, 0.0f);
  if (kind == RnnKind::gru) std::fill_n(rnn->new_bias_.data(), rnn->panels_ * lanes, 0.0f);
  const int64_t panel_width = gates * lanes;
  for_gates([&](int64_t place, int64_t row) {
    for (int64_t k = 0; k < input_size; ++k)
      input[k * width + place] = weights.w_ih[row * input_size + k];
    float* panel = rnn->recurrent_.data() + place / panel_width * projected * panel_width;
    for (int64_t k = 0; k < projected; ++k)
      panel[k * panel_width + place % panel_width] = weights.w_hh[row * projected + k];
    // The new gate of gru multiplies its hidden product, bias included, with the reset gate.
    const bool apart = kind == RnnKind::gru && row >= 2 * hidden;
    const float b_ih = weights.b_ih ? weights.b_ih[row] : 0.0f;
    const float b_hh = weights.b_hh ? weights.b_hh[row] : 0.0f;
    rnn->bias_[place] = apart ? b_ih : b_ih + b_hh;
    if (apart) rnn->new_bias_[row - 2 * hidden] = b_hh;
  });
  rnn->input_ = PackedMatrix::pack(input_size, width, {input.data(), width, 1});
  if (weights.w_hr)
    rnn->projection_ = PackedMatrix::pack(hidden, projected, {weights.w_hr, 1, hidden});
  return rnn;
}

void PackedRnn::run(const RnnSteps& steps, bool reverse, const float* input, float* h, float* c,
                    const RnnOutput<float>& output) const {
  const int64_t batch = steps.count() > 0 ? steps.rows_of(0) : 0;
  const int64_t width = gate_width();
  const int64_t stride = std::max(panels_ * kernels_->lanes, projected_);
  // The input's product for all steps at once.
  Workspace<float> gates(steps.rows() * width);
  Epilogue biased;
  biased.bias = bias_.data();
  gemm_packed(steps.rows(), input, input_size_, *input_, gates.data(), width, biased);
  // The states in rows of whole panels.
  Workspace<float> states(batch * stride);
  Workspace<float> cells(kind_ == RnnKind::lstm ? batch * stride : 0);
  Workspace<float> next(batch * stride);
  std::fill_n(states.data(), batch * stride, 0.0f);
  for (int64_t b = 0; b < batch; ++b) {
    std::copy_n(h + b * projected_, projected_, states.data() + b * stride);
    if (kind_ != RnnKind::lstm) continue;
    std::fill_n(cells.data() + b * stride, stride, 0.0f);
    std::copy_n(c + b * hidden_, hidden_, cells.data() + b * stride);
  }
  for (int64_t i = 0; i < steps.count(); ++i) {
    const int64_t t = reverse ? steps.count() - 1 - i : i;
    const int64_t rows = steps.rows_of(t);
    const RnnStep step = {rows,
                          projected_,
                          recurrent_.data(),
                          new_bias_.data(),
                          gates.data() + steps.offsets[static_cast<size_t>(t)] * width,
                          states.data(),
                          cells.data(),
                          next.data(),
                          stride};
    const int64_t work = rows * projected_ * gates_of(kind_) * kernels_->lanes + 1;
    parallel_for(
        0, panels_, std::max<int64_t>(1, kWorkPerThread / work),
        [&](int64_t first, int64_t last) { kernels_->step(kind_, step, panels_, first, last); });
    if (projection_)
      gemm_packed(rows, next.data(), stride, *projection_, states.data(), stride);
    else
      std::copy_n(next.data(), rows * stride, states.data());
    float* to = output.out + (output.step_stride
                                  ? t * output.step_stride
                                  : steps.offsets[static_cast<size_t>(t)] * output.batch_stride);
    for (int64_t b = 0; b < rows; ++b)
      std::copy_n(states.data() + b * stride, projected_, to + b * output.batch_stride);
  }
  for (int64_t b = 0; b < batch; ++b) {
    std::copy_n(states.data() + b * stride, projected_, h + b * projected_);
    if (kind_ == RnnKind::lstm) std::copy_n(cells.data() + b * stride, hidden_, c + b * hidden_);
  }
}

}  // namespace ingot

#include "kernels/rnn.h"

#include <algorithm>
#include <cmath>

#include "kernels/gemm.h"
#include "kernels/workspace.h"

namespace ingot {

namespace {

template <class T>
T sigmoid(T x) {
  return 1 / (1 + std::exp(-x));
}

// gates[4, H] are the sums of both products; c and h[H] are updated.
template <class T>
void lstm_point(int64_t hidden, const T* gates, T* c, T* h) {
  for (int64_t i = 0; i < hidden; ++i) {
    const T in = sigmoid(gates[i]);
    const T forget = sigmoid(gates[hidden + i]);
    const T cell = std::tanh(gates[2 * hidden + i]);
    const T out = sigmoid(gates[3 * hidden + i]);
    c[i] = forget * c[i] + in * cell;
    h[i] = out * std::tanh(c[i]);
  }
}

// The new gate multiplies the reset gate with the hidden product only, so the two products
// x[3, H] and r[3, H] stay apart.
template <class T>
void gru_point(int64_t hidden, const T* x, const T* r, T* h) {
  for (int64_t i = 0; i < hidden; ++i) {
    const T reset = sigmoid(x[i] + r[i]);
    const T update = sigmoid(x[hidden + i] + r[hidden + i]);
    const T fresh = std::tanh(x[2 * hidden + i] + reset * r[2 * hidden + i]);
    h[i] = fresh + update * (h[i] - fresh);
  }
}

}  // namespace

template <class T>
void run_rnn(RnnKind kind, const RnnSteps& steps, bool reverse, int64_t input_size, int64_t hidden,
             int64_t projected, const T* input, const RnnWeights<T>& weights, T* h, T* c,
             const RnnOutput<T>& output) {
  const int64_t width = gates_of(kind) * hidden;
  const int64_t batch = steps.count() > 0 ? steps.rows_of(0) : 0;
  // The input's product for all steps at once.
  Workspace<T> gates(steps.rows() * width);
  gemm<T>(steps.rows(), width, input_size, {input, input_size, 1}, {weights.w_ih, 1, input_size},
          gates.data(), width, {T(1), T(0), nullptr, weights.b_ih});
  Workspace<T> recurrent(kind == RnnKind::gru ? batch * width : 0);
  Workspace<T> unprojected(weights.w_hr ? batch * hidden : 0);
  const MatrixView<T> w_hh = {weights.w_hh, 1, projected};
  for (int64_t i = 0; i < steps.count(); ++i) {
    const int64_t t = reverse ? steps.count() - 1 - i : i;
    const int64_t rows = steps.rows_of(t);
    T* gate = gates.data() + steps.offsets[t] * width;
    if (kind == RnnKind::gru) {
      gemm<T>(rows, width, projected, {h, projected, 1}, w_hh, recurrent.data(), width,
              {T(1), T(0), nullptr, weights.b_hh});
      for (int64_t b = 0; b < rows; ++b)
        gru_point(hidden, gate + b * width, recurrent.data() + b * width, h + b * hidden);
    } else {
      gemm<T>(rows, width, projected, {h, projected, 1}, w_hh, gate, width,
              {T(1), T(1), nullptr, weights.b_hh});
      if (kind == RnnKind::lstm) {
        T* next = weights.w_hr ? unprojected.data() : h;
        for (int64_t b = 0; b < rows; ++b)
          lstm_point(hidden, gate + b * width, c + b * hidden, next + b * hidden);
        if (weights.w_hr)
          gemm<T>(rows, projected, hidden, {next, hidden, 1}, {weights.w_hr, 1, hidden}, h,
                  projected);
      } else if (kind == RnnKind::tanh) {
        for (int64_t j = 0; j < rows * hidden; ++j) h[j] = std::tanh(gate[j]);
      } else {
        for (int64_t j = 0; j < rows * hidden; ++j) h[j] = gate[j] < 0 ? T(0) : gate[j];
      }
    }
    T* to = output.out +
            (output.step_stride ? t * output.step_stride : steps.offsets[t] * output.batch_stride);
    for (int64_t b = 0; b < rows; ++b)
      std::copy_n(h + b * projected, projected, to + b * output.batch_stride);
  }
}

#define INGOT_RNN(T)                                                                         \
  template void run_rnn(RnnKind, const RnnSteps&, bool, int64_t, int64_t, int64_t, const T*, \
                        const RnnWeights<T>&, T*, T*, const RnnOutput<T>&)
INGOT_RNN(float);
INGOT_RNN(double);
#undef INGOT_RNN

}  // namespace ingot

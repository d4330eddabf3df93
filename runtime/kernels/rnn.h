// One layer of a recurrent network in one direction.
#pragma once

#include <cstdint>
#include <vector>

namespace ingot {

enum class RnnKind { lstm, gru, tanh, relu };

// Rows of the weights per hidden element: input, forget, cell, output for lstm; reset, update,
// new for gru.
constexpr int64_t gates_of(RnnKind kind) {
  return kind == RnnKind::lstm ? 4 : kind == RnnKind::gru ? 3 : 1;
}

// Row-major weights: w_ih[gates · H, I], w_hh[gates · H, P], b_ih and b_hh[gates · H] or null,
// w_hr[P, H] or null for lstm without projection (P = H).
template <class T>
struct RnnWeights {
  const T* w_ih = nullptr;
  const T* w_hh = nullptr;
  const T* b_ih = nullptr;
  const T* b_hh = nullptr;
  const T* w_hr = nullptr;
};

// The rows of a step-major sequence: step t has the rows [offsets[t], offsets[t + 1]), one per
// sequence that is that long; longer sequences come first.
struct RnnSteps {
  std::vector<int64_t> offsets;
  int64_t count() const { return static_cast<int64_t>(offsets.size()) - 1; }
  int64_t rows() const { return offsets.back(); }
  int64_t rows_of(int64_t t) const { return offsets[t + 1] - offsets[t]; }
};

// Where the output of sequence b at step t goes: out + step(t) + b · batch_stride, with
// step(t) = t · step_stride, or offsets[t] · batch_stride if step_stride is 0.
template <class T>
struct RnnOutput {
  T* out;
  int64_t step_stride;
  int64_t batch_stride;
};

// Runs the layer over input[rows, I]. h[batch, P] and c[batch, H] (lstm only) hold the first
// state and receive the last one. T: float or double.
template <class T>
void run_rnn(RnnKind kind, const RnnSteps& steps, bool reverse, int64_t input_size, int64_t hidden,
             int64_t projected, const T* input, const RnnWeights<T>& weights, T* h, T* c,
             const RnnOutput<T>& output);

}  // namespace ingot

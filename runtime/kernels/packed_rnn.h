// A recurrent layer in one direction whose weights are rearranged once.
#pragma once

#include <cstdint>
#include <memory>

#include "kernels/packed_gemm.h"
#include "kernels/rnn.h"
#include "kernels/workspace.h"

namespace ingot {

struct RnnKernels;

// f32 weights in the order of the SimdLevel that was in use when they were packed.
class PackedRnn {
 public:
  // `weights` as for run_rnn; they are not needed afterwards.
  static std::shared_ptr<const PackedRnn> pack(RnnKind kind, int64_t input_size, int64_t hidden,
                                               int64_t projected, const RnnWeights<float>& weights);

  // As run_rnn. Uses the thread pool for large layers.
  void run(const RnnSteps& steps, bool reverse, const float* input, float* h, float* c,
           const RnnOutput<float>& output) const;

  RnnKind kind() const { return kind_; }
  int64_t input_size() const { return input_size_; }
  int64_t hidden() const { return hidden_; }
  int64_t projected() const { return projected_; }
  // Memory of the packed weights.
  size_t bytes() const;

 private:
  PackedRnn(RnnKind kind, int64_t input_size, int64_t hidden, int64_t projected,
            const RnnKernels& kernels);
  int64_t gate_width() const;  // of a row of gates, whole panels

  RnnKind kind_;
  int64_t input_size_;
  int64_t hidden_;
  int64_t projected_;
  const RnnKernels* kernels_;
  int64_t panels_;
  std::shared_ptr<const PackedMatrix> input_;       // [I, gate_width]
  std::shared_ptr<const PackedMatrix> projection_;  // [H, P] or null
  Workspace<float> recurrent_;                      // panels [P, gates, lanes]
  Workspace<float> bias_;                           // [gate_width]
  Workspace<float> new_bias_;                       // gru: [panels, lanes]
};

}  // namespace ingot

// What a lowering writes to: the record of a region that becomes a plan.
//
// An op without a lowering is recorded as a call of its kernel; one with a lowering adds nodes of
// its own, which may keep outputs in another memory order, share rearranged weights and fuse:
//
//   bool lower_linear(plan::Recorder& recorder, const Arguments& in, Tensor* out) { ... }
//   INGOT_OP("aten::linear(...) -> Tensor", Structured<linear_meta, linear, lower_linear>);
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <ingot/precision.h>
#include <ingot/tensor.h>

#include <ingot/op.h>
#include "ops/plan/node.h"
#include "ops/plan/weights.h"
#include "tensor/abstract.h"

namespace ingot::plan {

class Recorder : public detail::AbstractMemory {
 public:
  // A tensor in memory of its own, row-major, or with `strides` that fill that memory.
  virtual Tensor fresh(DType dtype, std::span<const int64_t> sizes) = 0;
  virtual Tensor fresh(DType dtype, std::span<const int64_t> sizes,
                       std::span<const int64_t> strides) = 0;
  virtual void add(std::unique_ptr<Node> node) = 0;
  // Records the call of the op's own kernel on `in` with outputs of the caller's making: for
  // kernels that write outputs of any strides. `flops` is for profiles.
  virtual void add_call(const Arguments& in, std::vector<Tensor> outputs, double flops = 0) = 0;
  // What the op's meta function says of the call being lowered.
  virtual std::vector<TensorInfo> infer(const Arguments& in) = 0;
  // Records a call of the elementwise op `name` with two tensors and its defaults.
  virtual Tensor elementwise(std::string_view name, const Tensor& self, const Tensor& other) = 0;
  // Copies between any two tensors of the same sizes.
  virtual void add_copy(const Tensor& from, const Tensor& to) = 0;
  // False: convolutions are to stay calls of their row-major kernels.
  virtual bool prefers_channels_last() const = 0;
  // Rearranged weights, shared by all plans of the module.
  virtual Weights& weights() = 0;
  // What products and convolutions with constant weights may compute in.
  virtual Precision precision() const = 0;

  // `tensor` in channels-last memory order ([N, C, ...] with C innermost): itself, or a copy
  // that all users of the tensor share.
  virtual Tensor channels_last(const Tensor& tensor) = 0;
  // `tensor` if its last dimension is contiguous and the others are one run of rows; else a
  // row-major copy.
  virtual Tensor rows(const Tensor& tensor) = 0;

 protected:
  ~Recorder() = default;
};

// Strides of channels-last memory for sizes [N, C, spatial...].
Dims channels_last_strides(std::span<const int64_t> sizes);
bool is_channels_last(const Tensor& tensor);
// True for a plan's f32 tensor that some node put into channels-last memory: an op on it had
// better keep that order.
bool prefers_channels_last(const Tensor& tensor);
// The lowering of ops of one output whose kernels write channels-last outputs too.
bool lower_in_channels_last(Recorder& recorder, const Arguments& in, Tensor* out);
// The distance between rows of the last dimension if `tensor` is a matrix of such rows.
std::optional<int64_t> row_stride(const Tensor& tensor);

}  // namespace ingot::plan

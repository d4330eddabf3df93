// The record of a region: nodes over tensors without elements.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include <ingot/op.h>
#include "ops/plan/recorder.h"

namespace ingot {

// Memory of one value of the region.
struct Buffer {
  int32_t input = -1;     // not -1: of the caller's tensor, by number of Tape::inputs
  Tensor whole;           // the tensor that fills it
  Tensor row_major = {};  // a copy in that order, where somebody needed one
  bool leaves = false;
};

// The program sees every value that an op made in row-major order, as the interpreter makes it:
// strides of views, and which views share memory, do not depend on the plan. Nodes get the same
// elements where they are stored, in the order that a lowering chose.

class Tape final : public plan::Recorder {
 public:
  Tape(plan::Weights& weights, Precision precision) : weights_(weights), precision_(precision) {}

  // A caller's value with abstract tensors for its tensors.
  Value input(const Value& value);
  // Records one call. Throws DataDependent where sizes depend on elements.
  void call(const Op& op, const Arguments& in, const Results& out);
  // Records an op that writes to its first argument as the one that makes a new value, `pure`.
  // Gives the storage that stands for the argument's from then on.
  // Throws DataDependent if what is written may not be seen from outside in time.
  Storage* call_in_place(const Op& pure, const Arguments& in);
  // The instruction that the next nodes come from.
  void set_origin(uint32_t origin) { origin_ = origin; }
  // `value` as it leaves the region: all its tensors are stored in the order that is seen.
  Value leaving(const Value& value);

  Tensor copy(const Tensor& from, DType dtype) override;
  Tensor fresh(DType dtype, std::span<const int64_t> sizes) override;
  Tensor fresh(DType dtype, std::span<const int64_t> sizes,
               std::span<const int64_t> strides) override;
  void add(std::unique_ptr<plan::Node> node) override;
  void add_call(const Arguments& in, std::vector<Tensor> outputs, double flops) override;
  std::vector<TensorInfo> infer(const Arguments& in) override;
  Tensor elementwise(std::string_view name, const Tensor& self, const Tensor& other) override;
  void add_copy(const Tensor& from, const Tensor& to) override;
  bool prefers_channels_last() const override;
  plan::Weights& weights() override { return weights_; }
  Precision precision() const override { return precision_; }
  Tensor channels_last(const Tensor& tensor) override;
  Tensor rows(const Tensor& tensor) override;

  static size_t buffer_of(const Tensor& tensor) { return buffer_of(tensor.storage()); }
  static size_t buffer_of(const Storage* storage) {
    return reinterpret_cast<size_t>(storage->context);
  }

  std::vector<std::unique_ptr<plan::Node>> nodes;
  std::vector<Buffer> buffers;
  std::vector<Tensor> inputs;  // abstract

 private:
  class Recording;

  // Of tensors as stored; `op_` while it lasts.
  std::vector<Tensor> record(const Op& op, const Arguments& in);
  std::vector<Tensor> record_op(const Op& op, const Arguments& in);
  // What the program sees of a result. Buffers from `first_new` on are the op's own.
  Tensor seen(const Tensor& stored, size_t first_new);
  // Where the elements of a tensor that the program sees are.
  Tensor stored(const Tensor& seen);
  Tensor row_major(size_t buffer);
  Tensor leaving(const Tensor& tensor);
  Storage* patch(const Tensor& self, const Tensor& written);
  Tensor new_buffer(DType dtype, std::span<const int64_t> sizes, std::span<const int64_t> strides,
                    int64_t elements);

  plan::Weights& weights_;
  Precision precision_;
  uint32_t origin_ = 0;
  const Op* op_ = nullptr;  // being lowered
  // Copies in channels-last order of tensors that had another one.
  std::vector<std::pair<Tensor, Tensor>> reordered_;
  // Storages of values that the plan's making gave elements, and the copies that leave.
  std::vector<std::pair<Tensor, Tensor>> copied_constants_;
};

}  // namespace ingot

#include "exec/plan/tape.h"

#include <algorithm>
#include <utility>

#include <ingot/check.h>
#include "exec/plan/options.h"
#include "ops/elementwise.h"
#include "ops/plan/call_node.h"
#include "ops/plan/copy_node.h"
#include "ops/plan/elementwise_node.h"
#include "ops/plan/memory_order.h"
#include "ops/view.h"

namespace ingot {
namespace {

// Storages without bytes get addresses of their own, far from any memory.
constexpr int kAddressBits = 40;

void release(Storage* storage) { delete storage; }

// Ops that ask where a tensor lies in its storage, which a region does not know of its inputs.
bool sees_storage(const Op& op) {
  static const auto* const names = new std::vector<std::string_view>{
      "aten::as_strided", "aten::storage_offset", "aten::sym_storage_offset"};
  return std::find(names->begin(), names->end(), op.name()) != names->end();
}

// From the beginning of its storage.
int64_t element_offset(const Tensor& tensor) {
  return (tensor.data<std::byte>() - tensor.storage()->data) /
         static_cast<int64_t>(size_of(tensor.dtype()));
}

}  // namespace

// `elements`: how many the storage holds, from the tensor's first.
Tensor Tape::new_buffer(DType dtype, std::span<const int64_t> sizes,
                        std::span<const int64_t> strides, int64_t elements) {
  const size_t id = buffers.size();
  auto* storage = new Storage;
  storage->data = reinterpret_cast<std::byte*>((id + 1) << kAddressBits);
  storage->bytes = static_cast<size_t>(elements) * size_of(dtype);
  INGOT_CHECK(storage->bytes >> kAddressBits == 0, "a tensor of ", storage->bytes,
              " bytes is too large to plan");
  storage->release = &release;
  storage->context = reinterpret_cast<void*>(id);
  storage->abstract = this;
  auto* impl = new detail::TensorImpl;
  impl->info.dtype = dtype;
  impl->storage = storage;
  impl->data = storage->data;
  const Tensor flat = Tensor::attach(impl);
  Tensor whole = flat.as_strided(sizes, strides, 0);
  buffers.push_back({.whole = whole});
  return whole;
}

Tensor Tape::fresh(DType dtype, std::span<const int64_t> sizes) {
  const Tensor meta = Tensor::meta({dtype, Dims(sizes)});
  return new_buffer(dtype, sizes, meta.strides(), meta.numel());
}

Tensor Tape::fresh(DType dtype, std::span<const int64_t> sizes, std::span<const int64_t> strides) {
  return new_buffer(dtype, sizes, strides, numel_of(sizes));
}

Value Tape::input(const Value& value) {
  return plan::with_tensors(value, [this](const Tensor& tensor) {
    int64_t reach = tensor.numel() > 0 ? 1 : 0;
    for (int d = 0; d < tensor.rank() && reach > 0; ++d)
      reach += (tensor.size(d) - 1) * tensor.stride(d);
    Tensor own = tensor.is_contiguous()
                     ? fresh(tensor.dtype(), tensor.sizes())
                     : new_buffer(tensor.dtype(), tensor.sizes(), tensor.strides(), reach);
    buffers.back().input = static_cast<int32_t>(inputs.size());
    inputs.push_back(own);
    return own;
  });
}

void Tape::add(std::unique_ptr<plan::Node> node) {
  node->origin = origin_;
  nodes.push_back(std::move(node));
}

std::vector<TensorInfo> Tape::infer(const Arguments& in) {
  std::vector<TensorInfo> infos;
  op_->definition().infer(in, infos);
  return infos;
}

Tensor Tape::elementwise(std::string_view name, const Tensor& self, const Tensor& other) {
  const Op& op = *find_op(name);
  std::vector<Value> values = {Value(self), Value(other)};
  std::vector<int32_t> operands = {0, 1};
  for (size_t i = 2; i < op.schema().arguments.size(); ++i) {
    operands.push_back(static_cast<int32_t>(i));
    values.push_back(*op.schema().arguments[i].fallback);
  }
  return record(op, {values.data(), nullptr, operands.data(), operands.size()})[0];
}

void Tape::add_call(const Arguments& in, std::vector<Tensor> outputs, double flops) {
  std::vector<Value> arguments;
  for (size_t i = 0; i < op_->schema().arguments.size(); ++i) arguments.push_back(in[i]);
  add(std::make_unique<plan::CallNode>(*op_, std::move(arguments), std::move(outputs), flops));
}

void Tape::add_copy(const Tensor& from, const Tensor& to) {
  // A transposition is for CopyNode; elementwise loops can take part in fusion.
  const bool adjacent = from.rank() == 0 || from.numel() < 1024 ||
                        plan::range_in_order_of(to, from).innermost_stride() <= 1;
  if (from.dtype() != to.dtype() || adjacent) return add(plan::ElementwiseNode::convert(from, to));
  add(std::make_unique<plan::CopyNode>(from, to));
}

Tensor Tape::copy(const Tensor& tensor, DType dtype) {
  const Tensor from = op_ ? tensor : stored(tensor);
  if (from.dtype() != dtype && !from.is_contiguous() && plan::is_dense(from)) {
    // Converted in the order that it has, then put in row-major order.
    Tensor converted = fresh(dtype, from.sizes(), from.strides());
    add_copy(from, converted);
    Tensor to = fresh(dtype, from.sizes());
    add_copy(converted, to);
    return to;
  }
  Tensor to = fresh(dtype, from.sizes());
  add_copy(from, to);
  return to;
}

bool Tape::prefers_channels_last() const { return plan_stage_enabled(PlanStage::channels_last); }

Tensor Tape::channels_last(const Tensor& tensor) {
  if (plan::is_channels_last(tensor)) return tensor;
  for (const auto& [from, to] : reordered_)
    if (from.data() == tensor.data() && from.sizes() == tensor.sizes() &&
        from.strides() == tensor.strides())
      return to;
  Tensor to = fresh(tensor.dtype(), tensor.sizes(), plan::channels_last_strides(tensor.sizes()));
  add_copy(tensor, to);
  reordered_.emplace_back(tensor, to);
  return to;
}

Tensor Tape::rows(const Tensor& tensor) {
  return plan::row_stride(tensor) ? tensor : copy(tensor, tensor.dtype());
}

Tensor Tape::row_major(size_t buffer) {
  if (!buffers[buffer].row_major.defined()) {
    const Tensor whole = buffers[buffer].whole;
    Tensor copy = fresh(whole.dtype(), whole.sizes());
    add_copy(whole, copy);
    buffers[buffer].row_major = std::move(copy);
  }
  return buffers[buffer].row_major;
}

Tensor Tape::stored(const Tensor& seen) {
  if (plan::is_constant(seen)) return seen;
  const Buffer& buffer = buffers[buffer_of(seen)];
  if (buffer.input >= 0 || buffer.whole.is_contiguous()) return seen;
  const Dims rows = row_major_strides(buffer.whole.sizes());
  if (auto tensor = plan::view_in_order(seen, buffer.whole, rows, buffer.whole.strides()))
    return *tensor;
  return row_major(buffer_of(seen)).as_strided(seen.sizes(), seen.strides(), element_offset(seen));
}

Tensor Tape::seen(const Tensor& stored, size_t first_new) {
  if (plan::is_constant(stored)) return stored;
  const size_t id = buffer_of(stored);
  if (buffers[id].input >= 0) return stored;
  if (id >= first_new) {
    INGOT_CHECK(plan::is_dense(stored) && stored.numel() == buffers[id].whole.numel(),
                "an op's result in a plan is a part of a value");
    buffers[id].whole = stored;
  }
  const Tensor& whole = buffers[id].whole;
  if (whole.is_contiguous()) return stored;
  const Dims rows = row_major_strides(whole.sizes());
  const auto tensor = plan::view_in_order(stored, whole, whole.strides(), rows);
  INGOT_CHECK(tensor, "an op's result in a plan is a view that no strides say");
  return *tensor;
}

// Between its begin and end an op is recorded, whose tensors are as stored.
class Tape::Recording {
 public:
  Recording(Tape& tape, const Op& op) : tape_(tape), outer_(std::exchange(tape.op_, &op)) {}
  ~Recording() { tape_.op_ = outer_; }
  Recording(const Recording&) = delete;

 private:
  Tape& tape_;
  const Op* outer_;
};

void Tape::call(const Op& op, const Arguments& in, const Results& out) {
  const size_t count = op.schema().arguments.size();
  bool abstract = false;
  for (size_t i = 0; i < count; ++i)
    plan::for_each_tensor(
        in[i], [&](const Tensor& tensor) { abstract = abstract || !plan::is_constant(tensor); });
  if (!abstract) return op.invoke(in, out);
  if (op.definition().symbolic) {
    if (sees_storage(op) && buffers[buffer_of(in[0].tensor())].input >= 0) throw DataDependent();
    return op.invoke(in, out);
  }
  if (!op.definition().infer) throw DataDependent();
  std::vector<Value> values;
  std::vector<int32_t> operands;
  for (size_t i = 0; i < count; ++i) {
    values.push_back(
        plan::with_tensors(in[i], [this](const Tensor& tensor) { return stored(tensor); }));
    operands.push_back(static_cast<int32_t>(i));
  }
  const size_t first_new = buffers.size();
  const std::vector<Tensor> results =
      record(op, {values.data(), nullptr, operands.data(), operands.size()});
  for (size_t k = 0; k < results.size(); ++k) out.set(k, Value(seen(results[k], first_new)));
}

std::vector<Tensor> Tape::record(const Op& op, const Arguments& in) {
  const Recording recording(*this, op);
  return record_op(op, in);
}

std::vector<Tensor> Tape::record_op(const Op& op, const Arguments& in) {
  const OpDefinition& definition = op.definition();
  if (definition.elementwise) {
    const ElementwiseCall call(*definition.elementwise, in);
    const ElementwiseTypes types = resolve_types(*call.row, call.all());
    const Dims sizes = resolve_sizes(call.all());
    // The result's memory order is that of the first operand that has its sizes.
    const Tensor* like = nullptr;
    for (const Operand& operand : call.all())
      if (!like && operand.tensor && operand.tensor->sizes() == sizes &&
          plan::is_dense(*operand.tensor))
        like = operand.tensor;
    check_params(*call.row, types, call.params);
    // Loops over dtypes narrower than the one they compute in round as they store.
    if (types.common == types.compute) {
      ElementwiseCall converted = call;
      Tensor operands[kMaxOperands];
      for (size_t i = 0; i < call.count; ++i) {
        const Tensor* tensor = call.operands[i].tensor;
        const DType wanted =
            static_cast<int>(i) == call.row->condition ? DType::boolean : types.compute;
        if (!tensor || tensor->dtype() == wanted) continue;
        operands[i] = tensor->to(wanted);
        converted.operands[i].tensor = &operands[i];
      }
      Tensor result = like && !like->is_contiguous()
                          ? fresh(types.result, sizes, plan::strides_in_order_of(*like, sizes))
                          : fresh(types.result, sizes);
      add(plan::ElementwiseNode::record(op, converted, types, result));
      return {result};
    }
  }
  std::vector<TensorInfo> infos;
  definition.infer(in, infos);
  std::vector<Tensor> results(infos.size());
  if (!definition.lower || !plan_stage_enabled(PlanStage::lower) ||
      !definition.lower(*this, in, results.data())) {
    for (size_t k = 0; k < infos.size(); ++k) results[k] = fresh(infos[k].dtype, infos[k].sizes);
    add_call(in, results, 0);
  }
  return results;
}

Storage* Tape::call_in_place(const Op& pure, const Arguments& in) {
  const Tensor self = in[0].tensor();
  // Where elements of self share a place, the interpreter refuses, or one is written after another.
  if (plan::is_constant(self) || buffers[buffer_of(self)].input >= 0 || plan::may_overlap(self))
    throw DataDependent();
  const int32_t result = 0;
  Value out;
  call(pure, in, {&out, &result});
  Tensor written = out.tensor();
  if (written.dtype() != self.dtype() || !(written.sizes() == self.sizes())) throw DataDependent();
  const bool all = self.numel() == buffers[buffer_of(self)].whole.numel() && plan::is_dense(self);
  if (all && written.strides() == self.strides() && !plan::is_constant(written) &&
      written.data() == written.storage()->data)
    return written.storage();
  return patch(self, written);
}

Storage* Tape::patch(const Tensor& self, const Tensor& written) {
  const Tensor whole = buffers[buffer_of(self)].whole;
  const Dims rows = row_major_strides(whole.sizes());
  Tensor copy = fresh(whole.dtype(), whole.sizes(), whole.strides());
  std::optional<Tensor> part = plan::view_in_order(self, copy, rows, whole.strides());
  if (!part) {
    copy = fresh(whole.dtype(), whole.sizes());
    part = copy.as_strided(self.sizes(), self.strides(), element_offset(self));
  }
  add_copy(whole, copy);
  add(std::make_unique<plan::PatchNode>(stored(written), *part, copy));
  return copy.storage();
}

Tensor Tape::leaving(const Tensor& tensor) {
  if (plan::is_constant(tensor)) {
    // A tensor that a factory made once must not be handed out twice.
    if (!tensor.writable()) return tensor;
    for (const auto& [from, to] : copied_constants_)
      if (from.storage() == tensor.storage())
        return to.as_strided(tensor.sizes(), tensor.strides(), element_offset(tensor));
    const int64_t elements =
        static_cast<int64_t>(tensor.storage()->bytes / size_of(tensor.dtype()));
    const Tensor from = tensor.as_strided(Dims{elements}, Dims{1}, -element_offset(tensor));
    const Tensor to = fresh(tensor.dtype(), Dims{elements});
    add_copy(from, to);
    buffers.back().leaves = true;
    copied_constants_.emplace_back(from, to);
    return leaving(tensor);
  }
  const size_t id = buffer_of(tensor);
  if (buffers[id].input < 0 && !buffers[id].whole.is_contiguous())
    return leaving(
        row_major(id).as_strided(tensor.sizes(), tensor.strides(), element_offset(tensor)));
  buffers[id].leaves = true;
  return tensor;
}

Value Tape::leaving(const Value& value) {
  return plan::with_tensors(value, [this](const Tensor& tensor) { return leaving(tensor); });
}

}  // namespace ingot

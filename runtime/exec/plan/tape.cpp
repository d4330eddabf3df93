#include "exec/plan/tape.h"

#include <algorithm>

#include "base/check.h"
#include "exec/plan/options.h"
#include "ops/elementwise.h"
#include "ops/plan/call_node.h"
#include "ops/plan/copy_node.h"
#include "ops/plan/elementwise_node.h"
#include "ops/plan/memory_order.h"

namespace ingot {
namespace {

// Storages without bytes get addresses of their own, far from any memory.
constexpr int kAddressBits = 40;

void release(Storage* storage) { delete storage; }

// Ops that ask for strides or addresses, and so would see the planner's memory orders.
bool sees_memory_order(const Op& op) {
  static const auto* const names = new std::vector<std::string_view>{
      "aten::stride",         "aten::sym_stride",         "aten::stride.int",
      "aten::sym_stride.int", "aten::is_contiguous",      "aten::is_contiguous.memory_format",
      "aten::as_strided",     "aten::sym_storage_offset", "aten::storage_offset",
      "aten::_reshape_alias"};
  return std::find(names->begin(), names->end(), op.name()) != names->end();
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
  if (value.is_tensor()) {
    const Tensor& tensor = value.tensor();
    int64_t reach = tensor.numel() > 0 ? 1 : 0;
    for (int d = 0; d < tensor.rank() && reach > 0; ++d)
      reach += (tensor.size(d) - 1) * tensor.stride(d);
    Tensor own = tensor.is_contiguous()
                     ? fresh(tensor.dtype(), tensor.sizes())
                     : new_buffer(tensor.dtype(), tensor.sizes(), tensor.strides(), reach);
    buffers.back().input = static_cast<int32_t>(inputs.size());
    inputs.push_back(own);
    return Value(std::move(own));
  }
  if (value.is_list() || value.is_tuple()) {
    std::vector<Value> elements;
    for (const Value& element :
         value.is_list() ? value.to_list().elements : value.to_tuple().elements)
      elements.push_back(input(element));
    if (value.is_list()) return Value::list(std::move(elements));
    auto* tuple = new Tuple(std::move(elements));
    tuple->names = value.to_tuple().names;
    return Value(static_cast<Object*>(tuple));
  }
  if (value.is_dict()) {
    std::vector<std::pair<Value, Value>> items;
    for (const auto& [key, item] : value.to_dict().items()) items.emplace_back(key, input(item));
    return Value::dict(std::move(items));
  }
  return value;
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
  const int32_t result = 0;
  Value out;
  call(op, {values.data(), nullptr, operands.data(), operands.size()}, {&out, &result});
  return out.tensor();
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

Tensor Tape::copy(const Tensor& from, DType dtype) {
  if (from.dtype() != dtype && !from.is_contiguous() && plan::is_dense(from)) {
    // Converted in the order that it has, then put in row-major order.
    Tensor converted = fresh(dtype, from.sizes(), from.strides());
    add_copy(from, converted);
    return copy(converted, dtype);
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

void Tape::call(const Op& op, const Arguments& in, const Results& out) {
  const size_t count = op.schema().arguments.size();
  bool abstract = false;
  for (size_t i = 0; i < count; ++i)
    plan::for_each_tensor(
        in[i], [&](const Tensor& tensor) { abstract = abstract || !plan::is_constant(tensor); });
  if (!abstract) return op.invoke(in, out);
  const OpDefinition& definition = op.definition();
  if (definition.symbolic) {
    if (sees_memory_order(op) && in[0].is_tensor() && !in[0].tensor().is_contiguous() &&
        buffers[buffer_of(in[0].tensor())].input < 0)
      throw DataDependent();
    return op.invoke(in, out);
  }
  if (!definition.infer) throw DataDependent();
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
      return out.set(0, Value(std::move(result)));
    }
  }
  std::vector<TensorInfo> infos;
  definition.infer(in, infos);
  std::vector<Tensor> results(infos.size());
  op_ = &op;
  if (!definition.lower || !plan_stage_enabled(PlanStage::lower) ||
      !definition.lower(*this, in, results.data())) {
    for (size_t k = 0; k < infos.size(); ++k) results[k] = fresh(infos[k].dtype, infos[k].sizes);
    op_ = &op;
    add_call(in, results, 0);
  }
  for (size_t k = 0; k < results.size(); ++k) out.set(k, Value(std::move(results[k])));
}

Storage* Tape::call_in_place(const Op& pure, const Arguments& in) {
  const Tensor self = in[0].tensor();
  if (plan::is_constant(self) || buffers[buffer_of(self)].input >= 0) throw DataDependent();
  const int32_t result = 0;
  Value out;
  call(pure, in, {&out, &result});
  Tensor written = out.tensor();
  if (written.dtype() != self.dtype() || !(written.sizes() == self.sizes())) throw DataDependent();
  const Tensor& whole = buffers[buffer_of(self)].whole;
  const bool all = self.numel() == whole.numel() && plan::is_dense(self);
  if (all && written.strides() == self.strides() && !plan::is_constant(written) &&
      written.data() == written.storage()->data)
    return written.storage();
  return patch(self, written);
}

Storage* Tape::patch(const Tensor& self, const Tensor& written) {
  const Tensor whole = buffers[buffer_of(self)].whole;
  const Tensor copy = fresh(whole.dtype(), whole.sizes(), whole.strides());
  add_copy(whole, copy);
  const int64_t offset =
      (self.data<std::byte>() - self.storage()->data) / static_cast<int64_t>(size_of(self.dtype()));
  add(std::make_unique<plan::PatchNode>(
      written, copy.as_strided(self.sizes(), self.strides(), offset), copy));
  return copy.storage();
}

Value Tape::leaving(const Value& value) {
  if (value.is_tensor()) {
    const Tensor& tensor = value.tensor();
    if (plan::is_constant(tensor)) return value;
    const Buffer& buffer = buffers[buffer_of(tensor)];
    if (buffer.input >= 0 || buffer.whole.is_contiguous()) {
      buffers[buffer_of(tensor)].leaves = true;
      return value;
    }
    Tensor row_major = fresh(tensor.dtype(), tensor.sizes());
    add_copy(tensor, row_major);
    buffers.back().leaves = true;
    return Value(std::move(row_major));
  }
  if (value.is_list() || value.is_tuple()) {
    std::vector<Value> elements;
    for (const Value& element :
         value.is_list() ? value.to_list().elements : value.to_tuple().elements)
      elements.push_back(leaving(element));
    if (value.is_list()) return Value::list(std::move(elements));
    auto* tuple = new Tuple(std::move(elements));
    tuple->names = value.to_tuple().names;
    return Value(static_cast<Object*>(tuple));
  }
  if (value.is_dict()) {
    std::vector<std::pair<Value, Value>> items;
    for (const auto& [key, item] : value.to_dict().items()) items.emplace_back(key, leaving(item));
    return Value::dict(std::move(items));
  }
  return value;
}

}  // namespace ingot

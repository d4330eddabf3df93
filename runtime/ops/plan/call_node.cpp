#include "ops/plan/call_node.h"

namespace ingot::plan {
namespace {

class CallStep final : public Step {
 public:
  CallStep(const Op& op, const std::vector<Value>& arguments, const std::vector<Tensor>& outputs,
           Layout& layout)
      : op_(op), arguments_(arguments), outputs_(outputs), number_(layout.new_call()) {
    const auto note = [&](const Tensor& tensor) {
      if (!is_constant(tensor)) places_.push_back(layout.place(tensor));
    };
    for (const Value& argument : arguments_) for_each_tensor(argument, note);
    for (const Tensor& output : outputs_) note(output);
  }

  void run(const Memory& memory) const override {
    std::unique_ptr<Call>& call = (*memory.calls)[number_];
    if (!call) call = std::make_unique<Call>(arguments_, outputs_, places_);
    call->run(op_, memory);
  }

 private:
  const Op& op_;
  const std::vector<Value> arguments_;
  const std::vector<Tensor> outputs_;
  const size_t number_;
  std::vector<Place> places_;
};

}  // namespace

Call::Call(const std::vector<Value>& arguments, const std::vector<Tensor>& outputs,
           const std::vector<Place>& places)
    : places_(places) {
  for (const Value& argument : arguments) arguments_.push_back(bound(argument));
  for (const Tensor& output : outputs) outputs_.push_back(bound(output));
  for (size_t i = 0; i < arguments_.size(); ++i) operands_.push_back(static_cast<int32_t>(i));
}

Tensor Call::bound(const Tensor& tensor) {
  if (is_constant(tensor)) return tensor;
  // The address is a placeholder until run() sets it.
  moved_.push_back(
      Tensor::from_blob(tensor.storage()->data, tensor.dtype(), tensor.sizes(), tensor.strides()));
  return moved_.back();
}

Value Call::bound(const Value& value) {
  if (value.is_tensor()) return Value(bound(value.tensor()));
  if (!value.is_list() && !value.is_tuple()) return value;
  std::vector<Value> elements;
  for (const Value& element :
       value.is_list() ? value.to_list().elements : value.to_tuple().elements)
    elements.push_back(bound(element));
  return value.is_list() ? Value::list(std::move(elements)) : Value::tuple(std::move(elements));
}

void Call::run(const Op& op, const Memory& memory) {
  for (size_t i = 0; i < moved_.size(); ++i) {
    detail::TensorImpl* const impl = moved_[i].impl();
    impl->data = memory.at<std::byte>(places_[i]);
    impl->storage->data = impl->data;
  }
  op.definition().compute({arguments_.data(), nullptr, operands_.data(), operands_.size()},
                          outputs_.data());
}

std::vector<Tensor> CallNode::inputs() const {
  std::vector<Tensor> tensors;
  for (const Value& argument : arguments_)
    for_each_tensor(argument, [&](const Tensor& tensor) { tensors.push_back(tensor); });
  return tensors;
}

std::unique_ptr<Step> CallNode::make(Layout& layout) const {
  return std::make_unique<CallStep>(op_, arguments_, outputs_, layout);
}

std::string CallNode::describe() const {
  const std::string_view name = op_.name();
  return std::string(name.substr(name.find("::") + 2));
}

}  // namespace ingot::plan

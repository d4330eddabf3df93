// Ops as calls of their own kernels, on tensors that the plan places.
#pragma once

#include <memory>
#include <vector>

#include <ingot/op.h>
#include "ops/plan/node.h"

namespace ingot::plan {

// The tensors of one call, made once per set of memory and moved from run to run.
class Call {
 public:
  // `arguments` hold abstract tensors where `tensors` (in the order that for_each_tensor walks
  // them) have places.
  Call(const std::vector<Value>& arguments, const std::vector<Tensor>& outputs,
       const std::vector<Place>& places);
  void run(const Op& op, const Memory& memory);

 private:
  Tensor bound(const Tensor& tensor);
  Value bound(const Value& value);

  const std::vector<Place>& places_;
  std::vector<Value> arguments_;
  std::vector<Tensor> outputs_;
  std::vector<Tensor> moved_;  // one per place
  std::vector<int32_t> operands_;
};

// The calls of one run of a plan.
class Calls {
 public:
  explicit Calls(size_t count) : calls_(count) {}
  std::unique_ptr<Call>& operator[](size_t i) { return calls_[i]; }

 private:
  std::vector<std::unique_ptr<Call>> calls_;
};

class CallNode final : public Node {
 public:
  CallNode(const Op& op, std::vector<Value> arguments, std::vector<Tensor> outputs, double flops)
      : op_(op), arguments_(std::move(arguments)), outputs_(std::move(outputs)), flops_(flops) {}
  std::vector<Tensor> inputs() const override;
  std::vector<Tensor> outputs() const override { return outputs_; }
  std::unique_ptr<Step> make(Layout& layout) const override;
  std::string describe() const override;
  Cost cost() const override {
    Cost cost = Node::cost();
    cost.flops = flops_;
    return cost;
  }

 private:
  const Op& op_;
  std::vector<Value> arguments_;
  std::vector<Tensor> outputs_;
  double flops_;
};

// Calls visit(tensor) for the tensors in a value, lists and tuples included.
template <class Visit>
void for_each_tensor(const Value& value, Visit&& visit) {
  if (value.is_tensor()) {
    visit(value.tensor());
  } else if (value.is_list() || value.is_tuple()) {
    for (const Value& element :
         value.is_list() ? value.to_list().elements : value.to_tuple().elements)
      for_each_tensor(element, visit);
  } else if (value.is_dict()) {
    for (const auto& item : value.to_dict().items()) for_each_tensor(item.second, visit);
  }
}

// The value with change(tensor) for each tensor in it; containers are new ones.
template <class Change>
Value with_tensors(const Value& value, Change&& change) {
  if (value.is_tensor()) return Value(change(value.tensor()));
  if (value.is_dict()) {
    std::vector<std::pair<Value, Value>> items;
    for (const auto& [key, item] : value.to_dict().items())
      items.emplace_back(key, with_tensors(item, change));
    return Value::dict(std::move(items));
  }
  if (!value.is_list() && !value.is_tuple()) return value;
  std::vector<Value> elements;
  for (const Value& element :
       value.is_list() ? value.to_list().elements : value.to_tuple().elements)
    elements.push_back(with_tensors(element, change));
  if (value.is_list()) return Value::list(std::move(elements));
  auto* tuple = new Tuple(std::move(elements));
  tuple->names = value.to_tuple().names;
  return Value(static_cast<Object*>(tuple));
}

}  // namespace ingot::plan

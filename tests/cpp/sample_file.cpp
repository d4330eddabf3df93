#include "file_builder.h"

namespace ingot::testing {
namespace {

Tensor filled(const Dims& sizes, float value) {
  Tensor tensor = Tensor::empty(DType::f32, sizes);
  std::fill_n(tensor.data<float>(), tensor.numel(), value);
  return tensor;
}

}  // namespace

std::string sample_file() {
  FileBuilder file;
  const uint32_t batch = file.symbol("B", 0, INT64_MAX);
  const int64_t free = -2 - static_cast<int64_t>(batch);
  const uint32_t tensor = file.type(fb::TypeKind::Tensor);
  const uint32_t boolean = file.type(fb::TypeKind::Bool);
  const uint32_t integer = file.type(fb::TypeKind::Int);
  const uint32_t floating = file.type(fb::TypeKind::Float);
  const uint32_t string = file.type(fb::TypeKind::Str);
  const uint32_t x_type = file.tensor_type(DType::f32, {free, 10});

  file.begin_method();
  uint32_t x = file.input("x", x_type);
  for (const auto& [name, out, in] : {std::tuple("fc1", 20, 10), std::tuple("fc2", 5, 20)}) {
    const std::string prefix(name);
    const uint32_t weight_type = file.tensor_type(DType::f32, {out, in});
    const uint32_t bias_type = file.tensor_type(DType::f32, {out});
    file.state(prefix + ".weight", weight_type, filled({out, in}, 0.01f));
    file.state(prefix + ".bias", bias_type, filled({out}, 0.01f));
    const uint32_t weight = file.get_state(prefix + ".weight", weight_type);
    const uint32_t bias = file.get_state(prefix + ".bias", bias_type);
    const uint32_t line = file.source("model.py", 4, "forward", "x = self." + prefix + "(x)");
    x = file.node("aten::linear", {x, weight, bias}, {tensor}, {}, line)[0];
    if (prefix == "fc1") x = file.node("aten::relu", {x}, {tensor})[0];
  }
  file.end_method("forward", x);

  const uint32_t list = file.type(fb::TypeKind::List, {string});
  const uint32_t dict = file.type(fb::TypeKind::Dict, {string, integer});
  const uint32_t bundle =
      file.named_tuple_type("Bundle", {"x", "items", "table", "f"}, {tensor, list, dict, floating});
  file.begin_method();
  x = file.input("x", tensor);
  const uint32_t s = file.input("s", string);
  const uint32_t n = file.input("n", integer);
  const uint32_t f = file.input("f", floating);
  const uint32_t items = file.node("prim::ListConstruct", {s, s}, {list})[0];
  const uint32_t table = file.node("prim::DictConstruct", {s, n}, {dict})[0];
  file.end_method("bundle", file.node("prim::TupleConstruct", {x, items, table, f}, {bundle})[0]);

  file.begin_method();
  x = file.input("x", tensor);
  const uint32_t flag = file.input("flag", boolean);
  file.begin_block();
  const auto then = file.end_block({x});
  file.begin_block();
  const auto other = file.end_block({file.node("aten::neg", {x}, {tensor})[0]});
  file.end_method("branch", file.node("prim::If", {flag}, {tensor}, {}, 0, {then, other})[0]);

  file.begin_method();
  const uint32_t message = file.input("s", string);
  file.node("prim::RaiseException", {message}, {}, {{"kind", file.literal("ValueError")}},
            file.source("model.py", 7, "raises", "raise ValueError(s)"));
  file.end_method("raises", file.node("prim::Uninitialized", {}, {tensor})[0]);

  const uint32_t counter_type = file.tensor_type(DType::f32, {1});
  file.state("counter", counter_type, filled({1}, 0), true);
  file.begin_method();
  file.input("x", tensor);
  const uint32_t one = file.constant(integer, file.literal(int64_t{1}));
  const uint32_t before = file.get_state("counter", counter_type);
  const uint32_t after = file.node("aten::add.Scalar", {before, one, one}, {counter_type})[0];
  file.node("prim::SetState", {after}, {}, {{"name", file.literal("counter")}});
  file.end_method("count", after);

  const uint32_t node_class = file.new_class("models.Node");
  const uint32_t node_type = file.object_type(node_class);
  const uint32_t next_type = file.type(fb::TypeKind::Optional, {node_type});
  file.fields(node_class, {"value", "next"}, {tensor, next_type});
  file.begin_method();
  x = file.input("x", tensor);
  const uint32_t turns = file.input("n", integer);
  const auto attribute = [&](const char* name) {
    return FileBuilder::Attributes{{"name", file.literal(name)}};
  };
  const uint32_t go = file.constant(boolean, file.literal(true));
  const uint32_t nothing = file.constant(next_type, 0);
  file.begin_block();
  const uint32_t turn = file.value(integer);
  const uint32_t head = file.value(next_type);
  const uint32_t made = file.node("prim::CreateObject", {}, {node_type})[0];
  file.node("prim::SetAttr", {made, x}, {}, attribute("value"));
  file.node("prim::SetAttr", {made, head}, {}, attribute("next"));
  const uint32_t kept = file.node("prim::GetAttr", {made}, {tensor}, attribute("value"))[0];
  file.node("aten::neg", {kept}, {tensor});
  const uint32_t tried = file.node("prim::IsInstance", {made}, {boolean, node_type})[1];
  const auto chain = file.end_block({go, tried}, {turn, head});
  file.end_method("objects",
                  file.node("prim::Loop", {turns, go, nothing}, {next_type}, {}, 0, {chain})[0]);

  file.extra_file("labels.txt", std::string("cat\0dog", 7));
  return file.finish();
}

}  // namespace ingot::testing

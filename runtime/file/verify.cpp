#include "file/verify.h"
#include "ops/schema.h"

#include <algorithm>
#include <unordered_map>

#include <ingot/check.h>

namespace ingot {
namespace {

// What the type variables of one schema stand for at one node.
using Bindings = std::unordered_map<std::string, TypePtr>;

TypePtr substitute(const TypePtr& type, const Bindings& bindings) {
  if (type->kind == TypeKind::variable) {
    const auto found = bindings.find(type->name);
    return found == bindings.end() ? type : found->second;
  }
  if (type->elements.empty()) return type;
  auto result = std::make_shared<Type>(*type);
  for (TypePtr& element : result->elements) element = substitute(element, bindings);
  return result;
}

// Whether a value of type `given` may be passed for `wanted`. Op arguments are more lenient
// than assignment: lists that the op only reads may have narrower elements, an int serves as
// a float.
bool accepts(const Type& wanted, const TypePtr& given, bool mutated, Bindings& bindings) {
  switch (wanted.kind) {
    case TypeKind::any: return true;
    case TypeKind::variable: {
      const auto [bound, added] = bindings.try_emplace(wanted.name, given);
      return added || is_subtype(*given, *bound->second);
    }
    case TypeKind::floating:
      return given->kind == TypeKind::floating || given->kind == TypeKind::integer;
    case TypeKind::optional:
      if (given->kind == TypeKind::none) return true;
      return accepts(*wanted.elements[0],
                     given->kind == TypeKind::optional ? given->elements[0] : given, mutated,
                     bindings);
    case TypeKind::list:
      if (given->kind != TypeKind::list) return false;
      if (!accepts(*wanted.elements[0], given->elements[0], mutated, bindings)) return false;
      return !mutated || wanted.elements[0]->kind == TypeKind::variable ||
             is_subtype(*wanted.elements[0], *given->elements[0]);
    case TypeKind::dict:
      return given->kind == TypeKind::dict &&
             accepts(*wanted.elements[0], given->elements[0], mutated, bindings) &&
             accepts(*wanted.elements[1], given->elements[1], mutated, bindings);
    case TypeKind::tuple: {
      if (given->kind != TypeKind::tuple && given->kind != TypeKind::named_tuple) return false;
      if (given->elements.size() != wanted.elements.size()) return false;
      for (size_t i = 0; i < wanted.elements.size(); ++i)
        if (!accepts(*wanted.elements[i], given->elements[i], mutated, bindings)) return false;
      return true;
    }
    default: return is_subtype(*given, wanted);
  }
}

class MethodVerifier {
 public:
  MethodVerifier(const Program& program, const Method& method)
      : program_(program), method_(method), state_(method.values.size(), Scope::undefined) {}

  void verify() {
    if (method_.body.inputs.size() != method_.inputs.size())
      error("its body takes ", method_.body.inputs.size(), " inputs, its signature lists ",
            method_.inputs.size());
    if (method_.body.outputs.size() != 1) error("it must return exactly one value");
    for (size_t i = 0; i < method_.inputs.size(); ++i)
      if (method_.inputs[i].has_default &&
          !holds(*type(method_.body.inputs[i]), method_.inputs[i].fallback))
        error("the default of input '", method_.inputs[i].name, "' does not fit its type");
    for (const DimSource& dim : method_.dim_sources)
      if (dim.input >= method_.inputs.size()) error("a dimension's source names a missing input");
    verify_block(method_.body);
  }

 private:
  enum class Scope : uint8_t { undefined, visible, gone };

  template <class... Parts>
  [[noreturn]] void error(const Parts&... parts) const {
    std::string where = concat("invalid program: method '", method_.name, "': ");
    if (node_) where += concat(node_->op ? node_->op->name() : "prim node", ": ");
    throw Error(ErrorCode::corrupt_file, where + concat(parts...))
        .with_location(node_ ? program_.location(node_->source) : "");
  }

  const TypePtr& type(ValueId id) const { return method_.values[id].type; }

  void define(ValueId id) {
    if (state_[id] != Scope::undefined) error("value ", id, " is defined twice");
    state_[id] = Scope::visible;
    defined_.push_back(id);
  }

  void use(ValueId id) const {
    if (state_[id] != Scope::visible) error("value ", id, " is used where it is not defined");
  }

  void expect_subtype(ValueId from, const Type& to, std::string_view what) const {
    if (!is_subtype(*type(from), to))
      error(what, " has type ", type(from)->str(), ", not ", to.str());
  }

  void verify_block(const Block& block) {
    const size_t mark = defined_.size();
    for (const ValueId id : block.inputs) define(id);
    for (const Node& node : block.nodes) {
      node_ = &node;
      for (const ValueId id : node.inputs) use(id);
      for (const Block& inner : node.blocks) verify_block(inner);
      node_ = &node;
      verify_node(node);
      for (const ValueId id : node.outputs) define(id);
    }
    node_ = nullptr;
    for (const ValueId id : block.outputs) use(id);
    for (; defined_.size() > mark; defined_.pop_back()) state_[defined_.back()] = Scope::gone;
  }

  void arity(size_t inputs, size_t outputs, size_t blocks = 0) const {
    if (node_->inputs.size() != inputs || node_->outputs.size() != outputs ||
        node_->blocks.size() != blocks)
      error("it has ", node_->inputs.size(), " inputs, ", node_->outputs.size(), " outputs and ",
            node_->blocks.size(), " blocks, not ", inputs, ", ", outputs, " and ", blocks);
  }

  void verify_node(const Node& node) const {
    if (node.prim != Prim::if_ && node.prim != Prim::loop && node.prim != Prim::try_ &&
        !node.blocks.empty())
      error("it cannot have blocks");
    switch (node.prim) {
      case Prim::none: return verify_op(node);
      case Prim::constant:
        arity(0, 1);
        if (!holds(*type(node.outputs[0]), node.value))
          error("the constant ", node.value.describe(), " is no ", type(node.outputs[0])->str());
        return;
      case Prim::get_state:
        arity(0, 1);
        if (!is_subtype(*program_.state[node.index].type, *type(node.outputs[0])))
          error("state entry '", program_.state[node.index].name, "' has another type");
        return;
      case Prim::set_state: {
        arity(1, 0);
        const StateEntry& entry = program_.state[node.index];
        if (!entry.is_mutable) error("state entry '", entry.name, "' is not mutable");
        return expect_subtype(node.inputs[0], *entry.type, "the new state");
      }
      case Prim::if_: return verify_if(node);
      case Prim::loop: return verify_loop(node);
      case Prim::list_construct: {
        arity(node.inputs.size(), 1);
        const Type& list = *type(node.outputs[0]);
        if (list.kind != TypeKind::list) error("it must make a List");
        for (const ValueId id : node.inputs) expect_subtype(id, *list.elements[0], "an element");
        return;
      }
      case Prim::list_unpack: {
        arity(1, node.outputs.size());
        const Type& list = *type(node.inputs[0]);
        if (list.kind != TypeKind::list) error("its input must be a List");
        for (const ValueId id : node.outputs)
          if (!is_subtype(*list.elements[0], *type(id))) error("an output has the wrong type");
        return;
      }
      case Prim::tuple_construct: {
        arity(node.inputs.size(), 1);
        const Type& tuple = tuple_type(node.outputs[0]);
        if (tuple.elements.size() != node.inputs.size()) error("the number of elements is wrong");
        for (size_t i = 0; i < node.inputs.size(); ++i)
          expect_subtype(node.inputs[i], *tuple.elements[i], "an element");
        return;
      }
      case Prim::tuple_unpack: {
        arity(1, node.outputs.size());
        const Type& tuple = tuple_type(node.inputs[0]);
        if (tuple.elements.size() != node.outputs.size()) error("the number of outputs is wrong");
        for (size_t i = 0; i < node.outputs.size(); ++i)
          if (!is_subtype(*tuple.elements[i], *type(node.outputs[i])))
            error("output ", i, " has the wrong type");
        return;
      }
      case Prim::tuple_index: {
        arity(1, 1);
        const Type& tuple = tuple_type(node.inputs[0]);
        if (node.index >= tuple.elements.size()) error("index ", node.index, " is out of range");
        if (!is_subtype(*tuple.elements[node.index], *type(node.outputs[0])))
          error("the output has the wrong type");
        return;
      }
      case Prim::dict_construct: {
        arity(node.inputs.size(), 1);
        const Type& dict = *type(node.outputs[0]);
        if (dict.kind != TypeKind::dict || node.inputs.size() % 2 != 0)
          error("it must make a Dict of keys and values");
        for (size_t i = 0; i < node.inputs.size(); ++i)
          expect_subtype(node.inputs[i], *dict.elements[i % 2], i % 2 ? "a value" : "a key");
        return;
      }
      case Prim::call: {
        const Method& callee = program_.methods[node.index];
        arity(callee.inputs.size(), 1);
        if (callee.body.inputs.size() != callee.inputs.size() || callee.body.outputs.size() != 1)
          error("method '", callee.name, "' is malformed");
        for (size_t i = 0; i < node.inputs.size(); ++i)
          expect_subtype(node.inputs[i], *callee.values[callee.body.inputs[i]].type, "an argument");
        if (!is_subtype(*callee.values[callee.body.outputs[0]].type, *type(node.outputs[0])))
          error("the output has another type than method '", callee.name, "' returns");
        return;
      }
      case Prim::cast: return arity(1, 1);
      case Prim::is_instance:
        arity(1, 2);
        if (type(node.outputs[0])->kind != TypeKind::boolean) error("its first result is no bool");
        return;
      case Prim::uninitialized: return arity(0, 1);
      case Prim::guard:
        arity(1, 0);
        return expect_subtype(node.inputs[0], *Type::simple(TypeKind::boolean), "the condition");
      case Prim::raise_exception:
        arity(1, 0);
        return expect_subtype(node.inputs[0], *Type::simple(TypeKind::string), "the message");
      case Prim::try_: return verify_try(node);
      case Prim::reraise:
        arity(4, 0);
        for (const ValueId id : node.inputs)
          expect_subtype(id, *Type::simple(TypeKind::string), "a part of the exception");
        return;
      case Prim::create_object:
        arity(0, 1);
        class_of(node.outputs[0]);
        return;
      case Prim::get_attribute:
        arity(1, 1);
        if (!is_subtype(*attribute_type(node), *type(node.outputs[0])))
          error("the attribute '", node.text, "' has type ", attribute_type(node)->str(), ", not ",
                type(node.outputs[0])->str());
        return;
      case Prim::set_attribute:
        arity(2, 0);
        return expect_subtype(node.inputs[1], *attribute_type(node), "the attribute");
        return;
    }
  }

  const ClassType& class_of(ValueId id) const {
    if (type(id)->kind != TypeKind::object)
      error("value ", id, " must be an Object, not ", type(id)->str());
    return *type(id)->object_class;
  }

  const TypePtr& attribute_type(const Node& node) const {
    const ClassType& object = class_of(node.inputs[0]);
    const auto& fields = object.names->fields;
    const auto found = std::find(fields.begin(), fields.end(), node.text);
    if (found == fields.end())
      error("the class ", object.names->name, " has no attribute '", node.text, "'");
    return object.types[static_cast<size_t>(found - fields.begin())];
  }

  const Type& tuple_type(ValueId id) const {
    const Type& tuple = *type(id);
    if (tuple.kind != TypeKind::tuple && tuple.kind != TypeKind::named_tuple)
      error("value ", id, " must be a Tuple, not ", tuple.str());
    return tuple;
  }

  void verify_if(const Node& node) const {
    arity(1, node.outputs.size(), 2);
    expect_subtype(node.inputs[0], *Type::simple(TypeKind::boolean), "the condition");
    for (const Block& block : node.blocks) {
      if (!block.inputs.empty()) error("its blocks take no inputs");
      if (block.outputs.size() != node.outputs.size())
        error("a block has the wrong number of outputs");
      for (size_t i = 0; i < node.outputs.size(); ++i)
        expect_subtype(block.outputs[i], *type(node.outputs[i]), "a block's output");
    }
  }

  void verify_try(const Node& node) const {
    arity(0, node.outputs.size(), 2);
    if (!node.blocks[0].inputs.empty()) error("its body takes no inputs");
    if (node.blocks[1].inputs.size() != 4) error("its handler takes four inputs");
    for (const ValueId id : node.blocks[1].inputs)
      if (type(id)->kind != TypeKind::string) error("its handler takes strings");
    for (const Block& block : node.blocks) {
      if (block.outputs.size() != node.outputs.size())
        error("a block has the wrong number of outputs");
      for (size_t i = 0; i < node.outputs.size(); ++i)
        expect_subtype(block.outputs[i], *type(node.outputs[i]), "a block's output");
    }
  }

  void verify_loop(const Node& node) const {
    arity(node.outputs.size() + 2, node.outputs.size(), 1);
    const Type& integer = *Type::simple(TypeKind::integer);
    const Type& boolean = *Type::simple(TypeKind::boolean);
    const Block& body = node.blocks[0];
    const size_t carried = node.outputs.size();
    if (body.inputs.size() != carried + 1 || body.outputs.size() != carried + 1)
      error("its block does not carry the values that it returns");
    expect_subtype(node.inputs[0], integer, "the number of iterations");
    expect_subtype(node.inputs[1], boolean, "the condition");
    if (type(body.inputs[0])->kind != TypeKind::integer) error("the counter must be an int");
    expect_subtype(body.outputs[0], boolean, "the next condition");
    for (size_t i = 0; i < carried; ++i) {
      const Type& wanted = *type(body.inputs[i + 1]);
      expect_subtype(node.inputs[i + 2], wanted, "a carried value");
      expect_subtype(body.outputs[i + 1], wanted, "a carried value");
      expect_subtype(node.inputs[i + 2], *type(node.outputs[i]), "a result");
      expect_subtype(body.outputs[i + 1], *type(node.outputs[i]), "a result");
    }
  }

  void verify_op(const Node& node) const {
    const Schema& schema = node.op->schema();
    const size_t given = node.inputs.size();
    if (given > schema.arguments.size() && !schema.variadic)
      error("it has ", given, " arguments, the op takes ", schema.arguments.size());
    Bindings bindings;
    for (size_t i = 0; i < schema.arguments.size(); ++i) {
      const SchemaArgument& argument = schema.arguments[i];
      if (i >= given) {
        if (!argument.fallback) error("argument '", argument.name, "' is missing");
      } else if (!accepts(*argument.type, type(node.inputs[i]), argument.mutated, bindings)) {
        error("argument '", argument.name, "' has type ", type(node.inputs[i])->str(), ", not ",
              argument.type->str());
      }
    }
    if (node.outputs.size() != schema.returns.size())
      error("it has ", node.outputs.size(), " outputs, the op returns ", schema.returns.size());
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const TypePtr result = substitute(schema.returns[i].type, bindings);
      if (!is_subtype(*result, *type(node.outputs[i])))
        error("output ", i, " has type ", type(node.outputs[i])->str(), ", the op returns ",
              result->str());
    }
  }

  const Program& program_;
  const Method& method_;
  std::vector<Scope> state_;
  std::vector<ValueId> defined_;
  const Node* node_ = nullptr;
};

void verify_state(const StateEntry& entry) {
  const auto wrong = [&](const auto&... parts) {
    fail(ErrorCode::corrupt_file, "invalid program: state entry '", entry.name, "' ", parts...);
  };
  if (!holds(*entry.type, entry.value))
    wrong("of type ", entry.type->str(), " holds ", entry.value.describe());
  if (!entry.value.is_tensor() || entry.type->kind != TypeKind::tensor) return;
  const Tensor& tensor = entry.value.tensor();
  const bool dtype_fits = !entry.type->dtype || *entry.type->dtype == tensor.dtype();
  bool sizes_fit = true;
  if (entry.type->dims) {
    sizes_fit = static_cast<int>(entry.type->dims->size()) == tensor.rank();
    for (int d = 0; sizes_fit && d < tensor.rank(); ++d)
      sizes_fit = (*entry.type->dims)[d] < 0 || (*entry.type->dims)[d] == tensor.size(d);
  }
  if (!dtype_fits || !sizes_fit)
    wrong("is declared ", entry.type->str(), " but the file holds ", tensor);
}

}  // namespace

void verify_program(const Program& program) {
  for (const StateEntry& entry : program.state) verify_state(entry);
  for (const Method& method : program.methods) MethodVerifier(program, method).verify();
}

}  // namespace ingot

#include "file/decode.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <unordered_map>

#include <ingot/check.h>
#include "file/components.h"
#include "program_generated.h"

namespace ingot {
namespace {

constexpr int kDeepestNesting = 100;  // blocks inside blocks, types inside types
// Shared parts count each time: what it costs to walk the whole.
constexpr uint64_t kLargestType = 100'000;
constexpr uint64_t kLargestLiteral = 10'000'000;

template <class... Parts>
[[noreturn]] void corrupt(const Parts&... parts) {
  fail(ErrorCode::corrupt_file, "invalid program: ", parts...);
}

// Whether values of the type have a hash.
bool is_key(const Type& type) {
  switch (type.kind) {
    case TypeKind::string:
    case TypeKind::integer:
    case TypeKind::floating:
    case TypeKind::complex:
    case TypeKind::boolean:
    case TypeKind::tensor:
    case TypeKind::object:
    case TypeKind::none: return true;
    case TypeKind::tuple:
    case TypeKind::named_tuple:
    case TypeKind::optional:
    case TypeKind::union_:
      return std::all_of(type.elements.begin(), type.elements.end(),
                         [](const TypePtr& element) { return is_key(*element); });
    default: return false;
  }
}

struct PrimName {
  std::string_view name;
  Prim prim;
};
constexpr PrimName kPrims[] = {
    {"prim::Constant", Prim::constant},
    {"prim::GetState", Prim::get_state},
    {"prim::SetState", Prim::set_state},
    {"prim::If", Prim::if_},
    {"prim::Loop", Prim::loop},
    {"prim::ListConstruct", Prim::list_construct},
    {"prim::ListUnpack", Prim::list_unpack},
    {"prim::TupleConstruct", Prim::tuple_construct},
    {"prim::TupleUnpack", Prim::tuple_unpack},
    {"prim::TupleIndex", Prim::tuple_index},
    {"prim::DictConstruct", Prim::dict_construct},
    {"prim::Call", Prim::call},
    {"prim::Cast", Prim::cast},
    {"prim::Uninitialized", Prim::uninitialized},
    {"prim::Guard", Prim::guard},
    {"prim::RaiseException", Prim::raise_exception},
    {"prim::Try", Prim::try_},
    {"prim::Reraise", Prim::reraise},
    {"prim::IsInstance", Prim::is_instance},
    {"prim::CreateObject", Prim::create_object},
    {"prim::GetAttr", Prim::get_attribute},
    {"prim::SetAttr", Prim::set_attribute},
};

std::string string_of(const flatbuffers::String* text) {
  return text ? text->str() : std::string();
}

template <class T>
const T& at(const std::vector<T>& all, uint64_t index, std::string_view what) {
  if (index >= all.size())
    corrupt(what, " number ", index, " is out of range: there are ", all.size());
  return all[index];
}

// FlatBuffers vectors may be absent, and elements of tables may not.
template <class T>
auto each(const flatbuffers::Vector<T>* vector) {
  using Iterator = typename flatbuffers::Vector<T>::const_iterator;
  struct Range {
    Iterator first, last;
    Iterator begin() const { return first; }
    Iterator end() const { return last; }
  };
  return vector ? Range{vector->begin(), vector->end()} : Range{Iterator(), Iterator()};
}

// FlatBuffers verifies the alignment of a vector's length (4), not of its wider elements.
void copy_unaligned(const flatbuffers::Vector<int64_t>& from, std::vector<int64_t>& to) {
  to.resize(from.size());
  if (!to.empty()) std::memcpy(to.data(), from.Data(), to.size() * sizeof(int64_t));
}

std::vector<ValueId> ids(const flatbuffers::Vector<uint32_t>* vector) {
  return vector ? std::vector<ValueId>(vector->begin(), vector->end()) : std::vector<ValueId>();
}

// Bounds the depth and the size of things made of earlier things in a table.
class Extent {
 public:
  Extent(std::string_view what, uint64_t largest) : what_(what), largest_(largest) {}
  // The current thing contains number `element`.
  void add(uint32_t element) {
    depth_ = std::max(depth_, depths_[element] + 1);
    size_ += sizes_[element];
    if (depth_ > kDeepestNesting || size_ > largest_) corrupt(what_, " is nested too deeply");
  }
  void finish() {
    depths_.push_back(std::exchange(depth_, 0));
    sizes_.push_back(std::exchange(size_, 1));
  }

 private:
  std::string_view what_;
  uint64_t largest_;
  std::vector<int> depths_;
  std::vector<uint64_t> sizes_;
  int depth_ = 0;
  uint64_t size_ = 1;
};

// safetensors lacks complex128: it is stored as f64 with a last dimension of 2 (docs/format.md).
bool is_stored_complex128(const Type& declared, const Tensor& stored) {
  return declared.kind == TypeKind::tensor && declared.dtype == DType::c128 &&
         stored.dtype() == DType::f64 && stored.rank() > 0 && stored.size(stored.rank() - 1) == 2;
}

Tensor as_complex128(const Tensor& stored) {
  const std::span<const int64_t> sizes = stored.sizes();
  return Tensor::from_blob(
      stored.data(), DType::c128, sizes.first(sizes.size() - 1), {},
      [](void* context) { delete static_cast<Tensor*>(context); }, new Tensor(stored), false);
}

class Decoder {
 public:
  Decoder(const fb::Program& in, const std::map<std::string, Tensor>& tensors)
      : in_(in), tensors_(tensors), program_(std::make_shared<Program>()) {}

  std::shared_ptr<Program> decode() {
    program_->producer = string_of(in_.producer());
    decode_ops();
    decode_sources();
    decode_symbols();
    decode_class_names();
    decode_types();
    decode_class_fields();
    decode_literals();
    decode_state();
    for (const fb::Method* method : each(in_.methods()))
      method_names_.push_back(string_of(method->name()));
    std::set<std::string> seen;
    for (const std::string& name : method_names_)
      if (!seen.insert(name).second) corrupt("method '", name, "' occurs twice");
    for (const fb::Method* method : each(in_.methods()))
      program_->methods.push_back(decode_method(*method));
    return program_;
  }

 private:
  struct OpName {
    Prim prim;
    const Op* op;
  };

  void decode_ops() {
    std::string unknown;
    std::string_view component;
    for (const flatbuffers::String* text : each(in_.ops())) {
      const std::string name = text->str();
      const auto prim = std::find_if(std::begin(kPrims), std::end(kPrims),
                                     [&](const PrimName& p) { return p.name == name; });
      if (prim != std::end(kPrims)) {
        ops_.push_back({prim->prim, nullptr});
        continue;
      }
      const Op* op = find_op(name);
      if (!op) {
        unknown += (unknown.empty() ? "\"" : ", \"") + name + "\"";
        if (component.empty()) component = component_of(name);
      }
      ops_.push_back({Prim::none, op});
    }
    if (unknown.empty()) return;
    Error error(ErrorCode::unsupported,
                concat("the program uses ops that this Ingot (" INGOT_VERSION ") does not have: ",
                       unknown));
    if (component.empty())
      throw error.with_hint("load it with the Ingot that made it (" + program_->producer +
                            ") or a newer one, or load the library with these custom ops first");
    throw error.with_hint(concat("load the component with these ops first: ingot::load_library(\"",
                                 component, ".so\")"));
  }

  void decode_sources() {
    for (const fb::Source* source : each(in_.sources())) {
      const auto index = static_cast<uint32_t>(program_->sources.size());
      if (source->caller() >= std::max<uint32_t>(index, 1))
        corrupt("source ", index, " is called from a later one");
      program_->sources.push_back({.file = string_of(source->file()),
                                   .line = source->line(),
                                   .function = string_of(source->function()),
                                   .text = string_of(source->text()),
                                   .caller = source->caller()});
    }
    if (program_->sources.empty()) program_->sources.emplace_back();
  }

  uint32_t source(uint32_t index) const {
    at(program_->sources, index, "source");
    return index;
  }

  void decode_symbols() {
    for (const fb::Symbol* symbol : each(in_.symbols())) {
      if (symbol->min() < 0 || symbol->max() < symbol->min())
        corrupt("symbol '", string_of(symbol->name()), "' has an empty range");
      program_->symbols.push_back({.name = string_of(symbol->name()),
                                   .min = symbol->min(),
                                   .max = symbol->max(),
                                   .source = source(symbol->source())});
      program_->symbol_names.push_back(program_->symbols.back().name);
    }
  }

  // Types refer to classes and the fields of classes to types, so names come before both.
  void decode_class_names() {
    std::set<std::string> seen;
    for (const fb::Class* in : each(in_.classes())) {
      auto names = std::make_shared<TupleNames>();
      names->name = string_of(in->name());
      if (names->name.empty()) corrupt("a class has no name");
      if (!seen.insert(names->name).second) corrupt("class '", names->name, "' occurs twice");
      std::set<std::string> fields;
      for (const flatbuffers::String* field : each(in->fields())) {
        if (!fields.insert(field->str()).second)
          corrupt("class '", names->name, "' has the field '", field->str(), "' twice");
        names->fields.push_back(field->str());
      }
      classes_.push_back(std::make_unique<ClassType>(ClassType{std::move(names), {}}));
    }
  }

  void decode_class_fields() {
    size_t number = 0;
    for (const fb::Class* in : each(in_.classes())) {
      ClassType& out = *classes_[number++];
      if (in->types())
        for (const uint32_t type : *in->types()) out.types.push_back(at(types_, type, "type"));
      if (out.types.size() != out.names->fields.size())
        corrupt("class '", out.names->name, "' has ", out.names->fields.size(), " fields and ",
                out.types.size(), " types");
    }
    for (std::unique_ptr<ClassType>& each : classes_) program_->classes.push_back(std::move(each));
  }

  void decode_types() {
    Extent extent("a type", kLargestType);
    for (const fb::Type* in : each(in_.types())) {
      auto type = std::make_shared<Type>();
      if (in->elements()) {
        for (const uint32_t element : *in->elements()) {
          type->elements.push_back(at(types_, element, "type"));
          extent.add(element);
        }
      }
      extent.finish();
      const size_t count = type->elements.size();
      const auto elements = [&](size_t wanted) {
        if (count != wanted) corrupt("type ", types_.size(), " has ", count, " elements");
      };
      switch (in->kind()) {
        case fb::TypeKind::Tensor:
          type->kind = TypeKind::tensor;
          elements(0);
          if (in->dtype() != -1) {
            if (!is_dtype(in->dtype()))
              corrupt("type ", types_.size(), " has dtype ", int{in->dtype()});
            type->dtype = static_cast<DType>(in->dtype());
          }
          if (in->has_rank()) {
            type->dims.emplace();
            if (in->dims()) copy_unaligned(*in->dims(), *type->dims);
            if (type->dims->size() > kMaxRank)
              corrupt("a tensor type of ", type->dims->size(), " dimensions");
            for (const int64_t dim : *type->dims)
              if (dim <= -2) at(program_->symbols, static_cast<uint64_t>(-(dim + 2)), "symbol");
          }
          break;
        case fb::TypeKind::Int:
          type->kind = TypeKind::integer;
          elements(0);
          break;
        case fb::TypeKind::Float:
          type->kind = TypeKind::floating;
          elements(0);
          break;
        case fb::TypeKind::Bool:
          type->kind = TypeKind::boolean;
          elements(0);
          break;
        case fb::TypeKind::Complex:
          type->kind = TypeKind::complex;
          elements(0);
          break;
        case fb::TypeKind::Str:
          type->kind = TypeKind::string;
          elements(0);
          break;
        case fb::TypeKind::None:
          type->kind = TypeKind::none;
          elements(0);
          break;
        case fb::TypeKind::List:
          type->kind = TypeKind::list;
          elements(1);
          break;
        case fb::TypeKind::Dict: {
          type->kind = TypeKind::dict;
          elements(2);
          if (!is_key(*type->elements[0]))
            corrupt("a Dict cannot have keys of type ", type->elements[0]->str());
          break;
        }
        case fb::TypeKind::Tuple: type->kind = TypeKind::tuple; break;
        case fb::TypeKind::NamedTuple:
          type->kind = TypeKind::named_tuple;
          type->name = string_of(in->name());
          for (const flatbuffers::String* field : each(in->fields()))
            type->fields.push_back(field->str());
          elements(type->fields.size());
          break;
        case fb::TypeKind::Optional:
          type->kind = TypeKind::optional;
          elements(1);
          break;
        case fb::TypeKind::Union: type->kind = TypeKind::union_; break;
        case fb::TypeKind::Object:
          type->kind = TypeKind::object;
          elements(0);
          type->object_class = at(classes_, in->class_number(), "class").get();
          break;
        default:
          corrupt("type ", types_.size(), " is of the unknown kind ", static_cast<int>(in->kind()));
      }
      types_.push_back(std::move(type));
    }
  }

  void decode_literals() {
    Extent extent("a literal", kLargestLiteral);
    for (const fb::Literal* in : each(in_.literals())) {
      Value value;
      switch (in->kind()) {
        case fb::LiteralKind::None: break;
        case fb::LiteralKind::Bool: value = Value(in->i() != 0); break;
        case fb::LiteralKind::Int: value = Value(in->i()); break;
        case fb::LiteralKind::Float: value = Value(in->f()); break;
        case fb::LiteralKind::Complex:
          value = Value(std::complex<double>(in->f(), in->imag()));
          break;
        case fb::LiteralKind::Str: value = Value(string_of(in->s())); break;
        case fb::LiteralKind::List: {
          std::vector<Value> elements;
          if (in->elements()) {
            for (const uint32_t element : *in->elements()) {
              elements.push_back(at(literals_, element, "literal"));
              extent.add(element);
            }
          }
          value = Value::list(std::move(elements));
          break;
        }
        default: corrupt("a literal of the unknown kind ", static_cast<int>(in->kind()));
      }
      extent.finish();
      literals_.push_back(std::move(value));
    }
  }

  // A literal as a value of the type: in dicts it is a list of pairs, in tuples a list.
  Value literal(uint64_t index, const TypePtr& type) {
    const Value& plain = at(literals_, index, "literal");
    if (!plain.is_list() || !has_container(*type)) return plain;
    const auto [known, missing] = typed_literals_.try_emplace({index, type.get()});
    if (missing) known->second = typed(plain, *type);
    return known->second;
  }

  static bool has_container(const Type& type) {
    return type.kind == TypeKind::dict || type.kind == TypeKind::tuple ||
           std::any_of(type.elements.begin(), type.elements.end(),
                       [](const TypePtr& element) { return has_container(*element); });
  }

  // What does not fit stays as it is, for the verifier to refuse.
  Value typed(const Value& plain, const Type& type) {
    if (++typed_size_ > kLargestLiteral) corrupt("the literals are too large");
    if (type.kind == TypeKind::optional)
      return plain.is_list() ? typed(plain, *type.elements[0]) : plain;
    if (!plain.is_list()) return plain;
    const std::vector<Value>& parts = plain.to_list().elements;
    if (type.kind == TypeKind::list || type.kind == TypeKind::tuple) {
      const bool is_list = type.kind == TypeKind::list;
      if (!is_list && parts.size() != type.elements.size()) return plain;
      std::vector<Value> elements;
      for (size_t i = 0; i < parts.size(); ++i)
        elements.push_back(typed(parts[i], *type.elements[is_list ? 0 : i]));
      return is_list ? Value::list(std::move(elements)) : Value::tuple(std::move(elements));
    }
    if (type.kind != TypeKind::dict) return plain;
    std::vector<std::pair<Value, Value>> items;
    for (const Value& part : parts) {
      if (!part.is_list() || part.to_list().elements.size() != 2) return plain;
      const std::vector<Value>& pair = part.to_list().elements;
      const bool is_key =
          pair[0].is_bool() || pair[0].is_int() || pair[0].is_double() || pair[0].is_string();
      if (!is_key) return plain;
      items.emplace_back(pair[0], typed(pair[1], *type.elements[1]));
    }
    return Value::dict(std::move(items));
  }

  void decode_state() {
    // Tied entries of complex128 share one view.
    std::map<std::string, Tensor> complex;
    for (const fb::State* in : each(in_.state())) {
      StateEntry entry;
      entry.name = string_of(in->name());
      if (!state_names_.emplace(entry.name, program_->state.size()).second)
        corrupt("state entry '", entry.name, "' occurs twice");
      entry.type = at(types_, in->type(), "type");
      entry.is_mutable = in->mutable_();
      if (in->kind() > 3) corrupt("state entry '", entry.name, "' is of kind ", int{in->kind()});
      entry.kind = static_cast<StateKind>(in->kind());
      const std::string key = string_of(in->tensor());
      if (key.empty()) {
        entry.value = literal(in->literal(), entry.type);
      } else {
        const auto tensor = tensors_.find(key);
        if (tensor == tensors_.end())
          corrupt("state entry '", entry.name, "' needs the tensor '", key,
                  "', which the file lacks");
        if (is_stored_complex128(*entry.type, tensor->second))
          entry.value =
              Value(complex.try_emplace(key, as_complex128(tensor->second)).first->second);
        else
          entry.value = Value(tensor->second);
      }
      program_->state.push_back(std::move(entry));
    }
  }

  Method decode_method(const fb::Method& in) {
    Method method;
    method.name = string_of(in.name());
    method.exported = in.exported();
    for (const fb::Input* input : each(in.inputs())) {
      MethodInput out{
          .name = string_of(input->name()), .has_default = input->has_default(), .fallback = {}};
      if (out.has_default) out.fallback = at(literals_, input->default_literal(), "literal");
      method.inputs.push_back(std::move(out));
    }
    for (const fb::ValueInfo* value : each(in.values()))
      method.values.push_back({at(types_, value->type(), "type"), string_of(value->name())});
    if (!in.body()) corrupt("method '", method.name, "' has no body");
    value_count_ = method.values.size();
    value_infos_ = &method.values;
    method.body = decode_block(*in.body(), 0);
    for (const fb::DimSource* dim : each(in.dim_sources()))
      method.dim_sources.push_back({.input = dim->input(),
                                    .path = string_of(dim->path()),
                                    .dim = dim->dim(),
                                    .source = source(dim->source())});
    return method;
  }

  std::vector<ValueId> values(const flatbuffers::Vector<uint32_t>* vector) const {
    std::vector<ValueId> result = ids(vector);
    for (const ValueId id : result)
      if (id >= value_count_) corrupt("value number ", id, " is out of range");
    return result;
  }

  Block decode_block(const fb::Block& in, int depth) {
    if (depth > kDeepestNesting) corrupt("blocks nest deeper than ", kDeepestNesting);
    Block block;
    block.inputs = values(in.inputs());
    if (in.nodes()) block.nodes.reserve(in.nodes()->size());
    for (const fb::Node* node : each(in.nodes())) block.nodes.push_back(decode_node(*node, depth));
    block.outputs = values(in.outputs());
    return block;
  }

  Node decode_node(const fb::Node& in, int depth) {
    Node node;
    const OpName& op = at(ops_, in.op(), "op");
    node.prim = op.prim;
    node.op = op.op;
    node.inputs = values(in.inputs());
    node.outputs = values(in.outputs());
    node.source = source(in.source());
    for (const fb::Block* block : each(in.blocks()))
      node.blocks.push_back(decode_block(*block, depth + 1));
    decode_attributes(in, node);
    return node;
  }

  void decode_attributes(const fb::Node& in, Node& node) {
    std::map<std::string, Value> attributes;
    for (const fb::Attribute* attribute : each(in.attributes()))
      attributes[string_of(attribute->name())] = at(literals_, attribute->value(), "literal");
    const auto take = [&](const char* name) -> const Value& {
      const auto found = attributes.find(name);
      if (found == attributes.end()) corrupt("a node lacks its attribute '", name, "'");
      return found->second;
    };
    const auto text = [&](const char* name) {
      const Value& value = take(name);
      if (!value.is_string()) corrupt("attribute '", name, "' must be text");
      return std::string(value.to_string());
    };
    switch (node.prim) {
      case Prim::constant: {
        take("value");
        for (const fb::Attribute* attribute : each(in.attributes()))
          if (node.outputs.size() == 1 && string_of(attribute->name()) == "value")
            node.value = literal(attribute->value(), (*value_infos_)[node.outputs[0]].type);
        break;
      }
      case Prim::get_state:
      case Prim::set_state: {
        const std::string name = text("name");
        const auto found = state_names_.find(name);
        if (found == state_names_.end()) corrupt("there is no state entry '", name, "'");
        node.index = found->second;
        break;
      }
      case Prim::call: {
        const std::string name = text("method");
        const auto found = std::find(method_names_.begin(), method_names_.end(), name);
        if (found == method_names_.end()) corrupt("there is no method '", name, "'");
        node.index = static_cast<size_t>(found - method_names_.begin());
        break;
      }
      case Prim::tuple_index: {
        const Value& index = take("index");
        if (!index.is_int() || index.to_int() < 0) corrupt("attribute 'index' must be a count");
        node.index = static_cast<size_t>(index.to_int());
        break;
      }
      case Prim::get_attribute:
      case Prim::set_attribute: node.text = text("name"); break;
      case Prim::guard: node.text = text("message"); break;
      case Prim::raise_exception:
        node.text = attributes.count("kind") ? text("kind") : std::string("Exception");
        break;
      default: break;
    }
  }

  const fb::Program& in_;
  const std::map<std::string, Tensor>& tensors_;
  std::shared_ptr<Program> program_;
  std::vector<OpName> ops_;
  std::vector<TypePtr> types_;
  std::vector<std::unique_ptr<ClassType>> classes_;
  std::vector<Value> literals_;
  std::unordered_map<std::string, size_t> state_names_;
  std::vector<std::string> method_names_;
  size_t value_count_ = 0;
  const std::vector<ValueInfo>* value_infos_ = nullptr;
  std::map<std::pair<uint64_t, const Type*>, Value> typed_literals_;
  uint64_t typed_size_ = 0;
};

}  // namespace

std::shared_ptr<Program> decode_program(std::span<const std::byte> bytes,
                                        const std::map<std::string, Tensor>& tensors) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  if (bytes.size() < 8 || !fb::ProgramBufferHasIdentifier(data))
    corrupt("it does not begin with the program signature");
  // Each level of blocks takes two tables (Block, Node) of depth.
  flatbuffers::Verifier verifier(data, bytes.size(), 2 * kDeepestNesting + 16,
                                 static_cast<flatbuffers::uoffset_t>(bytes.size() / 4));
  const auto* root = flatbuffers::GetRoot<fb::Program>(data);
  // The format comes first: a newer file may not verify.
  if (!verifier.VerifyBuffer<fb::Program>(fb::ProgramIdentifier()))
    corrupt("its FlatBuffers structure is broken");
  if (root->format() > kFormat)
    throw Error(ErrorCode::version,
                concat("the file has format ", root->format(),
                       ", this Ingot (" INGOT_VERSION ") reads up to ", kFormat))
        .with_hint("install a newer Ingot, or export the model again with this one");
  if (root->format() == 0) corrupt("its format is 0");
  return Decoder(*root, tensors).decode();
}

}  // namespace ingot

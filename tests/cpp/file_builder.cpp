#include "file_builder.h"

#include <algorithm>
#include <cstring>

namespace ingot::testing {
namespace {

std::string_view safetensors_name(DType dtype) {
  switch (dtype) {
    case DType::f32: return "F32";
    case DType::f64: return "F64";
    case DType::i64: return "I64";
    default: return "U8";
  }
}

template <class T>
uint32_t add(std::vector<T>& all, T one) {
  all.push_back(one);
  return static_cast<uint32_t>(all.size() - 1);
}

}  // namespace

FileBuilder::FileBuilder() {
  literals_.push_back(fb::CreateLiteral(out_));
  sources_.push_back(fb::CreateSource(out_));
}

uint32_t FileBuilder::type(fb::TypeKind kind, const std::vector<uint32_t>& elements) {
  return add(types_, fb::CreateTypeDirect(out_, kind, -1, false, nullptr, &elements));
}

uint32_t FileBuilder::tensor_type(DType dtype, const std::vector<int64_t>& dims) {
  return add(types_, fb::CreateTypeDirect(out_, fb::TypeKind::Tensor, static_cast<int8_t>(dtype),
                                          true, &dims));
}

uint32_t FileBuilder::named_tuple_type(const std::string& name,
                                       const std::vector<std::string>& fields,
                                       const std::vector<uint32_t>& elements) {
  const auto names = out_.CreateVectorOfStrings(fields);
  const auto numbers = out_.CreateVector(elements);
  const auto text = out_.CreateString(name);
  return add(types_,
             fb::CreateType(out_, fb::TypeKind::NamedTuple, -1, false, 0, numbers, text, names));
}

uint32_t FileBuilder::new_class(const std::string& name) { return add(classes_, {name, {}, {}}); }

uint32_t FileBuilder::object_type(uint32_t class_number) {
  return add(types_, fb::CreateTypeDirect(out_, fb::TypeKind::Object, -1, false, nullptr, nullptr,
                                          nullptr, nullptr, class_number));
}

void FileBuilder::fields(uint32_t class_number, const std::vector<std::string>& names,
                         const std::vector<uint32_t>& types) {
  classes_[class_number].fields = names;
  classes_[class_number].types = types;
}

uint32_t FileBuilder::symbol(const std::string& name, int64_t min, int64_t max) {
  return add(symbols_, fb::CreateSymbolDirect(out_, name.c_str(), min, max));
}

uint32_t FileBuilder::literal(int64_t value) {
  return add(literals_, fb::CreateLiteral(out_, fb::LiteralKind::Int, value));
}
uint32_t FileBuilder::literal(bool value) {
  return add(literals_, fb::CreateLiteral(out_, fb::LiteralKind::Bool, value));
}
uint32_t FileBuilder::literal(double value) {
  return add(literals_, fb::CreateLiteral(out_, fb::LiteralKind::Float, 0, value));
}
uint32_t FileBuilder::literal(const char* value) {
  return add(literals_, fb::CreateLiteralDirect(out_, fb::LiteralKind::Str, 0, 0, 0, value));
}

uint32_t FileBuilder::source(const std::string& file, uint32_t line, const std::string& function,
                             const std::string& text) {
  return add(sources_,
             fb::CreateSourceDirect(out_, file.c_str(), line, 0, function.c_str(), text.c_str()));
}

void FileBuilder::state(const std::string& name, uint32_t type, const Tensor& value,
                        bool is_mutable) {
  state_.push_back(fb::CreateStateDirect(out_, name.c_str(), type, name.c_str(), 0, is_mutable));
  Part part{.name = name,
            .dtype = std::string(safetensors_name(value.dtype())),
            .shape = {},
            .bytes = {}};
  for (const int64_t size : value.sizes())
    part.shape += (part.shape.empty() ? "" : ",") + std::to_string(size);
  part.bytes.assign(static_cast<const char*>(value.data()), value.nbytes());
  parts_.push_back(std::move(part));
}

void FileBuilder::extra_file(const std::string& name, const std::string& bytes) {
  parts_.push_back({"__ingot__.extra." + name, "U8", std::to_string(bytes.size()), bytes});
}

void FileBuilder::begin_method() {
  inputs_.clear();
  input_values_.clear();
  values_.clear();
  begin_block();
}

uint32_t FileBuilder::value(uint32_t type, const std::string& name) {
  return add(values_, fb::CreateValueInfoDirect(out_, type, name.c_str()));
}

uint32_t FileBuilder::input(const std::string& name, uint32_t type) {
  inputs_.push_back(fb::CreateInputDirect(out_, name.c_str()));
  input_values_.push_back(value(type, name));
  return input_values_.back();
}

void FileBuilder::begin_block() { blocks_.emplace_back(); }

FileBuilder::BlockOffset FileBuilder::end_block(const std::vector<uint32_t>& outputs,
                                                const std::vector<uint32_t>& inputs) {
  const auto block = fb::CreateBlockDirect(out_, &inputs, &blocks_.back(), &outputs);
  blocks_.pop_back();
  return block;
}

uint32_t FileBuilder::op(const std::string& name) {
  const auto found = std::find(ops_.begin(), ops_.end(), name);
  if (found != ops_.end()) return static_cast<uint32_t>(found - ops_.begin());
  return add(ops_, name);
}

std::vector<uint32_t> FileBuilder::node(const std::string& name,
                                        const std::vector<uint32_t>& inputs,
                                        const std::vector<uint32_t>& output_types,
                                        const Attributes& attributes, uint32_t source,
                                        const std::vector<BlockOffset>& blocks) {
  std::vector<uint32_t> outputs;
  for (const uint32_t type : output_types) outputs.push_back(value(type));
  std::vector<flatbuffers::Offset<fb::Attribute>> list;
  for (const auto& [key, literal] : attributes)
    list.push_back(fb::CreateAttributeDirect(out_, key.c_str(), literal));
  blocks_.back().push_back(
      fb::CreateNodeDirect(out_, op(name), &inputs, &outputs, &list, &blocks, source));
  return outputs;
}

uint32_t FileBuilder::constant(uint32_t type, uint32_t literal) {
  return node("prim::Constant", {}, {type}, {{"value", literal}})[0];
}

uint32_t FileBuilder::get_state(const std::string& name, uint32_t type) {
  return node("prim::GetState", {}, {type}, {{"name", literal(name.c_str())}})[0];
}

void FileBuilder::end_method(const std::string& name, uint32_t output) {
  const auto body = end_block({output}, input_values_);
  methods_.push_back(fb::CreateMethodDirect(out_, name.c_str(), true, &inputs_, &values_, body));
}

std::string FileBuilder::finish() {
  const auto op_names = out_.CreateVectorOfStrings(ops_);
  const auto producer = out_.CreateString("ingot test");
  const auto types = out_.CreateVector(types_);
  const auto symbols = out_.CreateVector(symbols_);
  const auto literals = out_.CreateVector(literals_);
  const auto sources = out_.CreateVector(sources_);
  const auto state = out_.CreateVector(state_);
  const auto methods = out_.CreateVector(methods_);
  std::vector<flatbuffers::Offset<fb::Class>> tables;
  for (const Class& each : classes_) {
    const auto name = out_.CreateString(each.name);
    const auto fields = out_.CreateVectorOfStrings(each.fields);
    tables.push_back(fb::CreateClass(out_, name, fields, out_.CreateVector(each.types)));
  }
  const auto classes = out_.CreateVector(tables);
  fb::FinishProgramBuffer(out_, fb::CreateProgram(out_, 1, producer, op_names, types, symbols,
                                                  literals, sources, state, methods, classes));
  std::string program(reinterpret_cast<const char*>(out_.GetBufferPointer()), out_.GetSize());
  program.resize((program.size() + 63) / 64 * 64);
  parts_.insert(parts_.begin(),
                {"__ingot__.program", "U8", std::to_string(program.size()), program});

  std::string header = R"({"__metadata__":{"format":"pt","ingot.format":"1"})";
  std::string data;
  for (const Part& part : parts_) {
    header += ",\"" + part.name + R"(":{"dtype":")" + part.dtype + R"(","shape":[)" + part.shape +
              R"(],"data_offsets":[)" + std::to_string(data.size());
    data += part.bytes;
    header += "," + std::to_string(data.size()) + "]}";
  }
  header += "}";
  header.resize((header.size() + 8 + 63) / 64 * 64 - 8, ' ');
  const uint64_t length = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + data;
}

}  // namespace ingot::testing

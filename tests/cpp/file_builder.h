// Makes small .ingot files in memory, for tests and fuzz seeds.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ingot/tensor.h>

#include "program_generated.h"

namespace ingot::testing {

// Everything is referred to by its number, as in the file. Values are numbered per method.
class FileBuilder {
 public:
  using Attributes = std::vector<std::pair<std::string, uint32_t>>;  // name, literal
  using BlockOffset = flatbuffers::Offset<fb::Block>;

  FileBuilder();

  uint32_t type(fb::TypeKind kind, const std::vector<uint32_t>& elements = {});
  // `dims` as in program.fbs.
  uint32_t tensor_type(DType dtype, const std::vector<int64_t>& dims);
  uint32_t named_tuple_type(const std::string& name, const std::vector<std::string>& fields,
                            const std::vector<uint32_t>& elements);
  // A class before its fields are known, the type of its instances, and then the fields.
  uint32_t new_class(const std::string& name);
  uint32_t object_type(uint32_t class_number);
  void fields(uint32_t class_number, const std::vector<std::string>& names,
              const std::vector<uint32_t>& types);
  uint32_t symbol(const std::string& name, int64_t min, int64_t max);
  uint32_t literal(int64_t value);
  uint32_t literal(bool value);
  uint32_t literal(double value);
  uint32_t literal(const char* value);
  uint32_t source(const std::string& file, uint32_t line, const std::string& function,
                  const std::string& text);
  // A parameter.
  void state(const std::string& name, uint32_t type, const Tensor& value, bool is_mutable = false);
  void extra_file(const std::string& name, const std::string& bytes);

  void begin_method();
  uint32_t input(const std::string& name, uint32_t type);
  void begin_block();
  BlockOffset end_block(const std::vector<uint32_t>& outputs,
                        const std::vector<uint32_t>& inputs = {});
  // The value numbers of the outputs.
  std::vector<uint32_t> node(const std::string& op, const std::vector<uint32_t>& inputs,
                             const std::vector<uint32_t>& output_types,
                             const Attributes& attributes = {}, uint32_t source = 0,
                             const std::vector<BlockOffset>& blocks = {});
  uint32_t constant(uint32_t type, uint32_t literal);
  uint32_t get_state(const std::string& name, uint32_t type);
  // A value that a block takes as input.
  uint32_t value(uint32_t type, const std::string& name = "");
  void end_method(const std::string& name, uint32_t output);

  // The whole file.
  std::string finish();

 private:
  uint32_t op(const std::string& name);

  flatbuffers::FlatBufferBuilder out_;
  std::vector<std::string> ops_;
  std::vector<flatbuffers::Offset<fb::Type>> types_;
  std::vector<flatbuffers::Offset<fb::Symbol>> symbols_;
  std::vector<flatbuffers::Offset<fb::Literal>> literals_;
  std::vector<flatbuffers::Offset<fb::Source>> sources_;
  std::vector<flatbuffers::Offset<fb::State>> state_;
  std::vector<flatbuffers::Offset<fb::Method>> methods_;
  struct Class {
    std::string name;
    std::vector<std::string> fields;
    std::vector<uint32_t> types;
  };
  std::vector<Class> classes_;
  // Of the method and the blocks being built.
  std::vector<flatbuffers::Offset<fb::Input>> inputs_;
  std::vector<uint32_t> input_values_;
  std::vector<flatbuffers::Offset<fb::ValueInfo>> values_;
  std::vector<std::vector<flatbuffers::Offset<fb::Node>>> blocks_;

  struct Part {
    std::string name;
    std::string dtype;
    std::string shape;
    std::string bytes;
  };
  std::vector<Part> parts_;
};

// A file whose methods show every kind of value and failure:
//   forward(x: f32[B, 10])              Linear(10, 20), ReLU, Linear(20, 5), all weights 0.01
//   bundle(x, s: str, n: int, f: float) a named tuple Bundle(x, items=[s, s], table={s: n}, f)
//   branch(x, flag: bool)               x if flag else -x
//   raises(s: str)                      raises ValueError(s) at model.py:7
//   count(x)                            counter += 1 in module state; returns the counter
//   objects(x, n: int)                  a Node(value=x, next=Node(value=x, next=None)), n times
// and the extra file "labels.txt" with "cat\0dog".
std::string sample_file();

}  // namespace ingot::testing

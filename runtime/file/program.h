// A verified program in memory. Immutable once loaded.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ingot/export.h>
#include <ingot/value.h>

#include <ingot/op.h>
#include "ops/type.h"

namespace ingot {

// The newest format this build reads (docs/format.md).
inline constexpr uint32_t kFormat = 1;

// Ops that the executor itself carries out; their meaning is in docs/ir.md.
enum class Prim : uint8_t {
  none,  // the node is an op of the catalogue
  constant,
  get_state,
  set_state,
  if_,
  loop,
  list_construct,
  list_unpack,
  tuple_construct,
  tuple_unpack,
  tuple_index,
  dict_construct,
  call,
  cast,
  uninitialized,
  guard,
  raise_exception,
  try_,
  reraise,
  is_instance,
  create_object,
  get_attribute,
  set_attribute,
};

using ValueId = uint32_t;

struct Block;

struct Node {
  Prim prim = Prim::none;
  const Op* op = nullptr;  // for Prim::none
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::vector<Block> blocks;
  uint32_t source = 0;
  // Attributes, by prim: constant's value; get_state's and set_state's state entry; call's
  // method; tuple_index's index; get_attribute's and set_attribute's name; guard's and
  // raise_exception's text.
  Value value;
  size_t index = 0;
  std::string text;
};

struct Block {
  std::vector<ValueId> inputs;
  std::vector<Node> nodes;
  std::vector<ValueId> outputs;
};

struct ValueInfo {
  TypePtr type;
  std::string name;
};

struct MethodInput {
  std::string name;
  bool has_default = false;
  Value fallback;
};

// The line that fixed a dimension of an input.
struct DimSource {
  uint32_t input;
  std::string path;
  uint32_t dim;
  uint32_t source;
};

struct Method {
  std::string name;
  bool exported = true;
  std::vector<MethodInput> inputs;
  std::vector<ValueInfo> values;
  Block body;
  std::vector<DimSource> dim_sources;
};

struct Symbol {
  std::string name;
  int64_t min;
  int64_t max;
  uint32_t source;
};

struct SourceLine {
  std::string file;
  uint32_t line = 0;
  std::string function;
  std::string text;
  uint32_t caller = 0;
};

enum class StateKind : uint8_t { parameter, buffer, constant, attribute };

struct StateEntry {
  std::string name;
  TypePtr type;
  Value value;  // the initial one
  bool is_mutable = false;
  StateKind kind = StateKind::parameter;
};

class INGOT_API Program {
 public:
  std::string producer;
  std::vector<Symbol> symbols;
  std::vector<std::string> symbol_names;
  std::vector<SourceLine> sources;
  std::vector<StateEntry> state;
  std::vector<std::unique_ptr<const ClassType>> classes;  // types point to them
  std::vector<Method> methods;
  std::map<std::string, std::string> extra_files;

  // Index into methods, or -1.
  int64_t find_method(std::string_view name) const;
  // The user's lines from `source` outwards: "  model.py:12 in forward: y = f(x)", one per
  // line; "" for source 0.
  std::string location(uint32_t source) const;
};

}  // namespace ingot

// Op schemas in PyTorch's notation: "aten::add.Tensor(Tensor self, Tensor other, *, Scalar
// alpha=1) -> Tensor".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ingot/value.h>

#include "ops/type.h"

namespace ingot {

struct SchemaArgument {
  std::string name;
  TypePtr type;
  std::string declared;           // as written: "SymInt[2]", "ScalarType?", for other readers
  std::optional<Value> fallback;  // default
  bool keyword_only = false;
  std::string alias;     // "a" of Tensor(a!), "" if none
  bool mutated = false;  // the "!" of Tensor(a!)
};

struct Schema {
  std::string name;  // "aten::add.Tensor"
  std::vector<SchemaArgument> arguments;
  std::vector<SchemaArgument> returns;  // name may be empty
  bool mutates = false;                 // any argument is
  bool variadic = false;                // the arguments end in "...": any further ones
};

// Throws Error(internal) with the place: schemas are our own text.
INGOT_API Schema parse_schema(std::string_view text);

}  // namespace ingot

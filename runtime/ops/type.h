// Static types of program values and of op schemas.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ingot/dtype.h>
#include <ingot/export.h>
#include <ingot/value.h>

namespace ingot {

class Type;
using TypePtr = std::shared_ptr<const Type>;

enum class TypeKind : uint8_t {
  tensor,
  integer,
  floating,
  boolean,
  complex,
  string,
  none,
  list,
  dict,
  tuple,
  named_tuple,
  optional,
  union_,
  object,    // an instance of a class of the program
  number,    // schemas only: Scalar, that is int, float, bool or complex
  variable,  // schemas only: t, unified at each use
  any,       // schemas only
};

// A class of a program. Immutable once the program is decoded; instances share `names`.
struct ClassType {
  std::shared_ptr<const TupleNames> names;
  std::vector<TypePtr> types;  // of the fields, in order
};

// Immutable. Printed as in program text: "f32[B, 10]", "List[int]", "Optional[Tensor]".
class INGOT_API Type {
 public:
  TypeKind kind = TypeKind::none;
  // Tensor facts; absent facts are unknown. dims: >= 0 a size, -1 unknown, <= -2 symbol.
  std::optional<DType> dtype;
  std::optional<std::vector<int64_t>> dims;
  // list 1, dict 2, optional 1, tuple, named_tuple and union_ any number.
  std::vector<TypePtr> elements;
  std::string name;                 // named_tuple: class; variable: its name
  std::vector<std::string> fields;  // named_tuple
  // object: its class, which belongs to the program and so may be part of itself.
  const ClassType* object_class = nullptr;

  // The one instance of a type without parameters; it lives as long as the process.
  static const TypePtr& simple(TypeKind kind);
  static TypePtr list(TypePtr element);
  static TypePtr optional(TypePtr element);
  static TypePtr dict(TypePtr key, TypePtr value);
  static TypePtr tuple(std::vector<TypePtr> elements);

  // `symbols` names the free sizes; without it they print as "s0", "s1".
  std::string str(const std::vector<std::string>* symbols = nullptr) const;
};

// True if every value of type `a` is a value of type `b`. Lists and dicts are invariant.
// Tensor facts are ignored: they are documentation, checked where values enter.
INGOT_API bool is_subtype(const Type& a, const Type& b);

// True if `value` is one of type `type`, elements of containers included; the attributes of an
// instance are not looked at, because whoever sets one checks it. Tensor facts are
// ignored. Schema-only types hold nothing.
INGOT_API bool holds(const Type& type, const Value& value);

}  // namespace ingot

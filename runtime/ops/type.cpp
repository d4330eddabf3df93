#include "ops/type.h"

#include <algorithm>
#include <array>

#include <ingot/check.h>

namespace ingot {
namespace {

std::string join(const std::vector<TypePtr>& types, const std::vector<std::string>* symbols) {
  std::string text;
  for (const TypePtr& type : types) {
    if (!text.empty()) text += ", ";
    text += type->str(symbols);
  }
  return text;
}

std::string tensor_str(const Type& type, const std::vector<std::string>* symbols) {
  if (!type.dtype && !type.dims) return "Tensor";
  std::string text(type.dtype ? name_of(*type.dtype) : "Tensor");
  if (!type.dims) return text + "[...]";
  text += '[';
  for (size_t i = 0; i < type.dims->size(); ++i) {
    const int64_t dim = (*type.dims)[i];
    if (i) text += ", ";
    if (dim >= 0) {
      text += std::to_string(dim);
    } else if (dim == -1) {
      text += '?';
    } else {
      const auto symbol = static_cast<size_t>(-2 - dim);
      text += symbols && symbol < symbols->size() ? (*symbols)[symbol] : concat("s", symbol);
    }
  }
  return text + ']';
}

bool all_subtypes(const std::vector<TypePtr>& a, const std::vector<TypePtr>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](auto& x, auto& y) { return is_subtype(*x, *y); });
}

}  // namespace

const TypePtr& Type::simple(TypeKind kind) {
  static const auto all = [] {
    std::array<TypePtr, static_cast<size_t>(TypeKind::any) + 1> types;
    for (size_t i = 0; i < types.size(); ++i) {
      auto type = std::make_shared<Type>();
      type->kind = static_cast<TypeKind>(i);
      types[i] = std::move(type);
    }
    return types;
  }();
  return all[static_cast<size_t>(kind)];
}

TypePtr Type::list(TypePtr element) {
  auto type = std::make_shared<Type>();
  type->kind = TypeKind::list;
  type->elements = {std::move(element)};
  return type;
}

TypePtr Type::optional(TypePtr element) {
  auto type = std::make_shared<Type>();
  type->kind = TypeKind::optional;
  type->elements = {std::move(element)};
  return type;
}

TypePtr Type::dict(TypePtr key, TypePtr value) {
  auto type = std::make_shared<Type>();
  type->kind = TypeKind::dict;
  type->elements = {std::move(key), std::move(value)};
  return type;
}

TypePtr Type::tuple(std::vector<TypePtr> elements) {
  auto type = std::make_shared<Type>();
  type->kind = TypeKind::tuple;
  type->elements = std::move(elements);
  return type;
}

std::string Type::str(const std::vector<std::string>* symbols) const {
  switch (kind) {
    case TypeKind::tensor: return tensor_str(*this, symbols);
    case TypeKind::integer: return "int";
    case TypeKind::floating: return "float";
    case TypeKind::boolean: return "bool";
    case TypeKind::complex: return "complex";
    case TypeKind::string: return "str";
    case TypeKind::none: return "None";
    case TypeKind::list: return concat("List[", elements[0]->str(symbols), "]");
    case TypeKind::dict: return concat("Dict[", join(elements, symbols), "]");
    case TypeKind::tuple:
      return elements.empty() ? "Tuple[()]" : concat("Tuple[", join(elements, symbols), "]");
    case TypeKind::named_tuple: {
      std::string text = name + "(";
      for (size_t i = 0; i < elements.size(); ++i)
        text += concat(i ? ", " : "", fields[i], ": ", elements[i]->str(symbols));
      return text + ")";
    }
    case TypeKind::optional: return concat("Optional[", elements[0]->str(symbols), "]");
    case TypeKind::union_: return concat("Union[", join(elements, symbols), "]");
    case TypeKind::object: return concat("Object[", object_class->names->name, "]");
    case TypeKind::number: return "Scalar";
    case TypeKind::variable: return name;
    case TypeKind::any: return "Any";
  }
  return "?";
}

bool is_subtype(const Type& a, const Type& b) {
  const auto every = [&](const std::vector<TypePtr>& types) {
    return std::all_of(types.begin(), types.end(), [&](auto& t) { return is_subtype(*t, b); });
  };
  const auto some = [&](const std::vector<TypePtr>& types) {
    return std::any_of(types.begin(), types.end(), [&](auto& t) { return is_subtype(a, *t); });
  };
  if (b.kind == TypeKind::any) return true;
  if (a.kind == TypeKind::optional)
    return (b.kind == TypeKind::optional || b.kind == TypeKind::union_) &&
           is_subtype(*a.elements[0], b) && is_subtype(*Type::simple(TypeKind::none), b);
  if (a.kind == TypeKind::union_) return every(a.elements);
  if (a.kind == TypeKind::number && b.kind == TypeKind::union_)
    return every({Type::simple(TypeKind::boolean), Type::simple(TypeKind::integer),
                  Type::simple(TypeKind::floating), Type::simple(TypeKind::complex)});
  if (b.kind == TypeKind::optional) return a.kind == TypeKind::none || some(b.elements);
  if (b.kind == TypeKind::union_) return some(b.elements);
  if (b.kind == TypeKind::number)
    return a.kind == TypeKind::integer || a.kind == TypeKind::floating ||
           a.kind == TypeKind::boolean || a.kind == TypeKind::complex || a.kind == TypeKind::number;
  switch (b.kind) {
    case TypeKind::list:
    case TypeKind::dict:
      return a.kind == b.kind && all_subtypes(a.elements, b.elements) &&
             all_subtypes(b.elements, a.elements);
    case TypeKind::tuple:
      return (a.kind == TypeKind::tuple || a.kind == TypeKind::named_tuple) &&
             all_subtypes(a.elements, b.elements);
    case TypeKind::named_tuple:
      return a.kind == TypeKind::named_tuple && a.name == b.name && a.fields == b.fields &&
             all_subtypes(a.elements, b.elements);
    case TypeKind::object: return a.kind == b.kind && a.object_class == b.object_class;
    case TypeKind::variable: return a.kind == TypeKind::variable && a.name == b.name;
    default: return a.kind == b.kind;
  }
}

bool holds(const Type& type, const Value& value) {
  const auto all_hold = [&](const std::vector<Value>& values) {
    return std::all_of(values.begin(), values.end(),
                       [&](const Value& v) { return holds(*type.elements[0], v); });
  };
  const auto each_holds = [&](const std::vector<Value>& values) {
    return values.size() == type.elements.size() &&
           std::equal(values.begin(), values.end(), type.elements.begin(),
                      [](const Value& v, const TypePtr& t) { return holds(*t, v); });
  };
  switch (type.kind) {
    case TypeKind::tensor: return value.is_tensor();
    case TypeKind::integer: return value.is_int();
    case TypeKind::floating: return value.is_double();
    case TypeKind::boolean: return value.is_bool();
    case TypeKind::complex: return value.tag() == Tag::complex;
    case TypeKind::string: return value.is_string();
    case TypeKind::none: return value.is_none();
    case TypeKind::list: return value.is_list() && all_hold(value.to_list().elements);
    case TypeKind::dict:
      if (!value.is_dict()) return false;
      for (const auto& [key, item] : value.to_dict().items())
        if (!holds(*type.elements[0], key) || !holds(*type.elements[1], item)) return false;
      return true;
    case TypeKind::tuple:
    case TypeKind::named_tuple: return value.is_tuple() && each_holds(value.to_tuple().elements);
    case TypeKind::object:
      return value.is_instance() && value.to_instance().names == type.object_class->names;
    case TypeKind::optional: return value.is_none() || holds(*type.elements[0], value);
    case TypeKind::union_:
      return std::any_of(type.elements.begin(), type.elements.end(),
                         [&](const TypePtr& option) { return holds(*option, value); });
    default: return false;
  }
}

}  // namespace ingot

#include "exec/inputs.h"

#include <cstring>
#include <limits>

#include <ingot/check.h>

namespace ingot {
namespace {

// The way from an input to a value inside it.
struct Path {
  const Path* parent;
  const Value* key;  // null: `index`
  size_t index;
};

std::string path_text(const Path* path) {
  if (!path) return {};
  return concat(path_text(path->parent), "[",
                path->key ? path->key->describe() : std::to_string(path->index), "]");
}

// The size that each symbol has in this call; -1 not seen yet.
class SymbolSizes {
 public:
  explicit SymbolSizes(size_t count) : count_(count) {
    if (count > kInline)
      heap_.assign(count, -1);
    else
      std::fill_n(inline_, count, -1);
  }
  int64_t& operator[](size_t i) { return count_ > kInline ? heap_[i] : inline_[i]; }

 private:
  static constexpr size_t kInline = 16;
  size_t count_;
  int64_t inline_[kInline];
  std::vector<int64_t> heap_;
};

class Binder {
 public:
  Binder(const Program& program, const Method& method)
      : program_(program), method_(method), sizes_(program.symbols.size()) {}

  void check(uint32_t input, const Type& type, const Value& value) {
    input_ = input;
    check(type, value, nullptr);
  }

 private:
  void check(const Type& type, const Value& value, const Path* path) {
    switch (type.kind) {
      case TypeKind::tensor:
        if (!value.is_tensor()) wrong_kind(type, value, path);
        return check_tensor(type, value.tensor(), path);
      case TypeKind::optional:
        if (!value.is_none()) check(*type.elements[0], value, path);
        return;
      case TypeKind::list: {
        if (!value.is_list()) wrong_kind(type, value, path);
        const auto& elements = value.to_list().elements;
        for (size_t i = 0; i < elements.size(); ++i) {
          const Path inner{path, nullptr, i};
          check(*type.elements[0], elements[i], &inner);
        }
        return;
      }
      case TypeKind::tuple:
      case TypeKind::named_tuple: {
        if (!value.is_tuple()) wrong_kind(type, value, path);
        const auto& elements = value.to_tuple().elements;
        if (elements.size() != type.elements.size())
          fail(ErrorCode::invalid_argument, name(path), " must be a tuple of ",
               type.elements.size(), " elements, got ", elements.size());
        for (size_t i = 0; i < elements.size(); ++i) {
          const Path inner{path, nullptr, i};
          check(*type.elements[i], elements[i], &inner);
        }
        return;
      }
      case TypeKind::dict:
        if (!value.is_dict()) wrong_kind(type, value, path);
        for (const auto& [key, item] : value.to_dict().items()) {
          const Path inner{path, &key, 0};
          if (!holds(*type.elements[0], key)) wrong_kind(*type.elements[0], key, &inner);
          check(*type.elements[1], item, &inner);
        }
        return;
      case TypeKind::union_:
        for (const TypePtr& option : type.elements)
          if (holds(*option, value)) return check(*option, value, path);
        wrong_kind(type, value, path);
      default:
        if (!holds(type, value)) wrong_kind(type, value, path);
    }
  }

  void check_tensor(const Type& type, const Tensor& tensor, const Path* path) {
    if (type.dtype && tensor.dtype() != *type.dtype)
      guard(path, -1, 0, name(path), " must have dtype ", *type.dtype, ", got ", tensor,
            ": the model was captured with ", text(type));
    if (!type.dims) return;
    if (tensor.rank() != static_cast<int>(type.dims->size()))
      guard(path, -1, 0, name(path), " must have ", type.dims->size(), " dimensions, as ",
            text(type), ", got ", tensor);
    for (int d = 0; d < tensor.rank(); ++d) {
      const int64_t wanted = (*type.dims)[static_cast<size_t>(d)];
      const int64_t size = tensor.size(d);
      if (wanted >= 0) {
        if (size != wanted)
          guard(path, d, 0, name(path), " must have size ", wanted, " in dimension ", d, ", got ",
                size, " (", tensor, ")");
      } else if (wanted <= -2) {
        check_symbol(static_cast<size_t>(-(wanted + 2)), size, d, path);
      }
    }
  }

  void check_symbol(size_t index, int64_t size, int d, const Path* path) {
    const Symbol& symbol = program_.symbols[index];
    if (size < symbol.min || size > symbol.max) {
      const std::string range = symbol.max == std::numeric_limits<int64_t>::max()
                                    ? concat("at least ", symbol.min)
                                : symbol.min == 0 ? concat("at most ", symbol.max)
                                                  : concat(symbol.min, " to ", symbol.max);
      guard(path, d, symbol.source, name(path), " must have a size of ", range, " in dimension ", d,
            " (", symbol.name, "), got ", size);
    }
    int64_t& seen = sizes_[index];
    if (seen < 0)
      seen = size;
    else if (seen != size)
      guard(path, d, symbol.source, name(path), " must have size ", seen, " in dimension ", d,
            ", as every other dimension ", symbol.name, " of this call, got ", size);
  }

  std::string name(const Path* path) const {
    return concat("input '", method_.inputs[input_].name, path_text(path), "'");
  }

  std::string text(const Type& type) const { return type.str(&program_.symbol_names); }

  [[noreturn]] void wrong_kind(const Type& type, const Value& value, const Path* path) const {
    fail(ErrorCode::invalid_argument, name(path), " must be ", text(type), ", got ",
         value.is_tensor() ? value.describe() : std::string(name_of(value.tag())));
  }

  // `d` -1: no single dimension is at fault.
  template <class... Parts>
  [[noreturn]] void guard(const Path* path, int d, uint32_t source, const Parts&... parts) const {
    Error error(ErrorCode::guard, concat(parts...));
    for (const DimSource& dim : method_.dim_sources)
      if (d >= 0 && dim.input == input_ && dim.dim == static_cast<uint32_t>(d) &&
          dim.path == path_text(path))
        source = dim.source;
    throw error.with_location(program_.location(source));
  }

  const Program& program_;
  const Method& method_;
  SymbolSizes sizes_;
  uint32_t input_ = 0;
};

[[noreturn]] void wrong_count(const Method& method, size_t given) {
  std::string names;
  size_t required = 0;
  for (const MethodInput& input : method.inputs) {
    names += concat(names.empty() ? "" : ", ", input.name);
    required += input.has_default ? 0 : 1;
  }
  const size_t count = method.inputs.size();
  fail(ErrorCode::invalid_argument, "method '", method.name, "' takes ",
       required < count ? concat(required, " to ") : std::string(), count,
       count == 1 ? " input" : " inputs", count ? concat(" (", names, ")") : std::string(),
       ", got ", given);
}

// A file may claim any sizes; what is made from them alone stays small.
constexpr int64_t kMostZeroBytes = int64_t{1} << 28;

Value zero_of(const Type& type, const std::string& name, int64_t& bytes_left) {
  switch (type.kind) {
    case TypeKind::tensor: {
      if (!type.dtype || !type.dims)
        fail(ErrorCode::unsupported, "input '", name, "' has no fixed dtype and rank (", type.str(),
             "): give it with --input");
      std::vector<int64_t> sizes;
      for (const int64_t dim : *type.dims) sizes.push_back(dim >= 0 ? dim : 1);
      const int64_t most = bytes_left / static_cast<int64_t>(size_of(*type.dtype));
      const int64_t numel = numel_of(sizes);
      if (numel > most)
        fail(ErrorCode::unsupported, "input '", name, "' is too large for an example (", type.str(),
             "): give it with --input");
      bytes_left -= numel * static_cast<int64_t>(size_of(*type.dtype));
      return Value(Tensor::zeros(*type.dtype, sizes));
    }
    case TypeKind::integer: return Value(0);
    case TypeKind::floating: return Value(0.0);
    case TypeKind::boolean: return Value(false);
    case TypeKind::complex: return Value(std::complex<double>());
    case TypeKind::string: return Value("");
    case TypeKind::list: return Value::list({});
    case TypeKind::dict: return Value::dict({});
    case TypeKind::tuple:
    case TypeKind::named_tuple: {
      std::vector<Value> elements;
      for (const TypePtr& element : type.elements)
        elements.push_back(zero_of(*element, name, bytes_left));
      return Value::tuple(std::move(elements));
    }
    case TypeKind::union_: return zero_of(*type.elements[0], name, bytes_left);
    default: return Value();
  }
}

}  // namespace

void bind_inputs(const Program& program, const Method& method, std::span<const Value> inputs,
                 Value* registers) {
  const size_t count = method.inputs.size();
  if (inputs.size() > count) wrong_count(method, inputs.size());
  Binder binder(program, method);
  for (uint32_t i = 0; i < count; ++i) {
    const Type& type = *method.values[method.body.inputs[i]].type;
    if (i >= inputs.size()) {
      if (!method.inputs[i].has_default) wrong_count(method, inputs.size());
      registers[i] = method.inputs[i].fallback;
    } else if (type.kind == TypeKind::floating && inputs[i].is_int()) {
      registers[i] = Value(static_cast<double>(inputs[i].to_int()));
    } else {
      registers[i] = inputs[i];
    }
    binder.check(i, type, registers[i]);
  }
}

std::vector<Value> zero_inputs(const Method& method) {
  std::vector<Value> inputs;
  int64_t bytes_left = kMostZeroBytes;
  for (size_t i = 0; i < method.inputs.size(); ++i)
    inputs.push_back(method.inputs[i].has_default
                         ? method.inputs[i].fallback
                         : zero_of(*method.values[method.body.inputs[i]].type,
                                   method.inputs[i].name, bytes_left));
  return inputs;
}

}  // namespace ingot

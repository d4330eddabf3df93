#include "ops/schema.h"

#include <cctype>
#include <charconv>
#include <limits>

#include <ingot/check.h>

namespace ingot {
namespace {

// Recursive descent over one schema; the grammar is PyTorch's (aten/src/ATen/native/README.md).
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Schema schema() {
    Schema schema;
    const size_t start = at_;
    while (at_ < text_.size() && text_[at_] != '(') ++at_;
    schema.name = std::string(text_.substr(start, at_ - start));
    expect('(');
    bool keyword_only = false;
    while (!accept(')')) {
      if (accept('*')) {
        keyword_only = true;
      } else if (text_.substr(at_, 3) == "...") {
        schema.variadic = true;
        at_ += 3;
      } else {
        schema.arguments.push_back(argument(true));
        schema.arguments.back().keyword_only = keyword_only;
        schema.mutates |= schema.arguments.back().mutated;
      }
      accept(',');
    }
    expect('-');
    expect('>');
    if (accept('(')) {
      while (!accept(')')) {
        schema.returns.push_back(argument(false));
        accept(',');
      }
    } else {
      schema.returns.push_back(argument(false));
    }
    skip();
    if (at_ != text_.size()) error("the end");
    return schema;
  }

 private:
  [[noreturn]] void error(std::string_view wanted) {
    fail(ErrorCode::internal, "schema '", text_, "': expected ", wanted, " at column ", at_);
  }
  void skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool accept(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) error(std::string_view(&c, 1));
  }
  std::string_view word() {
    skip();
    const size_t start = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_'))
      ++at_;
    return text_.substr(start, at_ - start);
  }

  TypePtr base_type() {
    if (accept('(')) {
      std::vector<TypePtr> elements;
      SchemaArgument ignored;
      while (!accept(')')) {
        elements.push_back(type(ignored));
        accept(',');
      }
      return Type::tuple(std::move(elements));
    }
    const std::string_view name = word();
    if (name == "Tensor" || name == "Generator") return Type::simple(TypeKind::tensor);
    if (name == "int" || name == "SymInt" || name == "ScalarType" || name == "Layout" ||
        name == "Device" || name == "MemoryFormat" || name == "DeviceIndex")
      return Type::simple(TypeKind::integer);
    if (name == "float" || name == "SymFloat") return Type::simple(TypeKind::floating);
    if (name == "bool" || name == "SymBool") return Type::simple(TypeKind::boolean);
    if (name == "complex") return Type::simple(TypeKind::complex);
    if (name == "str") return Type::simple(TypeKind::string);
    if (name == "Scalar" || name == "number") return Type::simple(TypeKind::number);
    if (name == "Any" || name == "AnyEnumType" || name == "AnyClassType" || name == "AnyListType")
      return Type::simple(TypeKind::any);
    if (name == "NoneType") return Type::simple(TypeKind::none);
    if (name == "Dict") {
      SchemaArgument ignored;
      expect('(');
      TypePtr key = type(ignored);
      expect(',');
      TypePtr value = type(ignored);
      expect(')');
      return Type::dict(std::move(key), std::move(value));
    }
    if (name.empty()) error("a type");
    // A type variable: "t", "tVal".
    auto variable = std::make_shared<Type>();
    variable->kind = TypeKind::variable;
    variable->name = std::string(name);
    return variable;
  }

  // (a), (a!), (a! -> *), (c -> *): `*` alone is a wildcard.
  void alias(SchemaArgument& argument) {
    if (at_ >= text_.size() || text_[at_] != '(') return;
    ++at_;
    while (!accept(')')) {
      skip();
      if (at_ >= text_.size()) error("')'");
      const char c = text_[at_++];
      if (c == '!')
        argument.mutated = true;
      else if (c == '*' && argument.alias.empty())
        argument.alias = "*";
      else if (std::isalnum(static_cast<unsigned char>(c)) && argument.alias.empty())
        argument.alias = c;
    }
  }

  TypePtr type(SchemaArgument& argument) {
    TypePtr result = base_type();
    alias(argument);
    for (;;) {
      if (at_ < text_.size() && text_[at_] == '[') {
        ++at_;
        while (at_ < text_.size() && text_[at_] != ']') ++at_;
        expect(']');
        result = Type::list(std::move(result));
        alias(argument);
      } else if (at_ < text_.size() && text_[at_] == '?') {
        ++at_;
        result = Type::optional(std::move(result));
      } else {
        return result;
      }
    }
  }

  static char unescape(char c) {
    switch (c) {
      case 'n': return '\n';
      case 't': return '\t';
      case 'f': return '\f';
      case 'v': return '\v';
      default: return c;
    }
  }

  Value literal() {
    skip();
    if (accept('[')) {
      std::vector<Value> elements;
      while (!accept(']')) {
        elements.push_back(literal());
        accept(',');
      }
      return Value::list(std::move(elements));
    }
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote == '"' || quote == '\'') {
      std::string value;
      for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
        if (text_[at_] == '\\' && at_ + 1 < text_.size())
          value += unescape(text_[++at_]);
        else
          value += text_[at_];
      }
      expect(quote);
      return Value(std::move(value));
    }
    const size_t start = at_;
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ')' && text_[at_] != ']') ++at_;
    std::string_view token = text_.substr(start, at_ - start);
    while (!token.empty() && token.back() == ' ') token.remove_suffix(1);
    if (token == "None") return Value();
    if (token == "True") return Value(true);
    if (token == "False") return Value(false);
    if (token == "Mean") return Value(1);  // at::Reduction
    if (token == "contiguous_format" || token == "strided") return Value(0);
    if (token == "long") return Value(static_cast<int64_t>(DType::i64));
    if (token == "inf") return Value(std::numeric_limits<double>::infinity());
    int64_t integer;
    const char* const end = token.data() + token.size();
    if (auto [p, failed] = std::from_chars(token.data(), end, integer);
        failed == std::errc() && p == end)
      return Value(integer);
    double number;
    if (auto [p, failed] = std::from_chars(token.data(), end, number);
        failed == std::errc() && p == end)
      return Value(number);
    error("a default value");
  }

  SchemaArgument argument(bool with_default) {
    SchemaArgument argument;
    skip();
    const size_t start = at_;
    argument.type = type(argument);
    argument.declared = std::string(text_.substr(start, at_ - start));
    argument.name = std::string(word());
    if (argument.declared == "Generator?") argument.mutated = true;  // draws advance it
    if (with_default && accept('=')) argument.fallback = fit(literal(), argument);
    return argument;
  }

  // "int[2] stride=1" means [1, 1]; an int default of a float argument is a float.
  static Value fit(Value value, const SchemaArgument& argument) {
    const Type& type =
        argument.type->kind == TypeKind::optional ? *argument.type->elements[0] : *argument.type;
    if (type.kind == TypeKind::floating && value.is_int())
      return Value(static_cast<double>(value.to_int()));
    if (type.kind != TypeKind::list || value.is_list() || value.is_none()) return value;
    const size_t open = argument.declared.find('[');
    int count = 1;
    std::from_chars(argument.declared.data() + open + 1,
                    argument.declared.data() + argument.declared.size(), count);
    return Value::list(std::vector<Value>(static_cast<size_t>(count), value));
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Schema parse_schema(std::string_view text) { return Parser(text).schema(); }

}  // namespace ingot

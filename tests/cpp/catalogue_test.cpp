#include <algorithm>

#include <gtest/gtest.h>

#include <ingot/op.h>

#include "ops/schema.h"

namespace ingot {
namespace {

// The parameter kinds that C++ may take a schema's type as; `any` fits all.
std::vector<ParamKind> kinds_of(const SchemaArgument& argument) {
  const Type* type = argument.type.get();
  const bool optional = type->kind == TypeKind::optional;
  if (optional) type = type->elements[0].get();
  const auto either = [&](ParamKind plain, ParamKind nullable) {
    return std::vector<ParamKind>{optional ? nullable : plain};
  };
  switch (type->kind) {
    case TypeKind::tensor: return either(ParamKind::tensor, ParamKind::optional_tensor);
    case TypeKind::integer:
      // Programs carry dtypes as ints, and some schemas call them so.
      return {optional ? ParamKind::optional_dtype : ParamKind::dtype,
              optional ? ParamKind::optional_integer : ParamKind::integer};
    case TypeKind::floating: return either(ParamKind::floating, ParamKind::optional_floating);
    case TypeKind::boolean: return either(ParamKind::boolean, ParamKind::optional_boolean);
    case TypeKind::number: return either(ParamKind::scalar, ParamKind::optional_scalar);
    case TypeKind::string: return either(ParamKind::string, ParamKind::optional_string);
    case TypeKind::list:
      switch (type->elements[0]->kind) {
        case TypeKind::tensor: return {ParamKind::tensor_list};
        case TypeKind::optional: return {ParamKind::optional_tensor_list};
        case TypeKind::integer:
        case TypeKind::boolean: return either(ParamKind::int_list, ParamKind::optional_int_list);
        case TypeKind::floating:
          return either(ParamKind::float_list, ParamKind::optional_float_list);
        default: return {};
      }
    default: return {};
  }
}

TEST(Catalogue, FunctionsTakeWhatTheirSchemasSay) {
  for (const Op* op : all_ops()) {
    const Schema& schema = op->schema();
    EXPECT_EQ(schema.name, op->name());
    if (schema.variadic) {
      EXPECT_TRUE(op->params().empty()) << op->name();
      continue;
    }
    ASSERT_EQ(op->params().size(), schema.arguments.size()) << op->name();
    for (size_t i = 0; i < op->params().size(); ++i) {
      const ParamKind kind = op->params()[i];
      const std::vector<ParamKind> fitting = kinds_of(schema.arguments[i]);
      EXPECT_TRUE(kind == ParamKind::any ||
                  std::find(fitting.begin(), fitting.end(), kind) != fitting.end())
          << op->name() << " takes its argument " << schema.arguments[i].name
          << " as another kind than " << schema.arguments[i].declared;
    }
  }
}

TEST(Catalogue, FindsOpsByName) {
  ASSERT_NE(find_op("aten::add.int"), nullptr);
  EXPECT_EQ(find_op("aten::add.int")->name(), "aten::add.int");
  EXPECT_EQ(find_op("aten::no_such_op"), nullptr);
}

}  // namespace
}  // namespace ingot

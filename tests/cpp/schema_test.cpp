#include "ops/schema.h"

#include <gtest/gtest.h>

namespace ingot {
namespace {

TEST(Schema, ReadsArgumentsDefaultsAndAliases) {
  const Schema s = parse_schema(
      "aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=1, "
      "SymInt[2] padding=[0, 0], SymInt groups=1) -> Tensor");
  EXPECT_EQ(s.name, "aten::conv2d");
  ASSERT_EQ(s.arguments.size(), 6u);
  EXPECT_EQ(s.arguments[2].type->str(), "Optional[Tensor]");
  EXPECT_TRUE(s.arguments[2].fallback->is_none());
  EXPECT_EQ(s.arguments[3].type->str(), "List[int]");
  EXPECT_EQ(s.arguments[3].declared, "SymInt[2]");
  EXPECT_EQ(s.arguments[3].fallback->describe(), "[1, 1]");
  EXPECT_EQ(s.arguments[5].fallback->to_int(), 1);
  EXPECT_FALSE(s.mutates);

  const Schema inplace = parse_schema(
      "aten::add_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)");
  EXPECT_TRUE(inplace.mutates);
  EXPECT_TRUE(inplace.arguments[0].mutated);
  EXPECT_EQ(inplace.arguments[0].alias, "a");
  EXPECT_TRUE(inplace.arguments[2].keyword_only);
  EXPECT_EQ(inplace.returns[0].alias, "a");
}

TEST(Schema, ReadsContainersAndVariables) {
  const Schema append = parse_schema("aten::append.t(t[](a!) self, t(c -> *) el) -> t[](a!)");
  EXPECT_EQ(append.arguments[0].type->str(), "List[t]");
  EXPECT_TRUE(append.arguments[0].mutated);
  const Schema keys = parse_schema("aten::keys.str(Dict(str, t) self) -> str[](*)");
  EXPECT_EQ(keys.arguments[0].type->str(), "Dict[str, t]");
  const Schema many =
      parse_schema("aten::lstm(Tensor input, Tensor[] hx) -> (Tensor, Tensor, Tensor)");
  EXPECT_EQ(many.returns.size(), 3u);
  const Schema nothing = parse_schema("aten::warn(str message, int stacklevel=2) -> ()");
  EXPECT_TRUE(nothing.returns.empty());
  const Schema text = parse_schema("aten::gelu(Tensor self, *, str approximate='none') -> Tensor");
  EXPECT_EQ(text.arguments[1].fallback->to_string(), "none");
  const Schema indices =
      parse_schema("aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor");
  EXPECT_EQ(indices.arguments[1].type->str(), "List[Optional[Tensor]]");
}

}  // namespace
}  // namespace ingot

#include <ingot/library.h>

#include <gtest/gtest.h>

#include <ingot/op.h>
#include "exec/interpreter.h"

namespace ingot {
namespace {

Error error_of(const std::string& path) {
  try {
    load_library(path);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << path << " was loaded";
  return {ErrorCode::internal, ""};
}

TEST(LoadLibrary, AddsOps) {
  ASSERT_EQ(find_op("test::twice"), nullptr);
  load_library(INGOT_TEST_OPS);
  load_library(INGOT_TEST_OPS);
  const Op* op = find_op("test::twice");
  ASSERT_NE(op, nullptr);
  EXPECT_EQ(call_op(*op, std::vector<Value>{Value(1.5)})[0].to_double(), 3.0);
}

TEST(LoadLibrary, MissingFilesAndOtherFilesAreErrors) {
  const Error missing = error_of("/no/such/library.so");
  EXPECT_EQ(missing.code(), ErrorCode::io);
  EXPECT_NE(missing.message().find("the library /no/such/library.so cannot be loaded"),
            std::string::npos);
  EXPECT_EQ(error_of(__FILE__).code(), ErrorCode::io);
}

TEST(LoadLibrary, RepeatedOpsAreRefusedAndLeaveNothing) {
  const Error error = error_of(INGOT_TEST_REPEATED_OPS);
  EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  EXPECT_NE(error.message().find("aten::neg.float"), std::string::npos);
  EXPECT_EQ(find_op("test::half"), nullptr);
  const Op* op = find_op("aten::neg.float");
  ASSERT_NE(op, nullptr);
  EXPECT_EQ(call_op(*op, std::vector<Value>{Value(2.0)})[0].to_double(), -2.0);
}

}  // namespace
}  // namespace ingot

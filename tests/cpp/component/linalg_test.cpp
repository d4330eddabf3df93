// libingot-linalg: how it comes to a program, and its ops on odd sizes under the sanitizers.
#include <ingot/ingot.h>

#include <random>
#include <set>

#include <gtest/gtest.h>

#include <ingot/op.h>
#include "exec/interpreter.h"
#include "file/components.h"
#include "file_builder.h"

namespace ingot {
namespace {

// forward(x) = inverse of x.
std::string inverting_file() {
  testing::FileBuilder file;
  const uint32_t tensor = file.type(fb::TypeKind::Tensor);
  const uint32_t boolean = file.type(fb::TypeKind::Bool);
  file.begin_method();
  const uint32_t x = file.input("x", tensor);
  const uint32_t no = file.constant(boolean, file.literal(false));
  file.end_method("forward", file.node("aten::linalg_inv_ex", {x, no}, {tensor, tensor})[0]);
  return file.finish();
}

Module load_text(const std::string& file) {
  return load(std::as_bytes(std::span<const char>(file)));
}

class Linalg : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string file = inverting_file();
    try {
      load_text(file);
      ADD_FAILURE() << "the op is there before its library";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unsupported);
      EXPECT_NE(error.message().find("aten::linalg_inv_ex"), std::string::npos);
      EXPECT_NE(error.hint().find("load_library(\"libingot-linalg.so\")"), std::string::npos);
    }
    std::set<std::string_view> before;
    for (const Op* op : all_ops()) before.insert(op->name());
    load_library(INGOT_TEST_LINALG);
    for (const Op* op : all_ops())
      if (!before.contains(op->name())) ops_.push_back(op);
  }
  // Random matrices with a heavy diagonal.
  static Tensor matrices(DType dtype, std::initializer_list<int64_t> sizes) {
    Tensor tensor = Tensor::empty(DType::f64, sizes);
    std::mt19937 engine(0);
    std::uniform_real_distribution<double> number(-1, 1);
    const int64_t rows = sizes.end()[-2], columns = sizes.end()[-1];
    for (int64_t i = 0; i < tensor.numel(); ++i) {
      const int64_t row = i / columns % rows;
      tensor.data<double>()[i] = number(engine) + (row == i % columns ? 4 : 0);
    }
    return tensor.to(dtype);
  }
  static std::vector<Value> call(std::string_view name, std::vector<Value> inputs) {
    return call_op(*find_op(name), inputs);
  }
  static inline std::vector<const Op*> ops_;
};

TEST_F(Linalg, ProgramsUseItOnceItIsLoaded) {
  const Module module = load_text(inverting_file());
  const double x[] = {2, 1, 0, 4};
  const Tensor y = module.forward({Tensor::from<double>(x, Dims{2, 2})}).to_tensor();
  EXPECT_DOUBLE_EQ(y.data<double>()[0], 0.5);
  EXPECT_DOUBLE_EQ(y.data<double>()[1], -0.125);
  EXPECT_DOUBLE_EQ(y.data<double>()[3], 0.25);
}

TEST_F(Linalg, TheLoaderKnowsWhereItsOpsAre) {
  EXPECT_FALSE(ops_.empty());
  for (const Op* op : ops_) EXPECT_EQ(component_of(op->name()), "libingot-linalg") << op->name();
}

TEST_F(Linalg, DecompositionsOfOddSizes) {
  for (const DType dtype : {DType::f32, DType::f64, DType::c64, DType::c128}) {
    for (const auto& [rows, columns] :
         {std::pair(0, 0), {0, 3}, {3, 0}, {1, 1}, {3, 5}, {17, 4}, {40, 40}}) {
      const Tensor a = matrices(dtype, {2, rows, columns});
      for (const char* name : {"aten::linalg_lu", "aten::linalg_lu_factor_ex", "aten::geqrf",
                               "aten::linalg_qr", "aten::linalg_pinv.atol_rtol_tensor"})
        call(name, {a});
      call("aten::_linalg_svd", {a, true});
      call("aten::_linalg_svd", {a, false, false});
      call("aten::linalg_qr", {a, "complete"});
      for (const char* driver : {"gels", "gelsy", "gelsd"})
        call("aten::linalg_lstsq", {a, matrices(dtype, {2, rows, 3}), Value(), driver});
      const std::vector<Value> qr = call("aten::geqrf", {a});
      if (rows < columns) continue;
      call("aten::linalg_householder_product", {qr[0], qr[1]});
      call("aten::ormqr", {qr[0], qr[1], matrices(dtype, {2, rows, 3}), true, true});
      call("aten::ormqr", {qr[0], qr[1], matrices(dtype, {2, 3, rows}), false, false});
      if (rows != columns) continue;
      const Tensor b = matrices(dtype, {2, rows, 3});
      for (const char* name : {"aten::_linalg_det", "aten::_linalg_slogdet", "aten::linalg_inv_ex",
                               "aten::linalg_eig", "aten::_linalg_eigvals", "aten::_linalg_eigh",
                               "aten::linalg_matrix_exp", "aten::linalg_cholesky_ex"})
        call(name, {a});
      const std::vector<Value> lu = call("aten::linalg_lu_factor_ex", {a});
      call("aten::lu_unpack", {lu[0], lu[1]});
      call("aten::linalg_lu_solve", {lu[0], lu[1], b});
      call("aten::_linalg_solve_ex", {a, b});
      call("aten::linalg_solve_triangular", {a, b, true});
      call("aten::triangular_solve", {b, a});
      call("aten::cholesky_solve", {b, a});
      call("aten::cholesky_inverse", {a, true});
      for (const bool hermitian : {false, true}) {
        const std::vector<Value> ldl = call("aten::linalg_ldl_factor_ex", {a, hermitian});
        call("aten::linalg_ldl_solve", {ldl[0], ldl[1], b, hermitian});
      }
    }
  }
}

TEST_F(Linalg, TransformsOfOddLengths) {
  for (const DType dtype : {DType::c64, DType::c128}) {
    for (const int64_t n : {1, 2, 3, 4, 12, 17, 67, 97, 134, 1024}) {
      const Tensor x = matrices(dtype, {3, n});
      const auto dims = [](std::vector<Value> d) { return Value::list(std::move(d)); };
      const Value spectrum = call("aten::_fft_c2c", {x, dims({0, 1}), 0, true})[0];
      const Tensor back = call("aten::_fft_c2c", {spectrum, dims({0, 1}), 2, false})[0].to_tensor();
      const Tensor real = call("aten::_fft_c2r", {x, dims({0, 1}), 1, 2 * n - 1})[0].to_tensor();
      call("aten::_fft_r2c", {real, dims({0, 1}), 1, true});
      call("aten::_fft_r2c", {real, dims({1}), 1, false});
      const Tensor want = x.to(DType::c128), got = back.to(DType::c128);
      for (int64_t i = 0; i < 2 * want.numel(); ++i)
        ASSERT_NEAR(got.data<double>()[i], want.data<double>()[i], 1e-5) << n;
    }
  }
}

TEST_F(Linalg, PivotsAreChecked) {
  const Tensor a = matrices(DType::f64, {3, 3});
  const int32_t rows[] = {1, 9, 3}, half[] = {1, 2, -3};
  EXPECT_THROW(call("aten::lu_unpack", {a, Tensor::from<int32_t>(rows, Dims{3})}), Error);
  EXPECT_THROW(call("aten::linalg_lu_solve", {a, Tensor::from<int32_t>(rows, Dims{3}), a}), Error);
  EXPECT_THROW(call("aten::linalg_ldl_solve", {a, Tensor::from<int32_t>(rows, Dims{3}), a}), Error);
  EXPECT_THROW(call("aten::linalg_ldl_solve", {a, Tensor::from<int32_t>(half, Dims{3}), a}), Error);
}

}  // namespace
}  // namespace ingot

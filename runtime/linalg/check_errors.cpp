// LAPACK's reports of failures as errors.
#include <ingot/op.h>
#include "linalg/matrices.h"

namespace ingot::linalg {
namespace {

// What a positive code means depends on the function.
std::string reason(std::string_view function, int32_t code) {
  const auto is = [&](std::string_view part) { return function.find(part) != function.npos; };
  if (is("inv"))
    return concat("the inversion could not be completed: the matrix is singular (diagonal element ",
                  code, " of its LU factor U is zero)");
  if (is("solve"))
    return concat("the system could not be solved: the matrix is singular (diagonal element ", code,
                  " of its LU factor U is zero)");
  if (is("cholesky"))
    return concat(
        "the factorization could not be completed: the matrix is not positive-definite "
        "(its leading minor of order ",
        code, " is not)");
  if (is("lu_factor"))
    return concat(
        "U[", code, ",", code,
        "] is zero, so that linalg.lu_solve would divide by zero; linalg.lu_factor_ex and "
        "linalg.lu factor such matrices");
  if (is("ldl_factor"))
    return concat("D[", code, ",", code,
                  "] is zero, so that linalg.ldl_solve would divide by zero; linalg.ldl_factor_ex "
                  "factors such matrices");
  return concat("the algorithm did not converge (code ", code,
                "): the matrix is ill-conditioned or has too many repeated values");
}

void check_errors(const Tensor& info, std::string_view function, bool is_matrix) {
  raise_if_failed(info, function, is_matrix);
}
INGOT_OP("aten::_linalg_check_errors(Tensor info, str api_name, *, bool is_matrix) -> ()",
         Function<check_errors>);

}  // namespace

void raise_if_failed(const Tensor& info, std::string_view function, bool is_matrix) {
  const Tensor codes = as_dense(info, DType::i32);
  for (int64_t i = 0; i < codes.numel(); ++i) {
    const int32_t code = codes.data<int32_t>()[i];
    if (code == 0) continue;
    fail(ErrorCode::runtime, function, is_matrix ? "" : concat(" (batch element ", i, ")"), ": ",
         code > 0 ? reason(function, code)
                  : std::string("the matrix has elements that are not finite"));
  }
}

}  // namespace ingot::linalg

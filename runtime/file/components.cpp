#include "file/components.h"

#include <algorithm>
#include <iterator>

namespace ingot {
namespace {

// How the names of its ops begin; a test holds them against the library.
constexpr std::string_view kLinalg[] = {
    "aten::_fft_", "aten::_linalg_",  "aten::linalg_", "aten::cholesky",
    "aten::geqrf", "aten::lu_unpack", "aten::ormqr",   "aten::triangular_solve"};

}  // namespace

std::string_view component_of(std::string_view op) {
  const bool linalg = std::any_of(std::begin(kLinalg), std::end(kLinalg),
                                  [&](std::string_view begin) { return op.starts_with(begin); });
  return linalg ? "libingot-linalg" : "";
}

}  // namespace ingot

#include "ops/promotion.h"

namespace ingot {
namespace {

std::optional<DType> promote_known(std::optional<DType> a, DType b) {
  return a ? promote(*a, b) : b;
}

DType complex_of(DType floating) { return floating == DType::f64 ? DType::c128 : DType::c64; }

// `lower` changes `higher` only if it is of a higher kind.
std::optional<DType> combine(std::optional<DType> higher, std::optional<DType> lower) {
  if (!higher || !lower) return higher ? higher : lower;
  if (is_complex(*higher)) return higher;
  if (is_floating(*higher)) return is_complex(*lower) ? complex_of(*higher) : *higher;
  if (*higher == DType::boolean || !is_integral(*lower)) return promote(*higher, *lower);
  return higher;
}

}  // namespace

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (is_complex(a) || is_complex(b)) {
    const auto wide = [](DType d) { return d == DType::f64 || d == DType::c128; };
    return wide(a) || wide(b) ? DType::c128 : DType::c64;
  }
  if (is_floating(a) && is_floating(b))
    return a == DType::f64 || b == DType::f64 ? DType::f64 : DType::f32;
  if (is_floating(a) || is_floating(b)) return is_floating(a) ? a : b;
  if (a == DType::boolean || b == DType::boolean) return a == DType::boolean ? b : a;
  if (size_of(a) == size_of(b)) return DType::i16;  // u8 and i8
  return size_of(a) > size_of(b) ? a : b;
}

void ResultType::add(const Tensor& tensor) {
  std::optional<DType>& group = tensor.rank() > 0 ? dimensioned_ : zero_dim_;
  group = promote_known(group, tensor.dtype());
}

void ResultType::add(const Scalar& number) { number_ = promote_known(number_, number.dtype()); }

DType ResultType::get() const { return *combine(dimensioned_, combine(zero_dim_, number_)); }

bool can_cast(DType from, DType to) {
  if (is_complex(from) && !is_complex(to)) return false;
  if (is_floating(from) && is_integral(to)) return false;
  return from == DType::boolean || to != DType::boolean;
}

}  // namespace ingot

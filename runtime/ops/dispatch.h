// From a dtype known at run time to a C++ type.
#pragma once

#include <complex>
#include <cstdint>
#include <type_traits>

#include <ingot/dtype.h>

#include <ingot/check.h>

namespace ingot {

// Calls f(std::type_identity<T>) with the C++ type of a compute dtype (see tensor/convert.h)
// that is no complex one. Throws Error (unsupported) for the others.
template <class F>
decltype(auto) dispatch_compute(DType compute, F&& f) {
  switch (compute) {
    case DType::i64: return f(std::type_identity<int64_t>{});
    case DType::f32: return f(std::type_identity<float>{});
    case DType::f64: return f(std::type_identity<double>{});
    default: fail(ErrorCode::unsupported, "dtype ", compute, " is not supported");
  }
}

// The same for f32 and f64 only.
template <class F>
decltype(auto) dispatch_floating(DType compute, F&& f) {
  switch (compute) {
    case DType::f32: return f(std::type_identity<float>{});
    case DType::f64: return f(std::type_identity<double>{});
    default: fail(ErrorCode::unsupported, "dtype ", compute, " is not supported");
  }
}

}  // namespace ingot

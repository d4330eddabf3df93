// One line per elementwise op: macros that register the overloads an op of a kind has.
#pragma once

#include "ops/elementwise.h"

// name(Tensor self) and name_.
#define INGOT_UNARY_NAME(name, row)                                 \
  INGOT_ELEMENTWISE(row, "aten::" #name "(Tensor self) -> Tensor"); \
  INGOT_ELEMENTWISE(row, "aten::" #name "_(Tensor(a!) self) -> Tensor(a!)")

// name(Tensor self) alone: predicates and special_ functions have no in-place form.
#define INGOT_UNARY_PURE_NAME(name, row) \
  INGOT_ELEMENTWISE(row, "aten::" #name "(Tensor self) -> Tensor")

// A row and its names: INGOT_UNARY(exp, floating, kFloats, [](auto x) { return std::exp(x); }).
#define INGOT_UNARY(name, promotion, dtypes, ...)                                     \
  static constexpr ::ingot::Elementwise row_##name =                                  \
      ::ingot::elementwise<1, 0, dtypes>(::ingot::Promotion::promotion, __VA_ARGS__); \
  INGOT_UNARY_NAME(name, row_##name)

#define INGOT_UNARY_PURE(name, promotion, dtypes, ...)                                \
  static constexpr ::ingot::Elementwise row_##name =                                  \
      ::ingot::elementwise<1, 0, dtypes>(::ingot::Promotion::promotion, __VA_ARGS__); \
  INGOT_UNARY_PURE_NAME(name, row_##name)

// name(Tensor self, numbers) and name_, the numbers given as schema text.
#define INGOT_UNARY_WITH(name, params, text, promotion, dtypes, ...)                       \
  static constexpr ::ingot::Elementwise row_##name =                                       \
      ::ingot::elementwise<1, params, dtypes>(::ingot::Promotion::promotion, __VA_ARGS__); \
  INGOT_ELEMENTWISE(row_##name, "aten::" #name "(Tensor self, " text ") -> Tensor");       \
  INGOT_ELEMENTWISE(row_##name, "aten::" #name "_(Tensor(a!) self, " text ") -> Tensor(a!)")

// name.Tensor, name.Scalar and both in place.
#define INGOT_BINARY_NAME(name, row)                                                              \
  INGOT_ELEMENTWISE(row, "aten::" #name ".Tensor(Tensor self, Tensor other) -> Tensor");          \
  INGOT_ELEMENTWISE(row, "aten::" #name ".Scalar(Tensor self, Scalar other) -> Tensor");          \
  INGOT_ELEMENTWISE(row, "aten::" #name "_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)"); \
  INGOT_ELEMENTWISE(row, "aten::" #name "_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)")

#define INGOT_BINARY(name, promotion, dtypes, ...)                                    \
  static constexpr ::ingot::Elementwise row_##name =                                  \
      ::ingot::elementwise<2, 0, dtypes>(::ingot::Promotion::promotion, __VA_ARGS__); \
  INGOT_BINARY_NAME(name, row_##name)

// name(Tensor self, Tensor other) without overload, and alone or with name_.
#define INGOT_BINARY_PURE_NAME(name, row) \
  INGOT_ELEMENTWISE(row, "aten::" #name "(Tensor self, Tensor other) -> Tensor")
#define INGOT_BINARY_PLAIN_NAME(name, row) \
  INGOT_BINARY_PURE_NAME(name, row);       \
  INGOT_ELEMENTWISE(row, "aten::" #name "_(Tensor(a!) self, Tensor other) -> Tensor(a!)")

#define INGOT_BINARY_PURE(name, promotion, dtypes, ...)                               \
  static constexpr ::ingot::Elementwise row_##name =                                  \
      ::ingot::elementwise<2, 0, dtypes>(::ingot::Promotion::promotion, __VA_ARGS__); \
  INGOT_BINARY_PURE_NAME(name, row_##name)
#define INGOT_BINARY_PLAIN(name, promotion, dtypes, ...)                              \
  static constexpr ::ingot::Elementwise row_##name =                                  \
      ::ingot::elementwise<2, 0, dtypes>(::ingot::Promotion::promotion, __VA_ARGS__); \
  INGOT_BINARY_PLAIN_NAME(name, row_##name)

// name.Tensor, name.Scalar and both in place, with a further argument `alpha`.
#define INGOT_BINARY_ALPHA_NAME(name, row)                                                    \
  INGOT_ELEMENTWISE(                                                                          \
      row, "aten::" #name ".Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"); \
  INGOT_ELEMENTWISE(                                                                          \
      row, "aten::" #name ".Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor");    \
  INGOT_ELEMENTWISE(row, "aten::" #name                                                       \
                         "_.Tensor(Tensor(a!) self, Tensor other, *, Scalar "                 \
                         "alpha=1) -> Tensor(a!)");                                           \
  INGOT_ELEMENTWISE(                                                                          \
      row, "aten::" #name "_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)")

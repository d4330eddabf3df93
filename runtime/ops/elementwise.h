// Elementwise ops: a row of facts and a functor per op, one engine for all.
//
//   constexpr auto kSilu = elementwise<1, 0, kFloats>(Promotion::common,
//       [](auto x) { return x / (1 + std::exp(-x)); });
//   INGOT_ELEMENTWISE(kSilu, "aten::silu(Tensor self) -> Tensor");
//   INGOT_ELEMENTWISE(kSilu, "aten::silu_(Tensor(a!) self) -> Tensor(a!)");
//
// The functor takes one element of each operand, then the op's other numbers, all of the
// dtype that the op computes in. Operands are the schema's first Tensor and Scalar arguments;
// Scalars there take part in type promotion as Python numbers do. Operands of any dtype and
// strides come to the functor's loop as contiguous tiles of the compute dtype, so that there
// is one loop per op and compute dtype. A third argument names the vector loop that takes the
// functor's place for f32: vectorized<f32::silu>.
#pragma once

#include <array>
#include <complex>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ingot/op.h>
#include "kernels/f32_loops.h"
#include "ops/fill.h"

namespace ingot {

// How the dtype of the result follows from the operands' common dtype.
enum class Promotion : uint8_t {
  common,      // is the common dtype
  floating,    // integers give f32
  arithmetic,  // bool gives i64
  f64,         // is f64
  self,        // is the first operand's, whatever the others are
};

// The dtypes of the common dtype that an op takes.
using DTypeSet = uint8_t;
inline constexpr DTypeSet kIntegers = 1;
inline constexpr DTypeSet kBool = 2;       // computed as bool
inline constexpr DTypeSet kBoolAsInt = 4;  // computed as 0 and 1 in i64
inline constexpr DTypeSet kFloats = 8;     // f32, f64, f16 and bf16 through f32
inline constexpr DTypeSet kComplex = 16;
inline constexpr DTypeSet kComplexWide = 32;  // c64 through c128
inline constexpr DTypeSet kReal = kIntegers | kFloats;
inline constexpr DTypeSet kRealAndBool = kReal | kBoolAsInt;

// Further rules.
using ElementwiseFlags = uint8_t;
inline constexpr ElementwiseFlags kNoBoolOperand = 1;   // refuses bool operands of any kind
inline constexpr ElementwiseFlags kIntegralParams = 2;  // integer results need integer numbers

// Computes `count` elements. `in` holds one contiguous tile per operand.
using TileLoop = void (*)(int64_t count, void* out, const void* const* in, const Scalar* params);

inline constexpr int kMaxOperands = 4;
inline constexpr int kMaxParams = 4;

struct Elementwise {
  uint8_t operands;
  uint8_t params;
  Promotion promotion;
  DTypeSet dtypes;
  ElementwiseFlags flags;
  int8_t condition;  // the operand that is a bool mask and takes no part in promotion; -1: none
  bool predicate;    // the result is bool
  bool magnitude;    // the result of complex operands is real
  TileLoop boolean, i64, f32, f64, c64, c128;  // null: not computed in that dtype
  f32::Loop vector = nullptr;                  // what `f32` calls, if it is a vector loop

  TileLoop loop(DType compute) const;
};

// An operand: a tensor or, where `tensor` is null, a number.
struct Operand {
  const Tensor* tensor = nullptr;
  Scalar number{int64_t{0}};
};

// The dtypes of one use of a row.
struct ElementwiseTypes {
  DType common;    // of the operands, after the row's promotion
  DType compute;   // of the operands' tiles
  DType produced;  // of the results' tiles
  DType result;
};
// Throws Error (invalid_argument) if the op is not defined for the operands' dtypes.
ElementwiseTypes resolve_types(const Elementwise& row, std::span<const Operand> operands);
// The sizes that all tensors among the operands broadcast to. Throws as infer_elementwise.
Dims resolve_sizes(std::span<const Operand> operands);
// Writes a number as an element of the compute dtype. Where a kernel of PyTorch would see it
// rounded to the common dtype and the result shows it (integers, comparisons), it is rounded so.
void store_operand(const Scalar& number, const ElementwiseTypes& types, void* element);

// Throws Error (invalid_argument) if the numbers do not fit the row for these dtypes.
void check_params(const Elementwise& row, const ElementwiseTypes& types, const Scalar* params);

// Result of `row` on `operands`. Throws Error (invalid_argument) if they do not broadcast or
// the op is not defined for their dtypes.
TensorInfo infer_elementwise(const Elementwise& row, std::span<const Operand> operands);
void compute_elementwise(const Elementwise& row, std::span<const Operand> operands,
                         const Scalar* params, Tensor& out);
// The same in one call, and on tensors alone.
Tensor elementwise(const Elementwise& row, std::span<const Operand> operands,
                   const Scalar* params = nullptr);
Tensor elementwise(const Elementwise& row, std::initializer_list<const Tensor*> operands,
                   const Scalar* params = nullptr);
// Stores the result into the first operand. Throws Error (invalid_argument) if its dtype or
// sizes cannot hold it.
void elementwise_in_place(const Elementwise& row, std::span<const Operand> operands,
                          const Scalar* params);

// --- from here on: rows and registration ------------------------------------------------

namespace detail {

template <class T>
T param_as(const Scalar& number) {
  if constexpr (std::is_same_v<T, bool>)
    return number.to_double() != 0;
  else if constexpr (std::is_integral_v<T>)
    return saturated_int(number);
  else if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(number.to_double());
  else
    return T(number.to_complex());
}

// bool elements are read as bytes: a file or a caller may hold others than 0 and 1.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;

template <class T>
T load(const void* from, int64_t i) {
  const auto value = static_cast<const Stored<T>*>(from)[i];
  if constexpr (std::is_same_v<T, bool>)
    return value != 0;
  else
    return value;
}

template <class T>
inline constexpr bool kIsComplex = false;
template <class T>
inline constexpr bool kIsComplex<std::complex<T>> = true;

// What a loop over T stores of a functor's value of type R: bool, or the real number that it
// makes of complex ones, or T.
template <class R, class T>
struct StoredResult {
  static constexpr bool kMagnitude = kIsComplex<T> && std::is_floating_point_v<R>;
  using type = std::conditional_t<std::is_same_v<R, bool> || kMagnitude, R, T>;
};
template <class R, class T>
using ResultOf = typename StoredResult<R, T>::type;

template <class F, class T, int kCondition, size_t... kOperand, size_t... kParam>
void tile_loop(int64_t count, void* out, const void* const* in, const Scalar* params,
               std::index_sequence<kOperand...>, std::index_sequence<kParam...>) {
  constexpr F f{};
  const void* const operands[] = {in[kOperand]...};
  [[maybe_unused]] const T numbers[sizeof...(kParam) + 1] = {param_as<T>(params[kParam])...};
  const auto one = [&](int64_t i) {
    return f(load<std::conditional_t<kOperand == kCondition, bool, T>>(operands[kOperand], i)...,
             numbers[kParam]...);
  };
  using Result = ResultOf<decltype(one(0)), T>;
  auto* results = static_cast<Stored<Result>*>(out);
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) results[i] = static_cast<Result>(one(i));
}

template <class F, class T, int kOperands, int kParams, int kCondition>
void tile_loop(int64_t count, void* out, const void* const* in, const Scalar* params) {
  tile_loop<F, T, kCondition>(count, out, in, params, std::make_index_sequence<kOperands>(),
                              std::make_index_sequence<kParams>());
}

template <f32::Loop kLoop, int kParams>
void vector_loop(int64_t count, void* out, const void* const* in, const Scalar* params) {
  float numbers[kParams + 1] = {};
  for (int i = 0; i < kParams; ++i) numbers[i] = param_as<float>(params[i]);
  kLoop(count, out, in, numbers);
}

template <class F, class T, int kOperands, int kParams, int kCondition>
constexpr void note_result(Elementwise& row) {
  []<size_t... O, size_t... P>(Elementwise & row, std::index_sequence<O...>,
                               std::index_sequence<P...>) {
    using Result = decltype(F{}(std::declval<std::conditional_t<O == kCondition, bool, T>>()...,
                                ((void)P, std::declval<T>())...));
    row.predicate = std::is_same_v<Result, bool>;
    row.magnitude = kIsComplex<T> && std::is_floating_point_v<Result>;
  }
  (row, std::make_index_sequence<kOperands>(), std::make_index_sequence<kParams>());
}

}  // namespace detail

// A row. `kOperands` operands and `kParams` further numbers go to the functor `f`; dtypes
// that are not in `kTypes` raise. kCondition: see Elementwise::condition.
template <int kOperands, int kParams, DTypeSet kTypes, int kCondition = -1, class F>
constexpr Elementwise elementwise(Promotion promotion, F, ElementwiseFlags flags = 0) {
  static_assert(kOperands <= kMaxOperands && kParams <= kMaxParams);
  Elementwise row{kOperands, kParams, promotion, kTypes,  flags,   kCondition, false,
                  false,     nullptr, nullptr,   nullptr, nullptr, nullptr,    nullptr};
  using namespace detail;
  if constexpr (kTypes & kBool) row.boolean = tile_loop<F, bool, kOperands, kParams, kCondition>;
  if constexpr (kTypes & (kIntegers | kBoolAsInt)) {
    row.i64 = tile_loop<F, int64_t, kOperands, kParams, kCondition>;
    note_result<F, int64_t, kOperands, kParams, kCondition>(row);
  }
  if constexpr (kTypes & kFloats) {
    row.f32 = tile_loop<F, float, kOperands, kParams, kCondition>;
    row.f64 = tile_loop<F, double, kOperands, kParams, kCondition>;
    note_result<F, double, kOperands, kParams, kCondition>(row);
  }
  if constexpr (kTypes & kComplex)
    row.c64 = tile_loop<F, std::complex<float>, kOperands, kParams, kCondition>;
  if constexpr (kTypes & (kComplex | kComplexWide)) {
    row.c128 = tile_loop<F, std::complex<double>, kOperands, kParams, kCondition>;
    note_result<F, std::complex<double>, kOperands, kParams, kCondition>(row);
  }
  return row;
}

// A row whose f32 elements `kLoop` computes.
template <f32::Loop kLoop>
struct Vectorized {};
template <f32::Loop kLoop>
inline constexpr Vectorized<kLoop> vectorized{};

template <int kOperands, int kParams, DTypeSet kTypes, int kCondition = -1, class F,
          f32::Loop kLoop>
constexpr Elementwise elementwise(Promotion promotion, F f, Vectorized<kLoop>,
                                  ElementwiseFlags flags = 0) {
  static_assert(kTypes & kFloats);
  Elementwise row = elementwise<kOperands, kParams, kTypes, kCondition>(promotion, f, flags);
  row.f32 = detail::vector_loop<kLoop, kParams>;
  row.vector = kLoop;
  return row;
}

// Chooses the row and the numbers from the arguments that are no operands: "gelu" has two
// rows, named by its string. Fills `params`.
using ChooseRow = const Elementwise& (*)(const Arguments& in, Scalar* params);

// One op as registered.
struct ElementwiseOp {
  static constexpr int kMaxArguments = 8;
  const Elementwise* row;  // null: `choose` gives it
  ChooseRow choose;
  uint8_t arguments = 0;
  uint8_t operands = 0;
  bool in_place = false;
  std::array<ParamKind, kMaxArguments> kinds{};
  std::array<uint8_t, kMaxOperands> operand_at{};  // argument numbers
  std::array<uint8_t, kMaxParams> param_at{};
};

// The arguments of one call, sorted into operands and numbers.
struct ElementwiseCall {
  ElementwiseCall(const ElementwiseOp& op, const Arguments& in);
  std::span<const Operand> all() const { return {operands, count}; }

  const Elementwise* row;
  size_t count;
  Operand operands[kMaxOperands];
  Scalar params[kMaxParams] = {int64_t{0}, int64_t{0}, int64_t{0}, int64_t{0}};
};

namespace detail {

constexpr ParamKind kind_of(std::string_view type) {
  struct Row {
    std::string_view type;
    ParamKind kind;
  };
  constexpr Row kRows[] = {
      {"Tensor", ParamKind::tensor},
      {"Tensor(a)", ParamKind::tensor},
      {"Tensor(a!)", ParamKind::tensor},
      {"Tensor?", ParamKind::optional_tensor},
      {"Scalar", ParamKind::scalar},
      {"Scalar?", ParamKind::optional_scalar},
      {"int", ParamKind::integer},
      {"float", ParamKind::floating},
      {"float?", ParamKind::optional_floating},
      {"bool", ParamKind::boolean},
      {"str", ParamKind::string},
      {"str?", ParamKind::optional_string},
  };
  for (const Row& row : kRows)
    if (row.type == type) return row.kind;
  return ParamKind::any;
}

// Reads the arguments' kinds out of the schema. Tensor and Scalar arguments are operands until
// there are `operands` of them; the others are numbers.
constexpr ElementwiseOp describe_op(std::string_view schema, int operands, const Elementwise* row,
                                    ChooseRow choose) {
  ElementwiseOp op{row, choose};
  int params = 0;
  size_t at = schema.find('(') + 1;
  for (int depth = 0;; ++at) {
    size_t end = at;
    for (; depth > 0 || (schema[end] != ',' && schema[end] != ')'); ++end) {
      if (schema[end] == '(' || schema[end] == '[') ++depth;
      if (schema[end] == ')' || schema[end] == ']') --depth;
    }
    std::string_view argument = schema.substr(at, end - at);
    if (!argument.empty() && argument[0] == ' ') argument.remove_prefix(1);
    if (argument != "*" && !argument.empty()) {
      const std::string_view type = argument.substr(0, argument.find(' '));
      const ParamKind kind = kind_of(type);
      if (type == "Tensor(a!)") op.in_place = true;
      const bool operand = kind == ParamKind::tensor || kind == ParamKind::optional_tensor ||
                           kind == ParamKind::scalar || kind == ParamKind::optional_scalar;
      if (operand && op.operands < operands)
        op.operand_at[op.operands++] = op.arguments;
      else if (params < kMaxParams)
        op.param_at[static_cast<size_t>(params++)] = op.arguments;
      op.kinds[op.arguments++] = kind;
    }
    if (schema[end] == ')') break;
    at = end;
  }
  return op;
}

void invoke_elementwise(const ElementwiseOp& op, const Arguments& in, const Results& out);
void infer_elementwise_op(const ElementwiseOp& op, const Arguments& in,
                          std::vector<TensorInfo>& out);
void compute_elementwise_op(const ElementwiseOp& op, const Arguments& in, Tensor& out);

template <const ElementwiseOp& kOp>
struct RegisteredElementwise {
  static void invoke(const Arguments& in, const Results& out) { invoke_elementwise(kOp, in, out); }
  static void infer(const Arguments& in, std::vector<TensorInfo>& out) {
    infer_elementwise_op(kOp, in, out);
  }
  static void compute(const Arguments& in, Tensor* out) { compute_elementwise_op(kOp, in, *out); }
  static constexpr OpDefinition definition() {
    OpDefinition result{.params = std::span(kOp.kinds.data(), kOp.arguments), .invoke = &invoke};
    if (kOp.in_place) return result;
    result.infer = &infer;
    result.compute = &compute;
    result.elementwise = &kOp;
    return result;
  }
};

}  // namespace detail

#define INGOT_REGISTER_ELEMENTWISE(name, schema, operands, row, choose) \
  static constexpr ::ingot::ElementwiseOp name =                        \
      ::ingot::detail::describe_op(schema, operands, row, choose);      \
  INGOT_OP(schema, ::ingot::detail::RegisteredElementwise<name>)

// Adds the op `schema`, in place if its first argument is Tensor(a!), computed by `row`.
#define INGOT_ELEMENTWISE(row, schema)                                                           \
  INGOT_REGISTER_ELEMENTWISE(INGOT_CONCAT(elementwise_op_, __COUNTER__), schema, (row).operands, \
                             &(row), nullptr)

// The same with the row found by `choose`, a ChooseRow, at each call.
#define INGOT_ELEMENTWISE_BY(choose, operands, schema)                                     \
  INGOT_REGISTER_ELEMENTWISE(INGOT_CONCAT(elementwise_op_, __COUNTER__), schema, operands, \
                             nullptr, choose)

}  // namespace ingot

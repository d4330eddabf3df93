// How an op is registered: schema, meta function and kernel together, in one place. Ingot's own
// ops are registered so, and those of a shared library that links it (docs/custom-ops.md).
//
//   TensorInfo relu_meta(const Tensor& self) { return self.info(); }
//   void relu(const Tensor& self, Tensor& out) { ... }
//   INGOT_OP("aten::relu(Tensor self) -> Tensor", Structured<relu_meta, relu>);
//
// Structured: the meta function gives dtype and sizes of every output from the inputs (it
// may look at tensors' info, never at their data); the executor gives row-major outputs, in
// memory of its own choice; the kernel fills them and reads inputs of any strides.
// Symbolic: one function that makes its results out of tensors' infos and of Tensor::as_strided,
// clone, contiguous and to alone: views, reshapes, sizes. It also runs while a plan is made, on
// tensors without elements.
// Function: one function makes the results itself (in-place ops, results whose size depends on
// data, scalars, strings, containers). Variadic: a function of all the arguments, for a schema
// that ends in "...".
// Sized: a Function for any inputs, and a meta function with a kernel for those inputs whose
// result has a size that their infos tell; the meta function throws DataDependent for others.
//
// Parameters are unboxed by type:
//   schema              C++ parameter
//   Tensor              const Tensor&
//   Tensor?             const Tensor*            null: None
//   Tensor[]            TensorList
//   Tensor?[]           OptionalTensorList
//   int, SymInt         int64_t
//   float               double                   an int is converted
//   bool                bool
//   Scalar              Scalar
//   str                 std::string_view
//   ScalarType          DType
//   int[], bool[]       IntList                  bools are 0 and 1
//   float[]             std::vector<double>
//   T?                  std::optional<T>
//   anything            const Value&             as it is
#pragma once

#include <array>
#include <complex>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <ingot/check.h>
#include <ingot/int_list.h>
#include <ingot/tensor.h>
#include <ingot/value.h>

namespace ingot {

// A number argument: int, float, bool or complex.
class INGOT_API Scalar {
 public:
  Scalar(int64_t value) : tag_(Tag::integer), integer_(value) {}
  Scalar(double value) : tag_(Tag::floating), floating_(value) {}
  Scalar(bool value) : tag_(Tag::boolean), integer_(value) {}
  Scalar(std::complex<double> value)
      : tag_(Tag::complex), floating_(value.real()), imag_(value.imag()) {}
  explicit Scalar(const Value& value);

  bool is_bool() const { return tag_ == Tag::boolean; }
  bool is_int() const { return tag_ == Tag::integer; }
  bool is_double() const { return tag_ == Tag::floating; }
  bool is_complex() const { return tag_ == Tag::complex; }
  // Conversions as C++ converts; the imaginary part is dropped.
  int64_t to_int() const {
    return is_double() || is_complex() ? static_cast<int64_t>(floating_) : integer_;
  }
  double to_double() const {
    return is_double() || is_complex() ? floating_ : static_cast<double>(integer_);
  }
  std::complex<double> to_complex() const { return {to_double(), imag_}; }
  template <class T>
  T to() const {
    if constexpr (std::is_floating_point_v<T>)
      return static_cast<T>(to_double());
    else
      return static_cast<T>(to_int());
  }
  // The dtype that PyTorch gives a tensor made of this number: bool, i64, f32, c64.
  DType dtype() const;

 private:
  Tag tag_;
  int64_t integer_ = 0;
  double floating_ = 0;
  double imag_ = 0;
};

// A Tensor[] argument, in place.
class TensorList {
 public:
  explicit TensorList(std::span<const Value> values) : values_(values) {}
  size_t size() const { return values_.size(); }
  const Tensor& operator[](size_t i) const { return values_[i].tensor(); }

 private:
  std::span<const Value> values_;
};

// A Tensor?[] argument, in place; null: None.
class OptionalTensorList {
 public:
  explicit OptionalTensorList(std::span<const Value> values) : values_(values) {}
  size_t size() const { return values_.size(); }
  const Tensor* operator[](size_t i) const {
    return values_[i].is_none() ? nullptr : &values_[i].tensor();
  }

 private:
  std::span<const Value> values_;
};

// The arguments of one call: operand k is a register (index >= 0) or a constant (~index).
struct Arguments {
  const Value* registers;
  const Value* constants;
  const int32_t* operands;
  size_t count = 0;  // of operands; read only by ops whose schema ends in "..."
  const Value& operator[](size_t k) const {
    const int32_t index = operands[k];
    return index >= 0 ? registers[index] : constants[~index];
  }
};

// Where the results of one call go.
struct Results {
  Value* registers;
  const int32_t* operands;
  void set(size_t k, Value value) const { registers[operands[k]] = std::move(value); }
};

using Invoke = void (*)(const Arguments& in, const Results& out);
// Appends one TensorInfo per output.
using Infer = void (*)(const Arguments& in, std::vector<TensorInfo>& out);
// Fills the outputs that infer() described.
using Compute = void (*)(const Arguments& in, Tensor* out);

// Thrown by the meta function of a Sized op.
struct DataDependent {};

// How C++ takes a parameter; the catalogue's test holds it against the schema.
enum class ParamKind : uint8_t {
  tensor,
  optional_tensor,
  tensor_list,
  optional_tensor_list,
  integer,
  floating,
  boolean,
  scalar,
  string,
  dtype,
  int_list,
  float_list,
  optional_integer,
  optional_floating,
  optional_boolean,
  optional_scalar,
  optional_string,
  optional_dtype,
  optional_int_list,
  optional_float_list,
  any,
};

struct ElementwiseOp;
struct Schema;
struct StepForms;
namespace plan {
class Recorder;
}

// Records the call in a way of its own (ops/plan/recorder.h) and gives its outputs; false: it
// has none for these arguments.
using Lower = bool (*)(plan::Recorder& recorder, const Arguments& in, Tensor* out);

// The compiled half of an op.
struct OpDefinition {
  std::span<const ParamKind> params;
  Invoke invoke = nullptr;  // null: infer, allocate, compute
  Infer infer = nullptr;
  Compute compute = nullptr;                   // with infer
  Lower lower = nullptr;                       // with infer
  bool symbolic = false;                       // runs on tensors without elements
  bool random = false;                         // draws random numbers (ops/random.h)
  const ElementwiseOp* elementwise = nullptr;  // what a fused loop needs to know
  const StepForms* steps = nullptr;            // how the interpreter runs it in one step
};

// One op of the catalogue. Registered before main (or when a shared library with custom
// ops is loaded), parsed when first looked up.
class INGOT_API Op {
 public:
  Op(const char* schema, const OpDefinition& definition);
  ~Op();
  Op(const Op&) = delete;
  const Schema& schema() const;  // thread-safe
  void invoke(const Arguments& in, const Results& out) const {
    if (definition_.invoke)
      definition_.invoke(in, out);
    else
      invoke_structured(in, out);
  }
  const OpDefinition& definition() const { return definition_; }
  std::span<const ParamKind> params() const { return definition_.params; }
  // "aten::add.Tensor", without parsing the rest.
  std::string_view name() const { return name_; }

 private:
  void invoke_structured(const Arguments& in, const Results& out) const;

  const char* text_;
  std::string_view name_;
  OpDefinition definition_;
  mutable std::once_flag parsed_;
  mutable std::unique_ptr<const Schema> schema_;
};

// Null if the catalogue has no such op. `name` includes the overload: "aten::add.Tensor".
INGOT_API const Op* find_op(std::string_view name);
// All, ordered by name.
INGOT_API std::vector<const Op*> all_ops();

// While it lives, ops that this thread registers wait: those of a library that is being loaded.
class ArrivingOps {
 public:
  ArrivingOps();
  ~ArrivingOps();
  ArrivingOps(const ArrivingOps&) = delete;
  // Adds them to the catalogue. Throws Error (invalid_argument) and adds none if it has an op of
  // one of their names.
  void admit();

 private:
  friend class Op;
  ArrivingOps* const outer_;  // a library that loads another one
  std::vector<const Op*> ops_;
};

// --- from here on: the templates behind Structured and Function -------------------------

template <class T>
struct Unbox;  // no such parameter type: see the table above

template <class T, ParamKind kKind>
struct UnboxAs {
  static constexpr ParamKind kind = kKind;
};

template <>
struct Unbox<const Tensor&> : UnboxAs<const Tensor&, ParamKind::tensor> {
  static const Tensor& get(const Value& v) { return v.tensor(); }
};
template <>
struct Unbox<const Tensor*> : UnboxAs<const Tensor*, ParamKind::optional_tensor> {
  static const Tensor* get(const Value& v) { return v.is_none() ? nullptr : &v.tensor(); }
};
template <>
struct Unbox<TensorList> : UnboxAs<TensorList, ParamKind::tensor_list> {
  static TensorList get(const Value& v) { return TensorList(v.to_list().elements); }
};
template <>
struct Unbox<OptionalTensorList> : UnboxAs<OptionalTensorList, ParamKind::optional_tensor_list> {
  static OptionalTensorList get(const Value& v) { return OptionalTensorList(v.to_list().elements); }
};
template <>
struct Unbox<int64_t> : UnboxAs<int64_t, ParamKind::integer> {
  static int64_t get(const Value& v) { return v.to_int(); }
};
template <>
struct Unbox<double> : UnboxAs<double, ParamKind::floating> {
  static double get(const Value& v) {
    return v.is_int() ? static_cast<double>(v.to_int()) : v.to_double();
  }
};
template <>
struct Unbox<bool> : UnboxAs<bool, ParamKind::boolean> {
  static bool get(const Value& v) { return v.to_bool(); }
};
template <>
struct Unbox<Scalar> : UnboxAs<Scalar, ParamKind::scalar> {
  static Scalar get(const Value& v) { return Scalar(v); }
};
template <>
struct Unbox<std::string_view> : UnboxAs<std::string_view, ParamKind::string> {
  static std::string_view get(const Value& v) { return v.to_string(); }
};
template <>
struct Unbox<DType> : UnboxAs<DType, ParamKind::dtype> {
  static DType get(const Value& v) {
    INGOT_CHECK(is_dtype(v.to_int()), "dtype number ", v.to_int(), " is not supported");
    return static_cast<DType>(v.to_int());
  }
};
template <>
struct Unbox<IntList> : UnboxAs<IntList, ParamKind::int_list> {
  INGOT_API static IntList get(const Value& v);
};
template <>
struct Unbox<std::vector<double>> : UnboxAs<std::vector<double>, ParamKind::float_list> {
  INGOT_API static std::vector<double> get(const Value& v);
};
template <>
struct Unbox<const Value&> : UnboxAs<const Value&, ParamKind::any> {
  static const Value& get(const Value& v) { return v; }
};
template <class T>
struct Unbox<std::optional<T>> {
  static constexpr ParamKind optional_kind(ParamKind kind) {
    switch (kind) {
      case ParamKind::integer: return ParamKind::optional_integer;
      case ParamKind::floating: return ParamKind::optional_floating;
      case ParamKind::boolean: return ParamKind::optional_boolean;
      case ParamKind::scalar: return ParamKind::optional_scalar;
      case ParamKind::string: return ParamKind::optional_string;
      case ParamKind::dtype: return ParamKind::optional_dtype;
      case ParamKind::int_list: return ParamKind::optional_int_list;
      case ParamKind::float_list: return ParamKind::optional_float_list;
      default: return ParamKind::any;
    }
  }
  static constexpr ParamKind kind = optional_kind(Unbox<T>::kind);
  static std::optional<T> get(const Value& v) {
    if (v.is_none()) return std::nullopt;
    return Unbox<T>::get(v);
  }
};

// A parameter type as Unbox knows it: by value, except const references.
template <class P>
using ParamOf =
    std::conditional_t<std::is_same_v<P, const Tensor&> || std::is_same_v<P, const Value&>, P,
                       std::remove_cvref_t<P>>;

// Boxing of results.
inline Value box(Tensor v) { return Value(std::move(v)); }
inline Value box(Value v) { return v; }
inline Value box(bool v) { return Value(v); }
inline Value box(int64_t v) { return Value(v); }
inline Value box(double v) { return Value(v); }
inline Value box(std::string v) { return Value(std::move(v)); }
INGOT_API Value box(const Scalar& v);
INGOT_API Value box(std::vector<Tensor> v);
INGOT_API Value box(std::span<const int64_t> v);

template <auto kFunction, class Signature = decltype(kFunction)>
struct Function;

template <auto kFunction, class R, class... P>
struct Function<kFunction, R (*)(P...)> {
  static constexpr std::array<ParamKind, sizeof...(P)> kParams = {Unbox<ParamOf<P>>::kind...};

  template <size_t... I>
  static void call(const Arguments& in, const Results& out, std::index_sequence<I...>) {
    if constexpr (std::is_void_v<R>) {
      kFunction(Unbox<ParamOf<P>>::get(in[I])...);
    } else if constexpr (requires { std::tuple_size<R>::value; }) {
      R results = kFunction(Unbox<ParamOf<P>>::get(in[I])...);
      [&]<size_t... K>(std::index_sequence<K...>) {
        (out.set(K, box(std::move(std::get<K>(results)))), ...);
      }
      (std::make_index_sequence<std::tuple_size_v<R>>());
    } else {
      out.set(0, box(kFunction(Unbox<ParamOf<P>>::get(in[I])...)));
    }
  }
  static void invoke(const Arguments& in, const Results& out) {
    call(in, out, std::index_sequence_for<P...>());
  }
  static constexpr OpDefinition definition() { return {.params = kParams, .invoke = &invoke}; }
};

template <auto kFunction>
struct Symbolic {
  static constexpr OpDefinition definition() {
    OpDefinition result = Function<kFunction>::definition();
    result.symbolic = true;
    return result;
  }
};

// `kFunction` takes (const Arguments&) and gives a Value, or nothing.
template <auto kFunction>
struct Variadic {
  static void invoke(const Arguments& in, const Results& out) {
    if constexpr (std::is_void_v<decltype(kFunction(in))>)
      kFunction(in);
    else
      out.set(0, kFunction(in));
  }
  static constexpr OpDefinition definition() { return {.params = {}, .invoke = &invoke}; }
};

template <auto kMeta, auto kKernel, Lower kLower = nullptr, class MetaSignature = decltype(kMeta)>
struct Structured;

// A TensorInfo, or an array of them with a Tensor& for each after the kernel's inputs.
template <auto kMeta, auto kKernel, Lower kLower, class Infos, class... P>
struct Structured<kMeta, kKernel, kLower, Infos (*)(P...)> {
  static constexpr std::array<ParamKind, sizeof...(P)> kParams = {Unbox<ParamOf<P>>::kind...};

  static void infer(const Arguments& in, std::vector<TensorInfo>& out) {
    [&]<size_t... I>(std::index_sequence<I...>) {
      if constexpr (std::is_same_v<Infos, TensorInfo>)
        out.push_back(kMeta(Unbox<ParamOf<P>>::get(in[I])...));
      else
        for (const TensorInfo& info : kMeta(Unbox<ParamOf<P>>::get(in[I])...)) out.push_back(info);
    }
    (std::index_sequence_for<P...>());
  }
  static void compute(const Arguments& in, Tensor* out) {
    [&]<size_t... I>(std::index_sequence<I...>) {
      if constexpr (std::is_same_v<Infos, TensorInfo>)
        kKernel(Unbox<ParamOf<P>>::get(in[I])..., out[0]);
      else
        [&]<size_t... K>(std::index_sequence<K...>) {
          kKernel(Unbox<ParamOf<P>>::get(in[I])..., out[K]...);
        }
      (std::make_index_sequence<std::tuple_size_v<Infos>>());
    }
    (std::index_sequence_for<P...>());
  }
  static constexpr OpDefinition definition() {
    return {.params = kParams, .infer = &infer, .compute = &compute, .lower = kLower};
  }
};

template <auto kFunction, auto kMeta, auto kKernel>
struct Sized {
  static constexpr OpDefinition definition() {
    OpDefinition result = Structured<kMeta, kKernel>::definition();
    result.invoke = Function<kFunction>::definition().invoke;
    return result;
  }
};

#define INGOT_CONCAT_INNER(a, b) a##b
#define INGOT_CONCAT(a, b) INGOT_CONCAT_INNER(a, b)
// Adds an op to the catalogue. The second part is Structured<...> or Function<...>.
#define INGOT_OP(schema, ...) \
  static const ::ingot::Op INGOT_CONCAT(ingot_op_, __COUNTER__)(schema, __VA_ARGS__::definition())

}  // namespace ingot

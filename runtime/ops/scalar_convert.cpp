// Between numbers, strings and tensors: int(), float(), bool(), item(), torch.tensor().
#include <charconv>
#include <complex>

#include <ingot/op.h>
#include "ops/python_error.h"
#include "ops/scalar_number.h"
#include "ops/scalar_tensor.h"
#include "ops/step.h"
#include "ops/text.h"
#include "tensor/convert.h"

namespace ingot {

Value item(const Tensor& self) {
  INGOT_CHECK(self.numel() == 1, "a number was asked of ", self, ": it must have one element");
  INGOT_CHECK(self.has_data(), "a number was asked of a tensor without data");
  switch (self.dtype()) {
    case DType::boolean: return *self.data<uint8_t>() != 0;
    case DType::u8: return int64_t{*self.data<uint8_t>()};
    case DType::i8: return int64_t{*self.data<int8_t>()};
    case DType::i16: return int64_t{*self.data<int16_t>()};
    case DType::i32: return int64_t{*self.data<int32_t>()};
    case DType::i64: return *self.data<int64_t>();
    case DType::f32: return double{*self.data<float>()};
    case DType::f64: return *self.data<double>();
    case DType::c64: return std::complex<double>(*self.data<std::complex<float>>());
    case DType::c128: return *self.data<std::complex<double>>();
    case DType::f16:
    case DType::bf16: return self.item_double();
  }
  fail(ErrorCode::internal, "unknown dtype");
}

Tensor number_tensor(const Scalar& number) {
  const auto holding = [](DType dtype, auto value) {
    Tensor result = Tensor::empty(dtype, {});
    *result.data<decltype(value)>() = value;
    return result;
  };
  if (number.is_bool()) return holding(DType::boolean, number.to_int() != 0);
  if (number.is_int()) return holding(DType::i64, number.to_int());
  if (number.is_complex()) return holding(DType::c128, number.to_complex());
  return holding(DType::f64, number.to_double());
}

namespace {

int64_t int_scalar(const Value& a) {
  return is_whole(a) ? whole(a) : truncate_to_int(a.to_double());
}
double float_scalar(const Value& a) { return number(a); }
bool bool_scalar(const Value& a) {
  if (is_whole(a)) return whole(a) != 0;
  return a.is_double() ? a.to_double() != 0 : a.to_complex() != 0.0;
}
int64_t int_tensor(const Tensor& a) { return int_scalar(item(a)); }
double float_tensor(const Tensor& a) { return number(item(a)); }
bool bool_tensor(const Tensor& a) {
  INGOT_CHECK(a.numel() == 1, "the truth of ", a, " is ambiguous: use any() or all()");
  return bool_scalar(item(a));
}
Value complex_tensor(const Tensor& a) {
  const Value value = item(a);
  return is_whole(value) ? std::complex<double>(number(value)) : value.to_complex();
}

int64_t int_float(double a) { return truncate_to_int(a); }
int64_t int_bool(bool a) { return a; }
double float_int(int64_t a) { return static_cast<double>(a); }
double float_bool(bool a) { return a; }
bool bool_int(int64_t a) { return a != 0; }
bool bool_float(double a) { return a != 0; }

// The text of a number without surrounding space and digit-separating underscores; "" if an
// underscore is not between digits.
std::string plain_number(std::string_view text) {
  text = strip_space(text);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_')
      plain += text[i];
    else if (i == 0 || i + 1 == text.size() || !digit(text[i - 1]) || !digit(text[i + 1]))
      return "";
  }
  // from_chars knows no plus sign.
  if (plain.size() > 1 && plain[0] == '+' && plain[1] != '-') plain.erase(0, 1);
  return plain;
}

int64_t int_string(std::string_view a) {
  const std::string plain = plain_number(a);
  int64_t value = 0;
  const char* end = plain.data() + plain.size();
  const auto [stop, error] = std::from_chars(plain.data(), end, value);
  if (error == std::errc::result_out_of_range && stop == end)
    raise_python("OverflowError", a, " does not fit in 64 bits");
  if (error != std::errc() || stop != end)
    raise_python("ValueError", "invalid literal for int() with base 10: ", repr(a));
  return value;
}

double float_string(std::string_view a) {
  std::string plain = plain_number(a);
  for (char& c : plain)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  double value = 0;
  const char* end = plain.data() + plain.size();
  const auto [stop, error] = std::from_chars(plain.data(), end, value);
  // from_chars also reads "nan(text)", which Python does not.
  if ((error != std::errc() && error != std::errc::result_out_of_range) || stop != end ||
      plain.find('(') != std::string::npos)
    raise_python("ValueError", "could not convert string to float: ", repr(a));
  if (error == std::errc::result_out_of_range) return std::strtod(plain.c_str(), nullptr);
  return value;
}

Value complex_scalar(const Value& a) {
  return is_whole(a) ? std::complex<double>(number(a)) : a.to_complex();
}
Value complex_parts(const Value& x, const Value& y) {
  const auto part = [](const Value& v) { return number(v.is_tensor() ? item(v.tensor()) : v); };
  return std::complex<double>(part(x), part(y));
}

// A tensor of the numbers in nested lists, or of one number.
class Stacker {
 public:
  explicit Stacker(const Value& data) {
    measure(data);
    tensor_ = Tensor::empty(kind_, sizes_);
    if (tensor_.numel() > 0) fill(data, 0);
  }
  Tensor tensor() { return std::move(tensor_); }
  // What torch.tensor makes of these numbers.
  DType default_dtype() const {
    return kind_ == DType::f64 ? DType::f32 : kind_ == DType::c128 ? DType::c64 : kind_;
  }

 private:
  void measure(const Value& data) {
    const Value* inner = &data;
    while (inner->is_list()) {
      const std::vector<Value>& elements = inner->to_list().elements;
      sizes_.push_back(static_cast<int64_t>(elements.size()));
      if (elements.empty()) {
        kind_ = DType::f64;
        return;
      }
      inner = &elements[0];
    }
    if (inner->is_tensor()) {
      kind_ = inner->tensor().dtype();
      return;
    }
    switch (Scalar(*inner).dtype()) {
      case DType::boolean: kind_ = DType::boolean; break;
      case DType::i64: kind_ = DType::i64; break;
      case DType::c64: kind_ = DType::c128; break;
      default: kind_ = DType::f64;
    }
  }

  void fill(const Value& data, int depth) {
    if (depth == sizes_.size()) {
      Tensor element = data.is_tensor() ? data.tensor() : number_tensor(Scalar(data));
      INGOT_CHECK(element.numel() == 1, "a list of numbers was expected, it holds ", element);
      Tensor slot =
          Tensor::from_blob(static_cast<std::byte*>(tensor_.data()) + at_, kind_, element.sizes());
      copy_into(element, slot);
      at_ += size_of(kind_);
      return;
    }
    const std::vector<Value>& elements = data.to_list().elements;
    INGOT_CHECK(static_cast<int64_t>(elements.size()) == sizes_[depth],
                "the nested lists are not rectangular: length ", elements.size(),
                " where the first has ", sizes_[depth]);
    for (const Value& element : elements) fill(element, depth + 1);
  }

  Tensor tensor_;
  DType kind_ = DType::f64;
  Dims sizes_;
  size_t at_ = 0;
};

using Device = std::optional<int64_t>;

Tensor make_tensor(const Value& data, std::optional<DType> dtype) {
  Stacker stacker(data);
  return stacker.tensor().to(dtype.value_or(stacker.default_dtype()));
}
Tensor tensor(const Value& data, std::optional<DType> dtype, Device, bool) {
  return make_tensor(data, dtype);
}
Tensor as_tensor_number(const Value& data, std::optional<DType> dtype, Device) {
  return make_tensor(data, dtype);
}
Tensor as_tensor(const Tensor& data, std::optional<DType> dtype, Device) {
  return data.to(dtype.value_or(data.dtype()));
}
// Unlike torch.tensor, keeps the number's precision.
Tensor num_to_tensor(Scalar a) { return number_tensor(a); }
Tensor bool_to_tensor(bool a) { return number_tensor(a); }
TensorInfo scalar_tensor_meta(Scalar, std::optional<DType> dtype, std::optional<int64_t>, Device,
                              std::optional<bool>) {
  return {dtype.value_or(DType::f32), {}};
}
void scalar_tensor(Scalar s, std::optional<DType>, std::optional<int64_t>, Device,
                   std::optional<bool>, Tensor& out) {
  copy_into(number_tensor(s), out);
}
Tensor shape_as_tensor(const Tensor& self) {
  return Tensor::from<int64_t>(self.sizes(), Dims{self.rank()});
}

INGOT_OP("aten::Int.Tensor(Tensor a) -> int", Function<int_tensor>);
INGOT_OP("aten::Int.Scalar(Scalar a) -> int", Function<int_scalar>);
INGOT_OP("aten::Int.float(float a) -> int", Stepped<int_float>);
INGOT_OP("aten::Int.bool(bool a) -> int", Stepped<int_bool>);
INGOT_OP("aten::Int.str(str a) -> int", Function<int_string>);
INGOT_OP("aten::Float.Tensor(Tensor a) -> float", Function<float_tensor>);
INGOT_OP("aten::Float.Scalar(Scalar a) -> float", Function<float_scalar>);
INGOT_OP("aten::Float.int(int a) -> float", Stepped<float_int>);
INGOT_OP("aten::Float.bool(bool a) -> float", Stepped<float_bool>);
INGOT_OP("aten::Float.str(str a) -> float", Function<float_string>);
INGOT_OP("aten::Bool.Tensor(Tensor a) -> bool", Function<bool_tensor>);
INGOT_OP("aten::Bool.int(int a) -> bool", Stepped<bool_int>);
INGOT_OP("aten::Bool.float(float a) -> bool", Stepped<bool_float>);
INGOT_OP("aten::IntImplicit(Tensor a) -> int", Function<int_tensor>);
INGOT_OP("aten::FloatImplicit(Tensor a) -> float", Function<float_tensor>);
INGOT_OP("aten::ComplexImplicit(Tensor a) -> complex", Function<complex_tensor>);
INGOT_OP("aten::ScalarImplicit(Tensor a) -> Scalar", Function<item>);
INGOT_OP("aten::item(Tensor self) -> Scalar", Function<item>);
INGOT_OP("aten::_local_scalar_dense(Tensor self) -> Scalar", Function<item>);
INGOT_OP("aten::is_nonzero(Tensor self) -> bool", Function<bool_tensor>);
INGOT_OP("aten::Complex.Scalar(Scalar a) -> complex", Function<complex_scalar>);

#define INGOT_COMPLEX_OP(overload, X, Y) \
  INGOT_OP("aten::Complex." overload "(" X " x, " Y " y) -> complex", Function<complex_parts>)
INGOT_COMPLEX_OP("bool_bool", "bool", "bool");
INGOT_COMPLEX_OP("bool_float", "bool", "float");
INGOT_COMPLEX_OP("bool_int", "bool", "int");
INGOT_COMPLEX_OP("float_bool", "float", "bool");
INGOT_COMPLEX_OP("float_float", "float", "float");
INGOT_COMPLEX_OP("float_int", "float", "int");
INGOT_COMPLEX_OP("int_bool", "int", "bool");
INGOT_COMPLEX_OP("int_float", "int", "float");
INGOT_COMPLEX_OP("int_int", "int", "int");
INGOT_COMPLEX_OP("Tensor_bool", "Tensor", "bool");
INGOT_COMPLEX_OP("Tensor_float", "Tensor", "float");
INGOT_COMPLEX_OP("Tensor_int", "Tensor", "int");
INGOT_COMPLEX_OP("bool_Tensor", "bool", "Tensor");
INGOT_COMPLEX_OP("float_Tensor", "float", "Tensor");
INGOT_COMPLEX_OP("int_Tensor", "int", "Tensor");
INGOT_OP("aten::Complex.Tensor_Tensor(Tensor a, Tensor b) -> complex", Function<complex_parts>);

#define INGOT_TENSOR_OP(name, parameter, tail, function)                              \
  INGOT_OP(name "(" parameter ", *, ScalarType? dtype=None, Device? device=None" tail \
                ") -> Tensor",                                                        \
           Function<function>)
INGOT_TENSOR_OP("aten::tensor", "t[] data", ", bool requires_grad=False", tensor);
INGOT_TENSOR_OP("aten::tensor.int", "int t", ", bool requires_grad=False", tensor);
INGOT_TENSOR_OP("aten::tensor.float", "float t", ", bool requires_grad=False", tensor);
INGOT_TENSOR_OP("aten::tensor.bool", "bool t", ", bool requires_grad=False", tensor);
INGOT_TENSOR_OP("aten::tensor.complex", "complex t", ", bool requires_grad=False", tensor);
INGOT_TENSOR_OP("aten::as_tensor.list", "t[] data", "", as_tensor_number);
INGOT_TENSOR_OP("aten::as_tensor.int", "int t", "", as_tensor_number);
INGOT_TENSOR_OP("aten::as_tensor.float", "float t", "", as_tensor_number);
INGOT_TENSOR_OP("aten::as_tensor.bool", "bool t", "", as_tensor_number);
INGOT_TENSOR_OP("aten::as_tensor.complex", "complex t", "", as_tensor_number);
INGOT_OP(
    "aten::as_tensor(Tensor(a) data, *, ScalarType? dtype=None, Device? device=None) -> "
    "Tensor(b|a)",
    Symbolic<as_tensor>);
INGOT_OP("prim::NumToTensor.Scalar(Scalar a) -> Tensor", Function<num_to_tensor>);
INGOT_OP("prim::NumToTensor.bool(bool a) -> Tensor", Function<bool_to_tensor>);
INGOT_OP(
    "aten::scalar_tensor(Scalar s, *, ScalarType? dtype=None, Layout? layout=None, Device? "
    "device=None, bool? pin_memory=None) -> Tensor",
    Structured<scalar_tensor_meta, scalar_tensor>);
INGOT_OP("aten::_shape_as_tensor(Tensor self) -> Tensor", Symbolic<shape_as_tensor>);

}  // namespace
}  // namespace ingot

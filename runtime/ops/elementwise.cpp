#include "ops/elementwise.h"

#include <algorithm>
#include <optional>

#include "base/thread_pool.h"
#include "ops/fill.h"
#include "ops/promotion.h"
#include "ops/shape.h"
#include "tensor/convert.h"
#include "tensor/iterate.h"

namespace ingot {
namespace {

// Elements that are worth a thread of their own.
constexpr int64_t kGrain = 1 << 15;

DType dtype_of_operand(const Operand& operand) {
  return operand.tensor ? operand.tensor->dtype() : operand.number.dtype();
}

std::optional<DType> compute_in(const Elementwise& row, DType common) {
  const auto takes = [&](DTypeSet set) { return (row.dtypes & set) != 0; };
  switch (common) {
    case DType::boolean:
      if (takes(kBool)) return DType::boolean;
      if (takes(kBoolAsInt)) return DType::i64;
      return std::nullopt;
    case DType::f16:
    case DType::bf16:
      if (takes(kFloats)) return DType::f32;
      return std::nullopt;
    case DType::f32:
    case DType::f64:
      if (takes(kFloats)) return common;
      return std::nullopt;
    case DType::c64:
    case DType::c128:
      if (takes(kComplexWide)) return DType::c128;
      if (takes(kComplex)) return common;
      return std::nullopt;
    default:
      if (takes(kIntegers)) return DType::i64;
      return std::nullopt;
  }
}

}  // namespace

ElementwiseTypes resolve_types(const Elementwise& row, std::span<const Operand> operands) {
  ResultType type;
  for (size_t i = 0; i < operands.size(); ++i) {
    const Operand& operand = operands[i];
    const DType dtype = dtype_of_operand(operand);
    if (static_cast<int>(i) == row.condition) {
      INGOT_CHECK(dtype == DType::boolean || dtype == DType::u8,
                  "the mask must be of dtype bool, got ", dtype);
      continue;
    }
    INGOT_CHECK(!(row.flags & kNoBoolOperand) || dtype != DType::boolean,
                "is not defined for bool operands; convert to a number dtype first, or use "
                "logical_not, logical_xor or bitwise ops");
    if (row.promotion == Promotion::self && i > 0) continue;
    if (operand.tensor)
      type.add(*operand.tensor);
    else
      type.add(operand.number);
  }
  DType common = type.get();
  if (row.promotion == Promotion::floating) common = floating_result(common);
  if (row.promotion == Promotion::f64) common = is_complex(common) ? DType::c128 : DType::f64;
  if (row.promotion == Promotion::arithmetic && common == DType::boolean) common = DType::i64;
  const std::optional<DType> compute = compute_in(row, common);
  INGOT_CHECK(compute, "is not defined for dtype ", common);
  if (row.predicate) return {common, *compute, DType::boolean, DType::boolean};
  if (row.magnitude && is_complex(common))
    return {common, *compute, real_of(*compute), real_of(common)};
  return {common, *compute, *compute, common};
}

Dims resolve_sizes(std::span<const Operand> operands) {
  const Tensor* first = nullptr;
  std::optional<Dims> sizes;
  for (const Operand& operand : operands) {
    if (!operand.tensor) continue;
    if (!first)
      first = operand.tensor;
    else if (sizes)
      sizes = broadcast(*sizes, operand.tensor->sizes());
    else if (!(first->sizes() == operand.tensor->sizes()))
      sizes = broadcast(first->sizes(), operand.tensor->sizes());
  }
  return sizes ? *sizes : first ? first->sizes() : Dims{};
}

void check_params(const Elementwise& row, const ElementwiseTypes& types, const Scalar* params) {
  INGOT_CHECK(!(row.flags & kIntegralParams) || !is_integral(types.common) ||
                  !(params[0].is_double() || params[0].is_complex()),
              "for integer tensors alpha must be an integer, got ", params[0].to_double());
}

void store_operand(const Scalar& number, const ElementwiseTypes& types, void* element) {
  if (is_integral(types.common) || types.result == DType::boolean) {
    alignas(16) std::byte rounded[16];
    store_number(number, types.common, rounded);
    convert(rounded, types.common, element, types.compute, 1);
  } else {
    store_number(number, types.compute, element);
  }
}

namespace {

// The bytes from first to last element.
std::pair<const std::byte*, const std::byte*> reach(const Tensor& tensor) {
  int64_t low = 0;
  int64_t high = 1;
  for (int d = 0; d < tensor.rank(); ++d) {
    const int64_t span = (tensor.size(d) - 1) * tensor.stride(d);
    (span < 0 ? low : high) += span;
  }
  const auto size = static_cast<int64_t>(size_of(tensor.dtype()));
  return {tensor.data<std::byte>() + low * size, tensor.data<std::byte>() + high * size};
}

// True if writing `out` tile by tile could change elements of `in` that are still to be read.
bool overlaps_otherwise(const Tensor& out, const Tensor& in) {
  if (in.numel() == 0 || out.numel() == 0) return false;
  const bool same = in.data() == out.data() && in.dtype() == out.dtype() &&
                    in.sizes() == out.sizes() && in.strides() == out.strides();
  if (same) return false;
  const auto a = reach(out);
  const auto b = reach(in);
  return a.first < b.second && b.first < a.second;
}

void compute(const Elementwise& row, const ElementwiseTypes& types,
             std::span<const Operand> operands, const Scalar* params, Tensor& out) {
  if (out.numel() == 0) return;
  check_params(row, types, params);
  const TileLoop loop = row.loop(types.compute);
  const size_t count = operands.size();
  std::optional<Tensor> replaced[kMaxOperands];
  const Tensor* tensors[kMaxOperands];
  DType wanted[kMaxOperands];
  const DType produced = types.produced;
  bool plain = out.is_contiguous() && out.dtype() == produced;
  for (size_t i = 0; i < count; ++i) {
    tensors[i] = operands[i].tensor;
    wanted[i] = static_cast<int>(i) == row.condition ? DType::boolean : types.compute;
    if (!tensors[i]) {
      plain = false;
      continue;
    }
    // A 0-d tensor may be wider than the common dtype: it is rounded first.
    if (tensors[i]->rank() == 0 && tensors[i]->dtype() != types.common &&
        wanted[i] != DType::boolean && types.common != types.compute)
      tensors[i] = &replaced[i].emplace(tensors[i]->to(types.common));
    else if (overlaps_otherwise(out, *tensors[i]))
      tensors[i] = &replaced[i].emplace(tensors[i]->clone());
    plain = plain && tensors[i]->is_contiguous() && tensors[i]->dtype() == wanted[i] &&
            tensors[i]->sizes() == out.sizes();
  }
  if (plain) {
    parallel_for(0, out.numel(), kGrain, [&](int64_t begin, int64_t end) {
      const void* in[kMaxOperands];
      for (size_t i = 0; i < count; ++i)
        in[i] = tensors[i]->data<std::byte>() + begin * static_cast<int64_t>(size_of(wanted[i]));
      loop(end - begin, out.data<std::byte>() + begin * static_cast<int64_t>(size_of(produced)), in,
           params);
    });
    return;
  }
  parallel_for(0, out.numel(), kGrain, [&](int64_t begin, int64_t end) {
    TileReader readers[kMaxOperands];
    for (size_t i = 0; i < count; ++i) {
      if (tensors[i]) {
        readers[i].open(*tensors[i], out.sizes(), wanted[i]);
      } else {
        alignas(16) std::byte element[16];
        store_operand(operands[i].number, types, element);
        readers[i].open(element, wanted[i]);
      }
    }
    TileWriter writer(out, produced);
    const void* in[kMaxOperands];
    const int64_t step = tile_elements(size_of(types.compute));
    for (int64_t at = begin; at < end; at += step) {
      const int64_t length = std::min(step, end - at);
      for (size_t i = 0; i < count; ++i) in[i] = readers[i].read(at, length);
      loop(length, writer.target(at), in, params);
      writer.commit(at, length);
    }
  });
}

}  // namespace

TileLoop Elementwise::loop(DType compute) const {
  switch (compute) {
    case DType::boolean: return boolean;
    case DType::f32: return f32;
    case DType::f64: return f64;
    case DType::c64: return c64;
    case DType::c128: return c128;
    default: return i64;
  }
}

TensorInfo infer_elementwise(const Elementwise& row, std::span<const Operand> operands) {
  return {resolve_types(row, operands).result, resolve_sizes(operands)};
}

void compute_elementwise(const Elementwise& row, std::span<const Operand> operands,
                         const Scalar* params, Tensor& out) {
  compute(row, resolve_types(row, operands), operands, params, out);
}

Tensor elementwise(const Elementwise& row, std::span<const Operand> operands,
                   const Scalar* params) {
  const ElementwiseTypes types = resolve_types(row, operands);
  Tensor out = Tensor::empty(types.result, resolve_sizes(operands));
  compute(row, types, operands, params, out);
  return out;
}

Tensor elementwise(const Elementwise& row, std::initializer_list<const Tensor*> tensors,
                   const Scalar* params) {
  Operand operands[kMaxOperands];
  size_t count = 0;
  for (const Tensor* tensor : tensors) operands[count++].tensor = tensor;
  return elementwise(row, std::span(operands, count), params);
}

void elementwise_in_place(const Elementwise& row, std::span<const Operand> operands,
                          const Scalar* params) {
  Tensor self = *operands[0].tensor;
  const ElementwiseTypes types = resolve_types(row, operands);
  const bool exact = row.promotion != Promotion::f64 || types.result == self.dtype();
  INGOT_CHECK(
      exact && can_cast(types.result, self.dtype()) && !(row.magnitude && is_complex(types.common)),
      "the result has dtype ", types.result, " and cannot be stored in place into ", self);
  const Dims sizes = resolve_sizes(operands);
  INGOT_CHECK(sizes == self.sizes(), "the result has sizes ", sizes,
              " and cannot be stored in place into ", self);
  INGOT_CHECK(!has_repeated_elements(self), "several elements of ", self,
              " share one place in memory (it was expanded): clone it before writing to it");
  compute(row, types, operands, params, self);
}

// An operand that is None is replaced by the first, which changes neither dtype nor sizes; the
// row that `choose` gives ignores it.
ElementwiseCall::ElementwiseCall(const ElementwiseOp& op, const Arguments& in)
    : count(op.operands) {
  row = op.row ? op.row : &op.choose(in, params);
  for (size_t i = 0; i < count; ++i) {
    const Value& value = in[op.operand_at[i]];
    if (value.is_tensor())
      operands[i].tensor = &value.tensor();
    else if (value.is_none() && i > 0)
      operands[i] = operands[0];
    else
      operands[i].number = Scalar(value);
  }
  if (!op.row) return;
  for (size_t i = 0; i < row->params; ++i) params[i] = Scalar(in[op.param_at[i]]);
}

namespace detail {

void invoke_elementwise(const ElementwiseOp& op, const Arguments& in, const Results& out) {
  const ElementwiseCall call(op, in);
  if (op.in_place) {
    elementwise_in_place(*call.row, call.all(), call.params);
    out.set(0, in[0]);
  } else {
    out.set(0, Value(elementwise(*call.row, call.all(), call.params)));
  }
}

void infer_elementwise_op(const ElementwiseOp& op, const Arguments& in,
                          std::vector<TensorInfo>& out) {
  const ElementwiseCall call(op, in);
  out.push_back(infer_elementwise(*call.row, call.all()));
}

void compute_elementwise_op(const ElementwiseOp& op, const Arguments& in, Tensor& out) {
  const ElementwiseCall call(op, in);
  compute_elementwise(*call.row, call.all(), call.params, out);
}

}  // namespace detail
}  // namespace ingot

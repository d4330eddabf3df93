// What random ops share: tensors filled in the order in which PyTorch fills them.
#pragma once

#include <algorithm>
#include <array>
#include <optional>

#include <ingot/op.h>
#include "base/generator.h"
#include "tensor/convert.h"

namespace ingot {

// The catalogue's entry of an op that draws random numbers. Nothing folds, merges, drops or
// reorders such ops, and no plan holds one.
template <class Registered>
struct Random {
  static constexpr OpDefinition definition() {
    OpDefinition result = Registered::definition();
    result.random = true;
    return result;
  }
};

// A parameter "Generator? generator": what the op draws from while it runs. A program's generator
// is the tensor of its state, u8[5056] as torch.Generator.get_state() gives it, which the draws
// advance; None is the process's. Throws Error (invalid_argument) if the tensor is no state.
class MaybeGenerator {
 public:
  INGOT_API explicit MaybeGenerator(const Value& value = {});
  INGOT_API ~MaybeGenerator();
  MaybeGenerator(const MaybeGenerator&) = delete;

 private:
  struct Own {
    explicit Own(const Tensor& of);
    Tensor state;  // keeps the bytes
    std::span<std::byte> bytes;
    Generator generator;
    GivenGenerator given;
  };
  std::optional<Own> own_;
};
template <>
struct Unbox<MaybeGenerator> : UnboxAs<MaybeGenerator, ParamKind::optional_tensor> {
  static MaybeGenerator get(const Value& v) { return MaybeGenerator(v); }
};

// Invokes an op of `count` arguments (12 at most) without argument `at` of `in`, its generator.
void invoke_from_generator(Invoke op, size_t count, size_t at, const Arguments& in,
                           const Results& out);

// The overload of an op that has, beside its arguments, a "Generator? generator" at `kAt`.
template <class Registered, size_t kAt>
struct WithGenerator {
  static constexpr size_t kCount = Registered::definition().params.size();
  static_assert(kCount <= 12);
  static constexpr std::array<ParamKind, kCount + 1> kParams = [] {
    std::array<ParamKind, kCount + 1> result{};
    for (size_t i = 0; i < kCount; ++i)
      result[i < kAt ? i : i + 1] = Registered::definition().params[i];
    result[kAt] = ParamKind::optional_tensor;
    return result;
  }();
  static void invoke(const Arguments& in, const Results& out) {
    invoke_from_generator(&Registered::invoke, kCount, kAt, in, out);
  }
  static constexpr OpDefinition definition() { return {.params = kParams, .invoke = &invoke}; }
};

// A tensor's dimensions from the largest stride to the smallest: the order in which PyTorch draws
// its elements.
inline Dims memory_order(const Tensor& tensor) {
  Dims order;
  for (int d = 0; d < tensor.rank(); ++d) order.push_back(d);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return tensor.stride(static_cast<int>(a)) > tensor.stride(static_cast<int>(b));
  });
  return order;
}
inline Tensor reordered(const Tensor& tensor, const Dims& order) {
  Dims sizes, strides;
  for (const int64_t d : order) {
    sizes.push_back(tensor.size(static_cast<int>(d)));
    strides.push_back(tensor.stride(static_cast<int>(d)));
  }
  return tensor.as_strided(sizes, strides, 0);
}

// Sets the elements of `out` to successive values of `next(generator)`, which gives a T.
template <class T, class Next>
void draw(Tensor& out, Next&& next) {
  Tensor ordered = reordered(out, memory_order(out));
  const bool direct = out.dtype() == dtype_of<T>::value && ordered.is_contiguous();
  Tensor values = direct ? ordered : Tensor::empty(dtype_of<T>::value, ordered.sizes());
  T* const to = values.data<T>();
  const int64_t count = values.numel();
  {
    const Draws generator;
    for (int64_t i = 0; i < count; ++i) to[i] = next(*generator);
  }
  if (!direct) copy_into(values, ordered);
}

// Sets the elements of `out` to draws from the normal distribution (ops/random_normal.cpp).
void draw_normal(Tensor& out, double mean, double std);

}  // namespace ingot

// What random ops share: tensors filled in the order in which PyTorch fills them.
#pragma once

#include <algorithm>

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

// "Generator? generator=None": always None in a program.
using NoGenerator = const Value&;

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

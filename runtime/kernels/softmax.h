// Softmax along one axis of row-major memory.
#pragma once

#include <cstdint>

namespace ingot {

// out = exp(x) / sum(exp(x)) along the middle axis of x[outer, size, inner], computed without
// overflow. With `logarithm`, its logarithm. An axis of only -inf gives NaN, or zeros with
// `safe`. T: float or double. out may be x.
struct SoftmaxForm {
  bool logarithm = false;
  bool safe = false;
};
template <class T>
void softmax(int64_t outer, int64_t size, int64_t inner, const T* input, T* out,
             SoftmaxForm form = {});

template <>
void softmax(int64_t outer, int64_t size, int64_t inner, const float* input, float* out,
             SoftmaxForm form);

}  // namespace ingot

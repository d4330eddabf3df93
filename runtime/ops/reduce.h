// Reductions over any set of dimensions of a tensor of any strides.
//
// A reducer for elements of type T has
//   using Acc, Out0, Out1;      the state; C++ types of its results, Out1 void if it has one
//   Acc start() const;
//   void step(Acc&, T value, int64_t index) const;     index: position among the reduced elements
//   void finish(const Acc&, int64_t count, Out0&[, Out1&]) const;
// and may have
//   void steps(Acc&, const T*, int64_t n, int64_t index) const;   many at once
//   void column_steps(Acc*, const T*, int64_t n) const;   one for each of n states
//   void merge(Acc&, const Acc& later) const;   the state of both parts, for long reductions
#pragma once

#include <algorithm>
#include <complex>
#include <cstring>
#include <type_traits>
#include <vector>

#include <ingot/op.h>
#include "base/thread_pool.h"
#include "ops/dispatch.h"
#include "ops/shape.h"
#include "tensor/convert.h"
#include "tensor/iterate.h"

namespace ingot {

template <>
struct dtype_of<std::complex<double>> {
  static constexpr DType value = DType::c128;
};

// Dimensions to reduce, one bit each. None or no dimensions: all of them.
using DimSet = uint32_t;
DimSet dims_to_reduce(const Tensor& self, std::span<const int64_t> dims);
inline DimSet dims_to_reduce(const Tensor& self, const std::optional<IntList>& dims) {
  return dims_to_reduce(self, dims ? std::span<const int64_t>(*dims) : std::span<const int64_t>());
}

// Sizes without the reduced dimensions, or with 1 in their place.
Dims reduced_sizes(const Tensor& self, DimSet dims, bool keepdim);

// Raises if a reduction that has no value for no elements would meet none.
void check_not_empty(const Tensor& self, DimSet dims);

namespace detail {

// `self` with its dimensions in the order in which a reduction walks them.
struct ReductionView {
  Tensor tensor;        // [kept..., reduced...], or [kept..., reduced..., inner] if inner > 1
  int64_t outputs = 1;  // product of all kept sizes
  int64_t reduced = 1;  // product of all reduced sizes
  int64_t inner = 1;    // size of the last kept dimension if it is the closest in memory
};
ReductionView reduction_view(const Tensor& self, DimSet dims);

template <class R, class T>
void steps(const R& reducer, typename R::Acc& acc, const T* values, int64_t n, int64_t index) {
  if constexpr (requires { reducer.steps(acc, values, n, index); })
    reducer.steps(acc, values, n, index);
  else
    for (int64_t i = 0; i < n; ++i) reducer.step(acc, values[i], index + i);
}

template <class R, class T>
void column_steps(const R& reducer, typename R::Acc* accs, const T* values, int64_t n,
                  int64_t index) {
  if constexpr (requires { reducer.column_steps(accs, values, n); })
    reducer.column_steps(accs, values, n);
  else
    for (int64_t i = 0; i < n; ++i) reducer.step(accs[i], values[i], index);
}

// The state after the elements [begin, end) that `reader` sees.
template <class T, class R>
typename R::Acc reduce_run(TileReader& reader, const R& reducer, int64_t begin, int64_t end) {
  const int64_t step = tile_elements(sizeof(T));
  typename R::Acc acc = reducer.start();
  for (int64_t r = begin; r < end; r += step) {
    const int64_t n = std::min(step, end - r);
    steps(reducer, acc, static_cast<const T*>(reader.read(r, n)), n, r - begin);
  }
  return acc;
}

// The state of one long output, its pieces spread over the threads. Pieces do not depend on
// the number of threads, so neither does the result.
template <class T, class R>
typename R::Acc reduce_long(const ReductionView& view, const R& reducer, int64_t output,
                            int64_t piece) {
  const int64_t pieces = (view.reduced + piece - 1) / piece;
  std::vector<typename R::Acc> accs(static_cast<size_t>(pieces));
  parallel_for(0, pieces, 1, [&](int64_t first, int64_t last) {
    TileReader reader(view.tensor, view.tensor.sizes(), dtype_of<T>::value);
    for (int64_t i = first; i < last; ++i) {
      const int64_t begin = output * view.reduced;
      accs[static_cast<size_t>(i)] = reduce_run<T>(reader, reducer, begin + i * piece,
                                                   begin + std::min(view.reduced, (i + 1) * piece));
    }
  });
  for (size_t i = 1; i < accs.size(); ++i) reducer.merge(accs[0], accs[i]);
  return accs[0];
}

}  // namespace detail

// Reduces the elements of `self`, converted to T, into row-major `out0` and, for reducers of
// two results, `out1`.
template <class T, class R>
void reduce(const Tensor& self, DimSet dims, const R& reducer, Tensor& out0,
            Tensor* out1 = nullptr) {
  using Out0 = typename R::Out0;
  using Out1 = typename R::Out1;
  constexpr bool kTwo = !std::is_void_v<Out1>;
  constexpr int64_t kBlock = 256;
  const detail::ReductionView view = detail::reduction_view(self, dims);
  if (view.outputs == 0) return;
  const bool columns = view.inner > 1;
  const auto store = [](const auto* results, Tensor& out, int64_t begin, int64_t count) {
    using Result = std::remove_const_t<std::remove_pointer_t<decltype(results)>>;
    const auto size = static_cast<int64_t>(size_of(out.dtype()));
    convert(results, dtype_of<Result>::value, out.data<std::byte>() + begin * size, out.dtype(),
            count);
  };
  if constexpr (!kTwo && requires(typename R::Acc acc) { reducer.merge(acc, acc); }) {
    constexpr int64_t kPiece = 1 << 16;
    constexpr int64_t kFewOutputs = 16;
    if (!columns && view.outputs < kFewOutputs && view.reduced >= 2 * kPiece) {
      for (int64_t i = 0; i < view.outputs; ++i) {
        Out0 result;
        reducer.finish(detail::reduce_long<T>(view, reducer, i, kPiece), view.reduced, result);
        store(&result, out0, i, 1);
      }
      return;
    }
  }
  // Blocks never cross a row of `inner` outputs.
  const int64_t blocks_per_row = columns ? (view.inner + kBlock - 1) / kBlock : 1;
  const int64_t row = columns ? view.inner : kBlock;
  const int64_t rows = (view.outputs + row - 1) / row;
  const int64_t work = std::max<int64_t>(view.reduced * kBlock, 1);
  parallel_for(0, rows * blocks_per_row, std::max<int64_t>((1 << 16) / work, 1),
               [&](int64_t first, int64_t last) {
                 TileReader reader(view.tensor, view.tensor.sizes(), dtype_of<T>::value);
                 Out0 results0[kBlock];
                 [[maybe_unused]] std::conditional_t<kTwo, Out1, char> results1[kTwo ? kBlock : 1];
                 for (int64_t block = first; block < last; ++block) {
                   const int64_t at = block % blocks_per_row * kBlock;
                   const int64_t begin = block / blocks_per_row * row + at;
                   const int64_t count = std::min({kBlock, row - at, view.outputs - begin});
                   const auto finish = [&](const typename R::Acc& acc, int64_t i) {
                     if constexpr (kTwo)
                       reducer.finish(acc, view.reduced, results0[i], results1[i]);
                     else
                       reducer.finish(acc, view.reduced, results0[i]);
                   };
                   if (columns) {
                     typename R::Acc accs[kBlock];
                     for (int64_t i = 0; i < count; ++i) accs[i] = reducer.start();
                     const int64_t origin = block / blocks_per_row * view.reduced * view.inner + at;
                     for (int64_t r = 0; r < view.reduced; ++r) {
                       const auto* values =
                           static_cast<const T*>(reader.read(origin + r * view.inner, count));
                       detail::column_steps(reducer, accs, values, count, r);
                     }
                     for (int64_t i = 0; i < count; ++i) finish(accs[i], i);
                   } else {
                     for (int64_t i = 0; i < count; ++i) {
                       const int64_t from = (begin + i) * view.reduced;
                       finish(detail::reduce_run<T>(reader, reducer, from, from + view.reduced), i);
                     }
                   }
                   store(results0, out0, begin, count);
                   if constexpr (kTwo) store(results1, *out1, begin, count);
                 }
               });
}

}  // namespace ingot

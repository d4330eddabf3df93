// Discrete Fourier transforms over any dimensions, as the ops that PyTorch's torch.fft, stft and
// istft become.
#include <algorithm>
#include <cmath>
#include <vector>

#include <ingot/op.h>
#include "base/thread_pool.h"
#include "linalg/fft_line.h"
#include "ops/shape.h"
#include "tensor/convert.h"

namespace ingot::linalg {
namespace {

template <class T>
using ComplexOf = std::complex<T>;
template <class T>
struct WideOf {
  using type = double;
};
template <class T>
struct WideOf<std::complex<T>> {
  using type = std::complex<double>;
};

constexpr int64_t kLongest = int64_t{1} << 28;
// Lines beside each other that are read together, for the cache's sake.
constexpr int64_t kLinesAtOnce = 8;

// PyTorch's number for a normalisation: 0 none, 1 by the root of the count, 2 by the count.
double factor_of(int64_t normalization, double count) {
  if (normalization == 1) return 1 / std::sqrt(count);
  return normalization == 2 ? 1 / count : 1;
}

double count_of(const Tensor& signal, const Dims& dims) {
  double count = 1;
  for (const int64_t d : dims) count *= static_cast<double>(signal.size(static_cast<int>(d)));
  return count;
}

// How the lines of a row-major tensor along one dimension lie in memory.
struct Lines {
  Lines(const Tensor& tensor, int dim) : length(tensor.size(dim)) {
    for (int d = 0; d < dim; ++d) outer *= tensor.size(d);
    for (int d = dim + 1; d < tensor.rank(); ++d) inner *= tensor.size(d);
  }
  int64_t outer = 1;
  int64_t length;
  int64_t inner = 1;
};

// Each line along `dim`: `transform(LineTransform&, in, out)` on double, times `factor`. Both are
// row-major; they may be the same tensor if the lines have one length.
template <class In, class Out, class F>
void along(const Tensor& in, Tensor& out, int dim, int64_t n, double factor, const F& transform) {
  if (out.numel() == 0) return;
  const Lines from(in, dim), to(out, dim);
  const int64_t inner = from.inner;
  const int64_t blocks = (inner + kLinesAtOnce - 1) / kLinesAtOnce;
  const int64_t work = n * std::min(inner, kLinesAtOnce);
  parallel_for(
      0, from.outer * blocks, std::max<int64_t>((1 << 14) / work, 1),
      [&](int64_t first, int64_t last) {
        LineTransform line(n);
        std::vector<typename WideOf<In>::type> source(
            static_cast<size_t>(from.length * kLinesAtOnce));
        std::vector<typename WideOf<Out>::type> target(
            static_cast<size_t>(to.length * kLinesAtOnce));
        for (int64_t block = first; block < last; ++block) {
          const int64_t outer = block / blocks, begin = block % blocks * kLinesAtOnce;
          const int64_t count = std::min(kLinesAtOnce, inner - begin);
          const In* const data = in.data<In>() + outer * from.length * inner + begin;
          Out* const results = out.data<Out>() + outer * to.length * inner + begin;
          for (int64_t k = 0; k < from.length; ++k)
            for (int64_t i = 0; i < count; ++i)
              source[static_cast<size_t>(i * from.length + k)] =
                  typename WideOf<In>::type(data[k * inner + i]);
          for (int64_t i = 0; i < count; ++i)
            transform(line, source.data() + i * from.length, target.data() + i * to.length);
          for (int64_t k = 0; k < to.length; ++k)
            for (int64_t i = 0; i < count; ++i)
              results[k * inner + i] =
                  static_cast<Out>(target[static_cast<size_t>(i * to.length + k)] * factor);
        }
      });
}

// Complex transforms along all of `dims`, from `in` into `out` of the same sizes.
template <class T>
void complex_along(const Tensor& in, Tensor& out, std::span<const int64_t> dims, double factor,
                   bool forward) {
  if (dims.empty() && !in.shares_storage(out)) copy_into(in, out);
  for (size_t i = 0; i < dims.size(); ++i) {
    const int dim = static_cast<int>(dims[i]);
    along<ComplexOf<T>, ComplexOf<T>>(i == 0 ? in : out, out, dim, out.size(dim),
                                      i == 0 ? factor : 1,
                                      [&](LineTransform& line, const auto* source, auto* target) {
                                        line.complex_to_complex(source, target, forward);
                                      });
  }
}

Dims check_dims(const Tensor& self, const IntList& dim, int64_t normalization) {
  INGOT_CHECK(normalization >= 0 && normalization <= 2,
              "normalization must be 0 (none), 1 (by root n) or 2 (by n), got ", normalization);
  const Dims dims = wrap_dims(dim, self.rank());
  for (const int64_t d : dims)
    INGOT_CHECK(self.rank() > 0 && self.size(static_cast<int>(d)) >= 1 &&
                    self.size(static_cast<int>(d)) <= kLongest,
                "dimension ", d, " of the signal ", self, " must have from 1 to ", kLongest,
                " elements");
  return dims;
}

void check_complex(const Tensor& self) {
  INGOT_CHECK(is_complex(self.dtype()), "a complex signal is needed, got ", self);
}

TensorInfo real_to_complex_meta(const Tensor& self, const IntList& dim, int64_t normalization,
                                bool onesided) {
  INGOT_CHECK(self.dtype() == DType::f32 || self.dtype() == DType::f64,
              "a signal of f32 or f64 is needed, got ", self);
  const Dims dims = check_dims(self, dim, normalization);
  INGOT_CHECK(!dims.empty(), "at least one dimension is needed");
  TensorInfo info{self.dtype() == DType::f32 ? DType::c64 : DType::c128, self.sizes()};
  int64_t& last = info.sizes[static_cast<int>(dims.back())];
  if (onesided) last = last / 2 + 1;
  return info;
}

template <class T>
void real_to_complex(const Tensor& self, const Dims& dims, double factor, Tensor& out) {
  const int last = static_cast<int>(dims.back());
  const int64_t n = self.size(last);
  const bool whole = out.size(last) == n && n > 2;
  along<T, ComplexOf<T>>(self.contiguous(), out, last, n, factor,
                         [&](LineTransform& line, const double* source, auto* target) {
                           line.real_to_complex(source, target);
                           for (int64_t k = n / 2 + 1; whole && k < n; ++k)
                             target[k] = std::conj(target[n - k]);
                         });
  complex_along<T>(out, out, std::span<const int64_t>(dims).first(dims.size() - 1), 1, true);
}

void real_to_complex_kernel(const Tensor& self, const IntList& dim, int64_t normalization, bool,
                            Tensor& out) {
  const Dims dims = wrap_dims(dim, self.rank());
  const double factor = factor_of(normalization, count_of(self, dims));
  if (self.dtype() == DType::f32)
    real_to_complex<float>(self, dims, factor, out);
  else
    real_to_complex<double>(self, dims, factor, out);
}

TensorInfo complex_meta(const Tensor& self, const IntList& dim, int64_t normalization, bool) {
  check_complex(self);
  check_dims(self, dim, normalization);
  return self.info();
}

void complex_kernel(const Tensor& self, const IntList& dim, int64_t normalization, bool forward,
                    Tensor& out) {
  const Dims dims = wrap_dims(dim, self.rank());
  const double factor = factor_of(normalization, count_of(self, dims));
  const Tensor in = self.contiguous();
  if (self.dtype() == DType::c64)
    complex_along<float>(in, out, dims, factor, forward);
  else
    complex_along<double>(in, out, dims, factor, forward);
}

TensorInfo complex_to_real_meta(const Tensor& self, const IntList& dim, int64_t normalization,
                                int64_t last_dim_size) {
  check_complex(self);
  const Dims dims = check_dims(self, dim, normalization);
  INGOT_CHECK(!dims.empty(), "at least one dimension is needed");
  const int last = static_cast<int>(dims.back());
  INGOT_CHECK(last_dim_size >= 1 && last_dim_size <= kLongest, "last_dim_size must be from 1 to ",
              kLongest, ", got ", last_dim_size);
  INGOT_CHECK(self.size(last) >= last_dim_size / 2 + 1, "a result of ", last_dim_size,
              " elements needs ", last_dim_size / 2 + 1, " in dimension ", last, ", got ", self);
  TensorInfo info{self.dtype() == DType::c64 ? DType::f32 : DType::f64, self.sizes()};
  info.sizes[last] = last_dim_size;
  return info;
}

template <class T>
void complex_to_real(const Tensor& self, const Dims& dims, double factor, Tensor& out) {
  const int last = static_cast<int>(dims.back());
  Tensor in = self.contiguous();
  if (dims.size() > 1) {
    Tensor spectrum = Tensor::empty(in.info());
    complex_along<T>(in, spectrum, std::span<const int64_t>(dims).first(dims.size() - 1), 1, false);
    in = spectrum;
  }
  along<ComplexOf<T>, T>(in, out, last, out.size(last), factor,
                         [](LineTransform& line, const auto* source, double* target) {
                           line.complex_to_real(source, target);
                         });
}

void complex_to_real_kernel(const Tensor& self, const IntList& dim, int64_t normalization, int64_t,
                            Tensor& out) {
  const Dims dims = wrap_dims(dim, self.rank());
  const double factor = factor_of(normalization, count_of(out, dims));
  if (self.dtype() == DType::c64)
    complex_to_real<float>(self, dims, factor, out);
  else
    complex_to_real<double>(self, dims, factor, out);
}

INGOT_OP("aten::_fft_r2c(Tensor self, int[] dim, int normalization, bool onesided) -> Tensor",
         Structured<real_to_complex_meta, real_to_complex_kernel>);
INGOT_OP("aten::_fft_c2c(Tensor self, SymInt[] dim, int normalization, bool forward) -> Tensor",
         Structured<complex_meta, complex_kernel>);
INGOT_OP(
    "aten::_fft_c2r(Tensor self, int[] dim, int normalization, SymInt last_dim_size) -> Tensor",
    Structured<complex_to_real_meta, complex_to_real_kernel>);

}  // namespace
}  // namespace ingot::linalg

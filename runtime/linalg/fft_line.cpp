#include "linalg/fft_line.h"

#include <algorithm>
#include <numbers>
#include <vector>

#include <unsupported/Eigen/FFT>

namespace ingot::linalg {
namespace {

using Complex = LineTransform::Complex;

// Mixed radix takes time in proportion to the sum of the prime factors.
constexpr int64_t kLargestRadix = 64;

int64_t largest_factor(int64_t n) {
  int64_t largest = 1;
  for (int64_t p = 2; p * p <= n; ++p)
    for (; n % p == 0; n /= p) largest = p;
  return std::max(largest, n);
}

// exp(-pi i k^2 / n); k^2 modulo 2 n, so that the angle is exact for large k.
Complex chirp(int64_t k, int64_t n) {
  const auto square = static_cast<unsigned __int128>(k) * static_cast<unsigned __int128>(k);
  const auto rest = static_cast<double>(static_cast<int64_t>(square % (2 * n)));
  return std::polar(1.0, -std::numbers::pi * rest / static_cast<double>(n));
}

}  // namespace

struct LineTransform::Radix {
  Eigen::FFT<double> fft{Eigen::default_fft_impl<double>(),
                         static_cast<Eigen::FFT<double>::Flag>(Eigen::FFT<double>::Unscaled |
                                                               Eigen::FFT<double>::HalfSpectrum)};
};

// n k = (n^2 + k^2 - (n - k)^2) / 2 makes the transform a convolution with the chirp, done by
// transforms of a length that is a power of two.
struct LineTransform::Chirp {
  explicit Chirp(int64_t n) : factors(static_cast<size_t>(n)) {
    size_t length = 1;
    while (length < 2 * static_cast<size_t>(n) - 1) length *= 2;
    filter.resize(length);
    padded.resize(length);
    spectrum.resize(length);
    for (size_t k = 0; k < factors.size(); ++k) {
      factors[k] = chirp(static_cast<int64_t>(k), n);
      padded[k] = std::conj(factors[k]);
      if (k > 0) padded[length - k] = padded[k];
    }
    radix.fft.fwd(filter.data(), padded.data(), static_cast<Eigen::Index>(length));
    for (Complex& value : filter) value /= static_cast<double>(length);
  }

  // `at(k)` is element k.
  template <class At>
  void transform(Complex* out, bool forward, const At& at) {
    const auto length = static_cast<Eigen::Index>(filter.size());
    std::fill(padded.begin(), padded.end(), Complex());
    // Backward is forward between conjugations.
    for (size_t k = 0; k < factors.size(); ++k)
      padded[k] = (forward ? Complex(at(k)) : std::conj(Complex(at(k)))) * factors[k];
    radix.fft.fwd(spectrum.data(), padded.data(), length);
    for (size_t k = 0; k < filter.size(); ++k) spectrum[k] *= filter[k];
    radix.fft.inv(padded.data(), spectrum.data(), length);
    for (size_t k = 0; k < factors.size(); ++k) {
      const Complex value = padded[k] * factors[k];
      out[k] = forward ? value : std::conj(value);
    }
  }

  Radix radix;
  std::vector<Complex> factors;  // chirp(k)
  std::vector<Complex> filter;   // transform of the conjugate chirp, over the length
  std::vector<Complex> padded;
  std::vector<Complex> spectrum;
};

LineTransform::LineTransform(int64_t n) : n_(n) {
  if (largest_factor(n) <= kLargestRadix)
    radix_ = std::make_unique<Radix>();
  else
    chirp_ = std::make_unique<Chirp>(n);
}

LineTransform::~LineTransform() = default;

void LineTransform::complex_to_complex(const Complex* in, Complex* out, bool forward) {
  if (n_ == 1)
    out[0] = in[0];
  else if (chirp_)
    chirp_->transform(out, forward, [&](size_t k) { return in[k]; });
  else if (forward)
    radix_->fft.fwd(out, in, n_);
  else
    radix_->fft.inv(out, in, n_);
}

void LineTransform::real_to_complex(const double* in, Complex* out) {
  if (n_ == 1) {
    out[0] = in[0];
  } else if (chirp_) {
    std::vector<Complex> whole(static_cast<size_t>(n_));
    chirp_->transform(whole.data(), true, [&](size_t k) { return in[k]; });
    std::copy_n(whole.begin(), n_ / 2 + 1, out);
    out[0].imag(0);
  } else {
    radix_->fft.fwd(out, in, n_);
  }
}

void LineTransform::complex_to_real(const Complex* in, double* out) {
  if (n_ == 1) {
    out[0] = in[0].real();
    return;
  }
  std::vector<Complex> half(in, in + n_ / 2 + 1);
  half[0].imag(0);
  if (n_ % 2 == 0) half.back().imag(0);
  if (chirp_) {
    const auto n = static_cast<size_t>(n_);
    std::vector<Complex> result(n);
    chirp_->transform(result.data(), false,
                      [&](size_t k) { return k <= n / 2 ? half[k] : std::conj(half[n - k]); });
    std::transform(result.begin(), result.end(), out, [](Complex v) { return v.real(); });
  } else {
    radix_->fft.inv(out, half.data(), n_);
  }
}

}  // namespace ingot::linalg

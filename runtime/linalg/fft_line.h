// Fourier transforms of one line of numbers, of any length, in double.
#pragma once

#include <complex>
#include <cstdint>
#include <memory>

namespace ingot::linalg {

// A transform of length n in O(n log n): mixed radix where n has small prime factors only, else as
// a convolution (Bluestein, "A linear filtering approach to the computation of discrete Fourier
// transform", 1970). No factor is applied: forward then backward multiplies by n. Not thread-safe.
class LineTransform {
 public:
  using Complex = std::complex<double>;

  explicit LineTransform(int64_t n);
  ~LineTransform();

  // `in` and `out` have n elements and do not overlap.
  void complex_to_complex(const Complex* in, Complex* out, bool forward);
  // Forward: the n / 2 + 1 first elements.
  void real_to_complex(const double* in, Complex* out);
  // Backward, from n / 2 + 1 elements; imaginary parts that must be zero are not read.
  void complex_to_real(const Complex* in, double* out);

 private:
  struct Radix;
  struct Chirp;

  int64_t n_;
  std::unique_ptr<Radix> radix_;
  std::unique_ptr<Chirp> chirp_;
};

}  // namespace ingot::linalg

// The order of the eigenvalues of general matrices.
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

namespace ingot::linalg {

// Eigenvalues of the row-major matrix a[n, n] in the order in which LAPACK's geev, and so PyTorch,
// gives them: that in which a QR iteration of the balanced matrix isolates them, which its
// shifts, its deflation criterion and the precision of T decide. Good for ordering better values.
// Empty where LAPACK iterates in another way (n above 75) or this does not converge.
// T: float, double or their complex numbers. The algorithms are those of gebal, gehd2 and lahqr
// (Ahues and Tisseur's criterion: LAPACK Working Note 122).
template <class T>
std::vector<std::complex<double>> eigenvalues_in_order(std::vector<T> a, int64_t n);

}  // namespace ingot::linalg

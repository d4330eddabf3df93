// Interpolation one dimension after the other, each output reading a window of inputs; and of bytes
// in the fixed point of image libraries.
#pragma once

#include <cstdint>
#include <vector>

#include <ingot/tensor.h>

namespace ingot {

// What each output position reads along one axis. T: float or double.
template <class T>
struct WindowAxis {
  int64_t in, out;
  int64_t width = 0;            // of each row of `weights`
  std::vector<int64_t> first;   // [out]
  std::vector<int64_t> counts;  // [out]
  std::vector<T> weights;       // [out, width], each row's sum is 1
};

// Resamples the last two dimensions of contiguous [planes, down.in, across.in], first across.
template <class T>
void resample_windows(int64_t planes, const WindowAxis<T>& down, const WindowAxis<T>& across,
                      const T* input, T* out);

// The same of u8: weights are rounded to as many bits as 16 hold and the sums of each dimension to
// bytes, which `out` gets as numbers.
void resample_bytes(int64_t planes, WindowAxis<double> down, WindowAxis<double> across,
                    const double* input, double* out);

}  // namespace ingot

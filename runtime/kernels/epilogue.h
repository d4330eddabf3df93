// What a product or a convolution does to its elements on their way to memory.
#pragma once

#include <cstdint>
#include <limits>

namespace ingot {

// In this order: bias, residual, clamp; then `then` sees the finished block.
struct Epilogue {
  const float* bias = nullptr;      // [N], one per column (output channel)
  const float* residual = nullptr;  // [M, N], overlapping no output
  int64_t residual_stride = 0;      // elements from row to row
  // Values outside are replaced by the bound; NaN stays NaN. relu: low = 0.
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  // Called once for every finished block of C by the thread that made it, while the block is in
  // cache. It may rewrite the block. Every element is in exactly one block.
  void (*then)(void* context, int64_t row, int64_t rows, int64_t column, int64_t columns) = nullptr;
  void* context = nullptr;

  // The part that is done inside the loops, as seen from another first row and column.
  Epilogue at(int64_t row, int64_t column) const {
    Epilogue moved = *this;
    if (bias) moved.bias += column;
    if (residual) moved.residual += row * residual_stride + column;
    return moved;
  }
};

}  // namespace ingot

// Sums, extremes, moments, norms and softmax of f32 rows in adjacent memory, built per
// instruction set. Sums are formed in f32 over blocks of a few hundred elements, the blocks'
// sums in double.
#pragma once

#include <cstdint>

#include "kernels/norm.h"
#include "kernels/softmax.h"

namespace ingot::f32 {

double sum(const float* x, int64_t count);
double sum_of_squares(const float* x, int64_t count);
// sums[i] += x[i].
void add_to_sums(const float* x, int64_t count, double* sums);
// NaN if any element is; -infinity and infinity for none.
float largest(const float* x, int64_t count);
float smallest(const float* x, int64_t count);

// Mean and biased variance, blocks merged as Chan, Golub and LeVeque (1979) do.
Moments moments(const float* x, int64_t count);

// y[i] = (x[i] - center) · scale · weight[i] + bias[i]; weight and bias may be null.
void normalize(const float* x, int64_t count, float center, float scale, const float* weight,
               const float* bias, float* y);
// y[i] = (x[i] - center) · scale + shift.
void shift_and_scale(const float* x, int64_t count, float center, float scale, float shift,
                     float* y);

// Softmax of one row, as kernels/softmax.h says.
void softmax_row(int64_t size, const float* x, float* y, SoftmaxForm form);
// The same for `columns` adjacent columns of `size` elements `stride` apart.
void softmax_columns(int64_t columns, int64_t size, int64_t stride, const float* x, float* y,
                     SoftmaxForm form);

// Mean and sum of squared deviations from it of every column of x[rows, columns], `stride`
// elements from row to row; rows > 0, at most a few hundred.
void column_moments(const float* x, int64_t rows, int64_t columns, int64_t stride, float* mean,
                    float* squares);
// y[r, c] = (x[r, c] - center[c]) · scale[c] + shift[c].
void normalize_columns(const float* x, int64_t rows, int64_t columns, int64_t x_stride,
                       const float* center, const float* scale, const float* shift, float* y,
                       int64_t y_stride);

}  // namespace ingot::f32

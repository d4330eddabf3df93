// Reshaping that other ops build on.
#pragma once

#include <optional>
#include <span>

#include <ingot/tensor.h>

namespace ingot {

// `sizes` with its -1 replaced so that there are `numel` elements. Raises if none fits.
Dims infer_size(std::span<const int64_t> sizes, int64_t numel);

// Strides of a row-major tensor.
Dims row_major_strides(std::span<const int64_t> sizes);

// Strides that show the elements of `self` in order as `sizes` (as many elements), if any do.
std::optional<Dims> view_strides(const Tensor& self, const Dims& sizes);

// Gives `self` itself the memory, sizes and strides of `view`, which nothing else may hold. Raises
// if its memory is read-only.
Tensor become(const Tensor& self, Tensor view);

// PyTorch's functions of these names.
Tensor view(const Tensor& self, std::span<const int64_t> sizes);
Tensor reshape(const Tensor& self, std::span<const int64_t> sizes);
Tensor expand(const Tensor& self, std::span<const int64_t> sizes);
Tensor select(const Tensor& self, int64_t dim, int64_t index);
Tensor slice(const Tensor& self, int64_t dim, std::optional<int64_t> start,
             std::optional<int64_t> end, int64_t step);
Tensor narrow(const Tensor& self, int64_t dim, int64_t start, int64_t length);
Tensor permute(const Tensor& self, std::span<const int64_t> dims);
Tensor transpose(const Tensor& self, int64_t dim0, int64_t dim1);
Tensor unsqueeze(const Tensor& self, int64_t dim);
Tensor diagonal(const Tensor& self, int64_t offset, int64_t dim1, int64_t dim2);

// The parts of complex numbers as a last dimension of size 2.
Tensor view_as_real(const Tensor& self);

}  // namespace ingot

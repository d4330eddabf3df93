// Upper and lower triangles of matrices.
#include <algorithm>
#include <cstring>

#include <ingot/op.h>
#include "ops/shape.h"
#include "tensor/convert.h"

namespace ingot {
namespace {

// Columns [first, last) of a row that the triangle keeps.
struct Columns {
  int64_t first, last;
};
Columns kept(bool upper, int64_t row, int64_t columns, int64_t diagonal) {
  // The diagonal may be any integer: the sum is clamped before it can overflow.
  const int64_t shift = std::clamp<int64_t>(diagonal, -columns - row - 1, columns);
  const int64_t edge = std::clamp<int64_t>(row + shift + (upper ? 0 : 1), 0, columns);
  return upper ? Columns{edge, columns} : Columns{0, edge};
}

TensorInfo triangle_meta(const Tensor& self, int64_t) {
  INGOT_CHECK(self.rank() >= 2, "a matrix, or a batch of them, is needed, got ", self);
  return self.info();
}
template <bool kUpper>
void triangle(const Tensor& self, int64_t diagonal, Tensor& out) {
  copy_into(self, out);
  const int64_t rows = self.size(self.rank() - 2);
  const int64_t columns = self.size(self.rank() - 1);
  const auto size = static_cast<int64_t>(size_of(self.dtype()));
  auto* row_data = out.data<std::byte>();
  for (int64_t row = 0; out.numel() > 0 && row < out.numel() / columns; ++row) {
    const Columns keep = kept(kUpper, row % rows, columns, diagonal);
    std::memset(row_data, 0, static_cast<size_t>(keep.first * size));
    std::memset(row_data + keep.last * size, 0, static_cast<size_t>((columns - keep.last) * size));
    row_data += columns * size;
  }
}
template <bool kUpper>
Tensor triangle_in_place(const Tensor& self, int64_t diagonal) {
  check_writable(self);
  Tensor result = Tensor::empty(triangle_meta(self, diagonal));
  triangle<kUpper>(self, diagonal, result);
  Tensor target = self;
  copy_into(result, target);
  return target;
}
INGOT_OP("aten::tril(Tensor self, SymInt diagonal=0) -> Tensor",
         Structured<triangle_meta, triangle<false>>);
INGOT_OP("aten::triu(Tensor self, SymInt diagonal=0) -> Tensor",
         Structured<triangle_meta, triangle<true>>);
INGOT_OP("aten::tril_(Tensor(a!) self, SymInt diagonal=0) -> Tensor(a!)",
         Function<triangle_in_place<false>>);
INGOT_OP("aten::triu_(Tensor(a!) self, SymInt diagonal=0) -> Tensor(a!)",
         Function<triangle_in_place<true>>);

// Row and column numbers of the kept elements: i64[2, count].
template <bool kUpper>
Tensor triangle_indices(int64_t rows, int64_t columns, int64_t offset, std::optional<DType> dtype,
                        std::optional<int64_t>, std::optional<int64_t>, std::optional<bool>) {
  INGOT_CHECK(rows >= 0 && columns >= 0, "row and col must not be negative, got ", rows, " and ",
              columns);
  numel_of(Dims{rows, columns, 2});  // raises if too large
  int64_t count = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const Columns keep = kept(kUpper, row, columns, offset);
    count += keep.last - keep.first;
  }
  const Tensor indices = Tensor::empty(DType::i64, {2, count});
  auto* at = indices.data<int64_t>();
  for (int64_t row = 0; row < rows; ++row) {
    const Columns keep = kept(kUpper, row, columns, offset);
    for (int64_t column = keep.first; column < keep.last; ++column, ++at) {
      at[0] = row;
      at[count] = column;
    }
  }
  return indices.to(dtype.value_or(DType::i64));
}
#define INGOT_TRIANGLE_INDICES(name, upper)                                              \
  INGOT_OP("aten::" name                                                                 \
           "_indices(int row, int col, int offset=0, *, ScalarType? dtype=4, "           \
           "Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor", \
           Function<triangle_indices<upper>>)
INGOT_TRIANGLE_INDICES("tril", false);
INGOT_TRIANGLE_INDICES("triu", true);

}  // namespace
}  // namespace ingot

#include "tensor/iterate.h"

#include <cstring>

#include <ingot/check.h>
#include "tensor/convert.h"

namespace ingot {
namespace {

struct Bytes16 {
  uint64_t low, high;
};

// Copies `count` elements of one size between any two spacings (in elements).
template <class T>
void move(const std::byte* from, int64_t from_stride, std::byte* to, int64_t to_stride,
          int64_t count) {
  const T* source = reinterpret_cast<const T*>(from);
  T* target = reinterpret_cast<T*>(to);
  if (from_stride == 1 && to_stride == 1) {
    std::memcpy(target, source, static_cast<size_t>(count) * sizeof(T));
  } else if (from_stride == 0 && to_stride == 1) {
    std::fill_n(target, count, *source);
  } else {
    for (int64_t i = 0; i < count; ++i) target[i * to_stride] = source[i * from_stride];
  }
}

}  // namespace

void move_elements(size_t size, const std::byte* from, int64_t from_stride, std::byte* to,
                   int64_t to_stride, int64_t count) {
  switch (size) {
    case 1: return move<uint8_t>(from, from_stride, to, to_stride, count);
    case 2: return move<uint16_t>(from, from_stride, to, to_stride, count);
    case 4: return move<uint32_t>(from, from_stride, to, to_stride, count);
    case 8: return move<uint64_t>(from, from_stride, to, to_stride, count);
    default: return move<Bytes16>(from, from_stride, to, to_stride, count);
  }
}

Dims broadcast(std::span<const int64_t> a, std::span<const int64_t> b) {
  if (a.size() < b.size()) std::swap(a, b);
  Dims sizes(a);
  const size_t lead = a.size() - b.size();
  for (size_t d = 0; d < b.size(); ++d) {
    int64_t& size = sizes[static_cast<int>(lead + d)];
    INGOT_CHECK(size == b[d] || size == 1 || b[d] == 1, "sizes ", a, " and ", b,
                " do not broadcast: counted from the end, dimension ", b.size() - d, " is ", size,
                " and ", b[d], "; they must be equal or one of them 1");
    if (size == 1) size = b[d];
  }
  return sizes;
}

Dims broadcast_strides(const Tensor& tensor, std::span<const int64_t> sizes) {
  const int lead = static_cast<int>(sizes.size()) - tensor.rank();
  INGOT_CHECK(lead >= 0, "a tensor of sizes ", tensor.sizes(), " does not broadcast to ", sizes);
  Dims strides;
  for (int d = 0; d < static_cast<int>(sizes.size()); ++d) {
    const int64_t own = d < lead ? 1 : tensor.size(d - lead);
    INGOT_CHECK(own == sizes[d] || own == 1, "a tensor of sizes ", tensor.sizes(),
                " does not broadcast to ", sizes);
    strides.push_back(own == 1 ? 0 : tensor.stride(d - lead));
  }
  return strides;
}

StridedRange::StridedRange(const Tensor& tensor, std::span<const int64_t> sizes)
    : StridedRange(sizes, broadcast_strides(tensor, sizes)) {}

StridedRange::StridedRange(std::span<const int64_t> sizes, std::span<const int64_t> strides)
    : rank_(0) {
  for (size_t d = 0; d < sizes.size(); ++d) add_dim(sizes[d], strides[d]);
  if (rank_ == 0) *this = StridedRange();
}

void StridedRange::add_dim(int64_t size, int64_t stride) {
  if (size == 1) return;
  if (rank_ > 0 && strides_[rank_ - 1] == stride * size) {
    sizes_[rank_ - 1] *= size;
    strides_[rank_ - 1] = stride;
  } else {
    sizes_[rank_] = size;
    strides_[rank_++] = stride;
  }
}

void TileReader::open(const Tensor& tensor, std::span<const int64_t> sizes, DType wanted) {
  range_ = StridedRange(tensor, sizes);
  data_ = tensor.data<std::byte>();
  dtype_ = tensor.dtype();
  wanted_ = wanted;
  direct_ = range_.contiguous() && dtype_ == wanted;
  constant_ = !direct_ && range_.constant();
  filled_ = 0;
  if (constant_ && tensor.numel() > 0) convert(data_, dtype_, element_, wanted_, 1);
}

void TileReader::open(const void* element, DType wanted) {
  range_ = StridedRange();
  data_ = nullptr;
  dtype_ = wanted;
  wanted_ = wanted;
  direct_ = false;
  constant_ = true;
  filled_ = 0;
  std::memcpy(element_, element, size_of(wanted));
}

const void* TileReader::read_constant(int64_t count) {
  if (filled_ < count) {
    move_elements(size_of(wanted_), element_, 0, tile_, 1, count);
    filled_ = count;
  }
  return tile_;
}

const void* TileReader::read(int64_t begin, int64_t count) {
  const auto size = static_cast<int64_t>(size_of(dtype_));
  if (direct_) return data_ + begin * size;
  if (constant_) return read_constant(count);
  const std::byte* elements = raw_;
  range_.for_each_run(begin, count, [&](int64_t offset, int64_t stride, int64_t at, int64_t n) {
    const std::byte* from = data_ + offset * size;
    if (n == count && stride == 1)
      elements = from;
    else
      move_elements(static_cast<size_t>(size), from, stride, raw_ + at * size, 1, n);
  });
  if (dtype_ == wanted_) return elements;
  convert(elements, dtype_, tile_, wanted_, count);
  return tile_;
}

TileWriter::TileWriter(const Tensor& tensor, DType produced)
    : range_(tensor, tensor.sizes()),
      data_(tensor.data<std::byte>()),
      dtype_(tensor.dtype()),
      produced_(produced),
      direct_(range_.contiguous() && dtype_ == produced) {}

void* TileWriter::target(int64_t begin) {
  return direct_ ? data_ + begin * static_cast<int64_t>(size_of(dtype_)) : tile_;
}

void TileWriter::store(const void* from, int64_t begin, int64_t count) {
  const auto size = static_cast<int64_t>(size_of(dtype_));
  const auto* elements = static_cast<const std::byte*>(from);
  if (range_.contiguous()) return convert(from, produced_, data_ + begin * size, dtype_, count);
  if (dtype_ != produced_) {
    convert(from, produced_, raw_, dtype_, count);
    elements = raw_;
  }
  range_.for_each_run(begin, count, [&](int64_t offset, int64_t stride, int64_t at, int64_t n) {
    move_elements(static_cast<size_t>(size), elements + at * size, 1, data_ + offset * size, stride,
                  n);
  });
}

}  // namespace ingot

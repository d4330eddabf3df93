// One tensor's elements in other places: flip, roll, and padding in every mode.
#include <algorithm>
#include <cstring>

#include <ingot/op.h>
#include "ops/axes.h"
#include "ops/scalar_tensor.h"
#include "ops/shape.h"
#include "ops/view.h"
#include "tensor/convert.h"

namespace ingot {
namespace {

TensorInfo flip_meta(const Tensor& self, const IntList& dims) {
  wrap_dims(dims, self.rank());
  return self.info();
}
void flip(const Tensor& self, const IntList& dims, Tensor& out) {
  PositionLists lists(self.rank());
  if (self.rank() > 0)
    for (const int64_t d : wrap_dims(dims, self.rank()))
      for (int64_t i = self.size(static_cast<int>(d)); i-- > 0;) lists[d].push_back(i);
  take_positions(self, std::move(lists), out);
}

TensorInfo roll_meta(const Tensor& self, const IntList& shifts, const IntList& dims) {
  INGOT_CHECK(!shifts.empty(), "roll() needs at least one shift");
  INGOT_CHECK(dims.empty() ? shifts.size() == 1 : shifts.size() == dims.size(),
              "roll() needs as many shifts as dimensions: got ", std::span<const int64_t>(shifts),
              " and ", std::span<const int64_t>(dims));
  for (const int64_t dim : dims) wrap_dim(dim, self.rank());
  return self.info();
}
void roll(const Tensor& self, const IntList& shifts, const IntList& dims, Tensor& out) {
  if (out.numel() == 0) return;
  if (dims.empty()) {
    Tensor line = view(out, Dims{out.numel()});
    const int64_t first = 0;
    return roll(reshape(self, Dims{self.numel()}), shifts, IntList(std::span(&first, 1)), line);
  }
  // A dimension may be named more than once: its shifts add up.
  Positions shift(std::max(self.rank(), 1), 0);
  for (size_t k = 0; k < dims.size(); ++k) {
    const int d = wrap_dim(dims[k], self.rank());
    const int64_t size = self.rank() == 0 ? 1 : self.size(d);
    shift[d] = ((shift[d] + shifts[k] % size) % size + size) % size;
  }
  PositionLists lists(self.rank());
  for (int d = 0; d < self.rank(); ++d)
    for (int64_t i = 0; shift[d] != 0 && i < self.size(d); ++i)
      lists[d].push_back(i < shift[d] ? i - shift[d] + self.size(d) : i - shift[d]);
  take_positions(self, std::move(lists), out);
}

enum class PadMode { constant, reflect, replicate, circular };

PadMode pad_mode(std::string_view mode) {
  if (mode == "constant") return PadMode::constant;
  if (mode == "reflect") return PadMode::reflect;
  if (mode == "replicate") return PadMode::replicate;
  if (mode == "circular") return PadMode::circular;
  fail(ErrorCode::invalid_argument, "padding mode '", mode,
       "' is unknown: use constant, reflect, replicate or circular");
}

// `pad` holds two numbers for each of the last dimensions, the very last first; negative ones
// cut off.
struct Padding {
  Padding(const Tensor& self, std::span<const int64_t> pad) {
    INGOT_CHECK(pad.size() % 2 == 0 && static_cast<int>(pad.size() / 2) <= self.rank(), "padding ",
                pad, " must have two numbers for each padded dimension of ", self);
    before = Dims::filled(self.rank(), 0);
    sizes = self.sizes();
    for (size_t k = 0; k < pad.size() / 2; ++k) {
      const int d = self.rank() - 1 - static_cast<int>(k);
      before[d] = pad[2 * k];
      INGOT_CHECK(!__builtin_add_overflow(sizes[d], pad[2 * k], &sizes[d]) &&
                      !__builtin_add_overflow(sizes[d], pad[2 * k + 1], &sizes[d]) && sizes[d] >= 0,
                  "padding ", pad, " does not fit ", self, ": dimension ", d,
                  " would have a negative size");
    }
  }
  Dims before;
  Dims sizes;
};

TensorInfo constant_pad_meta(const Tensor& self, const IntList& pad, Scalar) {
  return {self.dtype(), Padding(self, pad).sizes};
}

void constant_pad(const Tensor& self, const IntList& pad, Scalar value, Tensor& out) {
  const Padding padding(self, pad);
  if (out.numel() == 0) return;
  Tensor inner = out;
  Tensor source = self;
  for (int d = 0; d < self.rank(); ++d) {
    const int64_t cut = std::max<int64_t>(-padding.before[d], 0);
    const int64_t start = std::max<int64_t>(padding.before[d], 0);
    const int64_t length = std::min(self.size(d) - cut, out.size(d) - start);
    source = slice(source, d, std::min(cut, self.size(d)), cut + std::max<int64_t>(length, 0), 1);
    inner = slice(inner, d, std::min(start, out.size(d)), start + std::max<int64_t>(length, 0), 1);
  }
  if (inner.numel() != out.numel()) copy_into(number_tensor(value), out);
  if (inner.numel() > 0) copy_into(source, inner);
}

TensorInfo edge_pad_meta(const Tensor& self, const IntList& pad, PadMode mode) {
  const Padding padding(self, pad);
  for (size_t k = 0; k < pad.size(); ++k) {
    const int d = self.rank() - 1 - static_cast<int>(k / 2);
    const int64_t size = self.size(d);
    const int64_t cut = std::max<int64_t>(-pad[k ^ 1], 0);
    const bool fits = pad[k] <= 0 || (mode == PadMode::reflect    ? pad[k] < size
                                      : mode == PadMode::circular ? pad[k] <= size - cut
                                                                  : size > 0);
    INGOT_CHECK(fits, "padding ", pad[k], " is too large for dimension ", d, " of ", self);
  }
  return {self.dtype(), padding.sizes};
}

void edge_pad(const Tensor& self, const IntList& pad, PadMode mode, Tensor& out) {
  if (out.numel() == 0) return;
  const Padding padding(self, pad);
  PositionLists lists(self.rank());
  for (int d = self.rank() - static_cast<int>(pad.size() / 2); d < self.rank(); ++d) {
    const int64_t last = self.size(d) - 1;
    // Circular padding repeats what is left after negative padding has cut.
    const int64_t first = std::max<int64_t>(-padding.before[d], 0);
    const int64_t after = out.size(d) - self.size(d) - padding.before[d];
    const int64_t period = self.size(d) - first - std::max<int64_t>(-after, 0);
    lists[d].reserve(static_cast<size_t>(out.size(d)));
    for (int64_t i = 0; i < out.size(d); ++i) {
      int64_t from = i - padding.before[d];
      if (mode == PadMode::reflect)
        from = from < 0 ? -from : from > last ? 2 * last - from : from;
      else if (mode == PadMode::circular)
        from = first + (from - first + period) % std::max<int64_t>(period, 1);
      lists[d].push_back(std::clamp<int64_t>(from, 0, last));
    }
  }
  take_positions(self, std::move(lists), out);
}

// reflection_pad2d takes [C, H, W] or [N, C, H, W], and so on.
template <PadMode mode, int kDims>
TensorInfo spatial_pad_meta(const Tensor& self, const IntList& padding) {
  INGOT_CHECK(padding.size() == 2 * kDims, "padding must have ", 2 * kDims, " numbers, got ",
              std::span<const int64_t>(padding));
  INGOT_CHECK(self.rank() == kDims + 1 || self.rank() == kDims + 2, "expected ", kDims + 1, " or ",
              kDims + 2, " dimensions, got ", self);
  const TensorInfo info = edge_pad_meta(self, padding, mode);
  for (int d = self.rank() - kDims; d < self.rank(); ++d)
    INGOT_CHECK(info.sizes[d] > 0, "padding ", std::span<const int64_t>(padding),
                " leaves nothing "
                "of dimension ",
                d, " of ", self);
  return info;
}
template <PadMode mode>
void spatial_pad(const Tensor& self, const IntList& padding, Tensor& out) {
  edge_pad(self, padding, mode, out);
}

TensorInfo pad_meta(const Tensor& self, const IntList& pad, std::string_view mode,
                    std::optional<double> value) {
  const PadMode kind = pad_mode(mode);
  if (kind == PadMode::constant) return constant_pad_meta(self, pad, value.value_or(0.0));
  INGOT_CHECK(!value || *value == 0, "padding mode '", mode, "' takes no value");
  const int dims = static_cast<int>(pad.size() / 2);
  INGOT_CHECK(dims >= 1 && dims <= 3 && (self.rank() == dims + 1 || self.rank() == dims + 2),
              "padding mode '", mode,
              "' pads the last 1, 2 or 3 dimensions of a tensor with one "
              "or two more: got ",
              std::span<const int64_t>(pad), " for ", self);
  return edge_pad_meta(self, pad, kind);
}
void pad(const Tensor& self, const IntList& pad, std::string_view mode, std::optional<double> value,
         Tensor& out) {
  const PadMode kind = pad_mode(mode);
  if (kind == PadMode::constant) return constant_pad(self, pad, value.value_or(0.0), out);
  edge_pad(self, pad, kind, out);
}

INGOT_OP("aten::flip(Tensor self, int[] dims) -> Tensor", Structured<flip_meta, flip>);
INGOT_OP("aten::roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor",
         Structured<roll_meta, roll>);
INGOT_OP("aten::constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor",
         Structured<constant_pad_meta, constant_pad>);
INGOT_OP("aten::pad(Tensor self, SymInt[] pad, str mode=\"constant\", float? value=None) -> Tensor",
         Structured<pad_meta, pad>);

#define INGOT_SPATIAL_PAD(name, mode, dims, numbers)                             \
  INGOT_OP("aten::" name "(Tensor self, SymInt[" numbers "] padding) -> Tensor", \
           Structured<spatial_pad_meta<mode, dims>, spatial_pad<mode>>)
INGOT_SPATIAL_PAD("reflection_pad1d", PadMode::reflect, 1, "2");
INGOT_SPATIAL_PAD("reflection_pad2d", PadMode::reflect, 2, "4");
INGOT_SPATIAL_PAD("reflection_pad3d", PadMode::reflect, 3, "6");
INGOT_SPATIAL_PAD("replication_pad1d", PadMode::replicate, 1, "2");
INGOT_SPATIAL_PAD("replication_pad2d", PadMode::replicate, 2, "4");
INGOT_SPATIAL_PAD("replication_pad3d", PadMode::replicate, 3, "6");

}  // namespace
}  // namespace ingot

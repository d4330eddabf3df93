// What ops that make tensors of sizes share.
#pragma once

#include <optional>
#include <span>

#include <ingot/op.h>

namespace ingot {

using MaybeInt = std::optional<int64_t>;
using MaybeBool = std::optional<bool>;
using MaybeDType = std::optional<DType>;

// The keyword arguments that factories share: layout and pinning mean nothing here.
#define INGOT_OPTIONS \
  "ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None"
#define INGOT_OPTION_PARAMS MaybeDType dtype, MaybeInt, MaybeInt device, MaybeBool

// The schema of an op that makes a tensor like another one.
#define INGOT_LIKE(name, extra)                                 \
  "aten::" name "_like(Tensor self, " extra "*, " INGOT_OPTIONS \
  ", MemoryFormat? memory_format=None) -> Tensor"

// What follows "*" in an op that draws its elements from a generator.
#define INGOT_DRAWN "Generator? generator, " INGOT_OPTIONS
#define INGOT_DRAWN_LIKE INGOT_DRAWN ", MemoryFormat? memory_format=None"

// Throws Error (invalid_argument) for negative sizes and for devices other than the cpu.
inline TensorInfo info_of(std::span<const int64_t> sizes, MaybeDType dtype, MaybeInt device,
                          DType fallback = DType::f32) {
  INGOT_CHECK(!device || *device == 0, "tensors live on the cpu (device 0), got device ", *device);
  for (const int64_t size : sizes)
    INGOT_CHECK(size >= 0, "sizes must not be negative, got ", sizes);
  return {dtype.value_or(fallback), Dims(sizes)};
}

}  // namespace ingot

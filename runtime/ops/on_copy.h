// Ops whose result is their first argument with some elements written over: registered by the
// function that writes them in place.
#pragma once

#include <ingot/op.h>
#include "tensor/convert.h"

namespace ingot {

// Structured, from `Tensor kInPlace(const Tensor& self, rest...)`.
template <auto kInPlace, class Signature = decltype(kInPlace)>
struct OnCopy;

template <auto kInPlace, class... P>
struct OnCopy<kInPlace, Tensor (*)(const Tensor&, P...)> {
  static TensorInfo meta(const Tensor& self, P...) { return self.info(); }
  static void kernel(const Tensor& self, P... rest, Tensor& out) {
    copy_into(self, out);
    kInPlace(out, rest...);
  }
  static constexpr OpDefinition definition() { return Structured<&meta, &kernel>::definition(); }
};

}  // namespace ingot

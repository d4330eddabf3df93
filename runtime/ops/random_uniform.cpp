// Uniform random numbers, of floats and of integers, and permutations.
#include <bit>
#include <cmath>
#include <numeric>

#include "ops/factory.h"
#include "ops/fill.h"
#include "ops/random.h"
#include "ops/shape.h"
#include "ops/view.h"

namespace ingot {
namespace {

constexpr int digits(DType dtype) {
  switch (dtype) {
    case DType::f16: return 11;
    case DType::bf16: return 8;
    case DType::f32: return 24;
    default: return 53;
  }
}

// The number as an element of `dtype` holds it.
double rounded(double value, DType dtype) {
  Tensor one = Tensor::empty(dtype, {1});
  fill(one, value);
  return one.item_double();
}

void draw_uniform(Tensor& out, double from, double to) {
  if (is_complex(out.dtype())) {
    Tensor parts = view_as_real(out);
    return draw_uniform(parts, from, to);
  }
  INGOT_CHECK(is_floating(out.dtype()), "random floats cannot be drawn as ", out.dtype());
  INGOT_CHECK(from <= to, "draws from ", from, " to ", to, ": from must not be larger than to");
  if (out.dtype() == DType::f64)
    return draw<double>(out, [&](Generator& g) { return g.uniform() * (to - from) + from; });
  const auto low = static_cast<float>(rounded(from, out.dtype()));
  const auto high = static_cast<float>(rounded(to, out.dtype()));
  draw<float>(out, [&](Generator& g) { return g.uniform_float() * (high - low) + low; });
}

// Integers in [from, from + range), of 64 random bits where 32 would favour some of them; as
// ATen, from 2^28 on. A range of 0 stands for all.
void draw_integers(Tensor& out, int64_t from, uint64_t range) {
  INGOT_CHECK(!is_complex(out.dtype()), "random integers cannot be drawn as ", out.dtype());
  const auto base = static_cast<uint64_t>(from);
  if (range == 0)
    draw<int64_t>(out, [&](Generator& g) { return static_cast<int64_t>(g.bits64()); });
  else if (range >= uint64_t{1} << 28)
    draw<int64_t>(out,
                  [&](Generator& g) { return static_cast<int64_t>(g.bits64() % range + base); });
  else
    draw<int64_t>(out,
                  [&](Generator& g) { return static_cast<int64_t>(g.bits32() % range + base); });
}

// The largest integer that elements of `dtype` reach with all those below.
int64_t largest(DType dtype) {
  switch (dtype) {
    case DType::boolean: return 1;
    case DType::u8: return 255;
    case DType::i8: return 127;
    case DType::i16: return 32767;
    case DType::i32: return INT32_MAX;
    case DType::i64: return INT64_MAX;
    default: return int64_t{1} << digits(dtype);
  }
}

// Integers in [from, to). ATen moves ends that a float dtype cannot hold inwards.
void draw_between(Tensor& out, int64_t from, int64_t to) {
  INGOT_CHECK(from < to, "draws integers from ", from, " up to ", to,
              ", which are none: from must be smaller than to");
  const DType dtype = out.dtype();
  if (is_floating(dtype)) {
    const auto step = [&](int64_t number) {
      const int bits = std::bit_width(static_cast<uint64_t>(std::abs(number))) - 1;
      return int64_t{1} << std::max(0, bits - digits(dtype) + 1);
    };
    if (rounded(static_cast<double>(from), dtype) < static_cast<double>(from)) from += step(from);
    if (rounded(static_cast<double>(to - 1), dtype) >= static_cast<double>(to)) to -= step(to - 1);
  } else if (is_integral(dtype)) {
    const int64_t most = largest(dtype);
    const int64_t least = dtype == DType::u8 || dtype == DType::boolean ? 0 : -most - 1;
    INGOT_CHECK(from >= least && to - 1 <= most, "integers from ", from, " to ", to - 1,
                " do not fit in ", dtype);
  }
  draw_integers(out, from, static_cast<uint64_t>(to) - static_cast<uint64_t>(from));
}

void draw_upwards(Tensor& out, int64_t from, std::optional<int64_t> to) {
  if (to) return draw_between(out, from, *to);
  if (is_integral(out.dtype()) && out.dtype() != DType::i64)
    return draw_between(out, from, largest(out.dtype()) + 1);
  if (from == INT64_MIN) return draw_integers(out, from, 0);
  const int64_t most = largest(out.dtype());
  draw_integers(out, from, static_cast<uint64_t>(most) - static_cast<uint64_t>(from) + 1);
}

// --- uniform -----------------------------------------------------------------------------------

Tensor rand(const IntList& size, INGOT_OPTION_PARAMS) {
  Tensor out = Tensor::empty(info_of(size, dtype, device));
  draw_uniform(out, 0, 1);
  return out;
}
INGOT_OP("aten::rand(SymInt[] size, *, " INGOT_OPTIONS ") -> Tensor", Random<Function<rand>>);
Tensor rand_like(const Tensor& self, INGOT_OPTION_PARAMS, MaybeInt) {
  return rand(IntList(self.sizes()), dtype ? dtype : self.dtype(), {}, device, {});
}
INGOT_OP(INGOT_LIKE("rand", ""), Random<Function<rand_like>>);
INGOT_OP("aten::rand.generator(SymInt[] size, *, " INGOT_DRAWN ") -> Tensor",
         Random<WithGenerator<Function<rand>, 1>>);
INGOT_OP("aten::rand_like.generator(Tensor self, *, " INGOT_DRAWN_LIKE ") -> Tensor",
         Random<WithGenerator<Function<rand_like>, 1>>);
Tensor uniform_(const Tensor& self, double from, double to, const MaybeGenerator&) {
  check_writable(self);
  Tensor out = self;
  draw_uniform(out, from, to);
  return self;
}
INGOT_OP(
    "aten::uniform_(Tensor(a!) self, float from=0., float to=1., *, Generator? generator=None) -> "
    "Tensor(a!)",
    Random<Function<uniform_>>);
Tensor uniform(const Tensor& self, double from, double to, const MaybeGenerator& generator) {
  return uniform_(Tensor::empty(self.info()), from, to, generator);
}
INGOT_OP(
    "aten::uniform(Tensor self, float from=0., float to=1., *, Generator? generator=None) -> "
    "Tensor",
    Random<Function<uniform>>);

// --- integers ----------------------------------------------------------------------------------

Tensor randint_low(int64_t low, int64_t high, const IntList& size, INGOT_OPTION_PARAMS) {
  Tensor out = Tensor::empty(info_of(size, dtype, device, DType::i64));
  draw_between(out, low, high);
  return out;
}
INGOT_OP(
    "aten::randint.low(SymInt low, SymInt high, SymInt[] size, *, ScalarType? dtype=4, "
    "Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
    Random<Function<randint_low>>);
Tensor randint(int64_t high, const IntList& size, INGOT_OPTION_PARAMS) {
  return randint_low(0, high, size, dtype, {}, device, {});
}
INGOT_OP(
    "aten::randint(SymInt high, SymInt[] size, *, ScalarType? dtype=4, Layout? layout=None, "
    "Device? device=None, bool? pin_memory=None) -> Tensor",
    Random<Function<randint>>);
Tensor randint_like_low(const Tensor& self, int64_t low, int64_t high, INGOT_OPTION_PARAMS,
                        MaybeInt) {
  return randint_low(low, high, IntList(self.sizes()), dtype ? dtype : self.dtype(), {}, device,
                     {});
}
#define INGOT_RANDINT_LIKE(overload, arguments)                          \
  "aten::randint_like" overload "(Tensor self, " arguments INGOT_OPTIONS \
  ", MemoryFormat? memory_format=None) -> Tensor"
INGOT_OP(INGOT_RANDINT_LIKE(".low_dtype", "SymInt low, SymInt high, *, "),
         Random<Function<randint_like_low>>);
Tensor randint_like(const Tensor& self, int64_t high, INGOT_OPTION_PARAMS, MaybeInt) {
  return randint_like_low(self, 0, high, dtype, {}, device, {}, {});
}
INGOT_OP(INGOT_RANDINT_LIKE("", "SymInt high, *, "), Random<Function<randint_like>>);
Tensor randint_like_tensor(const Tensor& self, const Tensor& high, INGOT_OPTION_PARAMS, MaybeInt) {
  INGOT_CHECK(high.numel() == 1, "high must have one element, got ", high);
  return randint_like_low(self, 0, high.item_int(), dtype, {}, device, {}, {});
}
INGOT_OP(INGOT_RANDINT_LIKE(".Tensor", "Tensor high, *, "), Random<Function<randint_like_tensor>>);
#define INGOT_DRAWN_INTEGERS                                                              \
  "Generator? generator, ScalarType? dtype=4, Layout? layout=None, Device? device=None, " \
  "bool? pin_memory=None) -> Tensor"
INGOT_OP("aten::randint.generator(SymInt high, SymInt[] size, *, " INGOT_DRAWN_INTEGERS,
         Random<WithGenerator<Function<randint>, 2>>);
INGOT_OP(
    "aten::randint.low_generator(SymInt low, SymInt high, SymInt[] size, *, " INGOT_DRAWN_INTEGERS,
    Random<WithGenerator<Function<randint_low>, 3>>);
INGOT_OP("aten::randint_like.generator(Tensor self, SymInt high, *, " INGOT_DRAWN_LIKE
         ") -> Tensor",
         Random<WithGenerator<Function<randint_like>, 2>>);
INGOT_OP("aten::randint_like.Tensor_generator(Tensor self, Tensor high, *, " INGOT_DRAWN_LIKE
         ") -> Tensor",
         Random<WithGenerator<Function<randint_like_tensor>, 2>>);
INGOT_OP(
    "aten::randint_like.low_generator_dtype(Tensor self, SymInt low, SymInt high, "
    "*, " INGOT_DRAWN_LIKE ") -> Tensor",
    Random<WithGenerator<Function<randint_like_low>, 3>>);

template <class... P>
Tensor on_copy(const Tensor& self, void (*fill_in)(Tensor&, P...), P... arguments) {
  Tensor out = Tensor::empty(self.info());
  fill_in(out, arguments...);
  return out;
}
// All that the dtype can hold from 0 on; only an i64 or f64 takes 64 random bits.
void draw_all(Tensor& out) {
  if (out.dtype() != DType::i32) return draw_upwards(out, 0, {});
  draw<int64_t>(out, [](Generator& g) { return static_cast<int64_t>(g.bits32() & INT32_MAX); });
}
void draw_up_to(Tensor& out, int64_t to) { draw_between(out, 0, to); }

Tensor random(const Tensor& self, const MaybeGenerator&) { return on_copy(self, draw_all); }
Tensor random_to(const Tensor& self, int64_t to, const MaybeGenerator&) {
  return on_copy(self, draw_up_to, to);
}
Tensor random_from(const Tensor& self, int64_t from, MaybeInt to, const MaybeGenerator&) {
  return on_copy(self, draw_upwards, from, to);
}
INGOT_OP("aten::random(Tensor self, *, Generator? generator=None) -> Tensor",
         Random<Function<random>>);
INGOT_OP("aten::random.to(Tensor self, int to, *, Generator? generator=None) -> Tensor",
         Random<Function<random_to>>);
INGOT_OP(
    "aten::random.from(Tensor self, int from, int? to, *, Generator? generator=None) -> Tensor",
    Random<Function<random_from>>);
Tensor random_from_(const Tensor& self, int64_t from, MaybeInt to, const MaybeGenerator&) {
  check_writable(self);
  Tensor out = self;
  draw_upwards(out, from, to);
  return self;
}
Tensor random_to_(const Tensor& self, int64_t to, const MaybeGenerator& generator) {
  return random_from_(self, 0, to, generator);
}
Tensor random_(const Tensor& self, const MaybeGenerator&) {
  check_writable(self);
  Tensor out = self;
  draw_all(out);
  return self;
}
INGOT_OP("aten::random_(Tensor(a!) self, *, Generator? generator=None) -> Tensor(a!)",
         Random<Function<random_>>);
INGOT_OP("aten::random_.to(Tensor(a!) self, int to, *, Generator? generator=None) -> Tensor(a!)",
         Random<Function<random_to_>>);
INGOT_OP(
    "aten::random_.from(Tensor(a!) self, int from, int? to, *, Generator? generator=None) -> "
    "Tensor(a!)",
    Random<Function<random_from_>>);

// Fisher and Yates's shuffle from the front.
Tensor randperm(int64_t n, INGOT_OPTION_PARAMS) {
  INGOT_CHECK(n >= 0, "n must not be negative, got ", n);
  const TensorInfo info = info_of(Dims{n}, dtype, device, DType::i64);
  Tensor order = Tensor::empty(DType::i64, info.sizes);
  auto* const at = order.data<int64_t>();
  std::iota(at, at + n, int64_t{0});
  const bool wide = n >= static_cast<int64_t>(UINT32_MAX / 20);
  const Draws generator;
  for (int64_t i = 0; i + 1 < n; ++i) {
    const uint64_t bits = wide ? generator->bits64() : generator->bits32();
    std::swap(at[i], at[i + static_cast<int64_t>(bits % static_cast<uint64_t>(n - i))]);
  }
  return order.to(info.dtype);
}
INGOT_OP(
    "aten::randperm(SymInt n, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, "
    "bool? pin_memory=None) -> Tensor",
    Random<Function<randperm>>);
INGOT_OP("aten::randperm.generator(SymInt n, *, " INGOT_DRAWN_INTEGERS,
         Random<WithGenerator<Function<randperm>, 1>>);

}  // namespace
}  // namespace ingot

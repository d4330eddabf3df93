#include "kernels/winograd_simd.h"

#include "kernels/winograd_points.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/winograd_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/partial-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));

HWY_INLINE V constant(double value) { return hn::Set(D(), static_cast<float>(value)); }

// The one-dimensional transforms: `side` inputs of a tile to `side` products, and those to
// `kOutputs`. Rows of B^T are the coefficients of the products over the other points of
// (x - point); columns of A^T are powers of the points.
struct Tile2 {
  static constexpr int kOutputs = 2;
  static constexpr int kSide = 4;
  static HWY_INLINE void input(const V* d, V* to) {
    to[0] = hn::Sub(d[0], d[2]);
    to[1] = hn::Add(d[1], d[2]);
    to[2] = hn::Sub(d[2], d[1]);
    to[3] = hn::Sub(d[3], d[1]);
  }
  static HWY_INLINE void output(const V* m, V* to) {
    to[0] = hn::Add(hn::Add(m[0], m[1]), m[2]);
    to[1] = hn::Add(hn::Sub(m[1], m[2]), m[3]);
  }
};

struct Tile4 {
  static constexpr int kOutputs = 4;
  static constexpr int kSide = 6;
  static HWY_INLINE void input(const V* d, V* to) {
    using namespace winograd;
    const V a = constant(kA);
    const V b = constant(kB);
    const V a2 = constant(kA2);
    const V b2 = constant(kB2);
    const V sum = constant(kA2 + kB2);
    to[0] = hn::NegMulAdd(sum, d[2], hn::Add(d[0], d[4]));
    const V even_a = hn::NegMulAdd(b2, d[2], d[4]);
    const V odd_a = hn::NegMulAdd(b2, d[1], d[3]);
    to[1] = hn::MulAdd(a, odd_a, even_a);
    to[2] = hn::NegMulAdd(a, odd_a, even_a);
    const V even_b = hn::NegMulAdd(a2, d[2], d[4]);
    const V odd_b = hn::NegMulAdd(a2, d[1], d[3]);
    to[3] = hn::MulAdd(b, odd_b, even_b);
    to[4] = hn::NegMulAdd(b, odd_b, even_b);
    to[5] = hn::NegMulAdd(sum, d[3], hn::Add(d[1], d[5]));
  }
  static HWY_INLINE void output(const V* m, V* to) {
    using namespace winograd;
    const V sum_a = hn::Add(m[1], m[2]);
    const V difference_a = hn::Sub(m[1], m[2]);
    const V sum_b = hn::Add(m[3], m[4]);
    const V difference_b = hn::Sub(m[3], m[4]);
    to[0] = hn::Add(hn::Add(m[0], sum_a), sum_b);
    to[1] = hn::MulAdd(constant(kA), difference_a, hn::Mul(constant(kB), difference_b));
    to[2] = hn::MulAdd(constant(kA2), sum_a, hn::Mul(constant(kB2), sum_b));
    to[3] = hn::MulAdd(constant(kA * kA2), difference_a,
                       hn::MulAdd(constant(kB * kB2), difference_b, m[5]));
  }
};

template <class Tile, bool kPart>
HWY_INLINE void input_vector(const WinogradInput& t, int64_t c, int64_t count) {
  constexpr int kSide = Tile::kSide;
  const D d;
  HWY_ALIGN float turned[kSide * kSide * kLanes];
  HWY_UNROLL(6)
  for (int x = 0; x < kSide; ++x) {
    V in[kSide];
    V to[kSide];
    HWY_UNROLL(6)
    for (int y = 0; y < kSide; ++y) {
      const float* from = t.pixels[y * kSide + x] + c;
      if constexpr (kPart)
        in[y] = load_first(d, from, count);
      else
        in[y] = hn::LoadU(d, from);
    }
    Tile::input(in, to);
    HWY_UNROLL(6)
    for (int y = 0; y < kSide; ++y) hn::Store(to[y], d, turned + (y * kSide + x) * kLanes);
  }
  float* out = t.to + c;
  HWY_UNROLL(6)
  for (int y = 0; y < kSide; ++y) {
    V in[kSide];
    V to[kSide];
    HWY_UNROLL(6)
    for (int x = 0; x < kSide; ++x) in[x] = hn::Load(d, turned + (y * kSide + x) * kLanes);
    Tile::input(in, to);
    HWY_UNROLL(6)
    for (int x = 0; x < kSide; ++x, out += t.step) {
      if constexpr (kPart)
        store_first(to[x], d, out, count);
      else
        hn::StoreU(to[x], d, out);
    }
  }
}

template <class Tile>
HWY_NOINLINE void input(const WinogradInput& t) {
  int64_t c = 0;
  for (; c + kLanes <= t.channels; c += kLanes) input_vector<Tile, false>(t, c, kLanes);
  if (c < t.channels) input_vector<Tile, true>(t, c, t.channels - c);
}

template <class Tile, bool kWhole, bool kPart>
HWY_INLINE void output_vector(const WinogradOutput& t, int64_t c, int64_t count) {
  constexpr int kSide = Tile::kSide;
  constexpr int kOutputs = Tile::kOutputs;
  const D d;
  HWY_ALIGN float turned[kOutputs * kSide * kLanes];
  const float* from = t.from + c;
  HWY_UNROLL(6)
  for (int x = 0; x < kSide; ++x) {
    V in[kSide];
    V to[kOutputs];
    HWY_UNROLL(6)
    for (int y = 0; y < kSide; ++y) {
      const float* product = from + (y * kSide + x) * t.step;
      if constexpr (kPart)
        in[y] = load_first(d, product, count);
      else
        in[y] = hn::LoadU(d, product);
    }
    Tile::output(in, to);
    HWY_UNROLL(4)
    for (int y = 0; y < kOutputs; ++y) hn::Store(to[y], d, turned + (y * kSide + x) * kLanes);
  }
  V bias = hn::Zero(d);
  if (t.bias) {
    if constexpr (kPart)
      bias = load_first(d, t.bias + c, count);
    else
      bias = hn::LoadU(d, t.bias + c);
  }
  const V low = hn::Set(d, t.low);
  const V high = hn::Set(d, t.high);
  HWY_UNROLL(4)
  for (int y = 0; y < kOutputs; ++y) {
    if (!kWhole && y >= t.rows) break;
    V in[kSide];
    V to[kOutputs];
    HWY_UNROLL(6)
    for (int x = 0; x < kSide; ++x) in[x] = hn::Load(d, turned + (y * kSide + x) * kLanes);
    Tile::output(in, to);
    HWY_UNROLL(4)
    for (int x = 0; x < kOutputs; ++x) {
      if (kWhole || x < t.columns) {
        V value = hn::Add(to[x], bias);
        if (t.residual) {
          const float* residual = t.residual + y * t.residual_row + x * t.residual_pixel + c;
          if constexpr (kPart)
            value = hn::Add(value, load_first(d, residual, count));
          else
            value = hn::Add(value, hn::LoadU(d, residual));
        }
        value = clamp(value, low, high);
        float* out = t.out + y * t.out_row + x * t.out_pixel + c;
        if constexpr (kPart)
          store_first(value, d, out, count);
        else
          hn::StoreU(value, d, out);
      }
    }
  }
}

template <class Tile, bool kWhole>
HWY_INLINE void output_tile(const WinogradOutput& t) {
  int64_t c = 0;
  for (; c + kLanes <= t.channels; c += kLanes) output_vector<Tile, kWhole, false>(t, c, kLanes);
  if (c < t.channels) output_vector<Tile, kWhole, true>(t, c, t.channels - c);
}

template <class Tile>
HWY_NOINLINE void output(const WinogradOutput& t) {
  if (t.rows == Tile::kOutputs && t.columns == Tile::kOutputs)
    output_tile<Tile, true>(t);
  else
    output_tile<Tile, false>(t);
}

void weights(const WinogradWeights& t) {
  const D d;
  for (int64_t c = 0; c < t.columns; c += kLanes) {
    V w[9];
    for (int q = 0; q < 9; ++q) w[q] = hn::LoadU(d, t.weights + q * t.columns + c);
    float* to = t.to + c;
    for (int y = 0; y < t.side; ++y) {
      V row[3];
      for (int x = 0; x < 3; ++x) {
        row[x] = hn::Mul(hn::Set(d, t.g[y][0]), w[x]);
        row[x] = hn::MulAdd(hn::Set(d, t.g[y][1]), w[3 + x], row[x]);
        row[x] = hn::MulAdd(hn::Set(d, t.g[y][2]), w[6 + x], row[x]);
      }
      for (int x = 0; x < t.side; ++x, to += t.step) {
        V value = hn::Mul(hn::Set(d, t.g[x][0]), row[0]);
        value = hn::MulAdd(hn::Set(d, t.g[x][1]), row[1], value);
        hn::StoreU(hn::MulAdd(hn::Set(d, t.g[x][2]), row[2], value), d, to);
      }
    }
  }
}

constexpr WinogradKernels kWinograd = {
    &weights,
    {&input<Tile2>, &output<Tile2>},
    {&input<Tile4>, &output<Tile4>},
    HWY_TARGET == HWY_AVX3 ? 768 << 10 : 384 << 10,
};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot {

const WinogradKernels& winograd_kernels() { INGOT_SIMD_RETURN(kWinograd); }

}  // namespace ingot
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/f32_select_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/foreach_target.h>

#include "kernels/f32_loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

const hn::Rebind<uint8_t, D> kBytes;

// out[i] = f(in[i]...) as bytes 0 and 1.
template <class F, class... In>
HWY_INLINE void map_to_bytes(int64_t count, void* out, F f, const In*... in) {
  const D d;
  const DI di;
  auto* to = static_cast<uint8_t*>(out);
  const auto bytes = [di](M mask) INGOT_LAMBDA {
    const VI ones = hn::And(hn::BitCast(di, hn::VecFromMask(D(), mask)), hn::Set(di, 1));
    return hn::DemoteTo(kBytes, ones);
  };
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    hn::StoreU(bytes(f(hn::LoadU(d, static_cast<const float*>(in) + i)...)), kBytes, to + i);
  if (i == count) return;
  HWY_ALIGN uint8_t edge[kLanes];
  const int64_t rest = count - i;
  hn::Store(bytes(f(load_first(static_cast<const float*>(in) + i, rest)...)), kBytes, edge);
  std::memcpy(to + i, edge, static_cast<size_t>(rest));
}

#define INGOT_F32_COMPARISON(name, operation)                                                 \
  INGOT_F32_DEFINE(name) {                                                                    \
    map_to_bytes(                                                                             \
        count, out, [](V a, V b) INGOT_LAMBDA { return hn::operation(a, b); }, in[0], in[1]); \
  }
INGOT_F32_COMPARISON(eq, Eq)
INGOT_F32_COMPARISON(lt, Lt)
INGOT_F32_COMPARISON(le, Le)
INGOT_F32_COMPARISON(gt, Gt)
INGOT_F32_COMPARISON(ge, Ge)
// Highway's Ne is false for NaN on x86.
INGOT_F32_DEFINE(ne) {
  map_to_bytes(
      count, out, [](V a, V b) INGOT_LAMBDA { return hn::Not(hn::Eq(a, b)); }, in[0], in[1]);
}
INGOT_F32_DEFINE(logical_not) {
  map_to_bytes(
      count, out, [](V x) INGOT_LAMBDA { return hn::Eq(x, hn::Zero(D())); }, in[0]);
}
INGOT_F32_DEFINE(isnan) {
  map_to_bytes(
      count, out, [](V x) INGOT_LAMBDA { return hn::IsNaN(x); }, in[0]);
}

// out[i] = mask[i] != 0 ? a[i] : b[i].
HWY_INLINE void select(int64_t count, void* out, const void* mask, const void* a, const void* b) {
  const D d;
  const DI di;
  auto* to = static_cast<float*>(out);
  const auto* bytes = static_cast<const uint8_t*>(mask);
  const auto* yes = static_cast<const float*>(a);
  const auto* no = static_cast<const float*>(b);
  const auto wide = [di](const uint8_t* from) INGOT_LAMBDA {
    const VI values = hn::PromoteTo(di, hn::LoadU(kBytes, from));
    return hn::RebindMask(D(), hn::Ne(values, hn::Zero(di)));
  };
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    hn::StoreU(hn::IfThenElse(wide(bytes + i), hn::LoadU(d, yes + i), hn::LoadU(d, no + i)), d,
               to + i);
  if (i == count) return;
  HWY_ALIGN uint8_t edge[kLanes] = {};
  const int64_t rest = count - i;
  std::memcpy(edge, bytes + i, static_cast<size_t>(rest));
  store_first(hn::IfThenElse(wide(edge), load_first(yes + i, rest), load_first(no + i, rest)),
              to + i, rest);
}
INGOT_F32_DEFINE(where) { select(count, out, in[0], in[1], in[2]); }
INGOT_F32_DEFINE(masked_fill) { select(count, out, in[1], in[2], in[0]); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::f32 {

INGOT_F32_SELECT(INGOT_F32_DISPATCH)

}  // namespace ingot::f32
#endif

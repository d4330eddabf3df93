#include "kernels/f32_registers.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/f32_registers_simd.cpp"
#include "kernels/simd_targets.h"

#include <hwy/foreach_target.h>

#include <type_traits>

#include "kernels/f32_functors-inl.h"

// As many vectors as calling conventions pass in registers.
#define INGOT_HELD V a, V b, V c, V d, V e, V f, V g, V h
#define INGOT_HELD_VALUES a, b, c, d, e, f, g, h

HWY_BEFORE_NAMESPACE();
namespace ingot {
namespace HWY_NAMESPACE {
namespace {

using f32::RegisterStep;

constexpr int64_t kHeld = 8;
constexpr int64_t kVectorBytes = kLanes * static_cast<int64_t>(sizeof(float));

using Step = void (*)(const RegisterStep*, const std::byte* const*, int64_t, INGOT_HELD);

// Of the block that begins at byte `offset`.
HWY_INLINE const float* address(const RegisterStep::Place& place, const std::byte* const* addresses,
                                int64_t offset) {
  return reinterpret_cast<const float*>(addresses[place.at] + (offset & place.moves));
}

template <class F>
constexpr int operands_of() {
  return std::is_invocable_v<F, V> ? 1 : std::is_invocable_v<F, V, V> ? 2 : 3;
}

// The other operand's vector `i`, or what all its elements are.
template <bool kNumbers>
HWY_INLINE V other(const float* x, int i) {
  return kNumbers ? set(*x) : hn::LoadU(D(), x + i * kLanes);
}

// F of `held` as its operand kPosition and of vector `i` at x and y as the others, in order.
template <int kPosition, bool kNumbers, class F>
HWY_INLINE V apply(const F& function, V held, const float* x, const float* y, int i) {
  constexpr int kOperands = operands_of<F>();
  if constexpr (kOperands == 1) {
    return function(held);
  } else {
    const V first = other<kNumbers>(x, i);
    if constexpr (kOperands == 2) {
      return kPosition == 0 ? function(held, first) : function(first, held);
    } else {
      const V second = other<kNumbers>(y, i);
      return kPosition == 0   ? function(held, first, second)
             : kPosition == 1 ? function(first, held, second)
                              : function(first, second, held);
    }
  }
}

// The jump to the next step, which a compiler makes of the call at the end, is what a step costs
// beside its work; so loads and stores are part of it rather than steps.
template <class F, int kPosition, bool kNumbers>
void function_step(const RegisterStep* step, const std::byte* const* addresses, int64_t offset,
                   INGOT_HELD) {
  const D tag;
  const F function(step->params);
  if (step->held.at >= 0) {
    const float* from = address(step->held, addresses, offset);
    a = hn::LoadU(tag, from);
    b = hn::LoadU(tag, from + kLanes);
    c = hn::LoadU(tag, from + 2 * kLanes);
    d = hn::LoadU(tag, from + 3 * kLanes);
    e = hn::LoadU(tag, from + 4 * kLanes);
    f = hn::LoadU(tag, from + 5 * kLanes);
    g = hn::LoadU(tag, from + 6 * kLanes);
    h = hn::LoadU(tag, from + 7 * kLanes);
  }
  const float* x = nullptr;
  const float* y = nullptr;
  if constexpr (operands_of<F>() > 1) x = address(step->others[0], addresses, offset);
  if constexpr (operands_of<F>() > 2) y = address(step->others[1], addresses, offset);
  a = apply<kPosition, kNumbers>(function, a, x, y, 0);
  b = apply<kPosition, kNumbers>(function, b, x, y, 1);
  c = apply<kPosition, kNumbers>(function, c, x, y, 2);
  d = apply<kPosition, kNumbers>(function, d, x, y, 3);
  e = apply<kPosition, kNumbers>(function, e, x, y, 4);
  f = apply<kPosition, kNumbers>(function, f, x, y, 5);
  g = apply<kPosition, kNumbers>(function, g, x, y, 6);
  h = apply<kPosition, kNumbers>(function, h, x, y, 7);
  if (step->result.at >= 0) {
    float* to = const_cast<float*>(address(step->result, addresses, offset));
    hn::StoreU(a, tag, to);
    hn::StoreU(b, tag, to + kLanes);
    hn::StoreU(c, tag, to + 2 * kLanes);
    hn::StoreU(d, tag, to + 3 * kLanes);
    hn::StoreU(e, tag, to + 4 * kLanes);
    hn::StoreU(f, tag, to + 5 * kLanes);
    hn::StoreU(g, tag, to + 6 * kLanes);
    hn::StoreU(h, tag, to + 7 * kLanes);
  }
  ++step;
  if (step->run) reinterpret_cast<Step>(step->run)(step, addresses, offset, INGOT_HELD_VALUES);
}

template <class F, int kPosition>
Step step_at(bool numbers) {
  if constexpr (operands_of<F>() == 2 || (operands_of<F>() == 3 && kPosition == 0))
    if (numbers) return function_step<F, kPosition, true>;
  return function_step<F, kPosition, false>;
}

template <class F>
RegisterStep::Run step_of(int held, bool numbers) {
  constexpr int kOperands = operands_of<F>();
  Step found = step_at<F, 0>(numbers);
  if constexpr (kOperands > 1)
    if (held == 1) found = step_at<F, 1>(numbers);
  if constexpr (kOperands > 2)
    if (held == 2) found = step_at<F, 2>(numbers);
  return reinterpret_cast<RegisterStep::Run>(found);
}

RegisterStep::Run find_step(f32::Loop loop, int held, bool numbers) {
#define INGOT_STEP_OF(name) \
  if (loop == f32::name) return step_of<functors::name>(held, numbers);
  INGOT_F32_IN_REGISTERS(INGOT_STEP_OF)
#undef INGOT_STEP_OF
  return nullptr;
}

void run_steps(const RegisterStep* steps, const std::byte* const* addresses, int64_t count) {
  const V zero = hn::Zero(D());
  const auto first = reinterpret_cast<Step>(steps->run);
  for (int64_t offset = 0; offset < count * static_cast<int64_t>(sizeof(float));
       offset += kHeld * kVectorBytes)
    first(steps, addresses, offset, zero, zero, zero, zero, zero, zero, zero, zero);
}

const f32::RegisterKernels& kernels() {
  static const f32::RegisterKernels table = {kHeld * kLanes, find_step, run_steps};
  return table;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ingot
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ingot::f32 {

const RegisterKernels& register_kernels() { INGOT_SIMD_RETURN(kernels()); }

}  // namespace ingot::f32
#endif

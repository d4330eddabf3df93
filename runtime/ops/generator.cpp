// Generators of random numbers as values, and the seed of the process's one.
#include <random>

#include "ops/factory.h"
#include "ops/random.h"
#include "ops/shape.h"

namespace ingot {
namespace {

std::span<std::byte> bytes_of(const Tensor& state) {
  INGOT_CHECK(state.dtype() == DType::u8 && state.is_contiguous(),
              "a generator is a u8 tensor of its state, got ", state);
  return {reinterpret_cast<std::byte*>(state.data<uint8_t>()), static_cast<size_t>(state.numel())};
}

void store(const Generator& generator, const Tensor& state) {
  check_writable(state);
  std::ranges::copy(generator.bytes(), bytes_of(state).begin());
}

}  // namespace

MaybeGenerator::Own::Own(const Tensor& of)
    : state(of), bytes(bytes_of(of)), generator(Generator::from_bytes(bytes)), given(generator) {
  check_writable(of);
}
MaybeGenerator::MaybeGenerator(const Value& value) {
  if (!value.is_none()) own_.emplace(value.tensor());
}
MaybeGenerator::~MaybeGenerator() {
  if (own_) std::ranges::copy(own_->generator.bytes(), own_->bytes.begin());
}

void invoke_from_generator(Invoke op, size_t count, size_t at, const Arguments& in,
                           const Results& out) {
  const MaybeGenerator generator(in[at]);
  std::array<int32_t, 12> operands;
  for (size_t i = 0; i < count; ++i) operands[i] = in.operands[i < at ? i : i + 1];
  op({in.registers, in.constants, operands.data()}, out);
}

namespace {

// PyTorch's seed of a new generator is this number.
Tensor generator(MaybeInt device, MaybeInt seed) {
  INGOT_CHECK(!device || *device == 0, "generators live on the cpu (device 0), got device ",
              *device);
  const Generator made(static_cast<uint64_t>(seed.value_or(67280421310721)));
  Tensor state = Tensor::empty(DType::u8, {static_cast<int64_t>(sizeof made)});
  store(made, state);
  return state;
}
INGOT_OP("aten::Generator(*, Device? device=None, int? seed=None) -> Generator",
         Random<Function<generator>>);

Tensor seed_generator(const Tensor& self, int64_t seed) {
  store(Generator(static_cast<uint64_t>(seed)), self);
  return self;
}
INGOT_OP("aten::manual_seed.generator(Generator(a!) self, int seed) -> Generator(a!)",
         Random<Function<seed_generator>>);

int64_t initial_seed(const Tensor& self) {
  return static_cast<int64_t>(Generator::from_bytes(bytes_of(self)).initial_seed());
}
INGOT_OP("aten::initial_seed(Generator self) -> int", Random<Function<initial_seed>>);

// A number that the operating system draws. As PyTorch's, a double can hold it.
int64_t seed_anew(const Tensor& self) {
  std::random_device device;
  const uint64_t seed = (uint64_t{device()} << 32 | device()) & 0x1fffffffffffff;
  seed_generator(self, static_cast<int64_t>(seed));
  return static_cast<int64_t>(seed);
}
INGOT_OP("aten::seed(Generator(a!) self) -> int", Random<Function<seed_anew>>);

void seed_by(int64_t seed) { manual_seed(static_cast<uint64_t>(seed)); }
INGOT_OP("aten::manual_seed(int seed) -> ()", Random<Function<seed_by>>);

}  // namespace
}  // namespace ingot

// A library that registers an op that Ingot has.
#include <ingot/op.h>

namespace {

double half(double x) { return x / 2; }
INGOT_OP("test::half(float x) -> float", ingot::Function<half>);
INGOT_OP("aten::neg.float(float a) -> float", ingot::Function<half>);

}  // namespace

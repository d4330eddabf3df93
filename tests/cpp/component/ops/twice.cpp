// A library with an op of its own.
#include <ingot/op.h>

namespace {

double twice(double x) { return 2 * x; }
INGOT_OP("test::twice(float x) -> float", ingot::Function<twice>);

}  // namespace

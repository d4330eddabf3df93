// The points that F(4x4, 3x3) interpolates at: 0, ±a, ±b and infinity with a · b = 1. Together
// with their squares' sum they are all that the transforms need (Toom and Cook). Points that are
// reciprocal to each other keep the transforms' entries near 1, and so rounding errors small.
#pragma once

namespace ingot::winograd {

inline constexpr double kA = 0.70710678118654752440;  // sqrt(1/2)
inline constexpr double kB = 1.41421356237309504880;  // sqrt(2)
inline constexpr double kA2 = 0.5;
inline constexpr double kB2 = 2.0;

}  // namespace ingot::winograd

// What ingot-run --profile prints.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <ingot/ingot.h>

namespace ingot {

// The steps of `runs` runs after one that warms up, each with its median time. Throws Error as
// Module::run does.
std::vector<ProfileEvent> profile_steps(const Module& module, std::string_view method,
                                        std::span<const Value> inputs, int runs);

// The slowest steps as lines of text, a total last.
std::string profile_table(std::span<const ProfileEvent> steps);

// The steps for chrome://tracing and Perfetto. Throws Error (io).
void write_chrome_trace(const std::string& path, std::span<const ProfileEvent> steps);

}  // namespace ingot

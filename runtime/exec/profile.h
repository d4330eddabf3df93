// What a run's steps took.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <ingot/profile.h>

namespace ingot {

class Profile {
 public:
  using Clock = std::chrono::steady_clock;

  // Adds a step that began at `begin` and ends now.
  void add(ProfileEvent event, Clock::time_point begin) {
    const Clock::time_point end = Clock::now();
    event.start = std::chrono::duration<double>(begin - start_).count();
    event.duration = std::chrono::duration<double>(end - begin).count();
    events.push_back(std::move(event));
  }

  std::vector<ProfileEvent> events;

 private:
  Clock::time_point start_ = Clock::now();
};

// Notes the steps of a plan, whose lines `location` finds by instruction.
struct StepObserver {
  Profile& profile;
  std::function<std::string(uint32_t)> location;
};

}  // namespace ingot

// For what happens in other threads and processes.
#pragma once

#include <chrono>
#include <thread>

namespace backplane::profiler::testing {

// Whether it comes to that, for which a busy host may take its time.
template <class Condition>
bool in_time(Condition has_happened) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{2};
    while (!has_happened()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return true;
}

}  // namespace backplane::profiler::testing

// Whether the host does at once what it usually does at once. A write is copied into the host's
// memory in microseconds, until there is too much that the disk has not got yet; then whoever
// writes waits. That is noticed by how long it took, longer than a busy host keeps anybody from its
// processors, and for a while others wait in his place.
#pragma once

#include <cerrno>
#include <chrono>
#include <concepts>

namespace backplane::storage {

class Patience {
public:
    using Clock = std::chrono::steady_clock;

    static constexpr Clock::duration longest{std::chrono::milliseconds{10}};
    static constexpr Clock::duration rest{std::chrono::milliseconds{50}};

    // What `attempt` gives, an errno; EAGAIN, and it is not tried, while the host is slow.
    int spend(std::invocable auto attempt) {
        const Clock::time_point start = Clock::now();
        if (start < lost_until_) return EAGAIN;
        const int error = attempt();
        if (const Clock::time_point end = Clock::now(); end - start > longest)
            lost_until_ = end + rest;
        return error;
    }

private:
    Clock::time_point lost_until_{};
};

}  // namespace backplane::storage

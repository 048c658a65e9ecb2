// What the processor's thread is at, for a profiler. Only what is slow anyway says so: all else is
// executing.
#pragma once

#include <atomic>
#include <cstdint>

namespace backplane::interp {

// As backplane_cpu_activity.
enum class Activity : std::uint8_t {
    Outside,
    Interpreter,
    CompiledCode,  // told by where the thread is
    Memory,
    Device,
    Compiler,
    Waiting,
};

// While it exists, that is what is done. Another thread, or a signal, may look.
class Doing {
public:
    Doing(std::atomic<Activity>& place, Activity activity)
        : place_{place}, before_{place.load(std::memory_order_relaxed)} {
        place_.store(activity, std::memory_order_relaxed);
    }
    ~Doing() { place_.store(before_, std::memory_order_relaxed); }
    Doing(const Doing&) = delete;
    Doing& operator=(const Doing&) = delete;

private:
    std::atomic<Activity>& place_;
    Activity before_;
};

}  // namespace backplane::interp

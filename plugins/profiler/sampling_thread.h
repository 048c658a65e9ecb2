// Calls a function at a steady rate, on a thread of its own and on an absolute schedule: being late
// once does not make all that follows late.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace backplane::profiler {

class SamplingThread {
public:
    using Clock = std::chrono::steady_clock;

    SamplingThread() = default;
    ~SamplingThread() { stop(); }
    SamplingThread(const SamplingThread&) = delete;
    SamplingThread& operator=(const SamplingThread&) = delete;

    void start(Clock::duration period, std::function<void(Clock::time_point)> tick);
    // Returns when the function is not being called any more.
    void stop();

private:
    void run(Clock::duration period, const std::function<void(Clock::time_point)>& tick);

    std::mutex mutex_;
    std::condition_variable stopped_;
    bool is_over_ = false;
    std::thread thread_;
};

}  // namespace backplane::profiler

#include "sampling_thread.h"

#include <pthread.h>

#include <utility>

namespace backplane::profiler {

void SamplingThread::start(Clock::duration period, std::function<void(Clock::time_point)> tick) {
    is_over_ = false;
    thread_ = std::thread{[this, period, tick = std::move(tick)] { run(period, tick); }};
}

void SamplingThread::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock{mutex_};
        is_over_ = true;
    }
    stopped_.notify_one();
    thread_.join();
}

void SamplingThread::run(Clock::duration period,
                         const std::function<void(Clock::time_point)>& tick) {
    pthread_setname_np(pthread_self(), "profile-sample");
    // Behind by more than that, the host was asleep: nobody wants all of it made up for.
    constexpr std::chrono::seconds longest_delay{1};
    Clock::time_point next = Clock::now() + period;
    std::unique_lock lock{mutex_};
    for (;;) {
        // Late: this does not wait, but looks all the same.
        if (stopped_.wait_until(lock, next, [this] { return is_over_; })) return;
        lock.unlock();
        const Clock::time_point now = Clock::now();
        tick(now);
        next += period;
        if (now - next > longest_delay) next = now + period;
        lock.lock();
    }
}

}  // namespace backplane::profiler

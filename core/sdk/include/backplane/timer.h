// An alarm in guest time.
#pragma once

#include <backplane/abi/host.h>
#include <backplane/units.h>

namespace backplane {

// A member of a device, bound through Declaration::timer to the function that runs when it expires.
// One-shot: a periodic device starts it again, from the previous deadline so as not to drift.
class Timer {
public:
    void start_at(Duration deadline) {
        deadline_ = deadline;
        running_ = true;
        host_->timer_start(timer_, static_cast<std::uint64_t>(deadline.count()));
    }

    void start_after(Duration delay) {
        start_at(Duration{static_cast<std::int64_t>(host_->now(host_->context))} + delay);
    }

    void stop() {
        running_ = false;
        host_->timer_stop(timer_);
    }

    bool is_running() const { return running_; }
    // Of the running timer, or the one that has just expired.
    Duration deadline() const { return deadline_; }

    // For Declaration only.
    void bind(const backplane_host* host, const char* name, void (*expire)(void*), void* device) {
        host_ = host;
        device_ = device;
        expire_ = expire;
        timer_ = host->timer_create(host->context, name, &Timer::expired, this);
    }

    bool& saved_running() { return running_; }
    Duration& saved_deadline() { return deadline_; }
    // The two above were just overwritten.
    void restored() { running_ ? start_at(deadline_) : stop(); }

private:
    static void expired(void* self) {
        auto& timer = *static_cast<Timer*>(self);
        timer.running_ = false;
        timer.expire_(timer.device_);
    }

    const backplane_host* host_ = nullptr;
    backplane_timer* timer_ = nullptr;
    void (*expire_)(void*) = nullptr;
    void* device_ = nullptr;
    Duration deadline_{0};
    bool running_ = false;
};

}  // namespace backplane

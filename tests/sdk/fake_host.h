// A host for one component on its own: guest time is moved by hand, messages are kept.
#pragma once

#include <backplane/abi.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace backplane::test {

class FakeHost {
public:
    FakeHost() {
        host_.struct_size = sizeof host_;
        host_.log_level = BACKPLANE_LOG_TRACE;
        host_.context = this;
        host_.name = "device0";
        host_.log = [](void*, std::uint32_t, const char*) {};
        host_.fail = [](void* context, const char* text) { self(context).failure_ = text; };
        host_.now = [](void* context) { return self(context).now_; };
        host_.timer_create = [](void* context, const char*, void (*expire)(void*), void* user) {
            auto& timers = self(context).timers_;
            timers.push_back(std::make_unique<Timer>(Timer{expire, user, stopped}));
            return reinterpret_cast<backplane_timer*>(timers.back().get());
        };
        host_.timer_start = [](backplane_timer* timer, std::uint64_t deadline) {
            reinterpret_cast<Timer*>(timer)->deadline = deadline;
        };
        host_.timer_stop = [](backplane_timer* timer) {
            reinterpret_cast<Timer*>(timer)->deadline = stopped;
        };
    }
    FakeHost(const FakeHost&) = delete;

    const backplane_host* host() const { return &host_; }
    const std::string& failure() const { return failure_; }
    std::uint64_t now() const { return now_; }

    // Timers expire in order, each seeing the time it was set to.
    void advance(std::uint64_t nanoseconds) {
        const std::uint64_t end = now_ + nanoseconds;
        while (Timer* next = earliest()) {
            if (next->deadline > end) break;
            now_ = next->deadline > now_ ? next->deadline : now_;
            next->deadline = stopped;
            next->expire(next->user);
        }
        now_ = end;
    }

private:
    static constexpr std::uint64_t stopped = std::numeric_limits<std::uint64_t>::max();

    struct Timer {
        void (*expire)(void*);
        void* user;
        std::uint64_t deadline;
    };

    static FakeHost& self(void* context) { return *static_cast<FakeHost*>(context); }

    Timer* earliest() {
        Timer* found = nullptr;
        for (const auto& timer : timers_)
            if (timer->deadline != stopped && (!found || timer->deadline < found->deadline))
                found = timer.get();
        return found;
    }

    backplane_host host_{};
    std::uint64_t now_ = 0;
    std::vector<std::unique_ptr<Timer>> timers_;
    std::string failure_;
};

}  // namespace backplane::test

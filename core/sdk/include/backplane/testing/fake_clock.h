// Guest time for tests: it stands still until the test moves it.
#pragma once

#include <backplane/units.h>

#include <algorithm>
#include <list>
#include <string>

namespace backplane::testing {

class FakeClock {
public:
    struct Alarm {
        std::string name;
        void (*expire)(void*);
        void* user;
        Duration deadline{0};
        std::uint64_t order = 0;  // of starting, which decides between equal deadlines
        bool running = false;
        FakeClock* clock = nullptr;
    };

    FakeClock() = default;
    FakeClock(const FakeClock&) = delete;
    FakeClock& operator=(const FakeClock&) = delete;

    Duration now() const { return now_; }

    // Moves time to `instant`, stopping at each deadline on the way to run what is due.
    void advance_to(Duration instant) {
        while (Alarm* alarm = next()) {
            if (alarm->deadline > instant) break;
            now_ = std::max(now_, alarm->deadline);
            alarm->running = false;
            alarm->expire(alarm->user);
        }
        now_ = std::max(now_, instant);
    }

    void advance(Duration span) { advance_to(now_ + span); }

    // Moves time at once, the way a host that was busy does: everything due runs late, at the new
    // time.
    void jump(Duration span) {
        now_ += span;
        advance_to(now_);
    }

    // Sets the time without running anything, for an instance whose state is about to be restored.
    void set(Duration instant) { now_ = instant; }

    bool is_idle() const {
        return std::none_of(alarms_.begin(), alarms_.end(),
                            [](const Alarm& a) { return a.running; });
    }

    Alarm* create(const char* name, void (*expire)(void*), void* user) {
        Alarm& alarm = alarms_.emplace_back();
        alarm.name = name;
        alarm.expire = expire;
        alarm.user = user;
        alarm.clock = this;
        return &alarm;
    }

    void start(Alarm& alarm, Duration deadline) {
        alarm.deadline = deadline;
        alarm.order = ++order_;
        alarm.running = true;
    }

    void destroy(const Alarm* alarm) {
        alarms_.remove_if([alarm](const Alarm& entry) { return &entry == alarm; });
    }

private:
    Alarm* next() {
        Alarm* first = nullptr;
        for (Alarm& alarm : alarms_) {
            if (!alarm.running) continue;
            if (first == nullptr || alarm.deadline < first->deadline ||
                (alarm.deadline == first->deadline && alarm.order < first->order))
                first = &alarm;
        }
        return first;
    }

    Duration now_{0};
    std::uint64_t order_ = 0;
    std::list<Alarm> alarms_;
};

}  // namespace backplane::testing

#include "runtime/virtual_clock.h"

#include <backplane/units.h>

#include <algorithm>
#include <utility>

namespace backplane::runtime {

std::uint64_t HostTime::since_power_on() const {
    return static_cast<std::uint64_t>(
        std::chrono::nanoseconds{std::chrono::steady_clock::now() - power_on_}.count());
}

// Whoever asks from a thread that does not stop with the machine may be overtaken by a stop and a
// start, and looks again then.
std::uint64_t HostTime::now() const {
    for (;;) {
        const std::uint64_t stood_still = stood_still_, stopped_at = stopped_at_;
        if (stopped_at != goes_on) return stopped_at;
        const std::uint64_t now = since_power_on() - stood_still;
        if (stood_still == stood_still_ && stopped_at_ == goes_on) return now;
    }
}

std::chrono::steady_clock::time_point HostTime::host_instant(std::uint64_t guest) const {
    return power_on_ + std::chrono::nanoseconds{guest + stood_still_};
}

void HostTime::stop() {
    if (!is_stopped()) stopped_at_ = now();
}

void HostTime::start() {
    if (!is_stopped()) return;
    stood_still_ = since_power_on() - stopped_at_;
    stopped_at_ = goes_on;
}

InstructionTime::InstructionTime(std::uint64_t frequency,
                                 std::function<std::uint64_t()> instructions)
    : frequency_{frequency}, instructions_{std::move(instructions)} {}

std::uint64_t InstructionTime::now() const {
    return scale(instructions_(), nanoseconds_per_second, frequency_) + skipped_;
}

std::uint64_t InstructionTime::instructions_at(std::uint64_t deadline) const {
    if (deadline <= skipped_) return 0;
    // The first count whose time, rounded down, reaches the deadline.
    const Unsigned128 product = static_cast<Unsigned128>(deadline - skipped_) * frequency_ +
                                (nanoseconds_per_second - 1);
    return static_cast<std::uint64_t>(product / nanoseconds_per_second);
}

std::uint64_t InstructionTime::instructions_until(std::uint64_t deadline) const {
    const std::uint64_t target = instructions_at(deadline), done = instructions_();
    return target > done ? target - done : 1;
}

void InstructionTime::skip_to(std::uint64_t deadline) {
    const std::uint64_t present = now();
    if (deadline > present) skipped_ += deadline - present;
}

VirtualClock::Timer& VirtualClock::create_timer(std::string name, void (*expire)(void*),
                                                void* user) {
    return *timers_.emplace_back(std::make_unique<Timer>(
        Timer{.name = std::move(name), .expire = expire, .user = user, .clock = this}));
}

void VirtualClock::start(Timer& timer, std::uint64_t deadline) {
    stop(timer);
    timer.deadline = deadline;
    timer.order = started_++;
    timer.running = true;
    queue_.insert(&timer);
    note_earliest();
    if (*queue_.begin() == &timer) sooner_();
}

void VirtualClock::stop(Timer& timer) {
    if (!timer.running) return;
    queue_.erase(&timer);
    timer.running = false;
    note_earliest();
}

void VirtualClock::note_earliest() {
    earliest_.store(next_deadline().value_or(never), std::memory_order_relaxed);
}

std::optional<std::uint64_t> VirtualClock::next_deadline() const {
    if (queue_.empty()) return std::nullopt;
    return (*queue_.begin())->deadline;
}

void VirtualClock::run_due() {
    // A device that restarts its timer for the same instant would never let go; what is left over
    // is run next time.
    constexpr int at_most = 1000;
    for (int count = 0; count < at_most && !queue_.empty() && (*queue_.begin())->deadline <= now();
         ++count) {
        Timer& timer = **queue_.begin();
        stop(timer);
        timer.expire(timer.user);
    }
}

}  // namespace backplane::runtime

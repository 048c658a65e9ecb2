// The timer of a local APIC, computed from guest time: the count at any instant and when it next
// reaches zero, or the deadline. (SDM 3A 11.5.4)
#pragma once

#include <backplane/units.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace backplane::chipset {

// The encoding of LVT bits 18-17.
enum class TimerMode : std::uint8_t { OneShot, Periodic, Deadline };

class LocalApicTimer {
public:
    // The deadline mode does not count.
    void write_initial_count(std::uint32_t value, Duration now) {
        if (mode == TimerMode::Deadline) return;
        initial_count = value;
        first = value;
        origin = now;
        owed = value != 0;
    }

    // The count goes on from where it is at the new rate.
    void write_divide_configuration(std::uint8_t value, Duration now) {
        rebase(now);
        divide_configuration = value & 0x0b;
    }

    // Going to the deadline mode, or from there, disarms the timer.
    void set_mode(TimerMode value, Duration now) {
        if (value == mode) return;
        if (value == TimerMode::Deadline || mode == TimerMode::Deadline)
            initial_count = first = 0, deadline = Duration{0}, owed = false;
        else
            rebase(now);
        mode = value;
    }

    // 0 disarms; only the deadline mode takes it.
    void write_deadline(Duration value) {
        if (mode == TimerMode::Deadline) deadline = value;
    }

    // The alarm for next_expiry went off.
    void expired() {
        deadline = Duration{0};
        owed = false;
    }

    // While the timer was masked nobody was told of its expiry, and nobody will be.
    void skip_expiry(Duration now) {
        if (ticks(now) >= first) owed = false;
    }

    std::uint32_t current_count(Duration now) const {
        const std::uint64_t passed = ticks(now);
        if (passed < first) return static_cast<std::uint32_t>(first - passed);
        if (!is_periodic() || initial_count == 0) return 0;
        return static_cast<std::uint32_t>(initial_count - (passed - first) % initial_count);
    }

    // When the count next reaches zero; or reached it, as long as the alarm has not gone off: guest
    // time goes on while the registers are written, and a short count may be over before the alarm
    // is set. Periods shorter than `shortest` are one interrupt each
    // `shortest`: faster than the CPU can take them they would merge in IRR anyway.
    std::optional<Duration> next_expiry(Duration now) const {
        if (deadline != Duration{0}) return std::max(deadline, now);
        constexpr Duration shortest{1'000};
        const std::uint64_t passed = ticks(now);
        if (passed < first) return origin + bus_frequency.span(first * divisor());
        if (!is_periodic()) return owed ? std::optional{now} : std::nullopt;
        if (initial_count == 0) return std::nullopt;
        const std::uint64_t periods = (passed - first) / initial_count + 1;
        const Duration next = origin +
                              bus_frequency.span((first + periods * initial_count) * divisor());
        const bool is_short = bus_frequency.span(initial_count * divisor()) < shortest;
        return is_short ? std::max(next, now + shortest) : next;
    }

    Hertz bus_frequency{1'000'000'000};

    // ---- State, with its power-on values ----
    std::uint32_t initial_count = 0;
    std::uint32_t first = 0;  // ticks from `origin` to the first expiry
    Duration origin{0};
    std::uint8_t divide_configuration = 0;
    TimerMode mode = TimerMode::OneShot;
    bool owed = false;     // one-shot: the count was written and no alarm for it has gone off
    Duration deadline{0};  // none

private:
    bool is_periodic() const { return mode == TimerMode::Periodic; }

    // Bits 3, 1 and 0: 000 divides by 2, 110 by 128, 111 by 1.
    std::uint64_t divisor() const {
        const unsigned code = (divide_configuration & 3) | (divide_configuration >> 1 & 4);
        return code == 7 ? 1 : std::uint64_t{2} << code;
    }

    std::uint64_t ticks(Duration now) const {
        return bus_frequency.ticks(now - origin) / divisor();
    }

    void rebase(Duration now) {
        first = current_count(now);
        origin = now;
    }
};

}  // namespace backplane::chipset

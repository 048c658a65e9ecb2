// The timer of a local APIC, computed from guest time: the count at any instant and when it next
// reaches zero. (SDM 3A 11.5.4)
#pragma once

#include <backplane/units.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace backplane::chipset {

class LocalApicTimer {
public:
    void write_initial_count(std::uint32_t value, Duration now) {
        initial_count = value;
        first = value;
        origin = now;
    }

    // The count goes on from where it is at the new rate.
    void write_divide_configuration(std::uint8_t value, Duration now) {
        rebase(now);
        divide_configuration = value & 0x0b;
    }

    void set_periodic(bool value, Duration now) {
        if (value == periodic) return;
        rebase(now);
        periodic = value;
    }

    std::uint32_t current_count(Duration now) const {
        const std::uint64_t passed = ticks(now);
        if (passed < first) return static_cast<std::uint32_t>(first - passed);
        if (!periodic || initial_count == 0) return 0;
        return static_cast<std::uint32_t>(initial_count - (passed - first) % initial_count);
    }

    // When the count next reaches zero. Periods shorter than `shortest` are one interrupt each
    // `shortest`: faster than the CPU can take them they would merge in IRR anyway.
    std::optional<Duration> next_expiry(Duration now) const {
        constexpr Duration shortest{1'000};
        const std::uint64_t passed = ticks(now);
        if (passed < first) return origin + bus_frequency.span(first * divisor());
        if (!periodic || initial_count == 0) return std::nullopt;
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
    bool periodic = false;

private:
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

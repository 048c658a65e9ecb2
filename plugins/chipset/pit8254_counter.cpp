#include "pit8254_counter.h"

#include <algorithm>

namespace backplane::chipset {

namespace {

constexpr std::uint8_t least_significant = 1, most_significant = 2;

std::uint32_t from_bcd(std::uint16_t value) {
    return (value >> 12 & 0xfu) * 1000 + (value >> 8 & 0xfu) * 100 + (value >> 4 & 0xfu) * 10 +
           (value & 0xfu);
}

std::uint16_t to_bcd(std::uint32_t value) {
    return static_cast<std::uint16_t>(value / 1000 % 10 << 12 | value / 100 % 10 << 8 |
                                      value / 10 % 10 << 4 | value % 10);
}

}  // namespace

// "The largest possible initial count is 0": 2^16 or 10^4.
std::uint32_t Pit8254Counter::initial_count() const {
    const std::uint32_t value = bcd ? from_bcd(count_register) : count_register;
    return value == 0 ? modulus() : value;
}

void Pit8254Counter::load(Tick at) {
    count = initial_count();
    origin = at;
    paused = false;
    loaded = true;
    null_count = false;
    reload_pending = false;
}

void Pit8254Counter::synchronize(Tick now) {
    if (!reload_pending || now < reload_at) return;
    load(reload_at);
    // A low half begins as if the new high half had just passed.
    if (reload_into_low_half) origin -= high_half();
}

// In mode 2 a count written while counting waits for the end of the period, in mode 3 of the half
// period.
void Pit8254Counter::schedule_reload(Tick now) {
    const Tick passed = std::max<Tick>(now - origin, 0);
    const Tick period_start = now - passed % count;
    const bool high = mode == 3 && passed % count < high_half();
    reload_at = (now < origin ? origin : period_start) + (high ? high_half() : Tick{count});
    reload_into_low_half = high;
    reload_pending = true;
}

void Pit8254Counter::write_control(std::uint8_t value) {
    access = value >> 4 & 3;
    mode = value >> 1 & 7;
    if (mode > 5) mode -= 4;  // M2 is ignored in modes 2 and 3
    bcd = (value & 1) != 0;
    count_register = 0;
    written = write_second = read_second = false;
    count_latched = status_latched = false;
    null_count = true;
    loaded = paused = reload_pending = retriggered = false;
}

void Pit8254Counter::write_data(std::uint8_t value, Tick now) {
    if (access == least_significant) {
        count_register = value;
    } else if (access == most_significant) {
        count_register = static_cast<std::uint16_t>(value << 8);
    } else if (!write_second) {
        first_byte = value;
        write_second = true;
        // "Writing the first byte disables counting. OUT is set low immediately."
        if (mode == 0) loaded = false;
        return;
    } else {
        count_register = static_cast<std::uint16_t>(first_byte | value << 8);
        write_second = false;
    }
    count_written(now);
}

void Pit8254Counter::count_written(Tick now) {
    written = true;
    null_count = true;
    switch (mode) {
    case 0:
    case 4:
        load(now + 1);
        paused = !gate;
        held = 0;
        break;
    case 2:
    case 3:
        if (loaded && gate)
            schedule_reload(now);
        else if (gate)
            load(now + 1);
        break;
    default: break;  // modes 1 and 5 wait for the trigger
    }
}

void Pit8254Counter::set_gate(bool level, Tick now) {
    if (level == gate) return;
    const bool was_low = mode == 1 && !out(now);
    gate = level;
    if (gate && mode != 0 && mode != 4) {
        if (!written) return;
        load(now + 1);
        retriggered = was_low;
    } else if (gate) {
        origin = now - held;
        paused = false;
    } else if (mode != 1 && mode != 5) {
        held = std::max<Tick>(now - origin, 0);
        // The strobe of mode 4 ends with its CLK pulse whatever GATE does.
        if (mode == 4 && held == count) ++held;
        paused = true;
        reload_pending = false;
    }
}

bool Pit8254Counter::out(Tick now) const {
    if (!loaded) return mode != 0;
    const Tick passed = elapsed(now);
    switch (mode) {
    case 0: return passed >= count;
    case 1: return passed >= count || (passed < 0 && !retriggered);
    // A count of 1 is illegal in modes 2 and 3; here it leaves OUT high.
    case 2: return paused || passed < 0 || count == 1 || passed % count != count - 1;
    case 3: return paused || passed < 0 || count == 1 || passed % count < high_half();
    default: return passed != count;
    }
}

std::optional<Pit8254Counter::Tick> Pit8254Counter::next_change(Tick now) const {
    if (!loaded || paused) return std::nullopt;
    const Tick passed = std::max<Tick>(now - origin, 0);
    const Tick start = std::max(now, origin);
    const Tick end = origin + count;
    switch (mode) {
    case 0: return now < end ? std::optional{end} : std::nullopt;
    case 1:
        if (now < origin && !retriggered) return origin;
        return now < end ? std::optional{end} : std::nullopt;
    case 2: {
        if (count == 1) return reload_pending ? std::optional{reload_at} : std::nullopt;
        const Tick left = count - 1 - passed % count;
        return start + (left == 0 ? 1 : left);
    }
    case 3: {
        if (count == 1) return reload_pending ? std::optional{reload_at} : std::nullopt;
        const Tick within = passed % count;
        return start + (within < high_half() ? high_half() : Tick{count}) - within;
    }
    default:
        if (now < end) return end;
        return now == end ? std::optional{end + 1} : std::nullopt;
    }
}

// In mode 3 CE goes down by two, from the next lower even number when the count is odd.
std::uint16_t Pit8254Counter::current_count(Tick now) const {
    const Tick passed = loaded ? std::max<Tick>(elapsed(now), 0) : 0;
    Tick value = 0;
    if (mode == 2) {
        value = count - passed % count;
    } else if (mode == 3) {
        const Tick within = passed % count;
        value = (count & ~1u) - 2 * (within < high_half() ? within : within - high_half());
    } else {
        value = (count - passed) % Tick{modulus()};
        if (value < 0) value += modulus();
    }
    const auto binary = static_cast<std::uint32_t>(value) % modulus();
    return bcd ? to_bcd(binary) : static_cast<std::uint16_t>(binary);
}

std::uint8_t Pit8254Counter::read_data(Tick now) {
    if (status_latched) {
        status_latched = false;
        return latched_status;
    }
    const std::uint16_t value = count_latched ? latched_count : current_count(now);
    const bool high_byte = access == most_significant || (access == 3 && read_second);
    if (access == 3) read_second = !read_second;
    if (access != 3 || !read_second) count_latched = false;
    return static_cast<std::uint8_t>(high_byte ? value >> 8 : value);
}

void Pit8254Counter::latch_count(Tick now) {
    if (count_latched) return;  // "then latched again [...] the second is ignored"
    latched_count = current_count(now);
    count_latched = true;
}

void Pit8254Counter::latch_status(Tick now) {
    if (status_latched) return;
    const bool null = null_count || now < origin;
    latched_status = static_cast<std::uint8_t>(out(now) << 7 | null << 6 | access << 4 | mode << 1 |
                                               int{bcd});
    status_latched = true;
}

}  // namespace backplane::chipset

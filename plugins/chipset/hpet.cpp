#include "hpet.h"

#include <algorithm>

namespace backplane::chipset {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t capabilities_offset = 0x00, configuration_offset = 0x10,
                        status_offset = 0x20, counter_offset = 0xf0, timers_offset = 0x100,
                        timer_stride = 0x20, window_size = 0x400;
// Within a timer.
constexpr std::uint64_t timer_config = 0x00, timer_comparator = 0x08;

namespace capabilities {
constexpr std::uint64_t revision = 0x01, counter_64_bit = 1u << 13, legacy_replacement = 1u << 15;
constexpr std::uint64_t vendor = 0x8086u << 16;
constexpr unsigned last_timer_shift = 8, period_shift = 32;
constexpr std::uint64_t femtoseconds_per_second = 1'000'000'000'000'000;
}  // namespace capabilities

namespace general {
constexpr std::uint64_t enable = 0x01, legacy_replacement = 0x02;
}

namespace timer_bits {
constexpr std::uint32_t level = 0x02, interrupt = 0x04, periodic = 0x08;
constexpr std::uint32_t periodic_capable = 0x10, capable_of_64_bits = 0x20;
constexpr std::uint32_t set_value = 0x40, mode_32 = 0x100;
constexpr std::uint32_t route = 0x3e00;
constexpr unsigned route_shift = 9, routes_shift = 32;
constexpr std::uint32_t writable = level | interrupt | periodic | set_value | mode_32 | route;
constexpr std::uint32_t at_reset = periodic_capable | capable_of_64_bits;
}  // namespace timer_bits

// A timer of a few counts would interrupt faster than anybody could be told.
constexpr Duration shortest_wait = 1us;

}  // namespace

void Hpet::declare(Declaration<Hpet>& d) {
    d.type("chipset.hpet", "High precision event timers");
    d.property("clock", &Hpet::clock_,
               "Frequency of the counter; at 100 MHz a count is 10 ns of guest time exactly")
        .range(Hertz{10'000'000}, Hertz{1'000'000'000});
    d.property("timers", &Hpet::timers_, "How many comparators there are")
        .range(std::uint8_t{3}, std::uint8_t{most_timers});
    d.memory_window<&Hpet::read, &Hpet::write>("registers", window_size, "Usually at 0xFED00000")
        .reg(capabilities_offset, "GCAP_ID", "Period of the counter in fs, number of timers", 8)
        .reg(configuration_offset, "GEN_CONF", "Bit 0: enable; bit 1: legacy replacement", 8)
        .reg(status_offset, "GINTR_STA", "Level-triggered interrupts; write ones to clear", 8)
        .reg(counter_offset, "MAIN_CNT", "The counter", 8)
        .reg(timers_offset, "TIM0_CONF", "Timer 0; the others follow every 0x20 bytes", 8)
        .reg(timers_offset + timer_comparator, "TIM0_COMP", "When timer 0 interrupts", 8);
    d.line_outputs("irq", routes, &Hpet::irq_,
                   "I/O APIC inputs that timers may be routed to; those connected are offered");
    d.line_output("timer-irq", &Hpet::timer_irq_,
                  "IRQ0: input `pit`, or timer 0 in legacy replacement mode");
    d.line_output("rtc-irq", &Hpet::rtc_irq_,
                  "IRQ8: input `rtc`, or timer 1 in legacy replacement mode");
    d.line_input<&Hpet::set_pit>("pit", "OUT0 of the 8254");
    d.line_input<&Hpet::set_rtc>("rtc", "Interrupt of the clock");
    d.timer<&Hpet::update>("alarm", &Hpet::alarm_);
    d.counter("interrupts", &Hpet::interrupts_, "interrupts", "Comparators that matched, enabled");
    d.saved("GEN_CONF", &Hpet::config_);
    d.saved("GINTR_STA", &Hpet::status_);
    d.saved("MAIN_CNT", &Hpet::count_);
    d.saved("counting-since", &Hpet::since_);
    d.saved("matched-up-to", &Hpet::seen_);
    d.saved("pit-level", &Hpet::pit_level_);
    d.saved("rtc-level", &Hpet::rtc_level_);
    for (unsigned timer = 0; timer < most_timers; ++timer) {
        const std::string name = "TIM" + std::to_string(timer);
        const auto save = [&](const char* field, auto member) {
            d.saved(name + field, [timer, member](Hpet& hpet) -> auto& {
                return hpet.comparators_[timer].*member;
            });
        };
        save("_CONF", &Comparator::config);
        save("_COMP", &Comparator::value);
        save(".period", &Comparator::period);
    }
}

Outcome Hpet::start() {
    for (unsigned route = 0; route < routes; ++route)
        if (irq_[route].is_connected()) connected_ |= 1u << route;
    return {};
}

void Hpet::reset(ResetKind) {
    config_ = status_ = count_ = seen_ = 0;
    comparators_ = {};
    for (auto& comparator : comparators_)
        comparator.config = timer_bits::at_reset;
    update();
}

bool Hpet::is_enabled() const { return (config_ & general::enable) != 0; }
bool Hpet::replaces_legacy() const {
    return is_enabled() && (config_ & general::legacy_replacement) != 0;
}
bool Hpet::is_32_bit(const Comparator& comparator) {
    return (comparator.config & timer_bits::mode_32) != 0;
}
std::uint64_t Hpet::width_mask(const Comparator& comparator) {
    return low_bits(is_32_bit(comparator) ? 32 : 64);
}

std::uint64_t Hpet::counter() const {
    return is_enabled() ? count_ + clock_.ticks(now() - since_) : count_;
}

// Counts until the next match after `from`; the greatest value when there is none before the end of
// time.
std::uint64_t Hpet::distance(const Comparator& comparator, std::uint64_t from) {
    const std::uint64_t ahead = (comparator.value - from) & width_mask(comparator);
    if (ahead != 0) return ahead;
    return is_32_bit(comparator) ? std::uint64_t{1} << 32 : ~std::uint64_t{0};
}

// ---- Matches ----

// Everything between the last time and now. Several matches of one timer are one interrupt.
void Hpet::catch_up() {
    const std::uint64_t now = counter(), elapsed = now - seen_, from = seen_;
    seen_ = now;
    for (unsigned timer = 0; timer < timers_; ++timer) {
        Comparator& comparator = comparators_[timer];
        const std::uint64_t ahead = distance(comparator, from);
        if (ahead > elapsed) continue;
        if ((comparator.config & timer_bits::periodic) != 0 && comparator.period != 0) {
            const std::uint64_t matches = (elapsed - ahead) / comparator.period + 1;
            comparator.value = (comparator.value + matches * comparator.period) &
                               width_mask(comparator);
        }
        match(timer);
    }
}

// Where the timer's interrupt goes; null when nowhere.
Line* Hpet::line_of(unsigned timer) {
    if (replaces_legacy() && timer < 2) return timer == 0 ? &timer_irq_ : &rtc_irq_;
    const unsigned route = (comparators_[timer].config & timer_bits::route) >>
                           timer_bits::route_shift;
    return (connected_ >> route & 1) != 0 ? &irq_[route] : nullptr;
}

// An edge for an 8259 has to stay: it forgets a request whose line goes low. The other inputs may
// be shared with level-triggered interrupts, and only see a pulse.
void Hpet::match(unsigned timer) {
    const std::uint32_t config = comparators_[timer].config;
    if ((config & timer_bits::level) != 0) status_ |= std::uint64_t{1} << timer;
    if ((config & timer_bits::interrupt) == 0) return;
    ++interrupts_;
    Line* line = line_of(timer);
    if ((config & timer_bits::level) != 0 || line == nullptr) return;
    line->drive(false);
    line->drive(true);
    if (line != &timer_irq_ && line != &rtc_irq_) line->drive(false);
}

// Drives the lines, and sets the alarm for the next match that interrupts.
void Hpet::update() {
    catch_up();
    std::uint32_t levels = 0;
    std::uint64_t next = ~std::uint64_t{0};
    std::array<bool, 2> legacy{};
    for (unsigned timer = 0; timer < timers_ && is_enabled(); ++timer) {
        const Comparator& comparator = comparators_[timer];
        if ((comparator.config & timer_bits::interrupt) == 0) continue;
        next = std::min(next, distance(comparator, seen_));
        const Line* line = line_of(timer);
        const bool is_level = (comparator.config & timer_bits::level) != 0;
        const bool high = is_level && (status_ >> timer & 1) != 0;
        if (line == &timer_irq_ || line == &rtc_irq_)
            legacy[timer] = is_level ? high : line->level();
        else if (line != nullptr && high)
            levels |= 1u << (line - irq_.data());
    }
    timer_irq_.drive(replaces_legacy() ? legacy[0] : pit_level_);
    rtc_irq_.drive(replaces_legacy() ? legacy[1] : rtc_level_);
    for (unsigned route = 0; route < routes; ++route)
        irq_[route].drive((levels >> route & 1) != 0);

    const std::uint64_t forever = clock_.value << 25;  // a year is as good as never
    if (!is_enabled() || next > forever) return alarm_.stop();
    const Duration at = since_ + clock_.span(seen_ - count_ + next);
    alarm_.start_at(std::max(at, now() + shortest_wait));
}

void Hpet::set_pit(bool level) {
    pit_level_ = level;
    if (!replaces_legacy()) timer_irq_.drive(level);
}

void Hpet::set_rtc(bool level) {
    rtc_level_ = level;
    if (!replaces_legacy()) rtc_irq_.drive(level);
}

// ---- Registers ----

std::uint64_t Hpet::read(std::uint64_t offset, unsigned size) {
    const unsigned within = offset & 7, first = std::min(size, 8 - within);
    std::uint64_t value = read_register(offset - within) >> (within * 8);
    if (first < size) value |= read_register(offset - within + 8) << (first * 8);
    return value;
}

void Hpet::write(std::uint64_t offset, unsigned size, std::uint64_t value) {
    const unsigned within = offset & 7, first = std::min(size, 8 - within);
    write_register(offset - within, low_bits(first * 8) << (within * 8), value << (within * 8));
    if (first < size)
        write_register(offset - within + 8, low_bits((size - first) * 8), value >> (first * 8));
}

std::uint64_t Hpet::read_register(std::uint64_t offset) {
    if (offset >= timers_offset) {
        const auto timer = static_cast<unsigned>((offset - timers_offset) / timer_stride);
        if (timer >= timers_) return 0;
        const Comparator& comparator = comparators_[timer];
        switch ((offset - timers_offset) % timer_stride) {
        case timer_config:
            return comparator.config | std::uint64_t{connected_} << timer_bits::routes_shift;
        case timer_comparator: catch_up(); return comparator.value;
        default: return 0;  // no messages on the front-side bus
        }
    }
    switch (offset) {
    case capabilities_offset:
        return capabilities::femtoseconds_per_second / clock_.value << capabilities::period_shift |
               capabilities::vendor | capabilities::legacy_replacement |
               capabilities::counter_64_bit |
               std::uint64_t{timers_ - 1u} << capabilities::last_timer_shift |
               capabilities::revision;
    case configuration_offset: return config_;
    case status_offset: catch_up(); return status_;
    case counter_offset: return counter();
    default: return 0;
    }
}

void Hpet::write_register(std::uint64_t offset, std::uint64_t mask, std::uint64_t value) {
    value &= mask;
    catch_up();
    if (offset >= timers_offset) {
        const auto timer = static_cast<unsigned>((offset - timers_offset) / timer_stride);
        const std::uint64_t reg = (offset - timers_offset) % timer_stride;
        if (timer < timers_ && reg == timer_config) write_timer_config(timer, mask, value);
        if (timer < timers_ && reg == timer_comparator) write_comparator(timer, mask, value);
    } else if (offset == configuration_offset) {
        write_config(mask, value);
    } else if (offset == status_offset) {
        status_ &= ~value;
    } else if (offset == counter_offset) {
        write_counter(mask, value);
    }
    update();
}

void Hpet::write_config(std::uint64_t mask, std::uint64_t value) {
    constexpr std::uint64_t writable = general::enable | general::legacy_replacement;
    count_ = counter();
    since_ = now();
    config_ = (config_ & ~mask) | (value & writable);
}

void Hpet::write_counter(std::uint64_t mask, std::uint64_t value) {
    count_ = (counter() & ~mask) | value;
    since_ = now();
    seen_ = count_;
}

// A route that is not there is not taken, as software expects that reads it back (2.3.8).
void Hpet::write_timer_config(unsigned timer, std::uint64_t mask, std::uint64_t value) {
    Comparator& comparator = comparators_[timer];
    auto writable = static_cast<std::uint32_t>(timer_bits::writable & mask);
    const auto route = static_cast<std::uint32_t>((comparator.config & ~mask) | value) &
                       timer_bits::route;
    if ((connected_ >> (route >> timer_bits::route_shift) & 1) == 0) writable &= ~timer_bits::route;
    comparator.config = (comparator.config & ~writable) |
                        (static_cast<std::uint32_t>(value) & writable);
    if ((comparator.config & timer_bits::periodic) == 0)
        comparator.config &= ~timer_bits::set_value;
    if ((comparator.config & timer_bits::level) == 0) status_ &= ~(std::uint64_t{1} << timer);
    comparator.value &= width_mask(comparator);
    comparator.period &= width_mask(comparator);
}

// Of a periodic timer the comparator itself is written once after VAL_SET was, the period always
// (2.3.9.2.2).
void Hpet::write_comparator(unsigned timer, std::uint64_t mask, std::uint64_t value) {
    Comparator& comparator = comparators_[timer];
    const auto merged = [&](std::uint64_t old) {
        return ((old & ~mask) | value) & width_mask(comparator);
    };
    const bool periodic = (comparator.config & timer_bits::periodic) != 0;
    if (!periodic || (comparator.config & timer_bits::set_value) != 0)
        comparator.value = merged(comparator.value);
    if (periodic) comparator.period = merged(comparator.period);
    comparator.config &= ~timer_bits::set_value;
}

}  // namespace backplane::chipset

// The high precision event timers: one counter, and comparators that interrupt when it reaches
// them, once or periodically. (IA-PC HPET Specification 1.0a)
//
// In legacy replacement mode timer 0 takes the place of the 8254 and timer 1 that of the clock, so
// the interrupts of those two pass through here. Which I/O APIC inputs a timer may be routed to is
// what the machine file connects.
#pragma once

#include <backplane/sdk.h>

#include <array>

namespace backplane::chipset {

class Hpet final : public Device {
public:
    static constexpr unsigned most_timers = 8, routes = 32;

    static void declare(Declaration<Hpet>& d);

    Outcome start();
    void reset(ResetKind);

private:
    struct Comparator {
        std::uint32_t config = 0;
        std::uint64_t value = ~std::uint64_t{0}, period = 0;
    };

    std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint64_t read_register(std::uint64_t offset);
    // `mask` has the bits that the access covers.
    void write_register(std::uint64_t offset, std::uint64_t mask, std::uint64_t value);
    void write_config(std::uint64_t mask, std::uint64_t value);
    void write_counter(std::uint64_t mask, std::uint64_t value);
    void write_timer_config(unsigned timer, std::uint64_t mask, std::uint64_t value);
    void write_comparator(unsigned timer, std::uint64_t mask, std::uint64_t value);

    bool is_enabled() const;
    bool replaces_legacy() const;
    static bool is_32_bit(const Comparator& comparator);
    static std::uint64_t width_mask(const Comparator& comparator);
    static std::uint64_t distance(const Comparator& comparator, std::uint64_t from);
    Line* line_of(unsigned timer);

    std::uint64_t counter() const;
    void catch_up();
    void match(unsigned timer);
    void update();
    void set_pit(bool level);
    void set_rtc(bool level);

    Hertz clock_{100'000'000};
    std::uint8_t timers_ = 3;
    std::array<Line, routes> irq_;
    Line timer_irq_, rtc_irq_;
    Timer alarm_;

    std::uint64_t config_ = 0, status_ = 0;
    std::uint64_t count_ = 0;  // at `since_`, or for good while halted
    Duration since_{0};
    std::uint64_t seen_ = 0;  // matches up to this count are done
    std::array<Comparator, most_timers> comparators_;
    std::uint32_t connected_ = 0;  // routes
    bool pit_level_ = false, rtc_level_ = false;
    std::uint64_t interrupts_ = 0;
};

}  // namespace backplane::chipset

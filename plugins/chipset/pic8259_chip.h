// One 8259A interrupt controller; a PC has two. (Intel 8259A datasheet, order 231468-003; ELCR as
// in PIIX3, 290550)
#pragma once

#include <cstdint>

namespace backplane::chipset {

class Pic8259Chip {
public:
    // What the acknowledge cycle found.
    struct Acknowledged {
        unsigned level;  // 7 when the request went away: the datasheet's default IR7
        bool spurious;
    };

    // The level of an IR input; requests are latched on the rising edge, or follow the level where
    // ELCR says so.
    void set_input(unsigned level, bool high);

    // INT: an unmasked request of higher priority than whatever is in service.
    bool interrupt() const { return highest_request() >= 0; }
    Acknowledged acknowledge();
    std::uint8_t vector(unsigned level) const { return static_cast<std::uint8_t>(icw2 | level); }

    // A0 = 0 and A0 = 1.
    std::uint8_t read(unsigned a0);
    void write(unsigned a0, std::uint8_t value);
    std::uint8_t read_elcr() const { return elcr; }
    void write_elcr(std::uint8_t value);

    // The levels that ELCR may make level triggered.
    std::uint8_t elcr_writable = 0xff;
    bool is_master = false;

    // ---- State, with its power-on values ----
    std::uint8_t irr = 0, isr = 0, imr = 0xff;
    std::uint8_t inputs = 0;
    std::uint8_t elcr = 0;
    std::uint8_t icw2 = 0, icw3 = 0, icw4 = 0;
    bool single = false, needs_icw4 = false;
    std::uint8_t expected_icw = 0;  // 2, 3 or 4 while the initialization sequence runs
    std::uint8_t lowest_priority = 7;
    bool special_mask = false;
    bool rotate_in_auto_eoi = false;
    bool read_isr = false;
    bool poll = false;

private:
    int highest_request() const;
    unsigned priority(unsigned level) const { return (level - lowest_priority - 1) & 7; }
    int highest(std::uint8_t levels) const;
    bool automatic_eoi() const;
    bool special_fully_nested() const;
    void start_initialization(std::uint8_t icw1);
    void write_icw(std::uint8_t value);
    void write_ocw2(std::uint8_t value);
    void write_ocw3(std::uint8_t value);
    std::uint8_t poll_word();
    void rescan_level_inputs() { irr = static_cast<std::uint8_t>((irr & ~elcr) | (inputs & elcr)); }
};

}  // namespace backplane::chipset

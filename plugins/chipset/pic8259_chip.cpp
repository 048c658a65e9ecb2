#include "pic8259_chip.h"

namespace backplane::chipset {

constexpr unsigned cascade = 2;

namespace icw1 {
constexpr std::uint8_t init = 0x10;
constexpr std::uint8_t single = 0x02;
constexpr std::uint8_t icw4_needed = 0x01;
}  // namespace icw1

namespace icw4 {
constexpr std::uint8_t special_fully_nested = 0x10;
constexpr std::uint8_t automatic_eoi = 0x02;
}  // namespace icw4

namespace ocw3 {
constexpr std::uint8_t select = 0x08;
constexpr std::uint8_t enable_special_mask = 0x40;
constexpr std::uint8_t special_mask = 0x20;
constexpr std::uint8_t poll = 0x04;
constexpr std::uint8_t read_register = 0x02;
constexpr std::uint8_t isr = 0x01;
}  // namespace ocw3

constexpr std::uint8_t bit(unsigned level) { return static_cast<std::uint8_t>(1u << level); }

bool Pic8259Chip::automatic_eoi() const { return (icw4 & icw4::automatic_eoi) != 0; }
bool Pic8259Chip::special_fully_nested() const { return (icw4 & icw4::special_fully_nested) != 0; }

// "If the IR input goes low before [the first INTA] a DEFAULT IR7 will occur": the request is gone
// with the level.
void Pic8259Chip::set_input(unsigned level, bool high) {
    const std::uint8_t mask = bit(level);
    const bool was_high = (inputs & mask) != 0;
    if (high) {
        inputs |= mask;
        if (!was_high || (elcr & mask) != 0) irr |= mask;
    } else {
        inputs &= static_cast<std::uint8_t>(~mask);
        irr &= static_cast<std::uint8_t>(~mask);
    }
}

int Pic8259Chip::highest(std::uint8_t levels) const {
    for (unsigned step = 1; step <= 8; ++step) {
        const unsigned level = (lowest_priority + step) & 7;
        if ((levels & bit(level)) != 0) return static_cast<int>(level);
    }
    return -1;
}

int Pic8259Chip::highest_request() const {
    const int request = highest(static_cast<std::uint8_t>(irr & ~imr));
    if (request < 0) return -1;
    std::uint8_t blocking = isr;
    // In special mask mode a level that is masked does not hold up the others although it is in
    // service.
    if (special_mask) blocking &= static_cast<std::uint8_t>(~imr);
    // In special fully nested mode the slave's further requests are heard while it is in service.
    if (is_master && special_fully_nested()) blocking &= static_cast<std::uint8_t>(~bit(cascade));
    const int serving = highest(blocking);
    if (serving >= 0 &&
        priority(static_cast<unsigned>(request)) >= priority(static_cast<unsigned>(serving)))
        return -1;
    return request;
}

Pic8259Chip::Acknowledged Pic8259Chip::acknowledge() {
    const int request = highest_request();
    if (request < 0) return {7, true};
    const auto level = static_cast<unsigned>(request);
    if ((elcr & bit(level)) == 0) irr &= static_cast<std::uint8_t>(~bit(level));
    if (!automatic_eoi())
        isr |= bit(level);
    else if (rotate_in_auto_eoi)
        lowest_priority = static_cast<std::uint8_t>(level);
    return {level, false};
}

std::uint8_t Pic8259Chip::read(unsigned a0) {
    if (poll) return poll_word();
    if (a0 == 1) return imr;
    return read_isr ? isr : irr;
}

// "The next RD pulse is treated as an interrupt acknowledge": bit 7 says whether there was a
// request, W2-W0 which.
std::uint8_t Pic8259Chip::poll_word() {
    poll = false;
    const Acknowledged found = acknowledge();
    return static_cast<std::uint8_t>(found.spurious ? 0x07 : 0x80 | found.level);
}

void Pic8259Chip::write(unsigned a0, std::uint8_t value) {
    if (a0 == 0) {
        if ((value & icw1::init) != 0)
            start_initialization(value);
        else if ((value & ocw3::select) != 0)
            write_ocw3(value);
        else
            write_ocw2(value);
    } else if (expected_icw != 0) {
        write_icw(value);
    } else {
        imr = value;
    }
}

// Of ICW1, LTIM is replaced by ELCR (PIIX3 3.5.1); ADI and A7-A5 matter to 8080 systems only.
void Pic8259Chip::start_initialization(std::uint8_t value) {
    single = (value & icw1::single) != 0;
    needs_icw4 = (value & icw1::icw4_needed) != 0;
    expected_icw = 2;
    // The edge sense circuit is reset: an input that is high now must fall before it can request
    // again.
    irr = 0;
    isr = 0;
    imr = 0;
    icw4 = 0;
    lowest_priority = 7;
    special_mask = false;
    rotate_in_auto_eoi = false;
    read_isr = false;
    poll = false;
    rescan_level_inputs();
}

void Pic8259Chip::write_icw(std::uint8_t value) {
    switch (expected_icw) {
    case 2:
        icw2 = value & 0xf8;
        expected_icw = !single ? 3 : needs_icw4 ? 4 : 0;
        break;
    case 3:
        icw3 = value;
        expected_icw = needs_icw4 ? 4 : 0;
        break;
    default:
        icw4 = value;
        expected_icw = 0;
        break;
    }
}

void Pic8259Chip::write_ocw2(std::uint8_t value) {
    const unsigned level = value & 7;
    const bool rotate = (value & 0x80) != 0;
    const bool specific = (value & 0x40) != 0;
    const bool end_of_interrupt = (value & 0x20) != 0;
    if (end_of_interrupt) {
        // In special mask mode a non-specific EOI does not see the levels that are masked.
        const auto in_service = static_cast<std::uint8_t>(special_mask ? isr & ~imr : isr);
        const int ended = specific ? static_cast<int>(level) : highest(in_service);
        if (ended < 0) return;
        isr &= static_cast<std::uint8_t>(~bit(static_cast<unsigned>(ended)));
        if (rotate) lowest_priority = static_cast<std::uint8_t>(ended);
    } else if (specific) {
        if (rotate)
            lowest_priority = static_cast<std::uint8_t>(
                level);  // set priority; without R no operation
    } else {
        rotate_in_auto_eoi = rotate;
    }
}

void Pic8259Chip::write_ocw3(std::uint8_t value) {
    if ((value & ocw3::enable_special_mask) != 0) special_mask = (value & ocw3::special_mask) != 0;
    poll = (value & ocw3::poll) != 0;
    if ((value & ocw3::read_register) != 0) read_isr = (value & ocw3::isr) != 0;
}

void Pic8259Chip::write_elcr(std::uint8_t value) {
    elcr = value & elcr_writable;
    rescan_level_inputs();
}

}  // namespace backplane::chipset

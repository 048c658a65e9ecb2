// The keyboard controller of a PC: two PS/2 ports, for keyboard and mouse, the reset line and the
// A20 gate. (IBM PC/AT Technical Reference, "Keyboard Controller"; PS/2 Hardware Interface
// Technical Reference, "Keyboard and Auxiliary Device Controller"; Intel 8042 data sheet)
//
// Guest and devices meet in one output buffer. While it is full both clock lines are held low and
// the devices keep their bytes; a byte then takes some time on the wire, so that a program that
// reads the buffer twice gets the same byte twice, as on a real one.
#pragma once

#include <backplane/sdk.h>

#include <array>

namespace backplane::chipset {

class I8042 final : public Device {
public:
    static void declare(Declaration<I8042>& d);

    Outcome start();
    void reset(ResetKind);

    // A device's side
    void byte_ready();

private:
    enum class Source : std::uint8_t { Controller, Keyboard, Mouse };
    // Of the two wires together: one byte at a time comes in.
    enum class Wire : std::uint8_t { Idle, Receiving, Received };

    std::uint64_t read_data(std::uint64_t offset, unsigned size);
    void write_data(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint64_t read_status(std::uint64_t offset, unsigned size) const;
    void write_command(std::uint64_t offset, unsigned size, std::uint64_t value);
    void write_ram(std::uint8_t index, std::uint8_t value);

    std::uint8_t& command_byte() { return ram_[0]; }
    bool is_disabled(Source port);
    void answer(std::uint8_t value) { put(value, Source::Controller, 0); }
    void put(std::uint8_t value, Source source, std::uint8_t status_bits);
    void fill_output(std::uint8_t value, Source source, std::uint8_t status_bits);
    void send_to_device(Source port, std::uint8_t value);
    void write_output_port(std::uint8_t value);
    void update_interrupts();

    bool output_full() const;
    void output_emptied();
    void receive_next();
    bool receive_from(Source port);
    void received();
    void take_received();

    Duration byte_time_{100'000};
    Connection<backplane_ps2> keyboard_, mouse_;
    Line keyboard_irq_, mouse_irq_, a20_;
    Timer wire_timer_;

    // Byte 0 is the command byte. Before the first reset both ports are disabled: what is plugged
    // in may be faster.
    std::array<std::uint8_t, 32> ram_{0x30};
    std::uint8_t status_ = 0;
    std::uint8_t output_buffer_ = 0;
    std::uint8_t output_port_ = 0;
    // The command whose parameter comes next at port 0x60; 0 = none.
    std::uint8_t pending_command_ = 0;
    // A command that has the status register show half of the input port; 0 = none.
    std::uint8_t polled_input_ = 0;

    // The controller's next byte, while the guest has not read the one before.
    bool answer_waits_ = false;
    std::uint8_t answer_ = 0, answer_status_ = 0;
    Source answer_source_ = Source::Controller;

    Wire wire_ = Wire::Idle;
    Source wire_source_ = Source::Keyboard;
    std::uint8_t wire_byte_ = 0;
    bool break_code_ = false;  // set 2 said that the next code is of a released key

    std::uint64_t keyboard_bytes_ = 0, mouse_bytes_ = 0;
};

}  // namespace backplane::chipset

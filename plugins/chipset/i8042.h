// The keyboard controller of a PC/AT: besides keyboard and mouse ports it has the reset line and
// the A20 gate. (IBM PC/AT Technical Reference, "Keyboard Controller"; PS/2 Hardware Interface
// Technical Reference for the auxiliary port; the behaviour Linux' i8042 driver probes for)
//
// Nothing is plugged into the two PS/2 ports yet: what is sent there is answered as the controller
// answers when no device responds. send_to_device is the place where a keyboard or mouse gets its
// bytes, device_answered where theirs arrive.
#pragma once

#include <backplane/sdk.h>

#include <array>

namespace backplane::chipset {

class I8042 final : public Device {
public:
    static void declare(Declaration<I8042>& d);

    void reset(ResetKind);

private:
    enum class Source : std::uint8_t { Controller, Keyboard, Mouse };

    std::uint64_t read_data(std::uint64_t offset, unsigned size);
    void write_data(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint64_t read_status(std::uint64_t offset, unsigned size) const;
    void write_command(std::uint64_t offset, unsigned size, std::uint64_t value);

    std::uint8_t& command_byte() { return ram_[0]; }
    void answer(std::uint8_t value) { fill_output(value, Source::Controller, 0); }
    void fill_output(std::uint8_t value, Source source, std::uint8_t status_bits);
    void send_to_device(Source port, std::uint8_t value);
    void device_answered(Source port, std::uint8_t value, bool timed_out);
    void write_output_port(std::uint8_t value);
    void update_interrupts();

    std::array<std::uint8_t, 32> ram_{};  // byte 0 is the command byte
    std::uint8_t status_ = 0;
    std::uint8_t output_buffer_ = 0;
    std::uint8_t output_port_ = 0;
    // the command whose parameter comes next at port 0x60; 0 = none
    std::uint8_t pending_command_ = 0;
    Line keyboard_irq_, mouse_irq_, a20_;
};

}  // namespace backplane::chipset

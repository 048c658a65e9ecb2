#include "i8042.h"

namespace backplane::chipset {

namespace {

namespace status {
constexpr std::uint8_t output_full = 0x01, system_flag = 0x04, last_was_command = 0x08;
constexpr std::uint8_t not_locked = 0x10, mouse_data = 0x20, timeout = 0x40, parity = 0x80;
}  // namespace status

namespace command_byte_bits {
constexpr std::uint8_t keyboard_interrupt = 0x01, mouse_interrupt = 0x02, system_flag = 0x04;
constexpr std::uint8_t keyboard_disabled = 0x10, mouse_disabled = 0x20;
}  // namespace command_byte_bits

namespace output_port {
constexpr std::uint8_t not_reset = 0x01, a20 = 0x02, mouse_full = 0x20, keyboard_full = 0x10;
constexpr std::uint8_t idle_lines = 0xc0;  // clock and data of the keyboard, pulled up
}  // namespace output_port

enum Command : std::uint8_t {
    read_ram = 0x20,
    write_ram = 0x60,  // the low five bits are the address
    test_password = 0xa4,
    disable_mouse = 0xa7,
    enable_mouse = 0xa8,
    test_mouse_port = 0xa9,
    self_test = 0xaa,
    test_keyboard_port = 0xab,
    disable_keyboard = 0xad,
    enable_keyboard = 0xae,
    read_input_port = 0xc0,
    read_output_port = 0xd0,
    write_output = 0xd1,
    write_keyboard_buffer = 0xd2,
    write_mouse_buffer = 0xd3,
    write_mouse = 0xd4,
    disable_a20 = 0xdd,
    enable_a20 = 0xdf,
    read_test_inputs = 0xe0,
    pulse_output = 0xf0
};

constexpr std::uint8_t no_password = 0xf1, self_test_passed = 0x55, port_works = 0x00;
// "Keyboard not locked, manufacturing jumper absent, 256 KiB on board."
constexpr std::uint8_t input_port = 0xb0;
constexpr std::uint8_t resend = 0xfe;

}  // namespace

void I8042::declare(Declaration<I8042>& d) {
    d.type("chipset.i8042", "Keyboard controller with reset line and A20 gate, without a keyboard");
    d.port_window<&I8042::read_data, &I8042::write_data>("data", 1, "Data, at port 0x60", 1)
        .reg(0, "DATA",
             "Reads take the output buffer, writes are parameters or go to the keyboard");
    d.port_window<&I8042::read_status, &I8042::write_command>("command", 1,
                                                              "Status and command, at port 0x64", 1)
        .reg(0, "STATUS/COMMAND",
             "Bit 0: output buffer full; 2: system flag; 3: last write was a command; 5: from the "
             "mouse; 6: timeout");
    d.line_output("keyboard-irq", &I8042::keyboard_irq_,
                  "The output buffer holds a byte of the keyboard (IRQ1)");
    d.line_output("mouse-irq", &I8042::mouse_irq_,
                  "The output buffer holds a byte of the mouse (IRQ12)");
    d.line_output("a20", &I8042::a20_, "High while address bit 20 is let through");
    d.saved("ram", &I8042::ram_);
    d.saved("status", &I8042::status_);
    d.saved("output-buffer", &I8042::output_buffer_);
    d.saved("output-port", &I8042::output_port_);
    d.saved("pending-command", &I8042::pending_command_);
}

void I8042::reset(ResetKind) {
    ram_ = {};
    command_byte() = command_byte_bits::keyboard_disabled | command_byte_bits::mouse_disabled;
    status_ = status::not_locked;
    output_buffer_ = 0;
    pending_command_ = 0;
    write_output_port(output_port::idle_lines | output_port::not_reset | output_port::a20);
    update_interrupts();
}

std::uint64_t I8042::read_data(std::uint64_t, unsigned) {
    status_ &= static_cast<std::uint8_t>(
        ~(status::output_full | status::mouse_data | status::timeout | status::parity));
    update_interrupts();
    return output_buffer_;
}

std::uint64_t I8042::read_status(std::uint64_t, unsigned) const { return status_; }

void I8042::fill_output(std::uint8_t value, Source source, std::uint8_t status_bits) {
    output_buffer_ = value;
    status_ &= static_cast<std::uint8_t>(~(status::mouse_data | status::timeout | status::parity));
    status_ |= status::output_full | status_bits;
    if (source == Source::Mouse) status_ |= status::mouse_data;
    update_interrupts();
}

// Both interrupts are levels of the output buffer, answers of the controller count as the
// keyboard's.
void I8042::update_interrupts() {
    const bool full = (status_ & status::output_full) != 0;
    const bool mouse = (status_ & status::mouse_data) != 0;
    output_port_ &= static_cast<std::uint8_t>(
        ~(output_port::keyboard_full | output_port::mouse_full));
    if (full) output_port_ |= mouse ? output_port::mouse_full : output_port::keyboard_full;
    keyboard_irq_.drive(full && !mouse &&
                        (command_byte() & command_byte_bits::keyboard_interrupt) != 0);
    mouse_irq_.drive(full && mouse && (command_byte() & command_byte_bits::mouse_interrupt) != 0);
}

// A device is asked only while its port is enabled; writing to the keyboard enables it (PC/AT
// reference).
void I8042::send_to_device(Source port, std::uint8_t) {
    const std::uint8_t disabled = port == Source::Mouse ? command_byte_bits::mouse_disabled
                                                        : command_byte_bits::keyboard_disabled;
    if (port == Source::Keyboard) command_byte() &= static_cast<std::uint8_t>(~disabled);
    device_answered(port, resend, true);
}

// Nobody clocked the byte out within 15 ms: FE with the timeout bit.
void I8042::device_answered(Source port, std::uint8_t value, bool timed_out) {
    fill_output(value, port, timed_out ? status::timeout : 0);
}

void I8042::write_output_port(std::uint8_t value) {
    output_port_ = value;
    a20_.drive((value & output_port::a20) != 0);
    if ((value & output_port::not_reset) == 0)
        request_reset("the keyboard controller's reset line");
}

void I8042::write_data(std::uint64_t, unsigned, std::uint64_t data) {
    const auto value = static_cast<std::uint8_t>(data);
    const std::uint8_t command = pending_command_;
    pending_command_ = 0;
    status_ &= static_cast<std::uint8_t>(~status::last_was_command);
    if ((command & 0xe0) == write_ram) {
        ram_[command & 0x1f] = value;
        if (command == write_ram) {
            const bool flag = (value & command_byte_bits::system_flag) != 0;
            status_ = static_cast<std::uint8_t>((status_ & ~status::system_flag) |
                                                (flag ? status::system_flag : 0));
            update_interrupts();
        }
        return;
    }
    switch (command) {
    case write_output: write_output_port(value); break;
    case write_keyboard_buffer: fill_output(value, Source::Keyboard, 0); break;
    case write_mouse_buffer: fill_output(value, Source::Mouse, 0); break;
    case write_mouse: send_to_device(Source::Mouse, value); break;
    default: send_to_device(Source::Keyboard, value); break;
    }
}

void I8042::write_command(std::uint64_t, unsigned, std::uint64_t data) {
    const auto command = static_cast<std::uint8_t>(data);
    status_ |= status::last_was_command;
    pending_command_ = 0;
    if ((command & 0xe0) == read_ram) return answer(ram_[command & 0x1f]);
    if ((command & 0xe0) == write_ram) {
        pending_command_ = command;
        return;
    }
    // A pulse pulls the output port bits low whose command bits are zero, for 6 us; only bit 0
    // leads anywhere.
    if ((command & 0xf0) == pulse_output) {
        if ((command & output_port::not_reset) == 0)
            request_reset("the keyboard controller's reset line");
        return;
    }
    switch (command) {
    case test_password: return answer(no_password);
    case disable_mouse: command_byte() |= command_byte_bits::mouse_disabled; break;
    case enable_mouse:
        command_byte() &= static_cast<std::uint8_t>(~command_byte_bits::mouse_disabled);
        break;
    case disable_keyboard: command_byte() |= command_byte_bits::keyboard_disabled; break;
    case enable_keyboard:
        command_byte() &= static_cast<std::uint8_t>(~command_byte_bits::keyboard_disabled);
        break;
    case test_mouse_port:
    case test_keyboard_port: return answer(port_works);
    case self_test:
        command_byte() |= command_byte_bits::system_flag | command_byte_bits::keyboard_disabled |
                          command_byte_bits::mouse_disabled;
        status_ |= status::system_flag;
        return answer(self_test_passed);
    case read_input_port: return answer(input_port);
    case read_output_port: return answer(output_port_);
    case disable_a20:
        return write_output_port(output_port_ & static_cast<std::uint8_t>(~output_port::a20));
    case enable_a20: return write_output_port(output_port_ | output_port::a20);
    case read_test_inputs: return answer(0);
    case write_output:
    case write_keyboard_buffer:
    case write_mouse_buffer:
    case write_mouse: pending_command_ = command; break;
    default: log(LogLevel::Debug, "unknown command ", Hex{command}); break;
    }
}

}  // namespace backplane::chipset

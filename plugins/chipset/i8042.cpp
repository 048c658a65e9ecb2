#include "i8042.h"

#include "ps2_translation.h"

namespace backplane::chipset {

namespace {

namespace status {
constexpr std::uint8_t output_full = 0x01, system_flag = 0x04, last_was_command = 0x08;
constexpr std::uint8_t not_locked = 0x10, mouse_data = 0x20, timeout = 0x40, parity = 0x80;
}  // namespace status

namespace command_byte_bits {
constexpr std::uint8_t keyboard_interrupt = 0x01, mouse_interrupt = 0x02, system_flag = 0x04;
constexpr std::uint8_t keyboard_disabled = 0x10, mouse_disabled = 0x20, translate = 0x40;
}  // namespace command_byte_bits

namespace output_port {
constexpr std::uint8_t not_reset = 0x01, a20 = 0x02, keyboard_full = 0x10, mouse_full = 0x20;
constexpr std::uint8_t idle_lines = 0xc0;  // clock and data of the keyboard, pulled up
}  // namespace output_port

enum Command : std::uint8_t {
    read_ram = 0x20,
    write_ram_command = 0x60,  // the low five bits are the address
    test_password = 0xa4,
    load_password = 0xa5,
    disable_mouse = 0xa7,
    enable_mouse = 0xa8,
    test_mouse_port = 0xa9,
    self_test = 0xaa,
    test_keyboard_port = 0xab,
    disable_keyboard = 0xad,
    enable_keyboard = 0xae,
    read_input_port = 0xc0,
    poll_input_low = 0xc1,
    poll_input_high = 0xc2,
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

template <class... Bits>
constexpr std::uint8_t without(std::uint8_t value, Bits... bits) {
    return static_cast<std::uint8_t>(value & ~(bits | ...));
}

}  // namespace

void I8042::declare(Declaration<I8042>& d) {
    d.type("chipset.i8042", "Keyboard controller with two PS/2 ports, reset line and A20 gate");
    d.property("byte-time", &I8042::byte_time_,
               "How long a byte from keyboard or mouse is on its way; about 1 ms on real wires")
        .range(Duration{1'000}, Duration{100'000'000});
    d.port_window<&I8042::read_data, &I8042::write_data>("data", 1, "Data, at port 0x60", 1)
        .reg(0, "DATA",
             "Reads take the output buffer, writes are parameters or go to the keyboard");
    d.port_window<&I8042::read_status, &I8042::write_command>("command", 1,
                                                              "Status and command, at port 0x64", 1)
        .reg(0, "STATUS/COMMAND",
             "Bit 0: output buffer full; 2: system flag; 3: last write was a command; 5: from the "
             "mouse; 6: timeout");
    d.connects("keyboard", &I8042::keyboard_, "What is plugged into the keyboard port",
               Optional::Yes);
    d.connects("mouse", &I8042::mouse_, "What is plugged into the auxiliary port", Optional::Yes);
    d.line_output("keyboard-irq", &I8042::keyboard_irq_,
                  "The output buffer holds a byte of the keyboard (IRQ1)");
    d.line_output("mouse-irq", &I8042::mouse_irq_,
                  "The output buffer holds a byte of the mouse (IRQ12)");
    d.line_output("a20", &I8042::a20_, "High while address bit 20 is let through");
    d.timer<&I8042::received>("wire", &I8042::wire_timer_);
    d.counter("bytes.keyboard", &I8042::keyboard_bytes_, "bytes", "Received from the keyboard");
    d.counter("bytes.mouse", &I8042::mouse_bytes_, "bytes", "Received from the mouse");
    d.saved("ram", &I8042::ram_);
    d.saved("status", &I8042::status_);
    d.saved("output-buffer", &I8042::output_buffer_);
    d.saved("output-port", &I8042::output_port_);
    d.saved("pending-command", &I8042::pending_command_);
    d.saved("polled-input", &I8042::polled_input_);
    d.saved("answer.waits", &I8042::answer_waits_);
    d.saved("answer.value", &I8042::answer_);
    d.saved("answer.status", &I8042::answer_status_);
    d.saved("answer.source", &I8042::answer_source_);
    d.saved("wire.state", &I8042::wire_);
    d.saved("wire.source", &I8042::wire_source_);
    d.saved("wire.byte", &I8042::wire_byte_);
    d.saved("break-code", &I8042::break_code_);
}

Outcome I8042::start() {
    const backplane_ps2_host host{sizeof host, 0, thunk<&I8042::byte_ready>, this};
    for (const auto& device : {keyboard_, mouse_})
        if (device) device.call<&backplane_ps2::attach>(&host);
    return {};
}

void I8042::reset(ResetKind) {
    ram_ = {};
    command_byte() = command_byte_bits::keyboard_disabled | command_byte_bits::mouse_disabled;
    status_ = status::not_locked;
    output_buffer_ = 0;
    pending_command_ = polled_input_ = 0;
    answer_waits_ = break_code_ = false;
    wire_ = Wire::Idle;
    wire_timer_.stop();
    write_output_port(output_port::idle_lines | output_port::not_reset | output_port::a20);
    update_interrupts();
}

// ---- The output buffer ----

bool I8042::output_full() const { return (status_ & status::output_full) != 0; }

std::uint64_t I8042::read_data(std::uint64_t, unsigned) {
    const std::uint8_t value = output_buffer_;
    if (!output_full()) return value;
    status_ = without(status_, status::output_full, status::mouse_data, status::timeout,
                      status::parity);
    update_interrupts();
    output_emptied();
    return value;
}

std::uint64_t I8042::read_status(std::uint64_t, unsigned) const {
    if (polled_input_ == poll_input_low) return (status_ & 0x0f) | (input_port & 0x0f) << 4;
    if (polled_input_ == poll_input_high) return (status_ & 0x0f) | (input_port & 0xf0);
    return status_;
}

// The controller's own bytes wait until the guest has read what is there, and go before those of
// the devices.
void I8042::put(std::uint8_t value, Source source, std::uint8_t status_bits) {
    if (!output_full()) return fill_output(value, source, status_bits);
    answer_waits_ = true;
    answer_ = value;
    answer_source_ = source;
    answer_status_ = status_bits;
}

void I8042::fill_output(std::uint8_t value, Source source, std::uint8_t status_bits) {
    output_buffer_ = value;
    status_ |= status::output_full | status_bits;
    if (source == Source::Mouse) status_ |= status::mouse_data;
    update_interrupts();
}

void I8042::output_emptied() {
    if (answer_waits_) {
        answer_waits_ = false;
        return fill_output(answer_, answer_source_, answer_status_);
    }
    if (wire_ == Wire::Received) return take_received();
    receive_next();
}

// Both interrupts are levels of the output buffer, answers of the controller count as the
// keyboard's.
void I8042::update_interrupts() {
    const bool full = output_full();
    const bool mouse = (status_ & status::mouse_data) != 0;
    output_port_ = without(output_port_, output_port::keyboard_full, output_port::mouse_full);
    if (full) output_port_ |= mouse ? output_port::mouse_full : output_port::keyboard_full;
    keyboard_irq_.drive(full && !mouse &&
                        (command_byte() & command_byte_bits::keyboard_interrupt) != 0);
    mouse_irq_.drive(full && mouse && (command_byte() & command_byte_bits::mouse_interrupt) != 0);
}

// ---- The devices ----

bool I8042::is_disabled(Source port) {
    const std::uint8_t bit = port == Source::Mouse ? command_byte_bits::mouse_disabled
                                                   : command_byte_bits::keyboard_disabled;
    return (command_byte() & bit) != 0;
}

void I8042::byte_ready() { receive_next(); }

// Lets the clock lines go when nothing is in the way of a byte.
void I8042::receive_next() {
    if (output_full() || wire_ != Wire::Idle) return;
    if (!receive_from(Source::Keyboard)) receive_from(Source::Mouse);
}

bool I8042::receive_from(Source port) {
    const auto& device = port == Source::Mouse ? mouse_ : keyboard_;
    if (!device || is_disabled(port)) return false;
    const std::int32_t value = device.call<&backplane_ps2::read>();
    if (value < 0) return false;
    wire_ = Wire::Receiving;
    wire_source_ = port;
    wire_byte_ = static_cast<std::uint8_t>(value);
    wire_timer_.start_after(byte_time_);
    return true;
}

void I8042::received() {
    ++(wire_source_ == Source::Mouse ? mouse_bytes_ : keyboard_bytes_);
    wire_ = Wire::Received;
    if (!output_full()) take_received();
}

void I8042::take_received() {
    wire_ = Wire::Idle;
    std::uint8_t value = wire_byte_;
    if (wire_source_ == Source::Keyboard && (command_byte() & command_byte_bits::translate) != 0) {
        if (value == set2_break) {
            break_code_ = true;
            return receive_next();
        }
        value = set2_to_set1(value);
        if (break_code_) value |= set1_break;
        break_code_ = false;
    }
    fill_output(value, wire_source_, 0);
}

// Writing to the keyboard enables its port (PC/AT reference). On an empty port nobody clocks the
// byte out within 15 ms: FE with the timeout bit.
void I8042::send_to_device(Source port, std::uint8_t value) {
    if (port == Source::Keyboard)
        command_byte() = without(command_byte(), command_byte_bits::keyboard_disabled);
    const auto& device = port == Source::Mouse ? mouse_ : keyboard_;
    if (!device) return put(resend, port, status::timeout);
    device.call<&backplane_ps2::write>(value);
    receive_next();
}

// ---- Commands ----

void I8042::write_output_port(std::uint8_t value) {
    constexpr std::uint8_t outputs = output_port::keyboard_full | output_port::mouse_full;
    output_port_ = static_cast<std::uint8_t>(without(value, outputs) | (output_port_ & outputs));
    a20_.drive((value & output_port::a20) != 0);
    if ((value & output_port::not_reset) == 0)
        request_reset("the keyboard controller's reset line");
}

void I8042::write_ram(std::uint8_t index, std::uint8_t value) {
    ram_[index] = value;
    if (index != 0) return;
    const bool flag = (value & command_byte_bits::system_flag) != 0;
    status_ = static_cast<std::uint8_t>(without(status_, status::system_flag) |
                                        (flag ? status::system_flag : 0));
    if ((value & command_byte_bits::translate) == 0) break_code_ = false;
    update_interrupts();
    receive_next();
}

void I8042::write_data(std::uint64_t, unsigned, std::uint64_t data) {
    const auto value = static_cast<std::uint8_t>(data);
    const std::uint8_t command = pending_command_;
    pending_command_ = polled_input_ = 0;
    status_ = without(status_, status::last_was_command);
    if ((command & 0xe0) == write_ram_command) return write_ram(command & 0x1f, value);
    switch (command) {
    case load_password:  // up to a zero; there is no keyboard lock that would ask for it
        if (value != 0) pending_command_ = load_password;
        break;
    case write_output: write_output_port(value); break;
    case write_keyboard_buffer: put(value, Source::Keyboard, 0); break;
    case write_mouse_buffer: put(value, Source::Mouse, 0); break;
    case write_mouse: send_to_device(Source::Mouse, value); break;
    default: send_to_device(Source::Keyboard, value); break;
    }
}

void I8042::write_command(std::uint64_t, unsigned, std::uint64_t data) {
    const auto command = static_cast<std::uint8_t>(data);
    status_ |= status::last_was_command;
    pending_command_ = polled_input_ = 0;
    if ((command & 0xe0) == read_ram) return answer(ram_[command & 0x1f]);
    if ((command & 0xe0) == write_ram_command) {
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
        command_byte() = without(command_byte(), command_byte_bits::mouse_disabled);
        return receive_next();
    case disable_keyboard: command_byte() |= command_byte_bits::keyboard_disabled; break;
    case enable_keyboard:
        command_byte() = without(command_byte(), command_byte_bits::keyboard_disabled);
        return receive_next();
    case test_mouse_port:
    case test_keyboard_port: return answer(port_works);
    case self_test:
        command_byte() |= command_byte_bits::system_flag | command_byte_bits::keyboard_disabled |
                          command_byte_bits::mouse_disabled;
        status_ |= status::system_flag;
        return answer(self_test_passed);
    case read_input_port: return answer(input_port);
    case poll_input_low:
    case poll_input_high: polled_input_ = command; break;
    case read_output_port: return answer(output_port_);
    case disable_a20: return write_output_port(without(output_port_, output_port::a20));
    case enable_a20: return write_output_port(output_port_ | output_port::a20);
    case read_test_inputs:  // the two clock lines, held low while their port is disabled
        return answer(static_cast<std::uint8_t>((is_disabled(Source::Keyboard) ? 0 : 1) |
                                                (is_disabled(Source::Mouse) ? 0 : 2)));
    case load_password:
    case write_output:
    case write_keyboard_buffer:
    case write_mouse_buffer:
    case write_mouse: pending_command_ = command; break;
    default: log(LogLevel::Debug, "unknown command ", Hex{command}); break;
    }
}

}  // namespace backplane::chipset

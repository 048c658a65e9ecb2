#include "parallel.h"

namespace backplane::chipset {

namespace {

using namespace std::chrono_literals;

enum Register : unsigned { data_reg, status_reg, control_reg };

namespace status_bits {
constexpr std::uint8_t reserved = 0x03;      // read as ones
constexpr std::uint8_t no_interrupt = 0x04;  // low from nACK's end until the status is read
constexpr std::uint8_t no_error = 0x08, selected = 0x10, paper_out = 0x20, no_acknowledge = 0x40;
constexpr std::uint8_t not_busy = 0x80;
}  // namespace status_bits

namespace control_bits {
constexpr std::uint8_t strobe = 0x01, no_initialize = 0x04, interrupt_enable = 0x10, input = 0x20;
constexpr std::uint8_t writable = 0x3f;
constexpr std::uint8_t reserved = 0xc0;  // read as ones
}  // namespace control_bits

// A printer of the time; and the width of nACK (IEEE 1284: 0.5 to 10 us).
constexpr Duration busy_time = 10us, acknowledge_time = 5us;
// How often a full far end is offered the byte again; its interface cannot say when it has room.
constexpr Duration send_again = 1ms;

}  // namespace

void Parallel::declare(Declaration<Parallel>& d) {
    d.type("chipset.parallel", "Parallel port with a printer");
    d.port_window<&Parallel::read, &Parallel::write>("registers", 3, "At port 0x378", 1)
        .reg(data_reg, "DATA", "What is on the data lines")
        .reg(status_reg, "STATUS", "Bit 3: no error; 4: selected; 5: paper out; 6: nACK; 7: nBUSY")
        .reg(control_reg, "CONTROL",
             "Bit 0: strobe; 1: autofeed; 2: nINIT; 3: select; 4: interrupts; 5: data lines are "
             "inputs");
    d.line_output("irq", &Parallel::irq_, "The printer has acknowledged a byte (IRQ7)");
    d.connects("stream", &Parallel::stream_, "The printer; unconnected, there is none",
               Optional::Yes);
    d.timer<&Parallel::next_phase>("printer", &Parallel::printer_);
    d.counter("bytes", &Parallel::printed_, "bytes", "Printed");
    d.saved("DATA", &Parallel::data_);
    d.saved("CONTROL", &Parallel::control_);
    d.saved("phase", &Parallel::phase_);
    d.saved("printing", &Parallel::printing_);
    d.saved("interrupt", &Parallel::interrupt_);
}

// The reset of the bus clears both registers, so that nINIT resets the printer too.
void Parallel::reset(ResetKind) {
    data_ = 0;
    write_control(0);
}

std::uint64_t Parallel::read(std::uint64_t offset, unsigned) {
    switch (offset) {
    case data_reg: return (control_ & control_bits::input) != 0 ? 0xff : data_;
    case status_reg: {
        const std::uint8_t value = status();
        interrupt_ = false;
        irq_.drive(false);
        return value;
    }
    default: return control_ | control_bits::reserved;
    }
}

void Parallel::write(std::uint64_t offset, unsigned, std::uint64_t value) {
    if (offset == data_reg)
        data_ = static_cast<std::uint8_t>(value);
    else if (offset == control_reg)
        write_control(value & control_bits::writable);
}

std::uint8_t Parallel::status() const {
    using namespace status_bits;
    std::uint8_t value = reserved | no_error | selected;
    if (!interrupt_) value |= no_interrupt;
    // Nothing pulls the lines low.
    if (!stream_) return value | paper_out | no_acknowledge;
    if (phase_ != Phase::Acknowledging) value |= no_acknowledge;
    if (phase_ == Phase::Ready && (control_ & control_bits::no_initialize) != 0) value |= not_busy;
    return value;
}

void Parallel::write_control(std::uint8_t value) {
    const bool strobes = (value & ~control_ & control_bits::strobe) != 0;
    control_ = value;
    irq_.drive(interrupt_ && (control_ & control_bits::interrupt_enable) != 0);
    if ((control_ & control_bits::no_initialize) == 0) {
        phase_ = Phase::Ready;
        interrupt_ = false;
        irq_.drive(false);
        printer_.stop();
        return;
    }
    if (!strobes || !stream_ || phase_ != Phase::Ready) return;
    printing_ = (control_ & control_bits::input) != 0 ? 0xff : data_;
    phase_ = Phase::Busy;
    printer_.start_after(busy_time);
}

void Parallel::next_phase() {
    if (phase_ == Phase::Busy) {
        if (stream_ && stream_.call<&backplane_character::send>(&printing_, 1u) == 0) {
            printer_.start_after(send_again);
            return;
        }
        ++printed_;
        phase_ = Phase::Acknowledging;
        printer_.start_after(acknowledge_time);
        return;
    }
    phase_ = Phase::Ready;
    interrupt_ = true;
    irq_.drive(false);  // an interrupt that nobody has looked at is no reason to lose this one
    irq_.drive((control_ & control_bits::interrupt_enable) != 0);
}

}  // namespace backplane::chipset

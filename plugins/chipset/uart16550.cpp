#include "uart16550.h"

#include <algorithm>

namespace backplane::chipset {

namespace {

using namespace std::chrono_literals;

namespace ier {
constexpr std::uint8_t received_data = 0x01, transmitter_empty = 0x02, line_status = 0x04,
                       modem_status = 0x08;
constexpr std::uint8_t all = 0x0f;
}  // namespace ier

namespace iir {
constexpr std::uint8_t none = 0x01;
constexpr std::uint8_t line_status = 0x06, received_data = 0x04, character_timeout = 0x0c;
constexpr std::uint8_t transmitter_empty = 0x02, modem_status = 0x00;
constexpr std::uint8_t fifos_enabled = 0xc0;
}  // namespace iir

namespace fcr {
constexpr std::uint8_t enable = 0x01, clear_receiver = 0x02, clear_transmitter = 0x04;
constexpr std::uint8_t kept = 0xc9;  // trigger level, DMA mode, enable
}  // namespace fcr

namespace lcr {
constexpr std::uint8_t stop_bits = 0x04, parity = 0x08, send_break = 0x40, dlab = 0x80;
}

namespace mcr {
constexpr std::uint8_t dtr = 0x01, rts = 0x02, out1 = 0x04, out2 = 0x08, loopback = 0x10;
constexpr std::uint8_t all = 0x1f;
}  // namespace mcr

namespace lsr {
constexpr std::uint8_t data_ready = 0x01, overrun = 0x02, break_interrupt = 0x10;
constexpr std::uint8_t thr_empty = 0x20, transmitter_empty = 0x40, fifo_error = 0x80;
}  // namespace lsr

namespace msr {
constexpr std::uint8_t cts = 0x10, dsr = 0x20, ri = 0x40, dcd = 0x80;
constexpr std::uint8_t trailing_edge_ri = 0x04;
constexpr std::uint8_t deltas = 0x0f;
}  // namespace msr

enum Register : unsigned {
    rbr_thr = 0,
    ier_reg,
    iir_fcr,
    lcr_reg,
    mcr_reg,
    lsr_reg,
    msr_reg,
    scr_reg
};

// How often a full far end is offered the bytes again; its interface cannot say when it has room.
constexpr Duration send_again = 1ms;

constexpr backplane_character_receiver receiver_functions{sizeof(backplane_character_receiver),
                                                          0,
                                                          thunk<&Uart16550::room>,
                                                          thunk<&Uart16550::receive>,
                                                          thunk<&Uart16550::receive_break>,
                                                          thunk<&Uart16550::connection>,
                                                          nullptr};

}  // namespace

void Uart16550::declare(Declaration<Uart16550>& d) {
    d.type("chipset.uart16550", "16550A serial port with FIFOs");
    d.property("clock", &Uart16550::clock_,
               "Frequency of the baud rate generator; 16 clocks make a bit at divisor 1")
        .range(Hertz{1}, Hertz{1'000'000'000});
    d.property("paced", &Uart16550::paced_,
               "Whether characters take the time they take on the wire");
    d.property(
        "flow-control", &Uart16550::flow_control_, {"none", "rts"},
        "With rts the stream keeps its bytes until the guest has the port open and raises RTS");
    d.port_window<&Uart16550::read, &Uart16550::write>("registers", 8,
                                                       "The registers, at port 0x3F8", 1)
        .reg(rbr_thr, "RBR/THR/DLL",
             "Receiver buffer, transmitter holding; divisor latch low when DLAB is set")
        .reg(ier_reg, "IER/DLM", "Interrupt enable; divisor latch high when DLAB is set")
        .reg(iir_fcr, "IIR/FCR", "Interrupt identification; writes control the FIFOs")
        .reg(lcr_reg, "LCR", "Line control")
        .reg(mcr_reg, "MCR", "Modem control")
        .reg(lsr_reg, "LSR", "Line status")
        .reg(msr_reg, "MSR", "Modem status")
        .reg(scr_reg, "SCR", "Scratch");
    d.line_output("irq", &Uart16550::irq_, "Interrupt request, gated by OUT2 as on a PC");
    d.connects("stream", &Uart16550::stream_, "Bytes in and out; unconnected, sent bytes vanish",
               Optional::Yes);
    d.timer<&Uart16550::transmit_done>("transmit", &Uart16550::transmit_timer_);
    d.timer<&Uart16550::receive_paced>("receive", &Uart16550::receive_timer_);
    d.timer<&Uart16550::character_timed_out>("character-timeout", &Uart16550::timeout_timer_);
    d.counter("bytes.sent", &Uart16550::sent_, "bytes", "Characters sent");
    d.counter("bytes.received", &Uart16550::received_, "bytes", "Characters received");
    d.counter("interrupts", &Uart16550::interrupts_, "interrupts",
              "Rising edges of the interrupt request");
    d.saved("divisor", &Uart16550::divisor_);
    d.saved("IER", &Uart16550::ier_);
    d.saved("FCR", &Uart16550::fcr_);
    d.saved("LCR", &Uart16550::lcr_);
    d.saved("MCR", &Uart16550::mcr_);
    d.saved("MSR", &Uart16550::msr_);
    d.saved("SCR", &Uart16550::scr_);
    d.saved("line-errors", &Uart16550::lsr_errors_);
    d.saved("thre-pending", &Uart16550::thre_pending_);
    d.saved("timeout-pending", &Uart16550::timeout_pending_);
    d.saved("shift-register", &Uart16550::shift_register_);
    d.saved("shifting", &Uart16550::shifting_);
    d.saved("connected", &Uart16550::connected_);
    d.saved("starved", &Uart16550::starved_);
    const auto save_fifo = [&d](const std::string& name, auto fifo) {
        d.saved(name + ".values", [fifo](Uart16550& uart) -> auto& { return (uart.*fifo).values; });
        d.saved(name + ".errors",
                [fifo](Uart16550& uart) -> auto& { return (uart.*fifo).error_bits; });
        d.saved(name + ".first", [fifo](Uart16550& uart) -> auto& { return (uart.*fifo).first; });
        d.saved(name + ".count", [fifo](Uart16550& uart) -> auto& { return (uart.*fifo).count; });
    };
    save_fifo("receive-fifo", &Uart16550::receive_fifo_);
    save_fifo("transmit-fifo", &Uart16550::transmit_fifo_);
}

Outcome Uart16550::start() {
    if (!stream_) return {};
    connected_ = true;
    backplane_character_receiver receiver = receiver_functions;
    receiver.user = this;
    stream_.call<&backplane_character::attach>(&receiver);
    return {};
}

// Master reset, table II of the datasheet: SCR and the divisor keep what they have.
void Uart16550::reset(ResetKind kind) {
    if (kind == ResetKind::PowerOn) {
        divisor_ = 12;  // 9600 baud
        scr_ = 0;
    }
    was_reset_ = true;
    ier_ = fcr_ = lcr_ = mcr_ = msr_ = lsr_errors_ = 0;
    thre_pending_ = timeout_pending_ = shifting_ = false;
    receive_fifo_.clear();
    transmit_fifo_.clear();
    transmit_timer_.stop();
    receive_timer_.stop();
    timeout_timer_.stop();
    update_modem_status();
    msr_ &= static_cast<std::uint8_t>(~msr::deltas);
    update();
    ask_for_more();
}

bool Uart16550::dlab() const { return (lcr_ & lcr::dlab) != 0; }
bool Uart16550::loopback() const { return (mcr_ & mcr::loopback) != 0; }
bool Uart16550::fifos_enabled() const { return (fcr_ & fcr::enable) != 0; }

unsigned Uart16550::receive_trigger() const {
    constexpr std::array<unsigned, 4> levels{1, 4, 8, 14};
    return fifos_enabled() ? levels[fcr_ >> 6] : 1;
}

// Start bit, data, parity and stop bits, of 16 clocks times the divisor each.
Duration Uart16550::character_time() const {
    const unsigned data_bits = 5 + (lcr_ & 3);
    const unsigned bits = 1 + data_bits + ((lcr_ & lcr::parity) != 0) + 1 +
                          ((lcr_ & lcr::stop_bits) != 0);
    const std::uint64_t divisor = divisor_ == 0 ? 0x10000 : divisor_;
    return clock_.span(16 * divisor * bits);
}

std::uint64_t Uart16550::read(std::uint64_t offset, unsigned) {
    switch (offset) {
    case rbr_thr: return dlab() ? divisor_ & 0xff : read_rbr();
    case ier_reg: return dlab() ? divisor_ >> 8 : ier_;
    case iir_fcr: return read_iir();
    case lcr_reg: return lcr_;
    case mcr_reg: return mcr_;
    case lsr_reg: return read_lsr();
    case msr_reg: return read_msr();
    default: return scr_;
    }
}

void Uart16550::write(std::uint64_t offset, unsigned, std::uint64_t data) {
    const auto value = static_cast<std::uint8_t>(data);
    switch (offset) {
    case rbr_thr:
        if (dlab())
            divisor_ = static_cast<std::uint16_t>((divisor_ & 0xff00) | value);
        else
            write_thr(value);
        break;
    case ier_reg:
        if (dlab())
            divisor_ = static_cast<std::uint16_t>((divisor_ & 0x00ff) | value << 8);
        else
            write_ier(value);
        break;
    case iir_fcr: write_fcr(value); break;
    case lcr_reg: write_lcr(value); break;
    case mcr_reg: write_mcr(value); break;
    case scr_reg: scr_ = value; break;
    default: break;  // LSR and MSR writes are for factory tests
    }
}

// ---- Receiver ----

std::uint8_t Uart16550::read_rbr() {
    if (receive_fifo_.count == 0) return 0;
    const std::uint8_t value = receive_fifo_.pop();
    timeout_pending_ = false;
    if (receive_fifo_.count != 0 && fifos_enabled())
        timeout_timer_.start_after(4 * character_time());
    else
        timeout_timer_.stop();
    update();
    if (receive_fifo_.count == 0) ask_for_more();
    return value;
}

std::uint32_t Uart16550::room() {
    starved_ = true;
    if (!was_reset_ || loopback() || (flow_control_ == FlowControl::Rts && (mcr_ & mcr::rts) == 0))
        return 0;
    if (paced_ && receive_timer_.is_running()) return 0;
    const unsigned size = fifos_enabled() ? Uart16550Fifo::capacity : 1;
    const unsigned free = size - std::min<unsigned>(size, receive_fifo_.count);
    return paced_ ? std::min(free, 1u) : free;
}

void Uart16550::receive(const std::uint8_t* data, std::uint32_t length) {
    received_ += length;
    for (std::uint32_t index = 0; index < length; ++index)
        accept(data[index], 0);
    if (paced_) receive_timer_.start_after(character_time());
}

void Uart16550::receive_break() {
    if (!loopback()) accept(0, lsr::break_interrupt);
}

// An overrun loses the character in the shift register when the FIFO is full, the old one in 16450
// mode.
void Uart16550::accept(std::uint8_t value, std::uint8_t errors) {
    const unsigned size = fifos_enabled() ? Uart16550Fifo::capacity : 1;
    if (receive_fifo_.count >= size) {
        lsr_errors_ |= lsr::overrun;
        if (!fifos_enabled()) receive_fifo_.clear();
    }
    if (receive_fifo_.count < size) receive_fifo_.push(value, errors);
    timeout_pending_ = false;
    if (fifos_enabled()) timeout_timer_.start_after(4 * character_time());
    update();
}

// "No characters have been removed from or input to the RCVR FIFO during the last 4 character
// times."
void Uart16550::character_timed_out() {
    timeout_pending_ = receive_fifo_.count != 0;
    update();
}

void Uart16550::receive_paced() { ask_for_more(); }

void Uart16550::ask_for_more() {
    if (!stream_ || !starved_) return;
    starved_ = false;
    stream_.call<&backplane_character::room_again>();
}

// ---- Transmitter ----

void Uart16550::write_thr(std::uint8_t value) {
    thre_pending_ = false;
    const unsigned size = fifos_enabled() ? Uart16550Fifo::capacity : 1;
    // A driver that does not wait for THRE overwrites THR; a full FIFO keeps what it has.
    if (transmit_fifo_.count >= size && !fifos_enabled()) transmit_fifo_.clear();
    if (transmit_fifo_.count < size) transmit_fifo_.push(value);
    update();
    if (!shifting_) transmit();
}

// Moves characters from the holding register or FIFO to the shift register, and out of it as far as
// time allows.
void Uart16550::transmit() {
    while (transmit_fifo_.count != 0) {
        shift_register_ = transmit_fifo_.pop();
        if (transmit_fifo_.count == 0) thre_pending_ = true;
        shifting_ = true;
        if (paced_) {
            transmit_timer_.start_after(character_time());
            break;
        }
        if (!shift_out(shift_register_)) {
            transmit_timer_.start_after(send_again);
            break;
        }
        shifting_ = false;
    }
    update();
}

void Uart16550::transmit_done() {
    if (!shift_out(shift_register_)) {
        transmit_timer_.start_after(send_again);
        return;
    }
    shifting_ = false;
    transmit();
}

// False when the far end is full.
bool Uart16550::shift_out(std::uint8_t value) {
    const auto data_bits = static_cast<std::uint8_t>((1u << (5 + (lcr_ & 3))) - 1);
    const std::uint8_t character = value & data_bits;
    if (loopback()) {
        accept(character, 0);
    } else if (stream_) {
        // The whole byte: programs that print without ever programming LCR, whose reset value means
        // 5 bits, are common.
        if (stream_.call<&backplane_character::send>(&value, std::uint32_t{1}) == 0) return false;
    }
    ++sent_;
    return true;
}

// ---- Modem lines ----

void Uart16550::connection(std::int32_t connected) {
    connected_ = connected != 0;
    update_modem_status();
    update();
}

void Uart16550::update_modem_status() {
    std::uint8_t lines = 0;
    if (loopback()) {
        if ((mcr_ & mcr::rts) != 0) lines |= msr::cts;
        if ((mcr_ & mcr::dtr) != 0) lines |= msr::dsr;
        if ((mcr_ & mcr::out1) != 0) lines |= msr::ri;
        if ((mcr_ & mcr::out2) != 0) lines |= msr::dcd;
    } else if (connected_) {
        lines = msr::cts | msr::dsr | msr::dcd;
    }
    const auto changed = static_cast<std::uint8_t>((lines ^ msr_) & ~msr::deltas);
    auto deltas = static_cast<std::uint8_t>(changed >> 4);
    // Of RI only the trailing edge counts.
    if ((lines & msr::ri) != 0) deltas &= static_cast<std::uint8_t>(~msr::trailing_edge_ri);
    msr_ = static_cast<std::uint8_t>(lines | (msr_ & msr::deltas) | deltas);
}

std::uint8_t Uart16550::read_msr() {
    const std::uint8_t value = msr_;
    msr_ &= static_cast<std::uint8_t>(~msr::deltas);
    update();
    return value;
}

// ---- Interrupts and control ----

std::uint8_t Uart16550::interrupt_id() const {
    const std::uint8_t errors = lsr_errors_ | receive_fifo_.front_errors();
    if ((ier_ & ier::line_status) != 0 && errors != 0) return iir::line_status;
    if ((ier_ & ier::received_data) != 0) {
        if (receive_fifo_.count >= receive_trigger()) return iir::received_data;
        if (timeout_pending_) return iir::character_timeout;
    }
    if ((ier_ & ier::transmitter_empty) != 0 && thre_pending_) return iir::transmitter_empty;
    if ((ier_ & ier::modem_status) != 0 && (msr_ & msr::deltas) != 0) return iir::modem_status;
    return iir::none;
}

void Uart16550::update() {
    const bool request = interrupt_id() != iir::none && (mcr_ & mcr::out2) != 0;
    if (request && !irq_.level()) ++interrupts_;
    irq_.drive(request);
}

// Reading IIR clears the transmitter interrupt, but only when that is what it told.
std::uint8_t Uart16550::read_iir() {
    const std::uint8_t id = interrupt_id();
    if (id == iir::transmitter_empty) thre_pending_ = false;
    update();
    return static_cast<std::uint8_t>(id | (fifos_enabled() ? iir::fifos_enabled : 0));
}

std::uint8_t Uart16550::read_lsr() {
    std::uint8_t value = lsr_errors_ | receive_fifo_.front_errors();
    if (receive_fifo_.count != 0) value |= lsr::data_ready;
    if (transmit_fifo_.count == 0) value |= lsr::thr_empty;
    if (transmit_fifo_.count == 0 && !shifting_) value |= lsr::transmitter_empty;
    if (fifos_enabled() && receive_fifo_.has_errors()) value |= lsr::fifo_error;
    lsr_errors_ = 0;
    if (receive_fifo_.count != 0) receive_fifo_.clear_front_errors();
    update();
    return value;
}

// Enabling the transmitter interrupt while THR is empty raises it at once: drivers start sending
// that way.
void Uart16550::write_ier(std::uint8_t value) {
    const bool enabled = (value & ~ier_ & ier::transmitter_empty) != 0;
    ier_ = value & ier::all;
    if (enabled && transmit_fifo_.count == 0) thre_pending_ = true;
    update();
}

// "Bit 0 must be a 1 when other FCR bits are written to or they will not be programmed"; changing
// it clears both FIFOs.
void Uart16550::write_fcr(std::uint8_t value) {
    const bool toggled = ((value ^ fcr_) & fcr::enable) != 0;
    const bool enabled = (value & fcr::enable) != 0;
    fcr_ = enabled ? value & fcr::kept : 0;
    if (toggled || (enabled && (value & fcr::clear_receiver) != 0)) {
        receive_fifo_.clear();
        timeout_pending_ = false;
        timeout_timer_.stop();
    }
    if ((toggled || (enabled && (value & fcr::clear_transmitter) != 0)) &&
        transmit_fifo_.count != 0) {
        transmit_fifo_.clear();  // the shift register is not cleared
        thre_pending_ = true;
    }
    update();
    ask_for_more();
}

void Uart16550::write_lcr(std::uint8_t value) {
    const bool break_starts = (value & ~lcr_ & lcr::send_break) != 0;
    lcr_ = value;
    if (break_starts && loopback()) accept(0, lsr::break_interrupt);
}

void Uart16550::write_mcr(std::uint8_t value) {
    mcr_ = value & mcr::all;
    update_modem_status();
    update();
    ask_for_more();
}

}  // namespace backplane::chipset

#include "fdc82077.h"

#include "fdc_registers.h"

#include <algorithm>
#include <string>

namespace backplane::storage {

void Fdc82077::declare(Declaration<Fdc82077>& d) {
    d.type("storage.fdc82077", "Floppy disk controller 82077AA");
    d.property("mode", &Fdc82077::mode_, {"at", "ps2", "model30"},
               "Which registers it has: those of the PC/AT, the PS/2, or the PS/2 Model 30");
    d.property("speed", &Fdc82077::speed_,
               "How many times faster than real ones the drives step and turn")
        .range(1u, 1000u);
    d.port_window<&Fdc82077::read, &Fdc82077::write>("registers", 6, "In a PC at port 0x3F0", 1)
        .reg(0, "SRA", "Status A: wires of the cable; not in AT mode; read only")
        .reg(1, "SRB", "Status B: wires of the cable; not in AT mode; read only")
        .reg(2, "DOR",
             "Bits 0 and 1: drive; bit 2: not reset; bit 3: DMA and interrupt; 4 to 7: "
             "motors")
        .reg(3, "TDR", "Bits 0 and 1: which drive is a tape drive")
        .reg(4, "MSR", "Read: main status; write: DSR, data rate, power-down and reset")
        .reg(5, "FIFO", "Commands, data and results");
    d.port_window<&Fdc82077::read_dir, &Fdc82077::write_ccr>("digital-input", 1,
                                                             "In a PC at port 0x3F7", 1)
        .reg(0, "DIR", "Read: bit 7: disk change; write: CCR, data rate");
    d.line_output("irq", &Fdc82077::irq_, "Interrupt, in a PC 6");
    d.connects("dma", &Fdc82077::dma_, "DMA channel, in a PC 2", Optional::Yes);
    static constexpr std::array<const char*, drives> names{"drive0", "drive1", "drive2", "drive3"};
    for (unsigned number = 0; number < drives; ++number)
        d.connects(
            names[number], [number](Fdc82077& t) -> auto& { return t.cables_[number].drive; },
            "Place at the cable", Optional::Yes);

    d.timer<&Fdc82077::alarm_due>("alarm", &Fdc82077::timer_);

    d.saved("due", &Fdc82077::due_);
    d.saved("DOR", &Fdc82077::dor_);
    d.saved("TDR", &Fdc82077::tdr_);
    d.saved("rate", &Fdc82077::rate_);
    d.saved("no-precompensation", &Fdc82077::no_precompensation_);
    d.saved("is-ready", &Fdc82077::is_ready_);
    d.saved("motor-since", &Fdc82077::motor_since_);
    d.saved("stepped", &Fdc82077::stepped_);
    d.saved("step-inwards", &Fdc82077::step_inwards_);
    d.saved("was-read", &Fdc82077::was_read_);
    d.saved("was-written", &Fdc82077::was_written_);
    d.saved("write-gate", &Fdc82077::write_gate_);
    d.saved("specify", &Fdc82077::specify_);
    d.saved("configuration", &Fdc82077::configuration_);
    d.saved("precompensation-track", &Fdc82077::precompensation_track_);
    d.saved("perpendicular", &Fdc82077::perpendicular_);
    d.saved("locked", &Fdc82077::is_locked_);
    d.saved("cylinder", &Fdc82077::cylinder_);
    d.saved("seek.kind", &Fdc82077::seek_kind_);
    d.saved("seek.steps-left", &Fdc82077::steps_left_);
    d.saved("seek.status", &Fdc82077::seek_status_);
    d.saved("seek.going-on", &Fdc82077::seeking_);
    d.saved("seek.inwards", &Fdc82077::seeks_inwards_);
    d.saved("seek.ended", &Fdc82077::seek_ended_);
    d.saved("polled", &Fdc82077::polled_);
    d.saved("poll-interrupt", &Fdc82077::poll_interrupt_);
    d.saved("phase", &Fdc82077::phase_);
    d.saved("command.what", &Fdc82077::doing_);
    d.saved("command.bytes", &Fdc82077::command_);
    d.saved("command.received", &Fdc82077::received_);
    d.saved("command.length", &Fdc82077::length_);
    d.saved("result.bytes", &Fdc82077::result_);
    d.saved("result.length", &Fdc82077::result_length_);
    d.saved("result.at", &Fdc82077::result_at_);
    d.saved("result.interrupt", &Fdc82077::result_interrupt_);
    d.saved("ST0", &Fdc82077::st0_);
    d.saved("ST1", &Fdc82077::st1_);
    d.saved("ST2", &Fdc82077::st2_);
    d.saved("C", &Fdc82077::c_);
    d.saved("H", &Fdc82077::h_);
    d.saved("R", &Fdc82077::r_);
    d.saved("N", &Fdc82077::n_);
    d.saved("last-record", &Fdc82077::last_record_);
    d.saved("step-of-records", &Fdc82077::step_of_records_);
    d.saved("to-verify", &Fdc82077::to_verify_);
    d.saved("head", &Fdc82077::head_);
    d.saved("waits-for", &Fdc82077::wait_);
    d.saved("head-loaded-until", &Fdc82077::head_loaded_until_);
    d.saved("track.begin", &Fdc82077::track_begin_);
    d.saved("track.index", &Fdc82077::track_index_);
    d.saved("track.count", &Fdc82077::track_count_);
    d.saved("last", &Fdc82077::is_last_);
    d.saved("written", &Fdc82077::has_written_);
    d.saved("implied-seek", &Fdc82077::implied_seek_);
    d.saved("disk-lost", &Fdc82077::disk_lost_);
    d.saved("data.expected", &Fdc82077::expected_);
    d.saved("data.moved", &Fdc82077::moved_);
    d.saved("data.passed", &Fdc82077::passed_);
    d.saved("data.offset", &Fdc82077::data_offset_);
    d.saved("data.terminal-count", &Fdc82077::terminal_count_);
    d.saved("data.dma-request", &Fdc82077::dma_request_);
    d.saved("data.fifo-request", &Fdc82077::fifo_request_);
    d.saved("fifo", &Fdc82077::fifo_);
    d.saved("fifo.count", &Fdc82077::fifo_count_);
    d.saved("buffer", &Fdc82077::buffer_);
    d.saved("io", &Fdc82077::io_);

    d.counter("commands", &Fdc82077::commands_, "commands", "Executed");
    d.counter("sectors", &Fdc82077::sectors_, "sectors", "Read, written or verified");
    d.counter("failures", &Fdc82077::failures_, "commands", "Ended abnormally");
    d.counter("overruns", &Fdc82077::overruns_, "commands", "Ended as the host was too slow");
}

Outcome Fdc82077::start() {
    if (dma_) {
        if (dma_.call<&backplane_dma_channel::width>() != 1)
            return std::unexpected(std::string{"dma must be a channel of bytes, 0 to 3"});
        const backplane_dma_device device{sizeof device, 0, thunk<&Fdc82077::dma_transfer>,
                                          thunk<&Fdc82077::terminal_count>, this};
        dma_.call<&backplane_dma_channel::attach>(&device);
    }
    for (unsigned number = 0; number < drives; ++number) {
        Cable& cable = cables_[number];
        cable.controller = this;
        cable.number = number;
        if (!cable.drive) continue;
        const backplane_floppy_host host{sizeof host, 0, thunk<&Cable::completed>,
                                         thunk<&Cable::disk_changed>, &cable};
        cable.drive.call<&backplane_floppy_drive::attach>(&host);
    }
    return {};
}

// The RESET pin: all registers, LOCK, and what commands have set. (datasheet 2.1 and 7.1)
void Fdc82077::reset(ResetKind) {
    is_locked_ = false;
    perpendicular_ = 0;
    specify_ = {};
    dor_ = tdr_ = 0;
    rate_ = fdc_dsr::power_on;
    no_precompensation_ = false;
    head_loaded_until_ = Duration{0};
    stepped_ = step_inwards_ = was_read_ = was_written_ = write_gate_ = false;
    motor_since_ = {};
    software_reset();
}

void Fdc82077::set_alarm(unsigned alarm, Duration when) {
    due_[alarm] = when;
    const Duration first = *std::ranges::min_element(due_);
    first == off ? timer_.stop() : timer_.start_at(first);
}

void Fdc82077::alarm_due() {
    const auto alarm = static_cast<unsigned>(std::ranges::min_element(due_) - due_.begin());
    if (due_[alarm] == off) return;
    stop_alarm(alarm);
    switch (alarm) {
    case Ready: return became_ready();
    case Waited: return waited();
    case Byte: return byte_passes();
    default: step(alarm - Step);
    }
}

// A transfer that the drive had begun is made again, once everybody else is restored too. It may
// have been carried out before; carried out twice it gives the same.
void Fdc82077::restored() {
    if (io_ == Io::None) return;
    host().post(
        host().context,
        [](void* self) noexcept {
            auto& fdc = *static_cast<Fdc82077*>(self);
            if (fdc.io_ != Io::None) fdc.start_io(fdc.io_);
        },
        this);
}

}  // namespace backplane::storage

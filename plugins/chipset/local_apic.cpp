#include "local_apic.h"

#include "local_apic_registers.h"

namespace backplane::chipset {

using namespace local_apic;

namespace {

// A Pentium 4's: 0x14, and six LVT entries; no EOI-broadcast suppression.
constexpr std::uint32_t version = 0x0005'0014;
constexpr std::uint32_t svr_enable = 0x100, svr_writable = 0x3ff;
constexpr std::uint32_t icr_writable = 0x000c'cfff;
constexpr std::uint32_t lvt_masked = 1u << 16, lvt_remote_irr = 1u << 14;
constexpr unsigned lvt_timer_mode = 17;
constexpr std::uint32_t error_illegal_register = 0x80;

// In the order of the LVT: timer, thermal sensor, performance counters, LINT0, LINT1, error (figure
// 11-8).
constexpr std::array<std::uint32_t, 6> lvt_writable{0x700ff, 0x107ff, 0x107ff,
                                                    0x1a7ff, 0x1a7ff, 0x100ff};
constexpr std::uint32_t virtual_wire_lint0 = 0x700, virtual_wire_lint1 = 0x400;

constexpr backplane_interrupt_controller controller_functions{
    sizeof(backplane_interrupt_controller),
    0,
    thunk<&LocalApic::acknowledge>,
    thunk<&LocalApic::read>,
    thunk<&LocalApic::write>,
    thunk<&LocalApic::read_msr>,
    thunk<&LocalApic::write_msr>,
    thunk<&LocalApic::task_priority>,
    thunk<&LocalApic::set_task_priority>,
    thunk<&LocalApic::take_startup>};

constexpr backplane_message_interrupt message_functions{sizeof(backplane_message_interrupt), 0,
                                                        thunk<&LocalApic::receive>};

}  // namespace

void LocalApic::declare(Declaration<LocalApic>& d) {
    d.type("chipset.local-apic", "Local APIC of one CPU");
    d.property("id", &LocalApic::initial_id_, "APIC ID").range(std::uint8_t{0}, std::uint8_t{254});
    d.property("frequency", &LocalApic::frequency_, "Input clock of the timer, before its divider")
        .range(Hertz{1'000'000}, Hertz{10'000'000'000});
    d.property("boot-processor", &LocalApic::boot_processor_,
               "Whether this CPU starts first, as IA32_APIC_BASE.BSP says");
    d.property("virtual-wire", &LocalApic::virtual_wire_,
               "Start with LINT0 as ExtINT and LINT1 as NMI, the way firmware hands over "
               "(MultiProcessor Specification 3.6.2.2)");
    d.provides("controller", controller_functions,
               "Registers, MSRs, task priority and acknowledgement, for the CPU");
    d.provides("messages", message_functions,
               "Interrupt messages from I/O APICs, PCI devices and other CPUs");
    d.line_input<&LocalApic::set_lint0>("lint0", "LINT0, usually the 8259's INTR");
    d.line_input<&LocalApic::set_lint1>("lint1", "LINT1, usually NMI");
    d.line_output("intr", &LocalApic::intr_, "An interrupt waits for the CPU");
    d.line_output("nmi", &LocalApic::nmi_, "Pulses for each NMI");
    d.line_output("init", &LocalApic::init_, "Pulses for each INIT");
    d.line_output("startup", &LocalApic::startup_, "Pulses for each STARTUP");
    d.connects("external", &LocalApic::external_, "The 8259 that is acknowledged for ExtINT",
               Optional::Yes);
    d.connects_all("processors", &LocalApic::processors_,
                   "The local APICs of the other CPUs; may name this one too");
    d.connects_all("end-of-interrupt", &LocalApic::end_listeners_, "The I/O APICs");
    d.timer<&LocalApic::timer_expired>("timer", &LocalApic::timer_alarm_);
    d.counter("interrupts.accepted", &LocalApic::accepted_, "interrupts",
              "Fixed interrupts put into IRR");
    d.counter("interrupts.merged", &LocalApic::merged_, "interrupts",
              "Fixed interrupts whose vector was in IRR already");
    d.counter("interrupts.acknowledged", &LocalApic::acknowledged_, "interrupts",
              "Fixed interrupts the CPU took");
    d.counter("interrupts.external", &LocalApic::external_acknowledged_, "interrupts",
              "ExtINT interrupts the CPU took");
    d.counter("timer.interrupts", &LocalApic::timer_interrupts_, "interrupts",
              "Interrupts of the timer");
    d.counter("ipis.sent", &LocalApic::sent_, "messages", "Interprocessor interrupts sent");
    d.saved("IA32_APIC_BASE", &LocalApic::base_);
    d.saved("ID", &LocalApic::id_);
    d.saved("TPR", &LocalApic::tpr_);
    d.saved("LDR", &LocalApic::ldr_);
    d.saved("DFR", &LocalApic::dfr_);
    d.saved("SVR", &LocalApic::svr_);
    d.saved("ESR", &LocalApic::esr_);
    d.saved("new-errors", &LocalApic::new_errors_);
    d.saved("ICR.low", &LocalApic::icr_low_);
    d.saved("ICR.high", &LocalApic::icr_high_);
    d.saved("LVT", &LocalApic::lvt_);
    d.saved("IRR", [](LocalApic& apic) -> auto& { return apic.irr_.words; });
    d.saved("ISR", [](LocalApic& apic) -> auto& { return apic.isr_.words; });
    d.saved("TMR", [](LocalApic& apic) -> auto& { return apic.tmr_.words; });
    d.saved("timer.initial-count",
            [](LocalApic& apic) -> auto& { return apic.timer_.initial_count; });
    d.saved("timer.first", [](LocalApic& apic) -> auto& { return apic.timer_.first; });
    d.saved("timer.origin", [](LocalApic& apic) -> auto& { return apic.timer_.origin; });
    d.saved("timer.divide-configuration",
            [](LocalApic& apic) -> auto& { return apic.timer_.divide_configuration; });
    d.saved("timer.mode", [](LocalApic& apic) -> auto& { return apic.timer_.mode; });
    d.saved("timer.owed", [](LocalApic& apic) -> auto& { return apic.timer_.owed; });
    d.saved("timer.tsc-deadline", [](LocalApic& apic) -> auto& { return apic.timer_.deadline; });
    d.saved("lint", &LocalApic::lint_);
    d.saved("external-latched", &LocalApic::external_latched_);
    d.saved("startup-vector", &LocalApic::startup_vector_);
    d.saved("next-processor", &LocalApic::next_processor_);
}

void LocalApic::reset(ResetKind) {
    base_ = base_bits::power_on_address | base_bits::enable |
            (boot_processor_ ? base_bits::boot_processor : 0);
    id_ = initial_id_;
    reset_registers();
    if (virtual_wire_) {
        lvt_[Lint0] = virtual_wire_lint0;
        lvt_[Lint1] = virtual_wire_lint1;
    }
    update();
}

// 11.4.7.1; an INIT leaves the ID alone.
void LocalApic::reset_registers() {
    tpr_ = 0;
    ldr_ = 0;
    dfr_ = 0x0f;
    svr_ = 0xff;
    esr_ = new_errors_ = 0;
    icr_low_ = icr_high_ = 0;
    lvt_.fill(lvt_masked);
    irr_ = isr_ = tmr_ = {};
    timer_ = {.bus_frequency = frequency_};
    external_latched_ = false;
    startup_vector_ = -1;
    next_processor_ = 0;
    schedule_timer();
}

bool LocalApic::is_software_enabled() const { return (svr_ & svr_enable) != 0; }
bool LocalApic::is_masked(Lvt entry) const { return (lvt_[entry] & lvt_masked) != 0; }

// Registers are 32 bits wide and 16 bytes apart; what lies between reads as zero.
std::uint64_t LocalApic::read(std::uint64_t offset, std::uint32_t) {
    if ((offset & 0xc) != 0) return 0;
    return read_register(static_cast<unsigned>(offset >> 4 & 0xff)) >> (offset & 3) * 8;
}

void LocalApic::write(std::uint64_t offset, std::uint32_t, std::uint64_t value) {
    if ((offset & 0xf) == 0)
        write_register(static_cast<unsigned>(offset >> 4 & 0xff),
                       static_cast<std::uint32_t>(value));
}

std::uint32_t LocalApic::read_register(unsigned index) {
    if (index >= isr_reg && index < isr_reg + 8) return isr_.words[index - isr_reg];
    if (index >= tmr_reg && index < tmr_reg + 8) return tmr_.words[index - tmr_reg];
    if (index >= irr_reg && index < irr_reg + 8) return irr_.words[index - irr_reg];
    if (index >= lvt_reg && index - lvt_reg < LvtCount) return lvt_[index - lvt_reg];
    switch (index) {
    case id_reg: return is_x2apic() ? id_ : std::uint32_t{id_} << 24;
    case version_reg: return version;
    case tpr_reg: return tpr_;
    case apr_reg: return arbitration_priority();
    case ppr_reg: return processor_priority();
    case eoi_reg:
    case rrd_reg: return 0;
    case ldr_reg: return logical_id();
    case dfr_reg: return std::uint32_t{dfr_} << 28 | 0x0fff'ffff;
    case svr_reg: return svr_;
    case esr_reg: return esr_;
    case icr_low_reg: return icr_low_;
    case icr_high_reg: return icr_high_;
    case initial_count_reg: return timer_.initial_count;
    case current_count_reg: return timer_.current_count(now());
    case divide_configuration_reg: return timer_.divide_configuration;
    default: raise_error(error_illegal_register); return 0;
    }
}

void LocalApic::write_register(unsigned index, std::uint32_t value) {
    if (index >= lvt_reg && index - lvt_reg < LvtCount) return write_lvt(index - lvt_reg, value);
    switch (index) {
    case id_reg: id_ = static_cast<std::uint8_t>(value >> 24); break;
    case tpr_reg: tpr_ = static_cast<std::uint8_t>(value); break;
    case eoi_reg: end_of_interrupt(); break;
    case ldr_reg: ldr_ = static_cast<std::uint8_t>(value >> 24); break;
    case dfr_reg: dfr_ = static_cast<std::uint8_t>(value >> 28); break;
    case svr_reg: write_svr(value); break;
    case esr_reg:
        // A write makes the errors since the last one readable (11.5.3).
        esr_ = new_errors_;
        new_errors_ = 0;
        break;
    case icr_low_reg: write_icr(value, icr_high_ >> 24); break;
    case icr_high_reg: icr_high_ = value & 0xff00'0000; break;
    case initial_count_reg:
        timer_.write_initial_count(value, now());
        schedule_timer();
        break;
    case divide_configuration_reg:
        timer_.write_divide_configuration(static_cast<std::uint8_t>(value), now());
        schedule_timer();
        break;
    case version_reg:
    case apr_reg:
    case ppr_reg:
    case current_count_reg: break;  // read only
    default:
        if (index < isr_reg || index >= esr_reg) raise_error(error_illegal_register);
        break;
    }
    update();
}

// While the APIC is disabled by software all LVT entries stay masked (11.4.7.2).
void LocalApic::write_lvt(unsigned entry, std::uint32_t value) {
    if (entry == Timer && is_masked(Timer)) timer_.skip_expiry(now());
    lvt_[entry] = (value & lvt_writable[entry]) | (lvt_[entry] & lvt_remote_irr);
    if (!is_software_enabled()) lvt_[entry] |= lvt_masked;
    if (entry == Timer) {
        // Mode 3 is reserved (figure 11-8): what was there stays.
        const unsigned mode = lvt_[entry] >> lvt_timer_mode & 3;
        if (mode <= 2) timer_.set_mode(static_cast<TimerMode>(mode), now());
        schedule_timer();
    }
    if (entry == Lint0 || entry == Lint1) drive_lint(entry - Lint0, false);
    update();
}

void LocalApic::write_svr(std::uint32_t value) {
    svr_ = value & svr_writable;
    if (is_software_enabled()) return;
    for (auto& entry : lvt_)
        entry |= lvt_masked;
}

// ICR's shorthand: nobody, self, all with self, all without self (figure 11-12).
void LocalApic::write_icr(std::uint32_t value, std::uint32_t destination) {
    icr_low_ = value & icr_writable;
    const unsigned shorthand = value >> 18 & 3;
    const InterruptMessage message{.destination = shorthand >= 2 ? InterruptMessage::all
                                                                 : destination,
                                   .logical = shorthand < 2 && (value & 0x800) != 0,
                                   .mode = static_cast<DeliveryMode>(value >> 8 & 7),
                                   .vector = static_cast<std::uint8_t>(value),
                                   .level_triggered = (value & 0x8000) != 0,
                                   .assert = (value & 0x4000) != 0};
    constexpr std::uint32_t error_send_illegal_vector = 0x20;
    const bool has_vector = message.mode == DeliveryMode::Fixed ||
                            message.mode == DeliveryMode::LowestPriority;
    if (has_vector && message.vector < 16) return raise_error(error_send_illegal_vector);
    // INIT level de-assert only synchronized the arbitration IDs of old processors.
    if (message.mode == DeliveryMode::Init && message.level_triggered && !message.assert) return;
    ++sent_;
    const bool to_self = shorthand == 1 || shorthand == 2 ||
                         (shorthand == 0 && is_destination(message));
    const bool to_others = shorthand != 1;
    const bool one_is_enough = message.mode == DeliveryMode::LowestPriority;
    const bool taken = to_others && send(message);
    if (to_self && !(one_is_enough && taken)) accept(message);
}

void LocalApic::set_task_priority(std::uint8_t priority) {
    tpr_ = static_cast<std::uint8_t>(priority << 4);
    update();
}

}  // namespace backplane::chipset

#include "acpi_pm.h"

namespace backplane::chipset {

namespace {

constexpr Hertz timer_frequency{3'579'545};
constexpr unsigned timer_bits = 24;
constexpr std::uint8_t soft_off = 0;  // SUS_TYP

constexpr backplane_power_button button_functions{sizeof(backplane_power_button), 0,
                                                  thunk<&AcpiPm::press>};

template <auto event>
constexpr auto status = [](AcpiPm& device) -> bool& { return (device.*event).status; };
template <auto event>
constexpr auto enable = [](AcpiPm& device) -> bool& { return (device.*event).enable; };

}  // namespace

void AcpiPm::declare(Declaration<AcpiPm>& d) {
    d.type("chipset.acpi-pm", "ACPI power management registers: power-off, power button and timer");
    d.line_output("sci", &AcpiPm::interrupt_,
                  "System control interrupt, level-triggered and active high");
    d.line_input<&AcpiPm::power_button>("power-button", "High while the button is pressed");
    d.provides("button", button_functions, "The power button, for whoever presses it from outside");
    d.timer<&AcpiPm::timer_carry>("carry", &AcpiPm::carry_);

    constexpr auto clearable = Access::WriteOneToClear;
    auto& bank = d.port_registers("registers", Width::Bits16, "The power management I/O space");
    bank.at(0x0, "PMSTS")
        .flag(0, "TMROF_STS", status<&AcpiPm::timer_event_>, clearable)
        .flag(4, "BM_STS", &AcpiPm::bus_master_status_, clearable)
        .flag(5, "GBL_STS", status<&AcpiPm::global_event_>, clearable)
        .flag(8, "PWRBTN_STS", status<&AcpiPm::power_button_event_>, clearable)
        .flag(10, "RTC_STS", status<&AcpiPm::rtc_event_>, clearable)
        .flag(15, "RSM_STS", &AcpiPm::resume_status_, clearable)
        .after_write(&AcpiPm::drive_interrupt);
    bank.at(0x2, "PMEN")
        .flag(0, "TMROF_EN", enable<&AcpiPm::timer_event_>)
        .flag(5, "GBL_EN", enable<&AcpiPm::global_event_>)
        .flag(8, "PWRBTN_EN", enable<&AcpiPm::power_button_event_>)
        .flag(10, "RTC_EN", enable<&AcpiPm::rtc_event_>)
        .after_write(&AcpiPm::drive_interrupt);
    bank.at(0x4, "PMCNTRL")
        .computed(0, 1, "SCI_EN",
                  [](AcpiPm&) { return 1; })  // there is no system management mode to share with
        .flag(1, "BRLD_EN_BM", &AcpiPm::bus_master_reload_)
        .field(10, 3, "SUS_TYP", &AcpiPm::sleep_type_)
        .flag(13, "SUS_EN", &AcpiPm::sleep_enable_, Access::WriteOnly)
        .after_write(&AcpiPm::control_written);
    bank.at(0x8, "PMTMR", Width::Bits32).computed(0, timer_bits, "TMR_VAL", &AcpiPm::timer_value);
    bank.at(0xc, "GPSTS")
        .field(0, 16, "GPSTS", &AcpiPm::general_status_, clearable)
        .after_write(&AcpiPm::drive_interrupt);
    bank.at(0xe, "GPEN")
        .field(0, 16, "GPEN", &AcpiPm::general_enable_)
        .after_write(&AcpiPm::drive_interrupt);
}

void AcpiPm::reset(ResetKind) {
    timer_event_ = global_event_ = power_button_event_ = rtc_event_ = {};
    bus_master_status_ = resume_status_ = bus_master_reload_ = sleep_enable_ = false;
    sleep_type_ = 0;
    general_status_ = general_enable_ = 0;
    start_timer();
    drive_interrupt();
}

// The timer runs from power-on, whatever resets the rest.
std::uint32_t AcpiPm::timer_value() const {
    return static_cast<std::uint32_t>(timer_frequency.ticks(now()) & low_bits(timer_bits));
}

// TMROF_STS is set whenever the highest bit changes.
void AcpiPm::start_timer() {
    constexpr unsigned highest_bit = timer_bits - 1;
    const std::uint64_t next = (timer_frequency.ticks(now()) >> highest_bit) + 1;
    carry_.start_at(timer_frequency.span(next << highest_bit));
}

void AcpiPm::timer_carry() {
    timer_event_.status = true;
    drive_interrupt();
    start_timer();
}

// ACPI 6.5, 4.8.3.1.1: a press sets PWRBTN_STS, which raises the interrupt where it is enabled.
std::int32_t AcpiPm::press() {
    power_button_event_.status = true;
    drive_interrupt();
    return power_button_event_.enable ? 1 : 0;
}

void AcpiPm::power_button(bool pressed) {
    if (pressed) press();
}

void AcpiPm::control_written() {
    if (!sleep_enable_) return;
    sleep_enable_ = false;
    if (sleep_type_ == soft_off)
        request_power_off(0, "guest powered off (ACPI S5)");
    else
        log(LogLevel::Warning, "the guest asks for sleep type ", int{sleep_type_},
            ", but only 0, soft off, is there");
}

void AcpiPm::drive_interrupt() {
    bool wanted = (general_status_ & general_enable_) != 0;
    for (const Event& event : {timer_event_, global_event_, power_button_event_, rtc_event_})
        wanted |= event.status && event.enable;
    interrupt_.drive(wanted);
}

}  // namespace backplane::chipset

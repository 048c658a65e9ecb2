// The ACPI power management block: power button, power-off, and a timer that every kernel knows.
// (82371AB "PIIX4" datasheet 290562, 7.2; the same registers as ACPI 6.4, 4.8.3 and 4.8.4)
#pragma once

#include <backplane/sdk.h>

namespace backplane::chipset {

class AcpiPm final : public Device {
public:
    static void declare(Declaration<AcpiPm>& d);

    void reset(ResetKind);

    // backplane.power-button/1
    std::int32_t press();

private:
    // An event is a status bit that raises the interrupt while its enable bit is set too.
    struct Event {
        bool status = false, enable = false;
    };

    std::uint32_t timer_value() const;
    void timer_carry();
    void power_button(bool pressed);
    void start_timer();
    void control_written();
    void drive_interrupt();

    Line interrupt_;
    Timer carry_;
    Event timer_event_, global_event_, power_button_event_, rtc_event_;
    bool bus_master_status_ = false, resume_status_ = false;
    bool bus_master_reload_ = false, sleep_enable_ = false;
    std::uint8_t sleep_type_ = 0;
    std::uint16_t general_status_ = 0, general_enable_ = 0;
};

}  // namespace backplane::chipset

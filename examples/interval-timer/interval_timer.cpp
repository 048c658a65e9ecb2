// Counts a period of guest time, over and over, and raises its interrupt line at the end of each.
#include <backplane/sdk.h>

namespace {

using namespace backplane::literals;
using backplane::Access;

class IntervalTimer final : public backplane::Device {
public:
    static void declare(backplane::Declaration<IntervalTimer>& d) {
        d.type("example.interval-timer", "Periodic timer with one interrupt line");
        d.property("frequency", &IntervalTimer::frequency_, "Ticks per second").range(1_Hz, 10_MHz);

        auto& bank = d.registers("registers", backplane::Width::Bits32, "Control, period, status");
        bank.at(0x0, "CONTROL")
            .flag(0, "ENABLE", &IntervalTimer::enabled_)
            .after_write(&IntervalTimer::rearm);
        bank.at(0x4, "PERIOD")
            .field(0, 32, "TICKS", &IntervalTimer::period_)
            .after_write(&IntervalTimer::rearm);
        bank.at(0x8, "STATUS")
            .flag(0, "EXPIRED", &IntervalTimer::expired_, Access::WriteOneToClear)
            .after_write(&IntervalTimer::drive_irq);

        d.line_output("irq", &IntervalTimer::irq_, "High while STATUS.EXPIRED is set");
        d.timer<&IntervalTimer::expire>("alarm", &IntervalTimer::alarm_);
    }

    void reset(backplane::ResetKind) {
        enabled_ = expired_ = false;
        period_ = 0;
        rearm();
        drive_irq();
    }

private:
    // A zero period would expire forever at the same instant, so it stops the timer instead.
    void rearm() {
        if (enabled_ && period_ != 0)
            alarm_.start_after(frequency_.span(period_));
        else
            alarm_.stop();
    }

    void expire() {
        expired_ = true;
        drive_irq();
        alarm_.start_at(alarm_.deadline() +
                        frequency_.span(period_));  // from the deadline: no drift
    }

    void drive_irq() { irq_.drive(expired_); }

    backplane::Hertz frequency_ = 1_MHz;
    bool enabled_ = false, expired_ = false;
    std::uint32_t period_ = 0;
    backplane::Line irq_;
    backplane::Timer alarm_;
};

}  // namespace

BACKPLANE_PLUGIN(.id = "com.example.timers", .name = "Example timers", .version = "1.0.0",
                 .vendor = "Example", .license = "Apache-2.0",
                 .devices = backplane::device_types<IntervalTimer>);

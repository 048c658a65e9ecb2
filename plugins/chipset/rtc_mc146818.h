// The battery-backed clock and 114 bytes of CMOS RAM of a PC, at ports 0x70 and 0x71.
// (Motorola MC146818A datasheet; the contents of the RAM as in IBM's PC/AT Technical Reference and
// QEMU)
//
// The time of day runs on guest time from the instant the property `time` names. With "host" that
// is the machine's own start: by the host's clock, or a fixed date in a deterministic machine.
#pragma once

#include "rtc_calendar.h"

#include <backplane/sdk.h>

#include <array>

namespace backplane::chipset {

class RtcMc146818 final : public Device {
public:
    static void declare(Declaration<RtcMc146818>& d);

    Outcome start();
    void reset(ResetKind kind);

private:
    std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint8_t read_register(unsigned index);
    void write_register(unsigned index, std::uint8_t value);
    std::uint8_t read_c();
    void write_a(std::uint8_t value);
    void write_b(std::uint8_t value);
    void write_time(unsigned index, std::uint8_t value);

    RtcFormat format() const;
    bool divider_runs() const;
    bool time_runs() const;
    std::int64_t seconds(Duration instant) const;
    std::int64_t periodic_ticks() const;
    std::int64_t divider_ticks(Duration instant) const;
    bool update_in_progress() const;

    void freeze();
    void thaw();
    RtcTime current_time() const;
    void set_time(const RtcTime& time);

    unsigned seconds_to_alarm(std::int64_t from) const;
    void catch_up();
    void update();
    void fill_memory_size();

    std::string time_ = "host";
    AddressSpace memory_;
    Line irq_;
    Timer timer_;

    std::uint8_t index_ = 0;               // port 0x70 with the NMI mask in bit 7
    std::array<std::uint8_t, 128> ram_{};  // the alarm registers, A to D, and the RAM; not the time
    std::array<std::uint8_t, 8>
        frozen_{};  // the time registers while updates are inhibited, as in RtcTime
    bool is_frozen_ = false;
    std::int64_t base_seconds_ = 0;   // the time of day, in seconds since 1970,
    Duration base_{0};                // at this instant, when a second and the divider began
    std::uint8_t weekday_shift_ = 0;  // the guest may count weekdays from any day
    Duration caught_up_{0};           // flags in C are right as of this instant
};

}  // namespace backplane::chipset

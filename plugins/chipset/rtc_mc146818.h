// The battery-backed clock and CMOS RAM of a PC, at ports 0x70 and 0x71, and the 128 bytes more
// that later chip sets have at ports 0x72 and 0x73. (Motorola MC146818A datasheet; 82371AB "PIIX4"
// datasheet 290562, 4.2.4 for the extended bank)
//
// The time of day runs on guest time from the instant the property `time` names. With "host" that
// is the machine's own start: by the host's clock, or a fixed date in a deterministic machine.
#pragma once

#include "cmos_contents.h"
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
    std::uint64_t read_extended(std::uint64_t offset, unsigned size);
    void write_extended(std::uint64_t offset, unsigned size, std::uint64_t value);
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
    std::optional<RtcDaylightChange> daylight_change() const;
    Duration begin_of(std::int64_t second) const;
    void catch_up();
    void catch_up_to(Duration instant);
    void update();
    void fill_ram();

    std::string time_ = "host";
    std::string boot_order_ = "cad";
    std::array<std::uint8_t, 3> boot_devices_{};
    FloppyDrive floppy0_ = FloppyDrive::None, floppy1_ = FloppyDrive::None;
    std::uint8_t cpus_ = 1;
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
    std::int64_t fell_back_at_ = 0;   // the second that daylight saving has let come twice

    std::uint8_t extended_index_ = 0;
    std::array<std::uint8_t, 128> extended_ram_{};
};

}  // namespace backplane::chipset

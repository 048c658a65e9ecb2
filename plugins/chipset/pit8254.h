// The PC's 8254 interval timer: counter 0 is the tick, counter 1 refreshed memory, counter 2 sounds
// the speaker. With it comes system control port B (0x61), which gates counter 2 and shows its
// output. (Intel 8254 datasheet, order 231164-005; PIIX3 datasheet 290550, 2.5.4 "NMI Status and
// Control")
#pragma once

#include "pit8254_counter.h"

#include <backplane/sdk.h>

#include <array>

namespace backplane::chipset {

class Pit8254 final : public Device {
public:
    static void declare(Declaration<Pit8254>& d);

    void reset(ResetKind);

private:
    std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint64_t read_system_control(std::uint64_t offset, unsigned size);
    void write_system_control(std::uint64_t offset, unsigned size, std::uint64_t value);

    Pit8254Counter::Tick tick() const {
        return static_cast<Pit8254Counter::Tick>(clock_.ticks(now()));
    }
    void read_back(std::uint8_t command, Pit8254Counter::Tick now);
    void catch_up(Pit8254Counter::Tick now);
    void update();
    void on_tick() { pass_edge(counters_[0], irq_, tick_timer_); }
    void on_speaker() { pass_edge(counters_[2], out2_, speaker_timer_); }
    void pass_edge(Pit8254Counter& counter, Line& line, Timer& timer);
    void drive(Pit8254Counter& counter, Line& line, Timer& timer, Pit8254Counter::Tick now);

    Hertz clock_{1'193'182};
    std::array<Pit8254Counter, 3> counters_;
    std::uint8_t system_control_ = 0;
    Timer tick_timer_, speaker_timer_;
    Line irq_, out2_;
};

}  // namespace backplane::chipset

// Where the beam is: retrace and blanking as the guest polls them, and the pace of blinking, from
// guest time and what the guest has programmed.
#pragma once

#include <backplane/units.h>

#include <cstdint>

namespace backplane::display {

struct ScanTiming {
    Hertz dot_clock;
    unsigned dots, lines;                 // of a frame with its borders and retraces
    unsigned shown_dots, shown_lines;     // from the upper left corner on
    unsigned retrace_start, retrace_end;  // lines; end is not included

    struct Beam {
        std::uint64_t frame;
        unsigned line, dot;
    };
    [[nodiscard]] Beam beam(Duration now) const {
        const std::uint64_t all = dot_clock.ticks(now), frame = std::uint64_t{dots} * lines;
        const std::uint64_t rest = all % frame;
        return {all / frame, static_cast<unsigned>(rest / dots),
                static_cast<unsigned>(rest % dots)};
    }

    [[nodiscard]] bool is_shown(const Beam& beam) const {
        return beam.line < shown_lines && beam.dot < shown_dots;
    }
    [[nodiscard]] bool is_retrace(const Beam& beam) const {
        return beam.line >= retrace_start && beam.line < retrace_end;
    }
    // When the next retrace after `now` begins.
    [[nodiscard]] Duration next_retrace(Duration now) const {
        const std::uint64_t frame = std::uint64_t{dots} * lines;
        const std::uint64_t begin = std::uint64_t{retrace_start} * dots;
        const std::uint64_t all = dot_clock.ticks(now);
        const std::uint64_t frames = all / frame + (all % frame >= begin ? 1 : 0);
        return dot_clock.span(frames * frame + begin);
    }
    [[nodiscard]] std::uint32_t refresh_mhz() const {
        return static_cast<std::uint32_t>(dot_clock.value * 1000 / (std::uint64_t{dots} * lines));
    }
};

// IBM VGA manual: a cursor is 8 frames on and 8 off, a blinking character 16 and 16.
struct BlinkPhase {
    bool cursor_on, characters_on;
    explicit BlinkPhase(const ScanTiming::Beam& beam)
        : cursor_on{(beam.frame & 8) == 0}, characters_on{(beam.frame & 16) == 0} {}
    bool operator==(const BlinkPhase&) const = default;
};

}  // namespace backplane::display

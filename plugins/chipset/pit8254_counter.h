// One counter of an 8254, as a function of time: it is told the CLK tick of each event and computes
// the count and OUT of any later tick, so that nothing runs between events. (Intel 8254 datasheet,
// order 231164-005)
#pragma once

#include <cstdint>
#include <optional>

namespace backplane::chipset {

class Pit8254Counter {
public:
    using Tick = std::int64_t;

    // Brings what happened up to `now` into the state. Every function below expects it to have been
    // called.
    void synchronize(Tick now);

    void write_control(std::uint8_t value);
    void write_data(std::uint8_t value, Tick now);
    std::uint8_t read_data(Tick now);
    void latch_count(Tick now);
    void latch_status(Tick now);
    void set_gate(bool level, Tick now);

    bool out(Tick now) const;
    // The next tick at which OUT may change if nothing is written until then.
    std::optional<Tick> next_change(Tick now) const;

    bool gate_level() const { return gate; }

    // ---- State, with its power-on values ----
    std::uint8_t mode = 3;
    std::uint8_t access = 3;  // RW1-RW0: 1 least, 2 most significant byte, 3 both
    bool bcd = false;
    bool gate = true;

    std::uint16_t count_register = 0;  // CR, as written
    bool written = false;              // since the control word
    std::uint8_t first_byte = 0;
    bool write_second = false, read_second = false;
    bool null_count = true;  // CR has not been loaded into CE

    bool loaded = false;            // CE has been loaded since the control word
    std::uint32_t count = 0x10000;  // what CE was loaded with
    Tick origin = 0;                // when; CE decrements from the tick after
    bool retriggered = false;       // mode 1: OUT was low already when the trigger came
    bool paused = false;            // GATE stopped counting when `held` ticks had passed
    Tick held = 0;
    bool reload_pending = false;  // modes 2 and 3: CR is loaded at `reload_at`
    bool reload_into_low_half = false;
    Tick reload_at = 0;

    bool count_latched = false, status_latched = false;
    std::uint16_t latched_count = 0;
    std::uint8_t latched_status = 0;

private:
    std::uint32_t modulus() const { return bcd ? 10000 : 0x10000; }
    std::uint32_t initial_count() const;
    Tick high_half() const { return (Tick{count} + 1) / 2; }
    Tick elapsed(Tick now) const { return paused ? held : now - origin; }
    void load(Tick at);
    void schedule_reload(Tick now);
    void count_written(Tick now);
    std::uint16_t current_count(Tick now) const;
};

}  // namespace backplane::chipset

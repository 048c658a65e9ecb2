// The VGA's sequencer, ports 0x3C4 and 0x3C5: clocks, which planes are written, where fonts lie.
#pragma once

#include <array>
#include <cstdint>

namespace backplane::display {

struct Sequencer {
    enum Register : std::uint8_t {
        reset,
        clocking_mode,
        map_mask,
        character_map_select,
        memory_mode,
        register_count
    };

    std::uint8_t index = 0;
    std::array<std::uint8_t, register_count> registers{};

    [[nodiscard]] std::uint8_t read() const {
        return index < register_count ? registers[index] : 0;
    }

    // Whether the register has changed.
    bool write(std::uint8_t value) {
        constexpr std::array<std::uint8_t, register_count> implemented{0x03, 0x3d, 0x0f, 0x3f,
                                                                       0x0e};
        if (index >= register_count) return false;
        value &= implemented[index];
        const bool changed = registers[index] != value;
        registers[index] = value;
        return changed;
    }

    [[nodiscard]] bool is_running() const { return registers[reset] == 3; }
    [[nodiscard]] unsigned character_dots() const {
        return (registers[clocking_mode] & 0x01) != 0 ? 8 : 9;
    }
    [[nodiscard]] bool halves_dot_clock() const { return (registers[clocking_mode] & 0x08) != 0; }
    [[nodiscard]] bool is_screen_off() const { return (registers[clocking_mode] & 0x20) != 0; }
    [[nodiscard]] unsigned write_planes() const { return registers[map_mask]; }
    // Even addresses are for planes 0 and 2, odd ones for 1 and 3.
    [[nodiscard]] bool is_odd_even() const { return (registers[memory_mode] & 0x04) == 0; }
    [[nodiscard]] bool is_chain4() const { return (registers[memory_mode] & 0x08) != 0; }

    // Offsets in plane 2 of the fonts for characters whose attribute has bit 3 set and clear.
    [[nodiscard]] std::uint32_t font_a() const {
        const unsigned select = registers[character_map_select];
        return font_offset((select >> 2 & 3) | (select >> 3 & 4));
    }
    [[nodiscard]] std::uint32_t font_b() const {
        const unsigned select = registers[character_map_select];
        return font_offset((select & 3) | (select >> 2 & 4));
    }

private:
    // Maps 0 to 3 lie 16 KiB apart, 4 to 7 between them.
    static std::uint32_t font_offset(unsigned map) {
        return (map & 3) * 0x4000 + (map >> 2) * 0x2000;
    }
};

}  // namespace backplane::display

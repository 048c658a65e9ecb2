#include "attribute_controller.h"

namespace backplane::display {

bool AttributeController::write(std::uint8_t value) {
    expects_data = !expects_data;
    if (expects_data) {
        const bool shown = shows();
        address = value & 0x3f;
        return shows() != shown;
    }
    constexpr std::array<std::uint8_t, 5> implemented{0xef, 0xff, 0x3f, 0x0f, 0x0f};
    if (index() >= register_count) return false;
    // IBM VGA manual, Attribute Address register: the CPU reaches the palette while bit 5 is 0.
    if (index() < mode_control && shows()) return false;
    value &= index() < mode_control ? 0x3f : implemented[index() - mode_control];
    const bool changed = registers[index()] != value;
    registers[index()] = value;
    return changed;
}

// With nine dots 8 stands for none, and 0 for one.
unsigned AttributeController::panned_dots(unsigned character_dots) const {
    const unsigned panning = registers[pixel_panning];
    if (character_dots == 8) return panning & 7;
    return panning >= 8 ? 0 : panning + 1;
}

std::array<std::uint8_t, 16> AttributeController::dac_entries() const {
    const unsigned select = registers[color_select];
    std::array<std::uint8_t, 16> entries{};
    for (unsigned dot = 0; dot < 16; ++dot) {
        const unsigned color = registers[palette + (dot & registers[color_plane_enable])];
        const unsigned low = (registers[mode_control] & 0x80) != 0
                                 ? (color & 0x0f) | (select & 0x03) << 4
                                 : color;
        entries[dot] = static_cast<std::uint8_t>(low | (select & 0x0c) << 4);
    }
    return entries;
}

}  // namespace backplane::display

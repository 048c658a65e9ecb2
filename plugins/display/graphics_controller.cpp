#include "graphics_controller.h"

#include <bit>

namespace backplane::display {

bool GraphicsController::write(std::uint8_t value) {
    constexpr std::array<std::uint8_t, register_count> implemented{0x0f, 0x0f, 0x0f, 0x1f, 0x03,
                                                                   0x7b, 0x0f, 0x0f, 0xff};
    if (index >= register_count) return false;
    value &= implemented[index];
    const bool changed = registers[index] != value;
    registers[index] = value;
    return changed;
}

// IBM VGA manual, Graphics Mode register: write modes 0 to 3.
std::uint32_t GraphicsController::written(std::uint8_t value) const {
    const std::uint32_t set = spread(registers[set_reset]);
    const std::uint8_t rotated = std::rotr(value, registers[data_rotate] & 7);
    std::uint32_t data = 0;
    std::uint8_t mask = registers[bit_mask];
    switch (registers[graphics_mode] & 3) {
    case 0: {
        const std::uint32_t enabled = spread(registers[enable_set_reset]);
        data = (to_each(rotated) & ~enabled) | (set & enabled);
        break;
    }
    case 1: return latches;
    case 2: data = spread(value & 0x0f); break;
    default:  // 3
        data = set;
        mask &= rotated;
    }
    switch (registers[data_rotate] >> 3) {
    case 1: data &= latches; break;
    case 2: data |= latches; break;
    case 3: data ^= latches; break;
    default: break;  // 0: as they are
    }
    return (data & to_each(mask)) | (latches & ~to_each(mask));
}

std::uint8_t GraphicsController::result(unsigned plane) const {
    if ((registers[graphics_mode] & 0x08) == 0)
        return static_cast<std::uint8_t>(latches >> (8 * plane));
    const std::uint32_t difference = (latches ^ spread(registers[color_compare])) &
                                     spread(registers[color_dont_care]);
    return static_cast<std::uint8_t>(
        ~(difference | difference >> 8 | difference >> 16 | difference >> 24));
}

}  // namespace backplane::display

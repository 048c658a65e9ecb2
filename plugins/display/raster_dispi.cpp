// Frames of the Bochs display interface: one number for each pixel, or four planes.
#include "raster.h"

namespace backplane::display {

namespace {

// `bits` of a color as eight, such that the brightest stays the brightest.
constexpr std::uint32_t widen(std::uint32_t value, unsigned bits) {
    value &= (1u << bits) - 1;
    return value << (8 - bits) | value >> (2 * bits - 8);
}

constexpr std::uint32_t color_of_15(std::uint32_t pixel) {
    return widen(pixel >> 10, 5) << 16 | widen(pixel >> 5, 5) << 8 | widen(pixel, 5);
}

constexpr std::uint32_t color_of_16(std::uint32_t pixel) {
    return widen(pixel >> 11, 5) << 16 | widen(pixel >> 5, 6) << 8 | widen(pixel, 5);
}

// A pixel of `bytes` bytes, in the guest's order of them.
std::uint32_t load(const std::uint8_t* from, unsigned bytes, bool is_big_endian) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < bytes; ++i)
        value |= std::uint32_t{from[is_big_endian ? bytes - 1 - i : i]} << (8 * i);
    return value;
}

}  // namespace

// Dispi::settle keeps all rows inside the memory.
void Raster::read_packed_row(std::uint32_t y, std::uint32_t x, std::uint32_t count,
                             std::uint32_t* pixels) const {
    const unsigned bytes = chip_.dispi.memory_bits() / 8;
    const std::uint8_t* from = chip_.memory.data() + chip_.dispi.start() + y * chip_.dispi.pitch() +
                               x * bytes;
    const unsigned depth = chip_.dispi.registers[Dispi::bpp];
    const bool swap = chip_.is_big_endian;
    for (std::uint32_t i = 0; i < count; ++i, from += bytes) {
        switch (depth) {
        case 8: pixels[i] = colors_[*from]; break;
        case 15: pixels[i] = color_of_15(load(from, 2, swap)); break;
        case 16: pixels[i] = color_of_16(load(from, 2, swap)); break;
        case 24: pixels[i] = load(from, 3, swap); break;
        default: pixels[i] = load(from, 4, swap) & 0xffffff; break;
        }
    }
}

void Raster::read_dispi_planes(std::uint32_t y, std::uint32_t x, std::uint32_t count,
                               std::uint32_t* pixels) const {
    const auto& dispi = chip_.dispi;
    const std::uint32_t row = dispi.registers[Dispi::y_offset] + y;
    const std::uint32_t first = dispi.registers[Dispi::x_offset] + x;
    std::array<std::uint8_t, 8> dots{};
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t at = first + i;
        if (i == 0 || at % 8 == 0)
            plane_dots(chip_.memory.planes(row * (dispi.pitch() / 4) + at / 8), dots.data());
        pixels[i] = colors_[dots[at % 8]];
    }
}

}  // namespace backplane::display

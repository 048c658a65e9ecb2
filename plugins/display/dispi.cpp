#include "dispi.h"

#include "video_memory.h"

#include <algorithm>

namespace backplane::display {

std::uint16_t Dispi::read(unsigned number, std::uint32_t memory_size) const {
    if (number >= register_count) return 0;
    if (number == video_memory_64k) return static_cast<std::uint16_t>(memory_size >> 16);
    if ((registers[enable] & getcaps) != 0) {
        if (number == xres) return largest_width;
        if (number == yres) return largest_height;
        if (number == bpp) return 32;
    }
    return registers[number];
}

bool Dispi::write(unsigned number, std::uint16_t value, VideoMemory& memory) {
    switch (number) {
    case id:
        if (value < 0xb0c0 || value > newest_id) return false;
        registers[id] = value;
        return false;
    case xres:
    case yres:
    case bpp:
    case virt_width:
    case x_offset:
    case y_offset:
        registers[number] = value;
        if (is_enabled()) settle(memory.size());
        return is_enabled();
    case bank: {
        // Of 64 KiB of the window, which shows a plane when there are four.
        const std::uint32_t banks = memory.size() >> 16;
        registers[bank] = static_cast<std::uint16_t>(
            value & ((registers[bpp] == 4 ? std::max(banks / 4, 1u) : banks) - 1));
        return false;
    }
    case enable: {
        const bool begins = (value & enabled) != 0 && !is_enabled();
        if ((value & enabled) == 0) registers[bank] = 0;
        registers[enable] = value;
        if (!begins) return true;
        registers[virt_width] = registers[x_offset] = registers[y_offset] = 0;
        settle(memory.size());
        if ((value & no_clear_memory) == 0) memory.clear(registers[yres] * pitch());
        return true;
    }
    default: return false;
    }
}

// Makes the registers describe a frame that lies in memory, whatever was written.
void Dispi::settle(std::uint32_t memory_size) {
    auto& r = registers;
    const auto is_depth = [&](unsigned bits) { return r[bpp] == bits; };
    if (std::ranges::none_of(std::array{4u, 8u, 15u, 16u, 24u, 32u}, is_depth)) r[bpp] = 8;
    const auto whole_characters = [](std::uint16_t width) {
        return static_cast<std::uint16_t>(std::clamp<std::uint16_t>(width, 8, largest_width) & ~7);
    };
    r[xres] = whole_characters(r[xres]);
    r[virt_width] = std::max(whole_characters(r[virt_width]), r[xres]);
    const std::uint32_t lines = std::min<std::uint32_t>(memory_size / pitch(), 0xffff);
    r[virt_height] = static_cast<std::uint16_t>(lines);
    r[yres] = std::clamp<std::uint16_t>(r[yres], 1, largest_height);
    r[yres] = std::min(r[yres], r[virt_height]);
    const auto reaches_beyond = [&] {
        return std::uint64_t{r[x_offset]} * memory_bits() / 8 +
                   (std::uint64_t{r[y_offset]} + r[yres]) * pitch() >
               memory_size;
    };
    if (reaches_beyond()) r[y_offset] = 0;
    if (reaches_beyond()) r[x_offset] = 0;
}

}  // namespace backplane::display

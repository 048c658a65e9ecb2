// The 128 KiB below 0xC0000 through which real-mode programs see the card's memory.
#include "vga_chip.h"

namespace backplane::display {

namespace {

struct Map {
    std::uint32_t start, end;
};

// Graphics controller, Miscellaneous register bits 3-2.
constexpr std::array<Map, 4> maps{{{0x00000, 0x20000},    // 0xA0000, all
                                   {0x00000, 0x10000},    // 0xA0000, 64 KiB
                                   {0x10000, 0x18000},    // 0xB0000, 32 KiB
                                   {0x18000, 0x20000}}};  // 0xB8000, 32 KiB

constexpr std::uint8_t ram_enable = 0x02, even_page = 0x20;  // misc output

}  // namespace

bool VgaChip::decodes(std::uint32_t address) const {
    if ((subsystem_enable & 1) == 0) return false;
    if (dispi.is_packed()) return address < 0x10000;  // of a bank
    const Map map = maps[graphics.memory_map()];
    return (miscellaneous_output & ram_enable) != 0 && address >= map.start && address < map.end;
}

// IBM VGA manual, Memory Mode and Graphics Miscellaneous registers. Where low address bits select
// planes, the offset in the planes has others in their place.
VgaChip::Place VgaChip::place(std::uint32_t address) const {
    const unsigned map = graphics.memory_map();
    std::uint32_t offset = address - maps[map].start;
    Place place{0, sequencer.write_planes(),
                graphics.registers[GraphicsController::read_map_select]};
    if (sequencer.is_chain4()) {
        place.write_planes &= 1u << (offset & 3);
        place.read_plane = offset & 3;
        // As the CRT controller replaces them in doubleword addresses (Crtc::address).
        offset = (offset & ~3u) | (offset >> 14 & 3);
    } else {
        if (sequencer.is_odd_even()) place.write_planes &= (offset & 1) != 0 ? 0xa : 0x5;
        if (graphics.reads_odd_even()) place.read_plane = (place.read_plane & 2) | (offset & 1);
        if (graphics.chains_odd_even()) {
            const bool odd = map == 0 ? (offset & 0x10000) != 0
                                      : (miscellaneous_output & even_page) == 0;
            offset = (offset & ~1u) | (odd ? 1 : 0);
        }
    }
    place.offset = offset & 0xffff;
    if (dispi.is_planar()) place.offset += dispi.registers[Dispi::bank] << 16;
    return place;
}

std::uint8_t VgaChip::read_window(std::uint32_t address) {
    if (!decodes(address)) return 0xff;
    if (dispi.is_packed()) return memory.data()[bank_start() + address];
    const Place from = place(address);
    graphics.latches = memory.planes(from.offset);
    return graphics.result(from.read_plane);
}

void VgaChip::write_window(std::uint32_t address, std::uint8_t value) {
    if (!decodes(address)) return;
    if (dispi.is_packed()) {
        memory.data()[bank_start() + address] = value;
        memory.note_written(bank_start() + address, 1);
        return;
    }
    const Place to = place(address);
    const std::uint32_t selected = spread(to.write_planes);
    memory.set_planes(to.offset, (graphics.written(value) & selected) |
                                     (memory.planes(to.offset) & ~selected));
    // A glyph may be shown anywhere.
    if ((to.write_planes & 0x4) != 0 && is_text()) picture_changed = true;
}

}  // namespace backplane::display

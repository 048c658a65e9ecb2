#include "std_vga.h"

namespace backplane::display {

namespace {

// The registers of base address register 2, as QEMU's docs/specs/standard-vga.txt lays them out.
constexpr unsigned vga_ports = 0x400, vga_ports_end = 0x420;
constexpr unsigned dispi_registers = 0x500, dispi_registers_end = 0x516;
constexpr unsigned extension_size = 0x600, byte_order = 0x604, extensions_end = 0x608;
constexpr std::uint32_t little_endian = 0x1e1e1e1e, big_endian = 0xbebebebe;

constexpr std::uint64_t legacy_window = 0xa0000;
constexpr std::uint32_t bank_size = 0x10000;
// Over the legacy window, and still below what the machine file maps.
constexpr std::int32_t bank_priority = -1;

}  // namespace

void StdVga::declare(Declaration<StdVga>& d) {
    d.type("display.std-vga", "PCI VGA 1234:1111 with the Bochs display interface");
    d.property("rom", &StdVga::rom_path_, "The VGA BIOS; empty = none");
    declare_vga(d);
    d.memory_region<&StdVga::framebuffer>("framebuffer", "All of the memory, at BAR 0");
    d.memory_window<&StdVga::read_registers, &StdVga::write_registers>(
         "registers", 0x1000, "EDID and the registers once more, at BAR 2")
        .reg(0x000, "EDID", "What the monitor says about itself: 128 bytes from here on")
        .reg(vga_ports, "VGA-PORTS", "Ports 0x3C0 to 0x3DF from here on")
        .reg(dispi_registers, "DISPI", "The registers behind port 0x1CF from here on", 2)
        .reg(extension_size, "EXTENSION-SIZE", "Bytes of the registers from here on", 4)
        .reg(byte_order, "BYTE-ORDER", "Of pixels: 0x1E1E1E1E little-endian, 0xBEBEBEBE big", 4);
    d.memory_region<&StdVga::rom>("expansion-rom", "The VGA BIOS");
    d.pci_function("slot", &StdVga::pci_,
                   {.vendor = 0x1234,
                    .device = 0x1111,
                    .class_code = 0x030000,
                    .revision = 0x02,
                    .subsystem_vendor = 0x1af4,
                    .subsystem = 0x1100})
        .bar(0, "framebuffer", {.prefetchable = true})
        .bar(2, "registers")
        .bar(PciFunction::rom, "expansion-rom")
        .fixed("mono-ports", 0x3b0)
        .fixed("ports", 0x3c0)
        .fixed("dispi-ports", 0x1ce)
        .fixed("window", legacy_window)
        .placed("framebuffer")
        .on_config_write<&StdVga::config_written>();
}

Outcome StdVga::start() {
    rom();
    if (!rom_problem_.empty()) return std::unexpected{rom_problem_};
    return VgaDevice::start();
}

void StdVga::reset(ResetKind kind) {
    VgaDevice::reset(kind);
    place_bank();
}

void StdVga::restored() {
    VgaDevice::restored();
    place_bank();
}

// The window's size is asked before start, which says what is wrong with the file.
MemoryRegion StdVga::rom() {
    if (!rom_loaded_) rom_problem_ = rom_.load(*this, rom_path_);
    rom_loaded_ = true;
    return rom_.region();
}

void StdVga::write_ports(std::uint64_t offset, unsigned size, std::uint64_t value) {
    VgaDevice::write_ports(offset, size, value);
    place_bank();
}

void StdVga::write_dispi(std::uint64_t offset, unsigned size, std::uint64_t value) {
    VgaDevice::write_dispi(offset, size, value);
    place_bank();
}

void StdVga::config_written(unsigned, unsigned) { place_bank(); }

// While the legacy window shows a bank of a packed frame, it is memory like the framebuffer itself,
// and nobody calls the card for it.
void StdVga::place_bank() {
    const bool wanted = chip().window_is_bank() &&
                        (pci_.config().get(pci::command, 2) & pci::command_memory) != 0;
    const std::uint32_t start = chip().bank_start();
    if (wanted == static_cast<bool>(bank_) && (!wanted || start == placed_bank_)) return;
    bank_.remove();
    if (!wanted) return;
    placed_bank_ = start;
    bank_ = pci_.memory().place(
        pci_.window("framebuffer"), "bank",
        {.address = legacy_window, .size = bank_size, .offset = start, .priority = bank_priority});
}

std::uint8_t StdVga::read_register_byte(unsigned offset) {
    if (offset < monitor().size()) return monitor()[offset];
    if (offset >= vga_ports && offset < vga_ports_end)
        return static_cast<std::uint8_t>(VgaDevice::read_ports(offset - vga_ports, 1));
    if (offset >= dispi_registers && offset < dispi_registers_end)
        return static_cast<std::uint8_t>(chip().read_dispi((offset - dispi_registers) / 2) >>
                                         (offset % 2 * 8));
    if (offset == extension_size) return extensions_end - extension_size;
    if (offset >= byte_order && offset < extensions_end)
        return static_cast<std::uint8_t>(chip().is_big_endian ? big_endian : little_endian);
    return 0;
}

std::uint64_t StdVga::read_registers(std::uint64_t offset, unsigned size) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i)
        value |= std::uint64_t{read_register_byte(static_cast<unsigned>(offset) + i)} << (8 * i);
    return value;
}

void StdVga::write_registers(std::uint64_t offset, unsigned size, std::uint64_t value) {
    const auto at = static_cast<unsigned>(offset);
    if (at >= vga_ports && at < vga_ports_end) {
        for (unsigned i = 0; i < size && at + i < vga_ports_end; ++i)
            VgaDevice::write_ports(at + i - vga_ports, 1, value >> (8 * i) & 0xff);
    } else if (at >= dispi_registers && at < dispi_registers_end) {
        // Whole registers only: a byte alone has no meaning.
        for (unsigned i = 0; i + 1 < size && at % 2 == 0 && at + i < dispi_registers_end; i += 2)
            chip().write_dispi((at + i - dispi_registers) / 2,
                               static_cast<std::uint16_t>(value >> (8 * i)));
    } else if (at == byte_order && size >= 4) {
        const auto order = static_cast<std::uint32_t>(value);
        if (order == little_endian || order == big_endian)
            chip().set_big_endian(order == big_endian);
    }
    place_bank();
}

}  // namespace backplane::display

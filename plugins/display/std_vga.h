// The PCI graphics card 1234:1111 that Bochs and QEMU made common: a VGA with the Bochs display
// interface, a linear framebuffer, and its registers once more in memory.
#pragma once

#include "option_rom.h"
#include "vga_device.h"

namespace backplane::display {

class StdVga final : public VgaDevice {
public:
    static void declare(Declaration<StdVga>& d);

    Outcome start();
    void reset(ResetKind kind);
    void restored();

private:
    friend class VgaDevice;  // which declares these two

    // As the base's, and a bank of the framebuffer may come into the legacy window, or go.
    void write_ports(std::uint64_t offset, unsigned size, std::uint64_t value);
    void write_dispi(std::uint64_t offset, unsigned size, std::uint64_t value);
    void config_written(unsigned offset, unsigned bytes);

    std::uint64_t read_registers(std::uint64_t offset, unsigned size);
    void write_registers(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint8_t read_register_byte(unsigned offset);
    MemoryRegion rom();
    void place_bank();

    PciFunction pci_;
    std::filesystem::path rom_path_{"/usr/share/seabios/vgabios-stdvga.bin"};
    OptionRom rom_;
    bool rom_loaded_ = false;
    std::string rom_problem_;
    Placement bank_;
    std::uint32_t placed_bank_ = 0;
};

}  // namespace backplane::display

#include "pci_ide.h"

namespace backplane::storage {

namespace {

// Configuration registers.
constexpr unsigned IDETIM = 0x40, SIDETIM = 0x44, UDMACTL = 0x48, UDMATIM = 0x4a, IDE_CONFIG = 0x54;
constexpr std::uint32_t decode_enable = 0x8000;  // of each half of IDETIM

// Low priority: what the machine file maps is in front.
constexpr std::int32_t behind_everything = -2;

struct PlaceOfBlock {
    const char* window;
    std::uint64_t port;
    std::uint64_t size;
    unsigned timing;  // register whose decode enable lets it answer
};
constexpr std::array<PlaceOfBlock, 4> blocks{{{"primary", 0x1f0, 8, IDETIM},
                                              {"primary-control", 0x3f6, 1, IDETIM},
                                              {"secondary", 0x170, 8, IDETIM + 2},
                                              {"secondary-control", 0x376, 1, IDETIM + 2}}};

}  // namespace

void Piix3Ide::declare(Declaration<Piix3Ide>& d) {
    d.type("storage.piix3-ide", "IDE controller of the PIIX3, with bus masters");
    declare_controller(d, {.vendor = 0x8086,
                           .device = 0x7010,
                           .class_code = 0x010180,
                           .subsystem_vendor = 0x1af4,
                           .subsystem = 0x1100});
}

void Piix4Ide::declare(Declaration<Piix4Ide>& d) {
    d.type("storage.piix4-ide", "IDE controller of the PIIX4, with bus masters and Ultra DMA 33");
    declare_controller(d, {.vendor = 0x8086,
                           .device = 0x7111,
                           .class_code = 0x010180,
                           .revision = 1,
                           .subsystem_vendor = 0x1af4,
                           .subsystem = 0x1100});
}

void IchIde::declare(Declaration<IchIde>& d) {
    d.type("storage.ich-ide", "IDE controller of the ICH7, with bus masters and Ultra DMA 100");
    declare_controller(d, {.vendor = 0x8086,
                           .device = 0x27df,
                           .class_code = 0x010180,
                           .revision = 1,
                           .subsystem_vendor = 0x1af4,
                           .subsystem = 0x1100});
}

std::uint32_t Piix3Ide::timing_bits(unsigned offset) const {
    switch (offset) {
    case IDETIM:
    case IDETIM + 2: return 0xf3ff;
    case SIDETIM: return 0x00ff;
    default: return 0;
    }
}

std::uint32_t Piix4Ide::timing_bits(unsigned offset) const {
    switch (offset) {
    case IDETIM:
    case IDETIM + 2: return 0xf3ff;
    case SIDETIM: return 0x00ff;
    case UDMACTL: return 0x000f;
    case UDMATIM: return 0x3333;
    default: return 0;
    }
}

std::uint32_t IchIde::timing_bits(unsigned offset) const {
    switch (offset) {
    case IDETIM:
    case IDETIM + 2: return 0xf3ff;
    case SIDETIM: return 0x00ff;
    case UDMACTL: return 0x000f;
    case UDMATIM: return 0x3333;
    case IDE_CONFIG: return 0xf00f;
    case IDE_CONFIG + 2: return 0x000f;
    default: return 0;
    }
}

Outcome PciIde::start() {
    for (unsigned index = 0; index < 2; ++index) {
        masters_[index].connect(channels_[index], pci_);
        channels_[index].start(&masters_[index]);
    }
    return {};
}

void PciIde::reset(ResetKind) {
    auto& config = pci_.config();
    config.set(pci::status, 2, 0x0280);
    for (unsigned offset = 0x40; offset < 0x58; offset += 2) {
        config.set(offset, 2, 0);
        config.allow(offset, 2, timing_bits(offset));
    }
    // The data sheet says 0. OVMF relies on QEMU, whose channels answer always.
    if (decode_at_reset_) config.set(IDETIM, 4, decode_enable << 16 | decode_enable);
    // 80-conductor cables on both channels.
    if (timing_bits(IDE_CONFIG) != 0) config.set(IDE_CONFIG, 2, 0x00f0);
    for (unsigned index = 0; index < 2; ++index) {
        masters_[index].reset();
        channels_[index].reset();
    }
    place_channels();
}

void PciIde::restored() {
    for (IdeChannel& channel : channels_)
        channel.restored();
    place_channels();
}

void PciIde::config_written(unsigned, unsigned) { place_channels(); }

void PciIde::place_channels() {
    const auto& config = pci_.config();
    const bool answers = (config.get(pci::command, 2) & pci::command_io) != 0;
    for (std::size_t index = 0; index < blocks.size(); ++index) {
        const PlaceOfBlock& block = blocks[index];
        const bool wanted = answers && (config.get(block.timing, 2) & decode_enable) != 0;
        if (wanted == bool{placements_[index]}) continue;
        placements_[index] = {};
        if (wanted)
            placements_[index] = pci_.io().place(
                pci_.window(block.window), block.window,
                {.address = block.port, .size = block.size, .priority = behind_everything});
    }
}

std::uint64_t PciIde::read_master(std::uint64_t offset, unsigned size) {
    std::uint64_t value = 0;
    for (unsigned byte = 0; byte < size && offset + byte < 16; ++byte) {
        const auto at = static_cast<unsigned>(offset) + byte;
        value |= std::uint64_t{masters_[at / 8].read(at % 8)} << (byte * 8);
    }
    return value;
}

// The command last: a write that covers more than it sets the rest first.
void PciIde::write_master(std::uint64_t offset, unsigned size, std::uint64_t value) {
    for (unsigned byte = size; byte-- > 0;) {
        const auto at = static_cast<unsigned>(offset) + byte;
        if (at < 16) masters_[at / 8].write(at % 8, static_cast<std::uint8_t>(value >> (byte * 8)));
    }
}

}  // namespace backplane::storage

#include "host_bridge.h"

namespace backplane::chipset {

namespace {

using namespace literals;

constexpr std::uint32_t config_enable = 0x8000'0000;
constexpr std::uint64_t conventional_end = 0xa'0000, video_end = 0xc'0000,
                        segments_start = 0xc'0000, bios_start = 0xf'0000,
                        extended_start = 0x10'0000, four_gib = 0x1'0000'0000, segment_size = 0x4000;
constexpr unsigned read_enable = 1, write_enable = 2;
constexpr unsigned d_open = 0x40, d_cls = 0x20, d_lck = 0x10, g_smrame = 0x08;
// Memory in place of what the PCI side shows at the same addresses: expansion ROMs and the BIOS.
constexpr std::int32_t shadow_priority = 10;

}  // namespace

Outcome HostBridge::start() {
    if (low_->size < extended_start)
        return std::unexpected{std::string{"a PC needs at least 1 MiB of memory"}};
    pci_.connect(bus_.slot(0), host().name);
    const AddressSpace& memory = bus_.memory();
    base_ = memory.place(low_.link(), "memory below 640 KiB", {.size = conventional_end});
    extended_ = memory.place(
        low_.link(), "memory above 1 MiB",
        {.address = extended_start, .size = low_->size - extended_start, .offset = extended_start});
    if (high_)
        beyond_4g_ = memory.place(high_.link(), "memory above 4 GiB",
                                  {.address = four_gib, .size = high_->size});
    return {};
}

void HostBridge::reset(ResetKind) {
    config_address_ = 0;
    pci_.config().allow(layout_.smram, 1, d_open | d_cls | d_lck | g_smrame);
    pci_.reset();
    update_memory();
}

void HostBridge::restored() {
    pci_.restored();
    update_memory();
}

// CONFADD takes double words only; smaller accesses there go past it, to the reset control register
// among others (82441FX datasheet 290549, 3.1.1).
std::uint64_t HostBridge::read_ports(std::uint64_t offset, unsigned size) {
    if (offset < 4) {
        if (size == 4) return config_address_;
        return reset_control_ ? reset_control_->read(reset_control_.object(), offset, size)
                              : ~std::uint64_t{0};
    }
    if ((config_address_ & config_enable) == 0 || ((config_address_ >> 16) & 0xff) != 0)
        return ~std::uint64_t{0};
    return bus_.read_config((config_address_ >> 8) & 0xff, (config_address_ & 0xfc) | (offset & 3),
                            size);
}

void HostBridge::write_ports(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (offset < 4) {
        if (size == 4)
            config_address_ = static_cast<std::uint32_t>(value) & 0x80ff'fffc;
        else if (reset_control_)
            reset_control_->write(reset_control_.object(), offset, size, value);
        return;
    }
    if ((config_address_ & config_enable) == 0 || ((config_address_ >> 16) & 0xff) != 0) return;
    bus_.write_config((config_address_ >> 8) & 0xff,
                      static_cast<unsigned>((config_address_ & 0xfc) | (offset & 3)), size,
                      static_cast<std::uint32_t>(value));
}

void HostBridge::update_memory() {
    for (unsigned segment = 0; segment < segments; ++segment)
        place_segment(segment);
    // D_LCK stays set until reset, and nobody can open the memory any more (82441FX
    // datasheet 3.2.19; the Q35's register is the same).
    auto& config = pci_.config();
    if ((config.get(layout_.smram, 1) & d_lck) != 0) {
        config.set(layout_.smram, 1, config.get(layout_.smram, 1) & ~d_open);
        config.allow(layout_.smram, 1, d_cls);
    }
    // Without system management mode the memory behind the video window is seen only while open.
    const bool is_open = (config.get(layout_.smram, 1) & d_open) != 0;
    if (is_open == smram_placed_) return;
    smram_placed_ = is_open;
    smram_.remove();
    if (is_open)
        smram_ = bus_.memory().place(low_.link(), "SMRAM",
                                     {.address = conventional_end,
                                      .size = video_end - conventional_end,
                                      .offset = conventional_end,
                                      .priority = shadow_priority});
}

// PAM0 has the BIOS area in its upper half, the six registers after it two segments of 16 KiB each.
void HostBridge::place_segment(unsigned segment) {
    const bool is_bios = segment == segments - 1;
    const unsigned reg = pci_.config().get(layout_.pam + (is_bios ? 0 : 1 + segment / 2), 1);
    const auto enabled = static_cast<std::uint8_t>((is_bios || segment % 2 != 0 ? reg >> 4 : reg) &
                                                   (read_enable | write_enable));
    if (enabled == pam_placed_[segment]) return;
    pam_placed_[segment] = enabled;
    pam_[segment].remove();
    if (enabled == 0) return;
    const std::uint64_t address = is_bios ? bios_start : segments_start + segment * segment_size;
    pam_[segment] = bus_.memory().place(
        low_.link(), "shadow memory",
        {.address = address,
         .size = is_bios ? extended_start - bios_start : segment_size,
         .offset = address,
         .priority = shadow_priority,
         .accesses = ((enabled & read_enable) != 0 ? BACKPLANE_PLACE_READS : 0) |
                     ((enabled & write_enable) != 0 ? BACKPLANE_PLACE_WRITES : 0)});
}

}  // namespace backplane::chipset

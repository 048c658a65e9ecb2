#include "q35_mch.h"

#include <array>

namespace backplane::chipset {

namespace {

using namespace literals;

// Configuration registers (5.1).
constexpr unsigned EPBAR = 0x40, MCHBAR = 0x48, GGC = 0x52, DEVEN = 0x54, PCIEXBAR = 0x60,
                   DMIBAR = 0x68, PAM0 = 0x90, LAC = 0x97, REMAPBASE = 0x98, SMRAM = 0x9d,
                   ESMRAMC = 0x9e, TOM = 0xa0, TOUUD = 0xa2, TOLUD = 0xb0, ERRSTS = 0xc8,
                   ERRCMD = 0xca, SMICMD = 0xcc, SKPD = 0xdc;
constexpr std::uint32_t pciexbar_enable = 1;
constexpr std::uint64_t ecam_bytes = (256_MiB).value;
constexpr unsigned bus_shift = 20, function_shift = 12;

constexpr backplane_window ecam_window(std::uint64_t (*read)(void*, std::uint64_t, std::uint32_t),
                                       void (*write)(void*, std::uint64_t, std::uint32_t,
                                                     std::uint64_t)) {
    backplane_window window{};
    window.struct_size = sizeof window;
    window.read = read;
    window.write = write;
    window.access_sizes = 7;
    window.size = ecam_bytes;
    return window;
}

}  // namespace

Q35Mch::Q35Mch() : HostBridge{4096, {.pam = PAM0, .smram = SMRAM}} {
    pci_.identify({.vendor = 0x8086,
                   .device = 0x29c0,
                   .class_code = 0x060000,
                   .revision = 0x02,
                   .subsystem_vendor = 0x1af4,
                   .subsystem = 0x1100});
    auto& config = pci_.config();
    for (const unsigned bar : {EPBAR, MCHBAR, DMIBAR}) {
        config.allow(bar, 4, 0xffff'f001);
        config.allow(bar + 4, 4, 0xf);
    }
    config.allow(GGC, 2, 0x0072);
    config.allow(DEVEN, 4, 0x0000'03ff);
    config.allow(PCIEXBAR, 4, 0xf000'0007);
    config.allow(PCIEXBAR + 4, 4, 0xf);
    config.allow(PAM0, 4, 0x33333330);
    config.allow(PAM0 + 4, 3, 0x333333);
    config.allow(LAC, 1, 0x0f);
    config.allow(REMAPBASE, 4, 0x03ff'03ff);
    config.allow(ESMRAMC, 1, 0x87);
    config.allow(TOM, 2, 0x01ff);
    config.allow(TOUUD, 2, 0xffff);
    config.allow(TOLUD, 2, 0xfff0);
    config.allow(ERRSTS, 2, 0, 0xffff);
    config.allow(ERRCMD, 4, ~0u);
    config.allow(SMICMD, 2, 0xffff);
    config.allow(SKPD, 4, ~0u);
    pci_.on_config_write([this](unsigned offset, unsigned size) { config_written(offset, size); });
}

void Q35Mch::declare(Declaration<Q35Mch>& d) {
    d.type("chipset.q35-mch", "Q35 host bridge: PCI Express bus 0 and memory controller");
    declare_bridge(d);
}

void Q35Mch::reset(ResetKind kind) {
    auto& config = pci_.config();
    for (unsigned offset = 0x40; offset < 0x100; offset += 4)
        config.set(offset, 4, 0);
    config.set(GGC, 2, 0x0030);
    config.set(DEVEN, 4, 0x0000'0001);
    config.set(PCIEXBAR, 4, 0xe000'0000);
    config.set(SMRAM, 1, 0x02);
    config.set(TOM, 2, 0x0001);
    config.set(TOLUD, 2, 0x0010);
    HostBridge::reset(kind);
    config.set(pci::command, 2, pci::command_memory | pci::command_master);
    config.set(pci::status, 2, 0x0090 & ~pci::status_capabilities);
    place_ecam();
}

void Q35Mch::restored() {
    HostBridge::restored();
    place_ecam();
}

void Q35Mch::config_written(unsigned offset, unsigned size) {
    if (offset < PCIEXBAR + 8 && PCIEXBAR < offset + size) place_ecam();
    update_memory();
}

// Of PCIEXBAR's lengths, 256, 128 and 64 MiB, the last two bits say which (5.1.16).
void Q35Mch::place_ecam() {
    static constexpr auto window = ecam_window(
        [](void* object, std::uint64_t offset, std::uint32_t size) noexcept {
            return static_cast<Q35Mch*>(object)->read_ecam(offset, size);
        },
        [](void* object, std::uint64_t offset, std::uint32_t size, std::uint64_t value) noexcept {
            static_cast<Q35Mch*>(object)->write_ecam(offset, size, value);
        });
    const auto& config = pci_.config();
    ecam_.remove();
    const std::uint32_t low = config.get(PCIEXBAR, 4);
    const unsigned length = (low >> 1) & 3;
    if ((low & pciexbar_enable) == 0 || length == 3) return;
    const std::uint64_t bytes = ecam_bytes >> length;
    const std::uint64_t base = (std::uint64_t{config.get(PCIEXBAR + 4, 4)} << 32 | low) &
                               ~(bytes - 1);
    ecam_ = bus_.memory().place({&window, this}, "ECAM", {.address = base, .size = bytes});
}

std::uint64_t Q35Mch::read_ecam(std::uint64_t offset, unsigned size) {
    if (offset >> bus_shift != 0) return ~std::uint64_t{0};
    return bus_.read_config(static_cast<unsigned>(offset >> function_shift), offset & 0xfff, size);
}

void Q35Mch::write_ecam(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (offset >> bus_shift != 0) return;
    bus_.write_config(static_cast<unsigned>(offset >> function_shift), offset & 0xfff, size,
                      static_cast<std::uint32_t>(value));
}

}  // namespace backplane::chipset

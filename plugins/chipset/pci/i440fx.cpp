#include "i440fx.h"

namespace backplane::chipset {

namespace {

// Configuration registers (3.2).
constexpr unsigned PMCCFG = 0x50, DETURBO = 0x52, DBC = 0x53, AXC = 0x54, DRT = 0x55, DRAMC = 0x57,
                   DRAMT = 0x58, PAM0 = 0x59, DRB0 = 0x60, FDHC = 0x68, MTT = 0x70, SMRAM = 0x72,
                   ERRCMD = 0x90, ERRSTS = 0x91, TRC = 0x93;

}  // namespace

I440fx::I440fx() : HostBridge{256, {.pam = PAM0, .smram = SMRAM}} {
    // The subsystem is what firmware made for emulated PCs looks for.
    pci_.identify({.vendor = 0x8086,
                   .device = 0x1237,
                   .class_code = 0x060000,
                   .revision = 0x02,
                   .subsystem_vendor = 0x1af4,
                   .subsystem = 0x1100});
    auto& config = pci_.config();
    config.allow(PMCCFG, 2, 0xffff);
    config.allow(DETURBO, 1, 0xff);
    config.allow(DBC, 1, 0xff);
    config.allow(AXC, 1, 0xff);
    config.allow(DRT, 2, 0xffff);
    config.allow(DRAMC, 1, 0xff);
    config.allow(DRAMT, 1, 0xff);
    config.allow(PAM0, 4, 0x33333330);
    config.allow(PAM0 + 4, 3, 0x333333);
    config.allow(DRB0, 4, ~0u);
    config.allow(DRB0 + 4, 4, ~0u);
    config.allow(FDHC, 1, 0xc0);
    config.allow(MTT, 2, 0xffff);
    config.allow(ERRCMD, 1, 0xff);
    config.allow(ERRSTS, 1, 0, 0x13);
    config.allow(TRC, 1, 0x0f);
    pci_.on_config_write([this](unsigned, unsigned) { update_memory(); });
}

void I440fx::declare(Declaration<I440fx>& d) {
    d.type("chipset.i440fx", "440FX host bridge: PCI bus 0 and memory controller");
    declare_bridge(d);
}

void I440fx::reset(ResetKind kind) {
    auto& config = pci_.config();
    for (unsigned offset = 0x40; offset < 0x100; offset += 4)
        config.set(offset, 4, 0);
    config.set(DRAMC, 1, 0x01);
    config.set(DRAMT, 1, 0x10);
    for (unsigned row = 0; row < 8; ++row)
        config.set(DRB0 + row, 1, 0x01);
    config.set(SMRAM, 1, 0x02);
    HostBridge::reset(kind);
    config.set(pci::command, 2, pci::command_memory | pci::command_master);
    config.set(pci::status, 2, 0x0280);
}

}  // namespace backplane::chipset

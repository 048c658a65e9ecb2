// What a reset and an INIT leave in the registers. (SDM 3A table 9-1)
#pragma once

#include "x86/control_registers.h"
#include "x86/cpu_model.h"
#include "x86/cpu_state.h"

namespace backplane::x86 {

// The first instruction is at the top of the first 4 GiB.
inline CpuState reset_state(const CpuModel& model) {
    CpuState state;
    for (SegmentRegister& segment : state.segments)
        segment = {.base = 0, .limit = 0xffff, .selector = 0, .attributes = 0x93};
    state.segments[CS] = {
        .base = 0xffff'0000, .limit = 0xffff, .selector = 0xf000, .attributes = 0x9b};
    state.ldtr = {.base = 0, .limit = 0xffff, .selector = 0, .attributes = 0x82};
    state.tr = {.base = 0, .limit = 0xffff, .selector = 0, .attributes = 0x8b};
    state.gpr[RDX] = model.signature();
    return state;
}

// INIT keeps the floating-point and vector registers, the time-stamp counter, the cache control
// bits of CR0 and the model-specific registers but for EFER, FS.base and GS.base.
inline CpuState init_state(const CpuState& before, const CpuModel& model) {
    CpuState state = reset_state(model);
    constexpr std::uint64_t cache_disable = 1u << 30, not_write_through = 1u << 29,
                            kept = cache_disable | not_write_through;
    state.cr0 = (state.cr0 & ~kept) | (before.cr0 & kept);
    state.xcr0 = before.xcr0;
    state.star = before.star;
    state.lstar = before.lstar;
    state.cstar = before.cstar;
    state.sfmask = before.sfmask;
    state.kernel_gs_base = before.kernel_gs_base;
    state.tsc_aux = before.tsc_aux;
    state.sysenter_cs = before.sysenter_cs;
    state.sysenter_esp = before.sysenter_esp;
    state.sysenter_eip = before.sysenter_eip;
    state.pat = before.pat;
    state.tsc_offset = before.tsc_offset;
    state.random = before.random;
    state.x87 = before.x87;
    state.mxcsr = before.mxcsr;
    state.vectors = before.vectors;
    return state;
}

// SDM 3A 9.4.3: STARTUP begins in real mode at the page that its vector names.
inline void start_at_page(CpuState& state, std::uint8_t vector) {
    state.waiting_for_sipi = false;
    state.segments[CS].selector = static_cast<std::uint16_t>(vector << 8);
    state.segments[CS].base = std::uint64_t{vector} << 12;
    state.rip = 0;
}

}  // namespace backplane::x86

// Instructions that operate the processor itself: control and debug registers, MSRs, CPUID, time,
// halt, caches (SDM 2).
#pragma once

#include "x86/control_registers.h"
#include "x86/cpuid.h"
#include "x86/machine.h"
#include "x86/operand.h"
#include "x86/virtual8086.h"

namespace backplane::x86::semantics {

inline constexpr auto privileged = [](auto& m) {
    if (m.state().cpl == 0) [[likely]]
        return true;
    m.raise(general_protection());
    return false;
};

// The control or debug register's number is in Op::reg; the general register operand is 32 or 64
// bits with the mode.
inline constexpr auto write_control_register = [](auto& m, auto src) {
    if (!privileged(m)) return Outcome::Fault;
    const std::uint64_t value = *src.read(m);
    bool done = false;
    switch (m.op().reg) {
    case 0: done = set_cr0(m, value); break;
    case 2:
        m.state().cr2 = value;
        done = true;
        break;
    case 3: done = set_cr3(m, value); break;
    case 4: done = set_cr4(m, value); break;
    case 8: done = set_cr8(m, value); break;
    default: return m.raise({.vector = Vector::InvalidOpcode});
    }
    return done ? Outcome::Leave : Outcome::Fault;
};

inline constexpr auto read_control_register = [](auto& m, auto dst) {
    if (!privileged(m)) return Outcome::Fault;
    using T = typename decltype(dst)::Value;
    const CpuState& state = m.state();
    std::uint64_t value = 0;
    switch (m.op().reg) {
    case 0: value = state.cr0; break;
    case 2: value = state.cr2; break;
    case 3: value = state.cr3; break;
    case 4: value = state.cr4; break;
    case 8:
        if (LocalApicPort* apic = m.system().local_apic()) value = apic->task_priority();
        break;
    default: return m.raise({.vector = Vector::InvalidOpcode});
    }
    dst.write(m, static_cast<T>(value));
    return Outcome::Next;
};

inline constexpr auto write_debug_register = [](auto& m, auto src) {
    const auto number = debug_register(m, m.op().reg);
    if (!number || !set_debug_register(m, *number, *src.read(m))) return Outcome::Fault;
    return Outcome::Leave;
};

inline constexpr auto read_debug_register = [](auto& m, auto dst) {
    const auto number = debug_register(m, m.op().reg);
    if (!number) return Outcome::Fault;
    dst.write(m, static_cast<typename decltype(dst)::Value>(m.state().dr[*number]));
    return Outcome::Next;
};

// SDM 2 SGDT, SIDT, SLDT, SMSW and STR: CR4.UMIP keeps them to privilege 0.
inline constexpr auto may_see_system_registers = [](auto& m) {
    if (!(m.state().cr4 & cr4::umip) || m.state().cpl == 0) [[likely]]
        return true;
    m.raise(general_protection());
    return false;
};

inline constexpr auto smsw = [](auto& m, auto dst) {
    if (!may_see_system_registers(m)) return Outcome::Fault;
    using T = typename decltype(dst)::Value;
    return dst.write(m, static_cast<T>(m.state().cr0)) ? Outcome::Next : Outcome::Fault;
};

// SDM 2 LMSW: loads PE, MP, EM and TS; PE cannot be cleared.
inline constexpr auto lmsw = [](auto& m, auto src) {
    if (!privileged(m)) return Outcome::Fault;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const std::uint64_t before = m.state().cr0;
    if (!set_cr0(m, (before & ~std::uint64_t{0xe}) | (*value & 0xfu))) return Outcome::Fault;
    return Outcome::Leave;
};

inline constexpr auto clts = [](auto& m) {
    if (!privileged(m)) return Outcome::Fault;
    m.state().cr0 &= ~cr0::ts;
    m.system().mode_changed();
    return Outcome::Leave;
};

// INVD, WBINVD: no cache is modelled.
inline constexpr auto flush_caches = [](auto& m) {
    return privileged(m) ? Outcome::Next : Outcome::Fault;
};

// The operand is an address only: nothing is read, and a bad segment or a non-canonical address is
// no fault.
inline constexpr auto invlpg = [](auto& m, auto address) {
    if (!privileged(m)) return Outcome::Fault;
    m.system().flush_tlb_page(address.address(m));
    return Outcome::Leave;
};

inline constexpr auto hlt = [](auto& m) {
    if (!privileged(m)) return Outcome::Fault;
    m.state().halted = true;
    return Outcome::Leave;
};

inline constexpr auto undefined = [](auto& m) {
    return m.raise({.vector = Vector::InvalidOpcode});
};

inline constexpr auto cpuid = [](auto& m) {
    CpuState& state = m.state();
    SystemServices& system = m.system();
    const LocalApicPort* apic = system.local_apic();
    constexpr std::uint64_t apic_enabled = 1u << 11;
    const CpuidResult result = x86::cpuid({.model = system.model(),
                                           .apic_id = system.apic_id(),
                                           .processor_count = system.processor_count(),
                                           .has_apic = apic && (apic->base() & apic_enabled),
                                           .in_64bit_code = state.code64(),
                                           .osxsave = (state.cr4 & cr4::osxsave) != 0,
                                           .xcr0 = state.xcr0},
                                          static_cast<std::uint32_t>(state.gpr[RAX]),
                                          static_cast<std::uint32_t>(state.gpr[RCX]));
    state.gpr[RAX] = result.eax;
    state.gpr[RBX] = result.ebx;
    state.gpr[RCX] = result.ecx;
    state.gpr[RDX] = result.edx;
    return Outcome::Leave;  // it serializes (SDM 3A 9.3): code modified elsewhere is seen behind it
};

inline void set_edx_eax(CpuState& state, std::uint64_t value) {
    state.gpr[RAX] = static_cast<std::uint32_t>(value);
    state.gpr[RDX] = value >> 32;
}

inline constexpr auto rdmsr = [](auto& m) {
    if (!privileged(m)) return Outcome::Fault;
    CpuState& state = m.state();
    const auto value = m.system().msrs().read(static_cast<std::uint32_t>(state.gpr[RCX]), state,
                                              m.system());
    if (!value) return m.raise(general_protection());
    set_edx_eax(state, *value);
    return Outcome::Next;
};

inline constexpr auto wrmsr = [](auto& m) {
    if (!privileged(m)) return Outcome::Fault;
    CpuState& state = m.state();
    const std::uint64_t value = state.gpr[RDX] << 32 | static_cast<std::uint32_t>(state.gpr[RAX]);
    if (!m.system().msrs().write(static_cast<std::uint32_t>(state.gpr[RCX]), value, state,
                                 m.system()))
        return m.raise(general_protection());
    return Outcome::Leave;
};

// SDM 2 RDTSC: CR4.TSD keeps it to privilege 0.
inline constexpr auto may_read_time = [](auto& m) {
    if (!(m.state().cr4 & cr4::tsd) || m.state().cpl == 0) [[likely]]
        return true;
    m.raise(general_protection());
    return false;
};

inline constexpr auto rdtsc = [](auto& m) {
    if (!may_read_time(m)) return Outcome::Fault;
    set_edx_eax(m.state(), m.system().tsc_ticks() + m.state().tsc_offset);
    return Outcome::Next;
};

inline constexpr auto rdtscp = [](auto& m) {
    if (!may_read_time(m)) return Outcome::Fault;
    CpuState& state = m.state();
    set_edx_eax(state, m.system().tsc_ticks() + state.tsc_offset);
    state.gpr[RCX] = static_cast<std::uint32_t>(state.tsc_aux);
    return Outcome::Next;
};

inline constexpr auto rdpid = [](auto& m, auto dst) {
    dst.write(m, static_cast<typename decltype(dst)::Value>(m.state().tsc_aux));
    return Outcome::Next;
};

// No performance counters are modelled, so every index is out of range (SDM 2 RDPMC).
inline constexpr auto rdpmc = [](auto& m) { return m.raise(general_protection()); };

// SDM 2 CLI, STI. In virtual-8086 mode IOPL must be 3, which the same comparison says as CPL is 3
// there. Otherwise they may have a virtual interrupt flag.
inline constexpr auto may_change_if = [](const CpuState& state) {
    return state.cpl <= ((state.rflags & rflags::iopl) >> 12);
};

inline constexpr auto cli = [](auto& m) {
    CpuState& state = m.state();
    if (!may_change_if(state)) [[unlikely]] {
        if (!has_virtual_if(state)) return m.raise(general_protection());
        state.rflags &= ~rflags::vif;
        return Outcome::Next;
    }
    state.rflags &= ~rflags::if_;
    return Outcome::Next;
};

// Interrupts wait for one more instruction when IF was clear, so that STI; HLT and STI; RET work
// (SDM 2 STI).
inline constexpr auto sti = [](auto& m) {
    CpuState& state = m.state();
    if (!may_change_if(state)) [[unlikely]] {
        if (!has_virtual_if(state) || (state.rflags & rflags::vip))
            return m.raise(general_protection());
        state.rflags |= rflags::vif;
        return Outcome::Next;
    }
    if (state.rflags & rflags::if_) return Outcome::Next;
    state.rflags |= rflags::if_;
    if (!m.system().interrupt_window_matters()) [[likely]]
        return Outcome::Next;
    state.interrupt_shadow = true;
    return Outcome::Leave;
};

// STAC, CLAC (SDM 2): explicit accesses of privilege 0 to user pages.
template <bool value>
inline constexpr auto set_access_check = [](auto& m) {
    CpuState& state = m.state();
    if (!m.system().model().has(Feature::Smap) || state.cpl != 0)
        return m.raise({.vector = Vector::InvalidOpcode});
    if (((state.rflags & rflags::ac) != 0) == value) return Outcome::Next;
    state.rflags ^= rflags::ac;
    m.system().mode_changed();
    return Outcome::Leave;
};

}  // namespace backplane::x86::semantics

// Writes to CR0, CR3, CR4, CR8 and the debug registers: reserved bits, consistency, and the modes
// that follow.
//
// Each function returns false with a fault raised and nothing changed, or true with the register
// and what depends on it changed. The privilege check is the instruction's.
#pragma once

#include "x86/msr.h"
#include "x86/segmentation.h"
#include "x86/system_services.h"

namespace backplane::x86 {

namespace cr0 {
constexpr std::uint64_t pe = 1u << 0, mp = 1u << 1, em = 1u << 2, ts = 1u << 3, et = 1u << 4,
                        ne = 1u << 5;
constexpr std::uint64_t wp = 1u << 16, am = 1u << 18, nw = 1u << 29, cd = 1u << 30, pg = 1u << 31;
constexpr std::uint64_t defined = pe | mp | em | ts | et | ne | wp | am | nw | cd | pg;
}  // namespace cr0

namespace cr4 {
constexpr std::uint64_t vme = 1u << 0, pvi = 1u << 1, tsd = 1u << 2, de = 1u << 3, pse = 1u << 4,
                        pae = 1u << 5;
constexpr std::uint64_t mce = 1u << 6, pge = 1u << 7, pce = 1u << 8, osfxsr = 1u << 9,
                        osxmmexcpt = 1u << 10, umip = 1u << 11;
constexpr std::uint64_t fsgsbase = 1u << 16, pcide = 1u << 17, osxsave = 1u << 18, smep = 1u << 20,
                        smap = 1u << 21;

constexpr std::uint64_t defined(const CpuModel& model) {
    std::uint64_t bits = 0;
    const auto with = [&](Feature feature, std::uint64_t more) {
        bits |= model.has(feature) ? more : 0;
    };
    with(Feature::Vme, vme | pvi);
    with(Feature::Tsc, tsd);
    with(Feature::De, de);
    with(Feature::Pse, pse);
    with(Feature::Pae, pae);
    with(Feature::Mce, mce);
    with(Feature::Pge, pge);
    with(Feature::Mmx, pce);  // RDPMC came with the Pentium MMX and the Pentium Pro
    with(Feature::Fxsr, osfxsr);
    with(Feature::Sse, osxmmexcpt);
    with(Feature::Umip, umip);
    with(Feature::Fsgsbase, fsgsbase);
    with(Feature::Pcid, pcide);
    with(Feature::Xsave, osxsave);
    with(Feature::Smep, smep);
    with(Feature::Smap, smap);
    return bits;
}
}  // namespace cr4

template <class M>
bool refuse(M& m) {
    m.raise(general_protection());
    return false;
}

// SDM 3A 4.4.1: PAE paging outside IA-32e mode keeps the four top entries in the processor.
inline bool keeps_page_directory_pointers(std::uint64_t cr0, std::uint64_t cr4,
                                          std::uint64_t efer) {
    return (cr0 & cr0::pg) && (cr4 & cr4::pae) && !(efer & efer::lma);
}

// SDM 2 MOV CR, SDM 3A 2.5 and 9.8.5.
template <class M>
[[gnu::noinline]] bool set_cr0(M& m, std::uint64_t value) {
    CpuState& state = m.state();
    if (value >> 32) return refuse(m);
    value = (value & cr0::defined) | cr0::et;  // undefined bits are ignored, ET is wired
    if ((value & cr0::nw) && !(value & cr0::cd)) return refuse(m);
    if ((value & cr0::pg) && !(value & cr0::pe)) return refuse(m);

    const bool enables = (value & cr0::pg) && !state.paging();
    const bool disables = !(value & cr0::pg) && state.paging();
    std::uint64_t efer = state.efer;
    if (enables && (efer & efer::lme)) {
        const bool tss16 = (state.tr.attributes & attribute::present) && !(state.tr.attributes & 8);
        const bool long_code = (state.segments[CS].attributes & attribute::long_code) != 0;
        if (!(state.cr4 & cr4::pae) || long_code || tss16) return refuse(m);
        efer |= efer::lma;
    }
    if (disables) {
        if (state.code64() || (state.cr4 & cr4::pcide)) return refuse(m);
        efer &= ~efer::lma;
    }
    const std::uint64_t changed = value ^ state.cr0;
    SystemServices& system = m.system();
    if (keeps_page_directory_pointers(value, state.cr4, efer) &&
        (changed & (cr0::pg | cr0::cd | cr0::nw)) &&
        !system.load_page_directory_pointers(state.cr3))
        return refuse(m);

    state.cr0 = value;
    state.efer = efer;
    if (!(value & cr0::pe)) state.cpl = 0;
    if (changed & (cr0::pg | cr0::wp | cr0::pe)) system.flush_tlb();
    if (changed) system.mode_changed();
    return true;
}

template <class M>
[[gnu::noinline]] bool set_cr3(M& m, std::uint64_t value) {
    CpuState& state = m.state();
    SystemServices& system = m.system();
    // With CR4.PCIDE bit 63 asks to keep the TLB's entries; it is never stored (SDM 3A 4.10.4.1).
    constexpr std::uint64_t keep_entries = std::uint64_t{1} << 63;
    const bool has_contexts = (state.cr4 & cr4::pcide) != 0;
    const bool keeps = has_contexts && (value & keep_entries);
    if (has_contexts) value &= ~keep_entries;
    if (state.long_mode() && (value >> system.model().physical_address_bits)) return refuse(m);
    if (keeps_page_directory_pointers(state.cr0, state.cr4, state.efer) &&
        !system.load_page_directory_pointers(value))
        return refuse(m);
    state.cr3 = value;
    if (has_contexts)
        system.select_pcid(value & 0xfff, keeps);
    else
        system.flush_tlb_non_global();
    system.mode_changed();
    return true;
}

template <class M>
[[gnu::noinline]] bool set_cr4(M& m, std::uint64_t value) {
    CpuState& state = m.state();
    SystemServices& system = m.system();
    if (value & ~cr4::defined(system.model())) {
        system.report_once(Unknown::ControlBit, value & ~cr4::defined(system.model()));
        return refuse(m);
    }
    const std::uint64_t changed = value ^ state.cr4;
    if (state.long_mode() && !(value & cr4::pae)) return refuse(m);
    if ((changed & value & cr4::pcide) && (!state.long_mode() || (state.cr3 & 0xfff)))
        return refuse(m);
    const bool reloads = (changed & (cr4::pae | cr4::pge | cr4::pse | cr4::smep)) != 0;
    if (reloads && keeps_page_directory_pointers(state.cr0, value, state.efer) &&
        !system.load_page_directory_pointers(state.cr3))
        return refuse(m);
    state.cr4 = value;
    // SDM 3A 4.10.4.1 names the bits whose change drops every translation.
    if (changed & (cr4::pae | cr4::pge | cr4::pse | cr4::pcide | cr4::smep | cr4::smap))
        system.flush_tlb();
    system.mode_changed();
    return true;
}

template <class M>
bool set_cr8(M& m, std::uint64_t value) {
    if (value & ~std::uint64_t{0xf}) return refuse(m);
    if (LocalApicPort* apic = m.system().local_apic())
        apic->set_task_priority(static_cast<std::uint8_t>(value));
    return true;
}

namespace debug {
constexpr std::uint64_t dr6_fixed_ones = 0xffff0ff0, dr6_writable = 0xe00f, dr6_bd = 1u << 13,
                        dr6_bs = 1u << 14;
constexpr std::uint64_t dr7_fixed_ones = 1u << 10, dr7_fixed_zeros = 0xd800, dr7_gd = 1u << 13,
                        dr7_enables = 0xff;
}  // namespace debug

// Which register DR4 and DR5 mean (SDM 3B 17.2.2). Empty, with #UD raised, when CR4.DE says they do
// not exist; or with #DB raised when DR7.GD guards the registers (SDM 3B 17.2.4).
template <class M>
std::optional<unsigned> debug_register(M& m, unsigned number) {
    const CpuState& state = m.state();
    if (state.cpl != 0) {
        m.raise(general_protection());
        return {};
    }
    if (number == 4 || number == 5) {
        if (state.cr4 & cr4::de) {
            m.raise({.vector = Vector::InvalidOpcode});
            return {};
        }
        number += 2;
    }
    if (state.dr[7] & debug::dr7_gd) {
        m.raise({.vector = Vector::Debug, .address = debug::dr6_bd});
        return {};
    }
    return number;
}

template <class M>
[[gnu::noinline]] bool set_debug_register(M& m, unsigned number, std::uint64_t value) {
    CpuState& state = m.state();
    if (number >= 6 && (value >> 32)) return refuse(m);
    if (number == 6) value = (value & debug::dr6_writable) | debug::dr6_fixed_ones;
    if (number == 7) value = (value & ~debug::dr7_fixed_zeros) | debug::dr7_fixed_ones;
    state.dr[number] = value;
    m.system().mode_changed();
    return true;
}

}  // namespace backplane::x86

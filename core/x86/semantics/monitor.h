// MONITOR and MWAIT (SDM 2, SDM 3A 8.10.2).
#pragma once

#include "x86/machine.h"
#include "x86/segmentation.h"
#include "x86/segmented_address.h"

namespace backplane::x86::semantics {

// Above privilege 0 they do not exist (SDM 2; the MSR that allows them on some AMD processors is
// not modelled). ECX asks for extensions, of which CPUID leaf 5 reports none but MWAIT's bit 0.
inline constexpr auto may_monitor = [](auto& m, std::uint32_t extensions) {
    const CpuState& state = m.state();
    if (state.cpl != 0) {
        m.raise({.vector = Vector::InvalidOpcode});
        return false;
    }
    if (static_cast<std::uint32_t>(state.gpr[RCX]) & ~extensions) {
        m.raise(general_protection());
        return false;
    }
    return true;
};

// The address is checked like a load of one byte. It need not be kept, as MWAIT does not depend on
// it.
inline constexpr auto monitor = [](auto& m, auto space) {
    if (!may_monitor(m, 0)) return Outcome::Fault;
    const auto address = space.linear(m, space.source_segment(m), space.index(m, RAX), 1,
                                      SegmentAccess::Read);
    if (!address || !m.template load<std::uint8_t>(*address)) return Outcome::Fault;
    return Outcome::Next;
};

// A processor may end the wait at any time and software has to look again (SDM 3A 8.10.4), so this
// one ends it at once: it lets an interrupt in and goes on. Waiting in earnest is HLT's.
inline constexpr auto mwait = [](auto& m) {
    constexpr std::uint32_t interrupts_break = 1;  // also while IF is clear
    return may_monitor(m, interrupts_break) ? Outcome::Leave : Outcome::Fault;
};

}  // namespace backplane::x86::semantics

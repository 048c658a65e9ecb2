// INVPCID (SDM 2, SDM 3A 4.10.4.1).
#pragma once

#include "x86/control_registers.h"
#include "x86/machine.h"
#include "x86/semantics/system.h"

namespace backplane::x86::semantics {

enum class InvpcidType : std::uint64_t {
    Address = 0,
    SingleContext = 1,
    All = 2,
    AllButGlobal = 3,
};

// `descriptor` holds the PCID in its low half and the linear address in the high one. What is
// dropped beyond what was asked for is no fault: other contexts go with everything else.
inline constexpr auto invpcid = [](auto& m, auto type, auto descriptor) {
    if (!privileged(m)) return Outcome::Fault;
    const auto asked = static_cast<InvpcidType>(*type.read(m));
    if (asked > InvpcidType::AllButGlobal) return m.raise(general_protection());
    const auto words = descriptor.read(m);
    if (!words) return Outcome::Fault;
    const auto context = static_cast<std::uint64_t>(*words);
    const auto linear = static_cast<std::uint64_t>(*words >> 64);
    const CpuState& state = m.state();
    constexpr std::uint64_t pcid = 0xfff;
    const bool enabled = (state.cr4 & cr4::pcide) != 0;
    const bool names_context = asked == InvpcidType::Address || asked == InvpcidType::SingleContext;
    if (context & ~pcid) return m.raise(general_protection());
    if (names_context && context != 0 && !enabled) return m.raise(general_protection());
    if (asked == InvpcidType::Address && !is_canonical(linear))
        return m.raise(general_protection());

    SystemServices& system = m.system();
    const bool is_current = !enabled || context == (state.cr3 & pcid);
    if (asked == InvpcidType::Address && is_current)
        system.flush_tlb_page(linear);
    else if (asked == InvpcidType::SingleContext && is_current)
        system.flush_tlb_non_global();
    else
        system.flush_tlb();
    return Outcome::Leave;
};

}  // namespace backplane::x86::semantics

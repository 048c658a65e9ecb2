// SYSCALL, SYSRET, SYSENTER, SYSEXIT and SWAPGS: the fast ways between user and kernel (SDM 2, APM
// 3).
#pragma once

#include "x86/control_registers.h"
#include "x86/far_transfer.h"
#include "x86/machine.h"
#include "x86/semantics/system.h"

#include <utility>

namespace backplane::x86::semantics {

enum class CodeKind : std::uint8_t { Legacy, Long };

// These instructions load fixed flat segments; the descriptor tables are not read.
inline SegmentRegister flat_code(unsigned selector, unsigned cpl, CodeKind kind) {
    using namespace attribute;
    const unsigned attributes = granular | present | code_or_data | code | readable | accessed |
                                (kind == CodeKind::Long ? long_code : big) | cpl << dpl_shift;
    return {.base = 0,
            .limit = 0xffffffff,
            .selector = static_cast<std::uint16_t>(selector),
            .attributes = static_cast<std::uint16_t>(attributes)};
}

inline SegmentRegister flat_stack(unsigned selector, unsigned cpl) {
    using namespace attribute;
    const unsigned attributes = granular | big | present | code_or_data | writable | accessed |
                                cpl << dpl_shift;
    return {.base = 0,
            .limit = 0xffffffff,
            .selector = static_cast<std::uint16_t>(selector),
            .attributes = static_cast<std::uint16_t>(attributes)};
}

inline constexpr auto fast_calls_enabled = [](auto& m) {
    const CpuState& state = m.state();
    if ((state.efer & efer::sce) && state.protected_mode()) [[likely]] {
        // Intel processors have SYSCALL and SYSRET in 64-bit code only.
        if (state.code64() || m.system().model().vendor == Vendor::Amd) return true;
    }
    m.raise({.vector = Vector::InvalidOpcode});
    return false;
};

inline constexpr auto syscall = [](auto& m) {
    if (!fast_calls_enabled(m)) return Outcome::Fault;
    CpuState& state = m.state();
    const unsigned selector = (state.star >> 32) & 0xfffc;
    state.gpr[RCX] = m.next_ip();
    std::uint64_t ip = static_cast<std::uint32_t>(state.star);
    CodeKind kind = CodeKind::Legacy;
    if (state.long_mode()) {
        const std::uint64_t flags = state.full_rflags() & ~rflags::rf;
        state.gpr[R11] = flags;
        state.set_full_rflags(flags & ~state.sfmask);
        ip = state.code64() ? state.lstar : state.cstar;
        kind = CodeKind::Long;
    } else {
        state.rflags &= ~(rflags::if_ | rflags::vm | rflags::rf);
    }
    state.segments[SS] = flat_stack(selector + 8, 0);
    return enter_code(m, flat_code(selector, 0, kind), 0, ip);
};

// Word is the operand size: 64 bits return to 64-bit code, 32 bits to compatibility mode.
template <class Word>
inline constexpr auto sysret = [](auto& m) {
    if (!fast_calls_enabled(m) || !privileged(m)) return Outcome::Fault;
    CpuState& state = m.state();
    const bool to_64bit = sizeof(Word) == 8;
    const std::uint64_t ip = static_cast<Word>(state.gpr[RCX]);
    // Intel processors fault here, still privileged; AMD's fault when the user's instruction is
    // fetched.
    if (to_64bit && !is_canonical(ip) && m.system().model().vendor == Vendor::Intel)
        return m.raise(general_protection());
    const unsigned selector = static_cast<unsigned>(state.star >> 48);
    const unsigned code = ((to_64bit ? selector + 16 : selector) & 0xffff) | 3;
    constexpr std::uint64_t restored = 0x3c7fd7;
    if (state.long_mode())
        state.set_full_rflags(state.gpr[R11] & restored);
    else
        state.rflags |= rflags::if_;
    state.segments[SS] = flat_stack(((selector + 8) & 0xffff) | 3, 3);
    return enter_code(m, flat_code(code, 3, to_64bit ? CodeKind::Long : CodeKind::Legacy), 3, ip);
};

// AMD processors know SYSENTER and SYSEXIT in legacy mode only (APM 3, SYSENTER).
inline constexpr auto has_sysenter = [](auto& m) {
    const CpuModel& model = m.system().model();
    const bool exists = model.has(Feature::Sep) &&
                        (model.vendor == Vendor::Intel || !m.state().long_mode());
    if (exists) return true;
    m.raise({.vector = Vector::InvalidOpcode});
    return false;
};

inline constexpr auto sysenter = [](auto& m) {
    if (!has_sysenter(m)) return Outcome::Fault;
    CpuState& state = m.state();
    const unsigned selector = state.sysenter_cs & 0xfffc;
    if (!state.protected_mode() || selector == 0) return m.raise(general_protection());
    const bool long_mode = state.long_mode();
    state.rflags &= ~(rflags::vm | rflags::if_ | rflags::rf);
    state.gpr[RSP] = long_mode ? state.sysenter_esp
                               : static_cast<std::uint32_t>(state.sysenter_esp);
    const std::uint64_t ip = long_mode ? state.sysenter_eip
                                       : static_cast<std::uint32_t>(state.sysenter_eip);
    state.segments[SS] = flat_stack(selector + 8, 0);
    return enter_code(m, flat_code(selector, 0, long_mode ? CodeKind::Long : CodeKind::Legacy), 0,
                      ip);
};

template <class Word>
inline constexpr auto sysexit = [](auto& m) {
    CpuState& state = m.state();
    // The privilege is judged before the mode that lacks the instruction.
    if (!state.protected_mode() || state.cpl != 0) return m.raise(general_protection());
    if (!has_sysenter(m)) return Outcome::Fault;
    const unsigned selector = state.sysenter_cs & 0xfffc;
    if (selector == 0) return m.raise(general_protection());
    const bool to_64bit = sizeof(Word) == 8;
    const std::uint64_t ip = static_cast<Word>(state.gpr[RDX]);
    if (to_64bit && (!is_canonical(ip) || !is_canonical(state.gpr[RCX])))
        return m.raise(general_protection());
    state.gpr[RSP] = static_cast<Word>(state.gpr[RCX]);
    state.segments[SS] = flat_stack((selector + (to_64bit ? 40 : 24)) | 3, 3);
    const SegmentRegister cs = flat_code((selector + (to_64bit ? 32 : 16)) | 3, 3,
                                         to_64bit ? CodeKind::Long : CodeKind::Legacy);
    return enter_code(m, cs, 3, ip);
};

inline constexpr auto swapgs = [](auto& m) {
    if (!m.state().code64()) return m.raise({.vector = Vector::InvalidOpcode});
    if (!privileged(m)) return Outcome::Fault;
    std::swap(m.state().segments[GS].base, m.state().kernel_gs_base);
    return Outcome::Next;
};

}  // namespace backplane::x86::semantics

// The virtual interrupt flag: CR4.VME lends it to virtual-8086 programs, CR4.PVI to privilege 3
// (SDM 3A 20.3 and 20.4).
#pragma once

#include "x86/control_registers.h"
#include "x86/far_transfer.h"
#include "x86/interrupt_event.h"

namespace backplane::x86 {

inline bool in_virtual8086(const CpuState& state) { return (state.rflags & rflags::vm) != 0; }

// In virtual-8086 mode, whose CPL is 3, the instructions that touch IF belong to the monitor unless
// IOPL is 3 (SDM 3A 20.2.7).
inline bool monitors_flags(const CpuState& state) {
    return in_virtual8086(state) && (state.rflags & rflags::iopl) != rflags::iopl;
}

// ... or unless their 16-bit forms use VIF instead of IF.
template <class Word>
bool has_virtual_flag(const CpuState& state) {
    return sizeof(Word) == 2 && (state.cr4 & cr4::vme);
}

// The flags a program with a virtual interrupt flag is shown: IOPL 3, and VIF for IF.
inline std::uint64_t flags_with_virtual_if(const CpuState& state) {
    const std::uint64_t flags = state.full_rflags() & ~rflags::if_;
    return flags | rflags::iopl | ((flags & rflags::vif) ? rflags::if_ : 0);
}

// POPF and IRET: whether the monitor has to be asked before these flags are taken (SDM 2, table
// 4-16).
inline bool virtual_flags_refused(const CpuState& state, std::uint64_t image) {
    return (image & rflags::tf) || ((image & rflags::if_) && (state.rflags & rflags::vip));
}

// Takes the bits of `image` in `mask`, and its IF as VIF.
inline void set_virtual_flags(CpuState& state, std::uint64_t image, std::uint64_t mask) {
    const std::uint64_t vif = (image & rflags::if_) ? rflags::vif : 0;
    state.set_full_rflags((state.full_rflags() & ~(mask | rflags::vif | rflags::rf)) |
                          (image & mask) | vif);
}

// CLI and STI where CPL is above IOPL: whether they change VIF instead of IF.
inline bool has_virtual_if(const CpuState& state) {
    if (in_virtual8086(state)) return (state.cr4 & cr4::vme) != 0;
    return (state.cr4 & cr4::pvi) && state.cpl == 3;
}

// INT n to the handler of the virtual-8086 program itself, through the vectors at linear address 0
// (SDM 3A 20.3.3.3, methods 5 and 6).
template <class M>
Outcome redirect_interrupt(M& m, std::uint8_t vector) {
    CpuState& state = m.state();
    const bool virtual_if = monitors_flags(state);
    const auto target = m.template load<std::uint32_t>(vector * 4u);
    if (!target) return Outcome::Fault;
    using Word = std::uint16_t;
    TransferStack<M> stack{m};
    const bool pushed = stack.template push<Word>(virtual_if ? flags_with_virtual_if(state)
                                                             : state.full_rflags()) &&
                        stack.template push<Word>(state.segments[CS].selector) &&
                        stack.template push<Word>(m.next_ip());
    if (!pushed) return Outcome::Fault;
    stack.commit();
    state.rflags &= ~(rflags::tf | rflags::rf | (virtual_if ? rflags::vif : rflags::if_));
    const Selector selector{static_cast<std::uint16_t>(*target >> 16)};
    return enter_code(m, real_mode_segment(state, state.segments[CS], selector), 3,
                      *target & 0xffff);
}

}  // namespace backplane::x86

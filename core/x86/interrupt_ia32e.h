// Interrupt and trap gates of IA-32e mode: sixteen-byte gates, interrupt stack table, 64-bit frames
// (SDM 3A 6.14).
#pragma once

#include "x86/interrupt_event.h"
#include "x86/stack_frame.h"
#include "x86/task_state.h"

namespace backplane::x86 {

template <class M>
std::optional<Descriptor> read_gate64(M& m, const InterruptEvent& event) {
    const DescriptorTableRegister& idtr = m.state().idtr;
    const unsigned offset = event.vector * 16u;
    if (offset + 15 > idtr.limit) {
        m.raise(event.gate_fault(Vector::GeneralProtection));
        return {};
    }
    const auto low = m.template load_system<std::uint64_t>(idtr.base + offset);
    if (!low) return {};
    const auto high = m.template load_system<std::uint64_t>(idtr.base + offset + 8);
    if (!high) return {};
    const Descriptor gate{.low = *low, .high = *high};
    const bool known = gate.is_system() && (gate.system_type() == SystemType::InterruptGate ||
                                            gate.system_type() == SystemType::TrapGate);
    if (!known || (event.is_software() && gate.dpl() < m.state().cpl)) {
        m.raise(event.gate_fault(Vector::GeneralProtection));
        return {};
    }
    if (!gate.is_present()) {
        m.raise(event.gate_fault(Vector::SegmentNotPresent));
        return {};
    }
    return gate;
}

template <class M>
[[gnu::noinline]] Outcome deliver_ia32e(M& m, const InterruptEvent& event) {
    CpuState& state = m.state();
    const std::uint32_t external = event.external();
    const auto gate = read_gate64(m, event);
    if (!gate) return Outcome::Fault;

    const Selector selector = gate->gate_selector();
    if (selector.is_null()) return m.raise(general_protection(external));
    const Fault refused = selector_fault(Vector::GeneralProtection, selector, external);
    auto code = read_descriptor(m, selector, refused);
    if (!code) return Outcome::Fault;
    if (!code->is_code() || code->dpl() > state.cpl) return m.raise(refused);
    if (!code->has(attribute::long_code) || code->has(attribute::big)) return m.raise(refused);
    const unsigned cpl = code->is_conforming() ? state.cpl : code->dpl();
    const auto cs = check_code_target(m, selector, *code, cpl, gate->gate_offset64(), external);
    if (!cs) return Outcome::Fault;

    const bool inward = cpl < state.cpl;
    const unsigned table_entry = gate->gate_stack_table();
    std::uint64_t rsp = state.gpr[RSP];
    if (table_entry != 0 || inward) {
        const unsigned offset = table_entry != 0 ? tss64::ist1 + 8 * (table_entry - 1)
                                                 : tss64::rsp0 + 8 * cpl;
        const auto stack = task_stack64(m, offset, external);
        if (!stack) return Outcome::Fault;
        rsp = *stack;
    }
    TransferStack<M> stack{m,   {},
                           rsp, StackWidth::Bits64,
                           cpl, {.vector = Vector::StackFault, .error_code = external}};
    stack.align_down(16);
    using Word = std::uint64_t;
    const bool pushed = stack.template push<Word>(state.segments[SS].selector) &&
                        stack.template push<Word>(state.gpr[RSP]) &&
                        stack.template push<Word>(event.pushed_rflags(state)) &&
                        stack.template push<Word>(state.segments[CS].selector) &&
                        stack.template push<Word>(event.return_ip) &&
                        (!event.error_code || stack.template push<Word>(*event.error_code));
    if (!pushed) return Outcome::Fault;

    stack.commit();
    if (inward) state.segments[SS] = null_segment({static_cast<std::uint16_t>(cpl)}, cpl);
    state.segments[CS] = *cs;
    state.cpl = static_cast<std::uint8_t>(cpl);
    state.rflags &= ~(rflags::tf | rflags::nt | rflags::rf | rflags::vm);
    if (gate->system_type() == SystemType::InterruptGate) state.rflags &= ~rflags::if_;
    return m.jump(gate->gate_offset64());
}

}  // namespace backplane::x86

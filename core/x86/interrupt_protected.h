// Interrupts outside IA-32e mode: the gates of protected mode (SDM 3A 6.12) and the vector table of
// real mode (20.1.4).
#pragma once

#include "x86/interrupt_event.h"
#include "x86/stack_frame.h"
#include "x86/task_switch.h"

namespace backplane::x86 {

constexpr bool is_interrupt_or_trap_gate(SystemType type) {
    using enum SystemType;
    return type == InterruptGate || type == TrapGate || type == InterruptGate16 ||
           type == TrapGate16;
}

template <class M>
std::optional<Descriptor> read_gate32(M& m, const InterruptEvent& event) {
    const DescriptorTableRegister& idtr = m.state().idtr;
    const unsigned offset = event.vector * 8u;
    if (offset + 7 > idtr.limit) {
        m.raise(event.gate_fault(Vector::GeneralProtection));
        return {};
    }
    const auto low = m.template load_system<std::uint64_t>(idtr.base + offset);
    if (!low) return {};
    const Descriptor gate{.low = *low};
    const bool known = gate.is_system() && (is_interrupt_or_trap_gate(gate.system_type()) ||
                                            gate.system_type() == SystemType::TaskGate);
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

// The frame and the new registers, with words of the gate's size.
template <class Word, class M>
Outcome enter_protected_gate(M& m, const InterruptEvent& event, const Descriptor& gate) {
    CpuState& state = m.state();
    const std::uint32_t external = event.external();
    const bool from_v86 = (state.rflags & rflags::vm) != 0;
    const Selector selector = gate.gate_selector();
    if (selector.is_null()) return m.raise(general_protection(external));
    const Fault refused = selector_fault(Vector::GeneralProtection, selector, external);
    auto code = read_descriptor(m, selector, refused);
    if (!code) return Outcome::Fault;
    if (!code->is_code() || code->dpl() > state.cpl) return m.raise(refused);
    const unsigned cpl = code->is_conforming() ? state.cpl : code->dpl();
    // Virtual-8086 mode is left to privilege 0 only (SDM 3A 20.3.1).
    if (from_v86 && cpl != 0) return m.raise(refused);
    const std::uint64_t offset = sizeof(Word) == 4 ? gate.gate_offset32() : gate.gate_offset16();
    const auto cs = check_code_target(m, selector, *code, cpl, offset, external);
    if (!cs) return Outcome::Fault;

    const bool inward = cpl < state.cpl;
    SegmentRegister ss = state.segments[SS];
    std::uint64_t pointer = state.gpr[RSP];
    std::uint32_t violation = external;
    if (inward) {
        const auto target = task_stack32(m, cpl, external);
        if (!target) return Outcome::Fault;
        const auto checked = check_stack_segment(m, target->selector, cpl, Vector::InvalidTss,
                                                 external);
        if (!checked) return Outcome::Fault;
        ss = *checked;
        pointer = target->offset;
        violation = target->selector.error_code() | external;
    }
    TransferStack<M> stack{m,       ss,
                           pointer, stack_width(ss),
                           cpl,     {.vector = Vector::StackFault, .error_code = violation}};
    if (from_v86)
        for (const SegmentIndex index : {GS, FS, DS, ES})
            if (!stack.template push<Word>(state.segments[index].selector)) return Outcome::Fault;
    const bool pushed = (!inward || (stack.template push<Word>(state.segments[SS].selector) &&
                                     stack.template push<Word>(state.gpr[RSP]))) &&
                        stack.template push<Word>(event.pushed_rflags(state)) &&
                        stack.template push<Word>(state.segments[CS].selector) &&
                        stack.template push<Word>(event.return_ip) &&
                        (!event.error_code || stack.template push<Word>(*event.error_code));
    if (!pushed) return Outcome::Fault;

    stack.commit();
    state.segments[SS] = ss;
    state.segments[CS] = *cs;
    state.cpl = static_cast<std::uint8_t>(cpl);
    if (from_v86)
        for (const SegmentIndex index : {GS, FS, DS, ES})
            state.segments[index] = null_segment({});
    state.rflags &= ~(rflags::tf | rflags::nt | rflags::rf | rflags::vm);
    const SystemType type = gate.system_type();
    if (type == SystemType::InterruptGate || type == SystemType::InterruptGate16)
        state.rflags &= ~rflags::if_;
    return m.jump(offset);
}

// The task is entered whatever the privilege (SDM 3A 6.12.2).
template <class M>
Outcome enter_task_gate(M& m, const InterruptEvent& event, const Descriptor& gate) {
    const Selector selector = gate.gate_selector();
    const auto tss = check_task(m, selector, TaskEntry::Event, event.external());
    if (!tss) return Outcome::Fault;
    return switch_task(m, selector, *tss, TaskEntry::Event,
                       {.ip = event.return_ip,
                        .flags = event.pushed_rflags(m.state()),
                        .external = event.external(),
                        .error_code = event.error_code});
}

template <class M>
[[gnu::noinline]] Outcome deliver_protected(M& m, const InterruptEvent& event) {
    const auto gate = read_gate32(m, event);
    if (!gate) return Outcome::Fault;
    switch (gate->system_type()) {
    case SystemType::TaskGate: return enter_task_gate(m, event, *gate);
    case SystemType::InterruptGate16:
    case SystemType::TrapGate16: return enter_protected_gate<std::uint16_t>(m, event, *gate);
    default: return enter_protected_gate<std::uint32_t>(m, event, *gate);
    }
}

template <class M>
[[gnu::noinline]] Outcome deliver_real(M& m, const InterruptEvent& event) {
    CpuState& state = m.state();
    const unsigned entry = event.vector * 4u;
    if (entry + 3 > state.idtr.limit) return m.raise(event.gate_fault(Vector::GeneralProtection));
    const auto target = m.template load_system<std::uint32_t>(state.idtr.base + entry);
    if (!target) return Outcome::Fault;

    using Word = std::uint16_t;
    TransferStack<M> stack{m};
    const bool pushed = stack.template push<Word>(state.full_rflags()) &&
                        stack.template push<Word>(state.segments[CS].selector) &&
                        stack.template push<Word>(event.return_ip);
    if (!pushed) return Outcome::Fault;

    stack.commit();
    const Selector selector{static_cast<std::uint16_t>(*target >> 16)};
    state.segments[CS] = real_mode_segment(state, state.segments[CS], selector);
    state.rflags &= ~(rflags::if_ | rflags::tf | rflags::rf | rflags::ac);
    return m.jump(*target & 0xffff);
}

}  // namespace backplane::x86

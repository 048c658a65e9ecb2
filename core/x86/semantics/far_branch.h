// Far JMP, CALL and RET: between segments, modes, privilege levels and tasks (SDM 2; SDM 3A 5.8).
#pragma once

#include "x86/far_pointer.h"
#include "x86/far_transfer.h"
#include "x86/machine.h"
#include "x86/task_switch.h"

#include <array>
#include <type_traits>

namespace backplane::x86::semantics {

inline constexpr auto jump_far = [](auto& m, auto target) {
    const auto pointer = target.read_far(m);
    if (!pointer) return Outcome::Fault;
    const CpuState& state = m.state();
    const Selector selector = pointer->selector;
    if (!uses_descriptors(state)) {
        const auto cs = check_real_target(m, selector, pointer->offset);
        return cs ? enter_code(m, *cs, state.cpl, pointer->offset) : Outcome::Fault;
    }
    if (selector.is_null()) return m.raise(general_protection());
    const Fault refused = selector_fault(Vector::GeneralProtection, selector);
    auto descriptor = read_descriptor(m, selector, refused);
    if (!descriptor) return Outcome::Fault;
    if (!descriptor->is_system()) {
        if (!code_reachable(*descriptor, selector.rpl(), state.cpl)) return m.raise(refused);
        const auto cs = check_code_target(m, selector, *descriptor, state.cpl, pointer->offset);
        return cs ? enter_code(m, *cs, state.cpl, pointer->offset) : Outcome::Fault;
    }
    if (leads_to_task(state, *descriptor))
        return jump_to_task(m, selector, *descriptor, TaskEntry::Jump);
    auto gate = check_call_gate(m, selector, *descriptor);
    if (!gate) return Outcome::Fault;
    // A jump never changes the privilege.
    if (!gate->code.is_conforming() && gate->code.dpl() != state.cpl)
        return m.raise(selector_fault(Vector::GeneralProtection, gate->selector));
    const auto cs = check_code_target(m, gate->selector, gate->code, state.cpl, gate->ip);
    return cs ? enter_code(m, *cs, state.cpl, gate->ip) : Outcome::Fault;
};

// Pushes CS and the return address on the current stack and goes. The new CS is there before the
// pushes (APM 3, CALL far): between 64-bit and other code they use the stack as the target does.
template <class Word, class M>
Outcome call_same_privilege(M& m, const SegmentRegister& cs, std::uint64_t ip) {
    CpuState& state = m.state();
    const SegmentRegister& ss = state.segments[SS];
    TransferStack stack{m, ss, state.gpr[RSP], target_stack_width(state, cs, ss), state.cpl};
    if (!stack.template push<Word>(state.segments[CS].selector)) return Outcome::Fault;
    if (!stack.template push<Word>(m.next_ip())) return Outcome::Fault;
    stack.commit();
    return enter_code(m, cs, state.cpl, ip);
}

// Through a call gate to an inner level in IA-32e mode: 64-bit frame, null SS (SDM 3A 5.8.5.1).
template <class M>
Outcome call_inner_ia32e(M& m, const SegmentRegister& cs, unsigned cpl, std::uint64_t ip) {
    CpuState& state = m.state();
    const auto rsp = task_stack64(m, tss64::rsp0 + 8 * cpl, 0);
    if (!rsp) return Outcome::Fault;
    TransferStack<M> stack{m, {}, *rsp, StackWidth::Bits64, cpl};
    using Word = std::uint64_t;
    const bool pushed = stack.template push<Word>(state.segments[SS].selector) &&
                        stack.template push<Word>(state.gpr[RSP]) &&
                        stack.template push<Word>(state.segments[CS].selector) &&
                        stack.template push<Word>(m.next_ip());
    if (!pushed) return Outcome::Fault;
    stack.commit();
    state.segments[SS] = null_segment({static_cast<std::uint16_t>(cpl)}, cpl);
    return enter_code(m, cs, cpl, ip);
}

// The same in protected mode: SS:ESP from the TSS, parameters copied from the caller's stack (SDM
// 3A 5.8.5).
template <class Word, class M>
Outcome call_inner_protected(M& m, const GateTarget& gate, const SegmentRegister& cs,
                             unsigned cpl) {
    CpuState& state = m.state();
    const auto target = task_stack32(m, cpl, 0);
    if (!target) return Outcome::Fault;
    const auto ss = check_stack_segment(m, target->selector, cpl, Vector::InvalidTss);
    if (!ss) return Outcome::Fault;
    const Fault violation{.vector = Vector::StackFault,
                          .error_code = target->selector.error_code()};
    TransferStack<M> stack{m, *ss, target->offset, stack_width(*ss), cpl, violation};
    if (!stack.template push<Word>(state.segments[SS].selector)) return Outcome::Fault;
    if (!stack.template push<Word>(state.gpr[RSP])) return Outcome::Fault;

    const unsigned count = gate.gate.gate_parameter_count();
    std::array<Word, 31> parameters;
    TransferStack caller{m};
    for (unsigned i = 0; i < count; ++i) {
        const auto parameter = caller.template pop<Word>();
        if (!parameter) return Outcome::Fault;
        parameters[i] = *parameter;
    }
    for (unsigned i = count; i-- > 0;)
        if (!stack.template push<Word>(parameters[i])) return Outcome::Fault;
    if (!stack.template push<Word>(state.segments[CS].selector)) return Outcome::Fault;
    if (!stack.template push<Word>(m.next_ip())) return Outcome::Fault;
    stack.commit();
    state.segments[SS] = *ss;
    return enter_code(m, cs, cpl, gate.ip);
}

template <class M>
Outcome call_through_gate(M& m, GateTarget& gate) {
    const CpuState& state = m.state();
    const bool inward = !gate.code.is_conforming() && gate.code.dpl() < state.cpl;
    const unsigned cpl = inward ? gate.code.dpl() : state.cpl;
    const auto cs = check_code_target(m, gate.selector, gate.code, cpl, gate.ip);
    if (!cs) return Outcome::Fault;
    const bool narrow = gate.gate.system_type() == SystemType::CallGate16;
    if (inward) {
        if (state.long_mode()) return call_inner_ia32e(m, *cs, cpl, gate.ip);
        return narrow ? call_inner_protected<std::uint16_t>(m, gate, *cs, cpl)
                      : call_inner_protected<std::uint32_t>(m, gate, *cs, cpl);
    }
    if (!state.long_mode())
        return narrow ? call_same_privilege<std::uint16_t>(m, *cs, gate.ip)
                      : call_same_privilege<std::uint32_t>(m, *cs, gate.ip);
    // From compatibility mode too the frame is 64-bit, on the stack pointer as it is.
    TransferStack<M> stack{m, {}, state.gpr[RSP], StackWidth::Bits64, cpl};
    if (!stack.template push<std::uint64_t>(state.segments[CS].selector)) return Outcome::Fault;
    if (!stack.template push<std::uint64_t>(m.next_ip())) return Outcome::Fault;
    stack.commit();
    return enter_code(m, *cs, cpl, gate.ip);
}

// Word is the operand size: what is pushed when no gate says otherwise.
template <class Word>
inline constexpr auto call_far = [](auto& m, auto target) {
    const auto pointer = target.read_far(m);
    if (!pointer) return Outcome::Fault;
    const CpuState& state = m.state();
    const Selector selector = pointer->selector;
    if (!uses_descriptors(state)) {
        const auto cs = check_real_target(m, selector, pointer->offset);
        return cs ? call_same_privilege<Word>(m, *cs, pointer->offset) : Outcome::Fault;
    }
    if (selector.is_null()) return m.raise(general_protection());
    const Fault refused = selector_fault(Vector::GeneralProtection, selector);
    auto descriptor = read_descriptor(m, selector, refused);
    if (!descriptor) return Outcome::Fault;
    if (!descriptor->is_system()) {
        if (!code_reachable(*descriptor, selector.rpl(), state.cpl)) return m.raise(refused);
        const auto cs = check_code_target(m, selector, *descriptor, state.cpl, pointer->offset);
        return cs ? call_same_privilege<Word>(m, *cs, pointer->offset) : Outcome::Fault;
    }
    if (leads_to_task(state, *descriptor))
        return jump_to_task(m, selector, *descriptor, TaskEntry::Call);
    auto gate = check_call_gate(m, selector, *descriptor);
    return gate ? call_through_gate(m, *gate) : Outcome::Fault;
};

// Op::immediate is the number of bytes of parameters to release, on both stacks when the privilege
// changes.
template <class Word>
inline constexpr auto return_far = [](auto& m) {
    CpuState& state = m.state();
    TransferStack stack{m};
    const auto ip = stack.template pop<Word>();
    if (!ip) return Outcome::Fault;
    const auto code = stack.template pop<Word>();
    if (!code) return Outcome::Fault;
    const std::uint64_t parameters = m.op().immediate;
    const Selector selector{static_cast<std::uint16_t>(*code)};
    stack.skip(parameters);
    if (!uses_descriptors(state)) {
        const auto cs = check_real_target(m, selector, *ip);
        if (!cs) return Outcome::Fault;
        stack.commit();
        return enter_code(m, *cs, state.cpl, *ip);
    }
    const auto cs = check_return_code(m, selector, *ip);
    if (!cs) return Outcome::Fault;
    const unsigned cpl = selector.rpl();
    if (cpl == state.cpl) {
        stack.commit();
        return enter_code(m, *cs, cpl, *ip);
    }
    const auto pointer = stack.template pop<Word>();
    if (!pointer) return Outcome::Fault;
    const auto stack_selector = stack.template pop<Word>();
    if (!stack_selector) return Outcome::Fault;
    const auto ss = check_return_stack(m, {static_cast<std::uint16_t>(*stack_selector)}, *cs);
    if (!ss) return Outcome::Fault;

    const StackWidth width = target_stack_width(state, *cs, *ss);
    TransferStack<std::remove_reference_t<decltype(m)>>::set_stack_pointer(
        state, *pointer + parameters, width);
    state.segments[SS] = *ss;
    state.cpl = static_cast<std::uint8_t>(cpl);
    drop_privileged_segments(state);
    return enter_code(m, *cs, cpl, *ip);
};

}  // namespace backplane::x86::semantics

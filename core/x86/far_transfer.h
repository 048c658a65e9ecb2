// What far jumps, calls and returns share: the checks of their targets and the change to new code.
#pragma once

#include "x86/stack_frame.h"
#include "x86/system_services.h"
#include "x86/task_state.h"

namespace backplane::x86 {

// The last step of every far transfer: nothing after it fails.
template <class M>
Outcome enter_code(M& m, const SegmentRegister& cs, unsigned cpl, std::uint64_t ip) {
    CpuState& state = m.state();
    state.segments[CS] = cs;
    state.cpl = static_cast<std::uint8_t>(cpl);
    m.system().mode_changed();
    return m.jump(ip);
}

// Real-address and virtual-8086 mode.
template <class M>
std::optional<SegmentRegister> check_real_target(M& m, Selector selector, std::uint64_t ip) {
    const CpuState& state = m.state();
    if (ip > state.segments[CS].limit) {
        m.raise(general_protection());
        return {};
    }
    return real_mode_segment(state, state.segments[CS], selector);
}

// A call gate that the program may use (SDM 3A 5.8.4), and the code segment it leads to.
struct GateTarget {
    Descriptor gate;
    Selector selector;
    Descriptor code;
    std::uint64_t ip = 0;
};

template <class M>
std::optional<GateTarget> check_call_gate(M& m, Selector selector, const Descriptor& gate) {
    const CpuState& state = m.state();
    const Fault refused = selector_fault(Vector::GeneralProtection, selector);
    const auto refuse_with = [&](Fault fault) {
        m.raise(fault);
        return std::nullopt;
    };
    const SystemType type = gate.system_type();
    const bool narrow = type == SystemType::CallGate16 && !state.long_mode();
    if (type != SystemType::CallGate && !narrow) return refuse_with(refused);
    // SDM 3A 5.8.3.1: the type field of the upper half must be zero.
    if (state.long_mode() && ((gate.high >> 40) & 0x1f)) return refuse_with(refused);
    if (gate.dpl() < state.cpl || selector.rpl() > gate.dpl()) return refuse_with(refused);
    if (!gate.is_present()) return refuse_with(selector_fault(Vector::SegmentNotPresent, selector));

    GateTarget target{.gate = gate, .selector = gate.gate_selector(), .code = {}};
    if (target.selector.is_null()) return refuse_with(general_protection());
    const Fault bad_code = selector_fault(Vector::GeneralProtection, target.selector);
    const auto code = read_descriptor(m, target.selector, bad_code);
    if (!code) return {};
    if (!code->is_code() || code->dpl() > state.cpl) return refuse_with(bad_code);
    if (state.long_mode() && (!code->has(attribute::long_code) || code->has(attribute::big)))
        return refuse_with(bad_code);
    target.code = *code;
    target.ip = state.long_mode() ? gate.gate_offset64()
                : narrow          ? gate.gate_offset16()
                                  : gate.gate_offset32();
    return target;
}

// The code segment a RET or IRET goes back to; its RPL is the new privilege (SDM 2 RET).
template <class M>
std::optional<SegmentRegister> check_return_code(M& m, Selector selector, std::uint64_t ip) {
    if (selector.is_null()) {
        m.raise(general_protection());
        return {};
    }
    const Fault refused = selector_fault(Vector::GeneralProtection, selector);
    auto descriptor = read_descriptor(m, selector, refused);
    if (!descriptor) return {};
    const bool privilege_fits = descriptor->is_conforming() ? descriptor->dpl() <= selector.rpl()
                                                            : descriptor->dpl() == selector.rpl();
    if (selector.rpl() < m.state().cpl || !descriptor->is_code() || !privilege_fits) {
        m.raise(refused);
        return {};
    }
    return check_code_target(m, selector, *descriptor, selector.rpl(), ip);
}

// The stack segment that goes with it. 64-bit code below privilege 3 may have a null one.
template <class M>
std::optional<SegmentRegister> check_return_stack(M& m, Selector selector,
                                                  const SegmentRegister& cs) {
    const unsigned cpl = Selector{cs.selector}.rpl();
    const bool to_64bit = m.state().long_mode() && (cs.attributes & attribute::long_code);
    if (selector.is_null() && to_64bit && cpl != 3 && selector.rpl() == cpl)
        return null_segment(selector, cpl);
    return check_stack_segment(m, selector, cpl, Vector::GeneralProtection);
}

// The width of the stack pointer in the code that a transfer goes to.
inline StackWidth target_stack_width(const CpuState& state, const SegmentRegister& cs,
                                     const SegmentRegister& ss) {
    const bool to_64bit = state.long_mode() && (cs.attributes & attribute::long_code);
    return to_64bit ? StackWidth::Bits64 : stack_width(ss);
}

}  // namespace backplane::x86

// PUSH, POP, PUSHA, POPA, ENTER, LEAVE, PUSHF and POPF (SDM 2).
//
// `stack` is one of the kinds of stack.h. The stack pointer moves last, so a fault leaves it; only
// a register destination of POP is written after it, as POP of the stack pointer itself needs.
#pragma once

#include "x86/implicit_operand.h"
#include "x86/machine.h"
#include "x86/stack.h"
#include "x86/virtual8086.h"

#include <array>

namespace backplane::x86::semantics {

inline constexpr auto push = [](auto& m, auto stack, auto src) __attribute__((always_inline)) {
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    return push_value(m, stack, *value) ? Outcome::Next : Outcome::Fault;
};

inline constexpr auto pop = [](auto& m, auto stack, auto dst) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const std::uint64_t pointer = stack.pointer(m);
    const auto value = stack.template load<T>(m, pointer);
    if (!value) return Outcome::Fault;
    if constexpr (decltype(dst)::is_memory) {
        if (!dst.write(m, *value)) return Outcome::Fault;
        stack.set_pointer(m, pointer + sizeof(T));
    } else {
        stack.set_pointer(m, pointer + sizeof(T));
        dst.write(m, *value);
    }
    return Outcome::Next;
};

// PUSHA and PUSHAD: the stack pointer is pushed as it was before.
template <class T>
inline constexpr auto pusha = [](auto& m, auto stack) __attribute__((always_inline)) {
    const std::uint64_t pointer = stack.pointer(m);
    for (unsigned i = 0; i < 8; ++i) {
        const T value = static_cast<T>(m.state().gpr[i]);
        if (!stack.store(m, pointer - (i + 1) * sizeof(T), value)) return Outcome::Fault;
    }
    stack.set_pointer(m, pointer - 8 * sizeof(T));
    return Outcome::Next;
};

// POPA and POPAD: the stack pointer's slot is skipped.
template <class T>
inline constexpr auto popa = [](auto& m, auto stack) __attribute__((always_inline)) {
    const std::uint64_t pointer = stack.pointer(m);
    std::array<T, 8> values;
    for (unsigned i = 0; i < 8; ++i) {
        const auto value = stack.template load<T>(m, pointer + i * sizeof(T));
        if (!value) return Outcome::Fault;
        values[7 - i] = *value;
    }
    stack.set_pointer(m, pointer + 8 * sizeof(T));
    for (unsigned i = 0; i < 8; ++i) {
        if (i == RSP) continue;
        std::uint64_t& place = m.state().gpr[i];
        place = sizeof(T) == 2 ? (place & ~std::uint64_t{0xffff}) | values[i] : values[i];
    }
    return Outcome::Next;
};

// The allocation size is Op::immediate, the nesting level, modulo 32, Op::extra. At the end the
// new top of the stack must be writable (SDM 2, ENTER).
template <class T>
inline constexpr auto enter = [](auto& m, auto stack) __attribute__((always_inline)) {
    using Frame = FixedRegister<T, RBP * 8>;
    std::uint64_t pointer = stack.pointer(m) - sizeof(T);
    if (!stack.store(m, pointer, *Frame::read(m))) return Outcome::Fault;
    const std::uint64_t frame = pointer;
    const unsigned level = m.op().extra & 31;
    std::uint64_t outer = m.state().gpr[RBP];
    for (unsigned i = 1; i < level; ++i) {
        outer -= sizeof(T);
        const auto link = stack.template load<T>(m, outer);
        if (!link) return Outcome::Fault;
        pointer -= sizeof(T);
        if (!stack.store(m, pointer, *link)) return Outcome::Fault;
    }
    if (level > 0) {
        pointer -= sizeof(T);
        if (!stack.store(m, pointer, static_cast<T>(frame))) return Outcome::Fault;
    }
    pointer -= m.op().immediate;
    if (!stack.template probe<T>(m, pointer)) return Outcome::Fault;
    stack.set_pointer(m, pointer);
    Frame::write(m, static_cast<T>(frame));
    return Outcome::Next;
};

template <class T>
inline constexpr auto leave = [](auto& m, auto stack) __attribute__((always_inline)) {
    const std::uint64_t frame = m.state().gpr[RBP];
    const auto value = stack.template load<T>(m, frame);
    if (!value) return Outcome::Fault;
    stack.set_pointer(m, frame + sizeof(T));
    FixedRegister<T, RBP * 8>::write(m, *value);
    return Outcome::Next;
};

// In virtual-8086 mode IOPL below 3 leaves PUSHF and POPF to the monitor, or to VIF (SDM 3A 20.2.7
// and 20.3).
template <class T>
inline constexpr auto pushf = [](auto& m, auto stack) __attribute__((always_inline)) {
    const CpuState& state = m.state();
    std::uint64_t flags = state.full_rflags();
    if (monitors_flags(state)) [[unlikely]] {
        if (!has_virtual_flag<T>(state)) return m.raise({.vector = Vector::GeneralProtection});
        flags = flags_with_virtual_if(state);
    }
    const T value = static_cast<T>(flags & ~(rflags::vm | rflags::rf));
    return push_value(m, stack, value) ? Outcome::Next : Outcome::Fault;
};

// Which bits change depends on width and privilege (SDM 2, POPF, table 4-16): IOPL at CPL 0 only,
// IF when CPL is not above IOPL. RF is cleared; VM, VIF and VIP stay.
template <class T>
inline constexpr auto popf = [](auto& m, auto stack) __attribute__((always_inline)) {
    CpuState& state = m.state();
    const bool monitored = monitors_flags(state);
    if (monitored && !has_virtual_flag<T>(state))
        return m.raise({.vector = Vector::GeneralProtection});
    const std::uint64_t pointer = stack.pointer(m);
    const auto value = stack.template load<T>(m, pointer);
    if (!value) return Outcome::Fault;

    std::uint64_t changeable = rflags::arithmetic | rflags::tf | rflags::df | rflags::nt;
    if (monitored) [[unlikely]] {
        if (virtual_flags_refused(state, *value))
            return m.raise({.vector = Vector::GeneralProtection});
        stack.set_pointer(m, pointer + sizeof(T));
        const std::uint64_t before = state.rflags;
        set_virtual_flags(state, *value, changeable);
        if ((before ^ state.rflags) & rflags::tf) m.system().mode_changed();
        return Outcome::Leave;
    }
    if constexpr (sizeof(T) > 2) changeable |= rflags::rf | rflags::ac | rflags::id;
    if (state.cpl == 0) changeable |= rflags::iopl;
    if (state.cpl <= ((state.rflags & rflags::iopl) >> 12)) changeable |= rflags::if_;
    const std::uint64_t before = state.rflags;
    const std::uint64_t image = *value & ~rflags::rf;
    stack.set_pointer(m, pointer + sizeof(T));
    state.set_full_rflags((state.full_rflags() & ~changeable) | (image & changeable));

    // Single-stepping and alignment or SMAP checks are part of the mode; interrupts may be due now.
    const std::uint64_t changed = before ^ state.rflags;
    if (changed & (rflags::tf | rflags::ac)) {
        m.system().mode_changed();
        return Outcome::Leave;
    }
    const bool enables = (changed & state.rflags & rflags::if_) != 0;
    return enables && m.system().interrupt_window_matters() ? Outcome::Leave : Outcome::Next;
};

}  // namespace backplane::x86::semantics

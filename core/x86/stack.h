// The two kinds of stack that instructions push to and pop from: flat in 64-bit code, a segment
// elsewhere.
//
// A semantic takes one of them as an operand kind. Slots are addressed relative to the stack
// pointer and the pointer is moved by `set_pointer` last, so that a fault leaves it where it was.
#pragma once

#include "x86/cpu_state.h"
#include "x86/segmented_address.h"

#include <cstdint>
#include <optional>

namespace backplane::x86 {

// Also where a probe is unlikely it is inlined: a handler with a call in it needs a stack frame.
struct Stack64 {
    template <class M>
    static std::uint64_t pointer(M& m) {
        return m.state().gpr[RSP];
    }

    template <class T, class M>
    static std::optional<T> load(M& m, std::uint64_t pointer) {
        const auto value = m.template load<T>(pointer);
        if (value) [[likely]]
            return value;
        judge_fault(m, pointer, sizeof(T));
        return std::nullopt;
    }

    template <class M, class T>
    static bool store(M& m, std::uint64_t pointer, T value) {
        if (m.store(pointer, value)) [[likely]]
            return true;
        judge_fault(m, pointer, sizeof(T));
        return false;
    }

    // Raises what a write to the stack at `pointer` would raise. False: something was.
    template <class T, class M>
    [[gnu::always_inline]] static bool probe(M& m, std::uint64_t pointer) {
        if (m.template update<T>(pointer, [](T value) { return value; })) [[likely]]
            return true;
        judge_fault(m, pointer, sizeof(T));
        return false;
    }

    template <class M>
    static void set_pointer(M& m, std::uint64_t pointer) {
        m.state().gpr[RSP] = pointer;
    }

private:
    // SDM 3A 6.15, interrupt 12: an address of the stack that is not canonical is #SS, where other
    // accesses raise #GP.
    template <class M>
    static void judge_fault(M& m, std::uint64_t pointer, unsigned bytes) {
        if (is_canonical(pointer) && is_canonical(pointer + bytes - 1)) return;
        m.raise({.vector = Vector::StackFault});
    }
};

// SS.B chooses ESP or SP (SDM 1 6.2.3); the pointer wraps at its own width and offsets are checked
// against the limit.
struct StackLegacy {
    template <class M>
    static std::uint64_t mask(M& m) {
        return (m.state().segments[SS].attributes & attribute::big) ? 0xffffffff : 0xffff;
    }

    template <class M>
    static std::uint64_t pointer(M& m) {
        return m.state().gpr[RSP] & mask(m);
    }

    template <class T, class M>
    static std::optional<T> load(M& m, std::uint64_t pointer) {
        const auto linear = segmented_address(m, SS, static_cast<std::uint32_t>(pointer & mask(m)),
                                              sizeof(T), SegmentAccess::Read);
        if (!linear) return std::nullopt;
        return m.template load<T>(*linear);
    }

    template <class M, class T>
    static bool store(M& m, std::uint64_t pointer, T value) {
        const auto linear = segmented_address(m, SS, static_cast<std::uint32_t>(pointer & mask(m)),
                                              sizeof(T), SegmentAccess::Write);
        return linear && m.store(*linear, value);
    }

    template <class T, class M>
    static bool probe(M& m, std::uint64_t pointer) {
        const auto linear = segmented_address(m, SS, static_cast<std::uint32_t>(pointer & mask(m)),
                                              sizeof(T), SegmentAccess::Write);
        return linear && m.template update<T>(*linear, [](T value) { return value; });
    }

    // A 16-bit stack leaves the upper half of ESP alone.
    template <class M>
    static void set_pointer(M& m, std::uint64_t pointer) {
        std::uint64_t& rsp = m.state().gpr[RSP];
        rsp = (rsp & ~mask(m) & 0xffffffff) | (pointer & mask(m));
    }
};

// Writes one value below the stack pointer. False: a fault was raised, nothing changed.
template <class Stack, class M, class T>
bool push_value(M& m, Stack stack, T value) {
    const std::uint64_t pointer = stack.pointer(m) - sizeof(T);
    if (!stack.store(m, pointer, value)) return false;
    stack.set_pointer(m, pointer);
    return true;
}

}  // namespace backplane::x86

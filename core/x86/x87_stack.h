// The x87 register stack and its control and status words, as the instructions see them (SDM
// 1 8.1).
#pragma once

#include "x86/cpu_state.h"

#include <cstdint>

namespace backplane::x86 {

namespace x87_status {
constexpr std::uint16_t invalid = 1u << 0, denormal = 1u << 1, zero_divide = 1u << 2;
constexpr std::uint16_t overflow = 1u << 3, underflow = 1u << 4, precision = 1u << 5;
constexpr std::uint16_t flags = 0x3f;
constexpr std::uint16_t stack_fault = 1u << 6;
constexpr std::uint16_t error_summary = 1u << 7;
constexpr std::uint16_t c0 = 1u << 8, c1 = 1u << 9, c2 = 1u << 10, c3 = 1u << 14;
constexpr std::uint16_t conditions = c0 | c1 | c2 | c3;
constexpr unsigned top_shift = 11;
constexpr std::uint16_t top = 7u << top_shift;
constexpr std::uint16_t busy = 1u << 15;

// Detected before an operation is done: when one is unmasked the operation does not happen (SDM
// 1 8.7).
constexpr std::uint16_t before_operation = invalid | denormal | zero_divide;
// Unmasked, these keep a result from being stored in memory (SDM 1 8.5.4, 8.5.5).
constexpr std::uint16_t prevents_store = before_operation | overflow | underflow;
}  // namespace x87_status

namespace x87_control {
constexpr std::uint16_t masks = 0x3f;
constexpr std::uint16_t reserved_one = 0x40;
inline constexpr std::uint16_t power_on = 0x037f;
constexpr std::uint16_t writable = 0x1f3f;
}  // namespace x87_control

// What masked invalid operations give (SDM 1 table 4-3).
inline constexpr Float80 x87_indefinite{0xc000000000000000, 0xffff};

class X87Stack {
public:
    explicit X87Stack(CpuState& state) : x87_{state.x87} {}

    unsigned top() const { return (x87_.status >> x87_status::top_shift) & 7; }
    void set_top(unsigned value) {
        x87_.status = static_cast<std::uint16_t>((x87_.status & ~x87_status::top) |
                                                 (value & 7) << x87_status::top_shift);
    }

    Float80& st(unsigned i) { return x87_.registers[physical(i)]; }
    bool is_empty(unsigned i) const { return !(x87_.valid >> physical(i) & 1); }

    void set(unsigned i, const Float80& value) {
        st(i) = value;
        x87_.valid = static_cast<std::uint8_t>(x87_.valid | 1u << physical(i));
    }
    void free(unsigned i) {
        x87_.valid = static_cast<std::uint8_t>(x87_.valid & ~(1u << physical(i)));
    }

    void push(const Float80& value) {
        set_top(top() - 1);
        set(0, value);
    }
    void pop() {
        free(0);
        set_top(top() + 1);
    }

    bool unmasked(std::uint16_t flags) const { return flags & ~x87_.control & x87_status::flags; }

    // Takes over what an operation left in the host's status word: its exception flags, C1 and the
    // conditions it defines. Returns the unmasked exceptions it raised.
    std::uint16_t accept(std::uint16_t host_status, std::uint16_t conditions = 0) {
        using namespace x87_status;
        const unsigned taken = c1 | conditions;
        x87_.status = static_cast<std::uint16_t>((x87_.status & ~taken) |
                                                 (host_status & (taken | flags)));
        update_summary();
        return host_status & ~x87_.control & flags;
    }

    // A register was empty: #IS with C1 clear; one was full: with C1 set. True: masked, the default
    // response follows.
    bool underflow() { return stack_fault(0); }
    bool overflow() { return stack_fault(x87_status::c1); }

    // ES and B say whether an unmasked exception is pending (SDM 1 8.1.3.3).
    void update_summary() {
        using namespace x87_status;
        const bool pending = unmasked(x87_.status);
        x87_.status = static_cast<std::uint16_t>((x87_.status & ~(error_summary | busy)) |
                                                 (pending ? error_summary | busy : 0));
    }

private:
    unsigned physical(unsigned i) const { return (top() + i) & 7; }

    bool stack_fault(std::uint16_t direction) {
        using namespace x87_status;
        x87_.status = static_cast<std::uint16_t>((x87_.status & ~c1) | direction |
                                                 x87_status::stack_fault | invalid);
        update_summary();
        return !unmasked(invalid);
    }

    X87State& x87_;
};

}  // namespace backplane::x86

// What x87 instructions have in common: stack operands, the checks in front, and the
// last-instruction pointers.
#pragma once

#include "x86/fp_availability.h"
#include "x86/host_x87.h"
#include "x86/operand.h"

#include <type_traits>

namespace backplane::x86 {

// ST(i), where i is what the instruction encodes.
template <std::uint8_t Op::* field>
struct StackRegister {
    static constexpr bool is_memory = false;

    template <class M>
    static unsigned index(M& m) {
        return m.op().*field;
    }
};

using StReg = StackRegister<&Op::reg>;
using StRm = StackRegister<&Op::rm>;

// What Op::extra holds for x87 instructions: the opcode as FOP has it, and the segment of the
// memory operand.
namespace x87_op {
constexpr std::uint32_t pack(unsigned opcode, unsigned segment) {
    return (opcode & 0x7ff) | segment << 16;
}
constexpr std::uint16_t opcode(std::uint32_t extra) { return extra & 0x7ff; }
constexpr unsigned segment(std::uint32_t extra) { return extra >> 16; }
}  // namespace x87_op

// SDM 1 8.1.8.
template <class M>
void record_x87_instruction(M& m) {
    CpuState& state = m.state();
    state.x87.last_opcode = x87_op::opcode(m.op().extra);
    state.x87.last_instruction = state.block_ip + m.op().offset;
    state.x87.last_instruction_selector = state.segments[CS].selector;
}

template <class M>
void record_x87_data(M& m) {
    CpuState& state = m.state();
    const SegmentRegister& segment = state.segments[x87_op::segment(m.op().extra)];
    const bool has_base = x87_op::segment(m.op().extra) >= FS || !state.code64();
    state.x87.last_data = linear_address(m) - (has_base ? segment.base : 0);
    state.x87.last_data_selector = segment.selector;
}

namespace semantics {

// A waiting instruction that is recorded as the last one.
template <auto body>
inline constexpr auto x87 = [](auto& m, auto... operands) __attribute__((always_inline)) {
    if (!x87_available<X87Check::Waiting>(m)) [[unlikely]]
        return Outcome::Fault;
    const Outcome outcome = body(m, operands...);
    if (outcome == Outcome::Next) {
        record_x87_instruction(m);
        if constexpr ((decltype(operands)::is_memory || ...)) record_x87_data(m);
    }
    return outcome;
};

// Control instructions are not recorded.
template <X87Check check, auto body>
inline constexpr auto x87_control_instruction = [](auto& m, auto... operands)
                                                    __attribute__((always_inline)) {
                                                        if (!x87_available<check>(m)) [[unlikely]]
                                                            return Outcome::Fault;
                                                        return body(m, operands...);
                                                    };

}  // namespace semantics
}  // namespace backplane::x86

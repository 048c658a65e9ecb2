// Forms of BMI1, BMI2, LZCNT and POPCNT.
#pragma once

#include "x86/forms/shapes.h"
#include "x86/semantics/bit_manipulation.h"
#include "x86/third_register.h"

namespace backplane::x86 {
namespace forms {

// VEX-encoded instructions on general registers have 32 or 64 bits, 64 in 64-bit code only.
// Calls f.operator()<semantic, T>().
template <auto semantic, class F>
auto with_vex_width(const Instruction& instruction, F f) {
    if (instruction.operands[0].size == 64) return f.template operator()<semantic, std::uint64_t>();
    if (instruction.is_code64()) return f.template operator()<semantic, std::uint32_t>();
    return f.template operator()<semantics::in_protected_mode<semantic>, std::uint32_t>();
}

// A register from a register or memory.
template <class Engine, auto semantic>
typename Engine::Handler vex_unary(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& source = instruction.operands[1];
    fill_reg(instruction.operands[0], op);
    is_register(source) ? fill_rm(source, op) : fill_memory(instruction, source, op);
    return with_vex_width<semantic>(instruction, [&]<auto chosen, class T>() {
        if (is_register(source)) return Engine::template handler<chosen, Reg<T>, Rm<T>>();
        return Engine::template handler<chosen, Reg<T>, Memory<T>>();
    });
}

// Three operands, of which the second or the third may be memory; or an immediate at the end.
template <class Engine, auto semantic>
typename Engine::Handler vex_binary(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& second = instruction.operands[1];
    const ZydisDecodedOperand& third = instruction.operands[2];
    fill_reg(instruction.operands[0], op);
    if (is_memory(second)) {
        fill_memory(instruction, second, op);
        fill_rm(third, op);
    } else {
        fill_rm(second, op);
        if (is_memory(third)) fill_memory(instruction, third, op);
        if (is_register(third)) op.extra = register_offset(third.reg.value);
    }
    return with_vex_width<semantic>(instruction, [&]<auto chosen, class T>() {
        if (is_memory(second)) return Engine::template handler<chosen, Reg<T>, Memory<T>, Rm<T>>();
        if (is_memory(third)) return Engine::template handler<chosen, Reg<T>, Rm<T>, Memory<T>>();
        return Engine::template handler<chosen, Reg<T>, Rm<T>, ThirdRegister<T>>();
    });
}

template <class Engine>
typename Engine::Handler rorx(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& source = instruction.operands[1];
    fill_reg(instruction.operands[0], op);
    is_register(source) ? fill_rm(source, op) : fill_memory(instruction, source, op);
    fill_immediate(instruction.operands[2], op);
    return with_vex_width<semantics::rorx>(instruction, [&]<auto chosen, class T>() {
        using Count = Immediate<std::uint8_t>;
        if (is_register(source)) return Engine::template handler<chosen, Reg<T>, Rm<T>, Count>();
        return Engine::template handler<chosen, Reg<T>, Memory<T>, Count>();
    });
}

}  // namespace forms

template <class Engine>
void register_bit_manipulation(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_POPCNT] = register_from_any<Engine, semantics::popcnt>;
    table[ZYDIS_MNEMONIC_LZCNT] = register_from_any<Engine, semantics::lzcnt>;
    table[ZYDIS_MNEMONIC_TZCNT] = register_from_any<Engine, semantics::tzcnt>;
    table[ZYDIS_MNEMONIC_ANDN] = vex_binary<Engine, semantics::andn>;
    table[ZYDIS_MNEMONIC_BEXTR] = vex_binary<Engine, semantics::bextr>;
    table[ZYDIS_MNEMONIC_BLSI] = vex_unary<Engine, semantics::blsi>;
    table[ZYDIS_MNEMONIC_BLSMSK] = vex_unary<Engine, semantics::blsmsk>;
    table[ZYDIS_MNEMONIC_BLSR] = vex_unary<Engine, semantics::blsr>;
    table[ZYDIS_MNEMONIC_BZHI] = vex_binary<Engine, semantics::bzhi>;
    table[ZYDIS_MNEMONIC_MULX] = vex_binary<Engine, semantics::mulx>;
    table[ZYDIS_MNEMONIC_PDEP] = vex_binary<Engine, semantics::pdep>;
    table[ZYDIS_MNEMONIC_PEXT] = vex_binary<Engine, semantics::pext>;
    table[ZYDIS_MNEMONIC_RORX] = rorx<Engine>;
    table[ZYDIS_MNEMONIC_SARX] = vex_binary<Engine, semantics::sarx>;
    table[ZYDIS_MNEMONIC_SHLX] = vex_binary<Engine, semantics::shlx>;
    table[ZYDIS_MNEMONIC_SHRX] = vex_binary<Engine, semantics::shrx>;
}

}  // namespace backplane::x86

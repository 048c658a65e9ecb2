// Forms of the x87 instructions.
#pragma once

#include "x86/forms/operands.h"
#include "x86/semantics/x87_control.h"
#include "x86/semantics/x87_functions.h"
#include "x86/x87_format.h"

namespace backplane::x86 {
namespace forms {

// Fields of any x87 instruction: ST(i) in Op::rm, ST(0) in Op::reg, the address, and what FOP and
// FDP need.
inline void fill_x87(const Instruction& instruction, Op& op) {
    const auto& modrm = instruction.decoded.raw.modrm;
    op.reg = 0;
    op.rm = modrm.rm;
    const ZydisDecodedOperand* memory = instruction.memory_operand();
    if (memory) fill_memory(instruction, *memory, op);
    const unsigned modrm_byte = modrm.mod << 6 | modrm.reg << 3 | modrm.rm;
    const unsigned opcode = (instruction.decoded.opcode & 7u) << 8 | modrm_byte;
    op.extra = x87_op::pack(opcode, memory ? segment_number(memory->mem.segment) : 0);
}

// No operands but the stack's top.
template <class Engine, auto semantic, class... Operands>
typename Engine::Handler x87_plain(const Instruction& instruction, Op& op) {
    fill_x87(instruction, op);
    return Engine::template handler<semantic, Operands...>();
}

// Memory in one of the formats Formats, by its width.
template <class Engine, auto semantic, class... Formats>
typename Engine::Handler x87_memory(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand* memory = instruction.memory_operand();
    if (!memory) return nullptr;
    fill_x87(instruction, op);
    return with_width<Formats...>(
        memory->size, [&]<class T> { return Engine::template handler<semantic, Memory<T>>(); });
}

// ST(0) op memory, ST(0) op ST(i), or ST(i) op ST(0) (opcodes DC and DE).
template <class Engine, auto with_register, auto with_memory>
typename Engine::Handler x87_arithmetic(const Instruction& instruction, Op& op) {
    if (instruction.memory_operand())
        return x87_memory<Engine, with_memory, Real32, Real64>(instruction, op);
    fill_x87(instruction, op);
    const bool into_register = instruction.decoded.opcode & 4;
    return into_register ? Engine::template handler<with_register, StRm, StReg>()
                         : Engine::template handler<with_register, StReg, StRm>();
}

// A register or memory of 32 or 64 bits.
template <class Engine, auto with_register, auto with_memory>
typename Engine::Handler x87_either(const Instruction& instruction, Op& op) {
    if (instruction.memory_operand())
        return x87_memory<Engine, with_memory, Real32, Real64>(instruction, op);
    return x87_plain<Engine, with_register, StRm>(instruction, op);
}

template <class Engine>
typename Engine::Handler x87_load(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand* memory = instruction.memory_operand();
    if (memory && memory->size == 80)
        return x87_plain<Engine, semantics::fld_extended, Memory<Real80>>(instruction, op);
    return x87_either<Engine, semantics::fld_register, semantics::x87_load>(instruction, op);
}

template <class Engine>
typename Engine::Handler x87_store_and_pop(const Instruction& instruction, Op& op) {
    using semantics::Pop;
    const ZydisDecodedOperand* memory = instruction.memory_operand();
    if (memory && memory->size == 80)
        return x87_plain<Engine, semantics::fstp_extended, Memory<Real80>>(instruction, op);
    return x87_either<Engine, semantics::fstp_register, semantics::x87_store<Pop::Once>>(
        instruction, op);
}

template <class Engine>
typename Engine::Handler x87_store_status(const Instruction& instruction, Op& op) {
    if (instruction.memory_operand())
        return x87_plain<Engine, semantics::fnstsw, Memory<std::uint16_t>>(instruction, op);
    fill_x87(instruction, op);
    op.reg = RAX * 8;
    return Engine::template handler<semantics::fnstsw, Reg<std::uint16_t>>();
}

// The images of seven words, 14 or 28 bytes, and with the registers 94 or 108.
template <class Engine, auto semantic>
typename Engine::Handler x87_image(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand* memory = instruction.memory_operand();
    if (!memory) return nullptr;
    fill_x87(instruction, op);
    const bool narrow = memory->size == 14 * 8 || memory->size == 94 * 8;
    return narrow ? Engine::template handler<semantic, Memory<std::uint16_t>>()
                  : Engine::template handler<semantic, Memory<std::uint32_t>>();
}

template <class Engine>
void register_x87_arithmetic(FormTable<Engine>& table) {
    using namespace semantics;
    using Short = std::int16_t;
    using Int = std::int32_t;
    table[ZYDIS_MNEMONIC_FADD] = x87_arithmetic<Engine, fadd, fadd_memory>;
    table[ZYDIS_MNEMONIC_FMUL] = x87_arithmetic<Engine, fmul, fmul_memory>;
    table[ZYDIS_MNEMONIC_FSUB] = x87_arithmetic<Engine, fsub, fsub_memory>;
    table[ZYDIS_MNEMONIC_FSUBR] = x87_arithmetic<Engine, fsubr, fsubr_memory>;
    table[ZYDIS_MNEMONIC_FDIV] = x87_arithmetic<Engine, fdiv, fdiv_memory>;
    table[ZYDIS_MNEMONIC_FDIVR] = x87_arithmetic<Engine, fdivr, fdivr_memory>;
    table[ZYDIS_MNEMONIC_FADDP] = x87_plain<Engine, faddp, StRm, StReg>;
    table[ZYDIS_MNEMONIC_FMULP] = x87_plain<Engine, fmulp, StRm, StReg>;
    table[ZYDIS_MNEMONIC_FSUBP] = x87_plain<Engine, fsubp, StRm, StReg>;
    table[ZYDIS_MNEMONIC_FSUBRP] = x87_plain<Engine, fsubrp, StRm, StReg>;
    table[ZYDIS_MNEMONIC_FDIVP] = x87_plain<Engine, fdivp, StRm, StReg>;
    table[ZYDIS_MNEMONIC_FDIVRP] = x87_plain<Engine, fdivrp, StRm, StReg>;
    table[ZYDIS_MNEMONIC_FIADD] = x87_memory<Engine, fadd_memory, Short, Int>;
    table[ZYDIS_MNEMONIC_FIMUL] = x87_memory<Engine, fmul_memory, Short, Int>;
    table[ZYDIS_MNEMONIC_FISUB] = x87_memory<Engine, fsub_memory, Short, Int>;
    table[ZYDIS_MNEMONIC_FISUBR] = x87_memory<Engine, fsubr_memory, Short, Int>;
    table[ZYDIS_MNEMONIC_FIDIV] = x87_memory<Engine, fdiv_memory, Short, Int>;
    table[ZYDIS_MNEMONIC_FIDIVR] = x87_memory<Engine, fdivr_memory, Short, Int>;

    table[ZYDIS_MNEMONIC_FCOM] = x87_either<Engine, fcom, fcom_memory>;
    table[ZYDIS_MNEMONIC_FCOMP] = x87_either<Engine, fcomp, fcomp_memory>;
    table[ZYDIS_MNEMONIC_FCOMPP] = x87_plain<Engine, fcompp, StRm>;
    table[ZYDIS_MNEMONIC_FUCOM] = x87_plain<Engine, fucom, StRm>;
    table[ZYDIS_MNEMONIC_FUCOMP] = x87_plain<Engine, fucomp, StRm>;
    table[ZYDIS_MNEMONIC_FUCOMPP] = x87_plain<Engine, fucompp, StRm>;
    table[ZYDIS_MNEMONIC_FICOM] = x87_memory<Engine, fcom_memory, Short, Int>;
    table[ZYDIS_MNEMONIC_FICOMP] = x87_memory<Engine, fcomp_memory, Short, Int>;
    table[ZYDIS_MNEMONIC_FCOMI] = x87_plain<Engine, fcomi, StRm>;
    table[ZYDIS_MNEMONIC_FCOMIP] = x87_plain<Engine, fcomip, StRm>;
    table[ZYDIS_MNEMONIC_FUCOMI] = x87_plain<Engine, fucomi, StRm>;
    table[ZYDIS_MNEMONIC_FUCOMIP] = x87_plain<Engine, fucomip, StRm>;
    table[ZYDIS_MNEMONIC_FTST] = x87_plain<Engine, ftst>;
    table[ZYDIS_MNEMONIC_FXAM] = x87_plain<Engine, fxam>;
}

template <class Engine>
void register_x87_transfers(FormTable<Engine>& table) {
    using semantics::Pop;
    using enum Condition;
    using Short = std::int16_t;
    using Int = std::int32_t;
    using Long = std::int64_t;
    table[ZYDIS_MNEMONIC_FLD] = forms::x87_load<Engine>;
    table[ZYDIS_MNEMONIC_FILD] = x87_memory<Engine, semantics::x87_load, Short, Int, Long>;
    table[ZYDIS_MNEMONIC_FBLD] = x87_memory<Engine, semantics::x87_load, Bcd80>;
    table[ZYDIS_MNEMONIC_FST] = x87_either<Engine, semantics::fst_register, semantics::x87_store<>>;
    table[ZYDIS_MNEMONIC_FSTP] = x87_store_and_pop<Engine>;
    table[ZYDIS_MNEMONIC_FSTPNCE] = x87_plain<Engine, semantics::fstpnce, StRm>;
    table[ZYDIS_MNEMONIC_FIST] = x87_memory<Engine, semantics::x87_store<>, Short, Int>;
    table[ZYDIS_MNEMONIC_FISTP] =
        x87_memory<Engine, semantics::x87_store<Pop::Once>, Short, Int, Long>;
    table[ZYDIS_MNEMONIC_FISTTP] =
        x87_memory<Engine, semantics::x87_store<Pop::Once>, Truncated16, Truncated32, Truncated64>;
    table[ZYDIS_MNEMONIC_FBSTP] = x87_memory<Engine, semantics::x87_store<Pop::Once>, Bcd80>;
    table[ZYDIS_MNEMONIC_FXCH] = x87_plain<Engine, semantics::fxch, StRm>;
    table[ZYDIS_MNEMONIC_FCMOVB] = x87_plain<Engine, semantics::fcmov<B>, StRm>;
    table[ZYDIS_MNEMONIC_FCMOVE] = x87_plain<Engine, semantics::fcmov<E>, StRm>;
    table[ZYDIS_MNEMONIC_FCMOVBE] = x87_plain<Engine, semantics::fcmov<BE>, StRm>;
    table[ZYDIS_MNEMONIC_FCMOVU] = x87_plain<Engine, semantics::fcmov<P>, StRm>;
    table[ZYDIS_MNEMONIC_FCMOVNB] = x87_plain<Engine, semantics::fcmov<AE>, StRm>;
    table[ZYDIS_MNEMONIC_FCMOVNE] = x87_plain<Engine, semantics::fcmov<NE>, StRm>;
    table[ZYDIS_MNEMONIC_FCMOVNBE] = x87_plain<Engine, semantics::fcmov<A>, StRm>;
    table[ZYDIS_MNEMONIC_FCMOVNU] = x87_plain<Engine, semantics::fcmov<NP>, StRm>;
    table[ZYDIS_MNEMONIC_FLD1] = x87_plain<Engine, semantics::fld1>;
    table[ZYDIS_MNEMONIC_FLDL2T] = x87_plain<Engine, semantics::fldl2t>;
    table[ZYDIS_MNEMONIC_FLDL2E] = x87_plain<Engine, semantics::fldl2e>;
    table[ZYDIS_MNEMONIC_FLDPI] = x87_plain<Engine, semantics::fldpi>;
    table[ZYDIS_MNEMONIC_FLDLG2] = x87_plain<Engine, semantics::fldlg2>;
    table[ZYDIS_MNEMONIC_FLDLN2] = x87_plain<Engine, semantics::fldln2>;
    table[ZYDIS_MNEMONIC_FLDZ] = x87_plain<Engine, semantics::fldz>;
}

template <class Engine>
void register_x87_functions(FormTable<Engine>& table) {
    table[ZYDIS_MNEMONIC_FABS] = x87_plain<Engine, semantics::fabs>;
    table[ZYDIS_MNEMONIC_FCHS] = x87_plain<Engine, semantics::fchs>;
    table[ZYDIS_MNEMONIC_FSQRT] = x87_plain<Engine, semantics::fsqrt>;
    table[ZYDIS_MNEMONIC_FRNDINT] = x87_plain<Engine, semantics::frndint>;
    table[ZYDIS_MNEMONIC_FSCALE] = x87_plain<Engine, semantics::fscale>;
    table[ZYDIS_MNEMONIC_FPREM] = x87_plain<Engine, semantics::fprem>;
    table[ZYDIS_MNEMONIC_FPREM1] = x87_plain<Engine, semantics::fprem1>;
    table[ZYDIS_MNEMONIC_FXTRACT] = x87_plain<Engine, semantics::fxtract>;
    table[ZYDIS_MNEMONIC_F2XM1] = x87_plain<Engine, semantics::f2xm1>;
    table[ZYDIS_MNEMONIC_FYL2X] = x87_plain<Engine, semantics::fyl2x>;
    table[ZYDIS_MNEMONIC_FYL2XP1] = x87_plain<Engine, semantics::fyl2xp1>;
    table[ZYDIS_MNEMONIC_FPATAN] = x87_plain<Engine, semantics::fpatan>;
    table[ZYDIS_MNEMONIC_FPTAN] = x87_plain<Engine, semantics::fptan>;
    table[ZYDIS_MNEMONIC_FSIN] = x87_plain<Engine, semantics::fsin>;
    table[ZYDIS_MNEMONIC_FCOS] = x87_plain<Engine, semantics::fcos>;
    table[ZYDIS_MNEMONIC_FSINCOS] = x87_plain<Engine, semantics::fsincos>;
}

template <class Engine>
void register_x87_control(FormTable<Engine>& table) {
    using Word = Memory<std::uint16_t>;
    table[ZYDIS_MNEMONIC_FLDCW] = x87_plain<Engine, semantics::fldcw, Word>;
    table[ZYDIS_MNEMONIC_FNSTCW] = x87_plain<Engine, semantics::fnstcw, Word>;
    table[ZYDIS_MNEMONIC_FNSTSW] = x87_store_status<Engine>;
    table[ZYDIS_MNEMONIC_FNCLEX] = x87_plain<Engine, semantics::fnclex>;
    table[ZYDIS_MNEMONIC_FNINIT] = x87_plain<Engine, semantics::fninit>;
    table[ZYDIS_MNEMONIC_FLDENV] = x87_image<Engine, semantics::fldenv>;
    table[ZYDIS_MNEMONIC_FNSTENV] = x87_image<Engine, semantics::fnstenv>;
    table[ZYDIS_MNEMONIC_FNSAVE] = x87_image<Engine, semantics::fnsave>;
    table[ZYDIS_MNEMONIC_FRSTOR] = x87_image<Engine, semantics::frstor>;
    table[ZYDIS_MNEMONIC_FFREE] = x87_plain<Engine, semantics::ffree, StRm>;
    table[ZYDIS_MNEMONIC_FFREEP] = x87_plain<Engine, semantics::ffreep, StRm>;
    table[ZYDIS_MNEMONIC_FINCSTP] = x87_plain<Engine, semantics::fincstp>;
    table[ZYDIS_MNEMONIC_FDECSTP] = x87_plain<Engine, semantics::fdecstp>;
    table[ZYDIS_MNEMONIC_FNOP] = x87_plain<Engine, semantics::fnop>;
    table[ZYDIS_MNEMONIC_FWAIT] = x87_plain<Engine, semantics::fwait>;
    // Instructions of the 8087 and 80287 that later processors ignore.
    table[ZYDIS_MNEMONIC_FENI8087_NOP] = x87_plain<Engine, semantics::fnop>;
    table[ZYDIS_MNEMONIC_FDISI8087_NOP] = x87_plain<Engine, semantics::fnop>;
    table[ZYDIS_MNEMONIC_FSETPM287_NOP] = x87_plain<Engine, semantics::fnop>;
}

}  // namespace forms

template <class Engine>
void register_x87(FormTable<Engine>& table) {
    forms::register_x87_arithmetic(table);
    forms::register_x87_transfers(table);
    forms::register_x87_functions(table);
    forms::register_x87_control(table);
}

}  // namespace backplane::x86

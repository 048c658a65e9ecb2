// Forms of the floating-point arithmetic, comparisons, conversions and shuffles of SSE and SSE2.
#pragma once

#include "x86/forms/vector_operands.h"
#include "x86/semantics/sse_convert.h"
#include "x86/semantics/sse_float.h"

namespace backplane::x86 {
namespace forms {

using Single = Memory<std::uint32_t>;
using Double = Memory<std::uint64_t>;

// CVTSI2SS and CVTSI2SD: the source is a general register or memory of 32 or 64 bits.
template <class Engine, auto semantic>
typename Engine::Handler from_general(const Instruction& instruction, Op& op) {
    fill_vector_operands(instruction, op);
    const ZydisDecodedOperand& source = instruction.operands[1];
    return with_width<std::uint32_t, std::uint64_t>(source.size, [&]<class T> {
        return is_memory(source) ? Engine::template handler<semantic, XmmReg<Bits128>, Memory<T>>()
                                 : Engine::template handler<semantic, XmmReg<Bits128>, Rm<T>>();
    });
}

template <class Engine, auto semantic, class Source>
typename Engine::Handler to_general(const Instruction& instruction, Op& op) {
    fill_vector_operands(instruction, op);
    return with_width<std::uint32_t, std::uint64_t>(instruction.operands[0].size, [&]<class T> {
        return is_memory(instruction.operands[1])
                   ? Engine::template handler<semantic, Reg<T>, Source>()
                   : Engine::template handler<semantic, Reg<T>, XmmRm<Bits128>>();
    });
}

// xmm, mm or memory. The two semantics differ in whether the x87 registers become MMX ones.
template <class Engine, auto semantic, auto from_memory>
typename Engine::Handler from_mmx(const Instruction& instruction, Op& op) {
    fill_vector_operands(instruction, op);
    return is_memory(instruction.operands[1])
               ? Engine::template handler<from_memory, XmmReg<Bits128>, Memory<Bits64>>()
               : Engine::template handler<semantic, XmmReg<Bits128>, MmxRm<Bits64>>();
}

// mm, xmm or memory; Scalars is how much of the source counts.
template <class Engine, auto semantic, class Scalars, class Source>
typename Engine::Handler to_mmx(const Instruction& instruction, Op& op) {
    fill_vector_operands(instruction, op);
    return is_memory(instruction.operands[1])
               ? Engine::template handler<semantic, MmxReg<Bits64>, Source>()
               : Engine::template handler<semantic, MmxReg<Bits64>, XmmRm<Scalars>>();
}

// One mnemonic with the string instruction, which is not ours.
template <class Engine>
typename Engine::Handler cmpsd(const Instruction& instruction, Op& op) {
    if (instruction.decoded.meta.category == ZYDIS_CATEGORY_STRINGOP) return nullptr;
    return xmm_source_control<Engine, semantics::cmpsd, Double>(instruction, op);
}

template <class Engine>
void register_sse_arithmetic(FormTable<Engine>& table) {
    table[ZYDIS_MNEMONIC_ADDPS] = xmm_source<Engine, semantics::addps>;
    table[ZYDIS_MNEMONIC_ADDPD] = xmm_source<Engine, semantics::addpd>;
    table[ZYDIS_MNEMONIC_ADDSS] = xmm_source<Engine, semantics::addss, Single>;
    table[ZYDIS_MNEMONIC_ADDSD] = xmm_source<Engine, semantics::addsd, Double>;
    table[ZYDIS_MNEMONIC_SUBPS] = xmm_source<Engine, semantics::subps>;
    table[ZYDIS_MNEMONIC_SUBPD] = xmm_source<Engine, semantics::subpd>;
    table[ZYDIS_MNEMONIC_SUBSS] = xmm_source<Engine, semantics::subss, Single>;
    table[ZYDIS_MNEMONIC_SUBSD] = xmm_source<Engine, semantics::subsd, Double>;
    table[ZYDIS_MNEMONIC_MULPS] = xmm_source<Engine, semantics::mulps>;
    table[ZYDIS_MNEMONIC_MULPD] = xmm_source<Engine, semantics::mulpd>;
    table[ZYDIS_MNEMONIC_MULSS] = xmm_source<Engine, semantics::mulss, Single>;
    table[ZYDIS_MNEMONIC_MULSD] = xmm_source<Engine, semantics::mulsd, Double>;
    table[ZYDIS_MNEMONIC_DIVPS] = xmm_source<Engine, semantics::divps>;
    table[ZYDIS_MNEMONIC_DIVPD] = xmm_source<Engine, semantics::divpd>;
    table[ZYDIS_MNEMONIC_DIVSS] = xmm_source<Engine, semantics::divss, Single>;
    table[ZYDIS_MNEMONIC_DIVSD] = xmm_source<Engine, semantics::divsd, Double>;
    table[ZYDIS_MNEMONIC_MINPS] = xmm_source<Engine, semantics::minps>;
    table[ZYDIS_MNEMONIC_MINPD] = xmm_source<Engine, semantics::minpd>;
    table[ZYDIS_MNEMONIC_MINSS] = xmm_source<Engine, semantics::minss, Single>;
    table[ZYDIS_MNEMONIC_MINSD] = xmm_source<Engine, semantics::minsd, Double>;
    table[ZYDIS_MNEMONIC_MAXPS] = xmm_source<Engine, semantics::maxps>;
    table[ZYDIS_MNEMONIC_MAXPD] = xmm_source<Engine, semantics::maxpd>;
    table[ZYDIS_MNEMONIC_MAXSS] = xmm_source<Engine, semantics::maxss, Single>;
    table[ZYDIS_MNEMONIC_MAXSD] = xmm_source<Engine, semantics::maxsd, Double>;
    table[ZYDIS_MNEMONIC_SQRTPS] = xmm_source<Engine, semantics::sqrtps>;
    table[ZYDIS_MNEMONIC_SQRTPD] = xmm_source<Engine, semantics::sqrtpd>;
    table[ZYDIS_MNEMONIC_SQRTSS] = xmm_source<Engine, semantics::sqrtss, Single>;
    table[ZYDIS_MNEMONIC_SQRTSD] = xmm_source<Engine, semantics::sqrtsd, Double>;
    table[ZYDIS_MNEMONIC_RCPPS] = xmm_source<Engine, semantics::rcpps>;
    table[ZYDIS_MNEMONIC_RCPSS] = xmm_source<Engine, semantics::rcpss, Single>;
    table[ZYDIS_MNEMONIC_RSQRTPS] = xmm_source<Engine, semantics::rsqrtps>;
    table[ZYDIS_MNEMONIC_RSQRTSS] = xmm_source<Engine, semantics::rsqrtss, Single>;
}

template <class Engine>
void register_sse_comparisons(FormTable<Engine>& table) {
    table[ZYDIS_MNEMONIC_CMPPS] = xmm_source_control<Engine, semantics::cmpps>;
    table[ZYDIS_MNEMONIC_CMPPD] = xmm_source_control<Engine, semantics::cmppd>;
    table[ZYDIS_MNEMONIC_CMPSS] = xmm_source_control<Engine, semantics::cmpss, Single>;
    table[ZYDIS_MNEMONIC_CMPSD] = cmpsd<Engine>;
    table[ZYDIS_MNEMONIC_COMISS] = xmm_source<Engine, semantics::comiss, Single>;
    table[ZYDIS_MNEMONIC_COMISD] = xmm_source<Engine, semantics::comisd, Double>;
    table[ZYDIS_MNEMONIC_UCOMISS] = xmm_source<Engine, semantics::ucomiss, Single>;
    table[ZYDIS_MNEMONIC_UCOMISD] = xmm_source<Engine, semantics::ucomisd, Double>;
    table[ZYDIS_MNEMONIC_SHUFPS] = xmm_source_control<Engine, semantics::shufps>;
    table[ZYDIS_MNEMONIC_SHUFPD] = xmm_source_control<Engine, semantics::shufpd>;
}

template <class Engine>
void register_sse_conversions(FormTable<Engine>& table) {
    table[ZYDIS_MNEMONIC_CVTPS2PD] = xmm_source<Engine, semantics::cvtps2pd, Memory<Bits64>>;
    table[ZYDIS_MNEMONIC_CVTPD2PS] = xmm_source<Engine, semantics::cvtpd2ps>;
    table[ZYDIS_MNEMONIC_CVTSS2SD] = xmm_source<Engine, semantics::cvtss2sd, Single>;
    table[ZYDIS_MNEMONIC_CVTSD2SS] = xmm_source<Engine, semantics::cvtsd2ss, Double>;
    table[ZYDIS_MNEMONIC_CVTDQ2PS] = xmm_source<Engine, semantics::cvtdq2ps>;
    table[ZYDIS_MNEMONIC_CVTDQ2PD] = xmm_source<Engine, semantics::cvtdq2pd, Memory<Bits64>>;
    table[ZYDIS_MNEMONIC_CVTPS2DQ] = xmm_source<Engine, semantics::cvtps2dq>;
    table[ZYDIS_MNEMONIC_CVTTPS2DQ] = xmm_source<Engine, semantics::cvttps2dq>;
    table[ZYDIS_MNEMONIC_CVTPD2DQ] = xmm_source<Engine, semantics::cvtpd2dq>;
    table[ZYDIS_MNEMONIC_CVTTPD2DQ] = xmm_source<Engine, semantics::cvttpd2dq>;
    table[ZYDIS_MNEMONIC_CVTSI2SS] = from_general<Engine, semantics::cvtsi2ss>;
    table[ZYDIS_MNEMONIC_CVTSI2SD] = from_general<Engine, semantics::cvtsi2sd>;
    table[ZYDIS_MNEMONIC_CVTSS2SI] = to_general<Engine, semantics::cvtss2si, Single>;
    table[ZYDIS_MNEMONIC_CVTTSS2SI] = to_general<Engine, semantics::cvttss2si, Single>;
    table[ZYDIS_MNEMONIC_CVTSD2SI] = to_general<Engine, semantics::cvtsd2si, Double>;
    table[ZYDIS_MNEMONIC_CVTTSD2SI] = to_general<Engine, semantics::cvttsd2si, Double>;
    table[ZYDIS_MNEMONIC_CVTPI2PS] =
        from_mmx<Engine, semantics::cvtpi2ps, semantics::cvtpi2ps_from_memory>;
    table[ZYDIS_MNEMONIC_CVTPI2PD] =
        from_mmx<Engine, semantics::cvtpi2pd, semantics::cvtpi2pd_from_memory>;
    table[ZYDIS_MNEMONIC_CVTPS2PI] = to_mmx<Engine, semantics::cvtps2pi, Bits64, Memory<Bits64>>;
    table[ZYDIS_MNEMONIC_CVTTPS2PI] = to_mmx<Engine, semantics::cvttps2pi, Bits64, Memory<Bits64>>;
    table[ZYDIS_MNEMONIC_CVTPD2PI] =
        to_mmx<Engine, semantics::cvtpd2pi, Bits128, AlignedMemory<Bits128>>;
    table[ZYDIS_MNEMONIC_CVTTPD2PI] =
        to_mmx<Engine, semantics::cvttpd2pi, Bits128, AlignedMemory<Bits128>>;
}

}  // namespace forms

template <class Engine>
void register_sse_float(FormTable<Engine>& table) {
    using namespace forms;
    register_sse_arithmetic(table);
    register_sse_comparisons(table);
    register_sse_conversions(table);
}

}  // namespace backplane::x86

// VEX forms of the floating-point arithmetic, comparisons, conversions and shuffles.
#pragma once

#include "x86/forms/vex_operands.h"
#include "x86/semantics/avx_float.h"
#include "x86/semantics/sse_float_sse4.h"

namespace backplane::x86 {
namespace forms {

template <class Engine, auto semantic>
typename Engine::Handler vex_from_general(const Instruction& instruction, Op& op) {
    return with_width<std::uint32_t, std::uint64_t>(instruction.operands[2].size, [&]<class T> {
        return vex_source<Engine, semantic, VexTarget<Bits128>, Rm<T>, VexMemory<T>>(instruction,
                                                                                     op);
    });
}

template <class Engine, auto semantic, class Scalar>
typename Engine::Handler vex_to_general(const Instruction& instruction, Op& op) {
    return with_width<std::uint32_t, std::uint64_t>(instruction.operands[0].size, [&]<class T> {
        return vex_source<Engine, semantic, Reg<T>, VexRm<Bits128>, VexMemory<Scalar>>(instruction,
                                                                                       op);
    });
}

// Elements that grow: the source is half a register.
template <class Engine, auto xmm, auto ymm>
typename Engine::Handler vex_widening(const Instruction& instruction, Op& op) {
    if (!is_ymm_wide(instruction)) return vex_xmm<Engine, xmm, VexMemory<Bits64>>(instruction, op);
    return vex_source<Engine, ymm, VexTarget<Bits256>, VexRm<Bits128>, VexMemory<Bits128>>(
        instruction, op);
}

// Elements that shrink: the destination is an XMM register.
template <class Engine, auto xmm, auto ymm>
typename Engine::Handler vex_narrowing(const Instruction& instruction, Op& op) {
    if (!is_ymm_wide(instruction)) return vex_xmm<Engine, xmm>(instruction, op);
    return vex_source<Engine, ymm, VexTarget<Bits128>, VexRm<Bits256>, VexMemory<Bits256>>(
        instruction, op);
}

template <class Engine, auto semantic>
constexpr auto vex_single = vex_scalar<Engine, semantic, std::uint32_t>;
template <class Engine, auto semantic>
constexpr auto vex_double = vex_scalar<Engine, semantic, std::uint64_t>;

template <class Engine>
void register_avx_arithmetic(FormTable<Engine>& table) {
    table[ZYDIS_MNEMONIC_VADDPS] = vex_packed<Engine, semantics::addps>;
    table[ZYDIS_MNEMONIC_VADDPD] = vex_packed<Engine, semantics::addpd>;
    table[ZYDIS_MNEMONIC_VADDSS] = vex_single<Engine, semantics::addss>;
    table[ZYDIS_MNEMONIC_VADDSD] = vex_double<Engine, semantics::addsd>;
    table[ZYDIS_MNEMONIC_VSUBPS] = vex_packed<Engine, semantics::subps>;
    table[ZYDIS_MNEMONIC_VSUBPD] = vex_packed<Engine, semantics::subpd>;
    table[ZYDIS_MNEMONIC_VSUBSS] = vex_single<Engine, semantics::subss>;
    table[ZYDIS_MNEMONIC_VSUBSD] = vex_double<Engine, semantics::subsd>;
    table[ZYDIS_MNEMONIC_VMULPS] = vex_packed<Engine, semantics::mulps>;
    table[ZYDIS_MNEMONIC_VMULPD] = vex_packed<Engine, semantics::mulpd>;
    table[ZYDIS_MNEMONIC_VMULSS] = vex_single<Engine, semantics::mulss>;
    table[ZYDIS_MNEMONIC_VMULSD] = vex_double<Engine, semantics::mulsd>;
    table[ZYDIS_MNEMONIC_VDIVPS] = vex_packed<Engine, semantics::divps>;
    table[ZYDIS_MNEMONIC_VDIVPD] = vex_packed<Engine, semantics::divpd>;
    table[ZYDIS_MNEMONIC_VDIVSS] = vex_single<Engine, semantics::divss>;
    table[ZYDIS_MNEMONIC_VDIVSD] = vex_double<Engine, semantics::divsd>;
    table[ZYDIS_MNEMONIC_VMINPS] = vex_packed<Engine, semantics::minps>;
    table[ZYDIS_MNEMONIC_VMINPD] = vex_packed<Engine, semantics::minpd>;
    table[ZYDIS_MNEMONIC_VMINSS] = vex_single<Engine, semantics::minss>;
    table[ZYDIS_MNEMONIC_VMINSD] = vex_double<Engine, semantics::minsd>;
    table[ZYDIS_MNEMONIC_VMAXPS] = vex_packed<Engine, semantics::maxps>;
    table[ZYDIS_MNEMONIC_VMAXPD] = vex_packed<Engine, semantics::maxpd>;
    table[ZYDIS_MNEMONIC_VMAXSS] = vex_single<Engine, semantics::maxss>;
    table[ZYDIS_MNEMONIC_VMAXSD] = vex_double<Engine, semantics::maxsd>;
    table[ZYDIS_MNEMONIC_VSQRTPS] = vex_packed<Engine, semantics::sqrtps>;
    table[ZYDIS_MNEMONIC_VSQRTPD] = vex_packed<Engine, semantics::sqrtpd>;
    table[ZYDIS_MNEMONIC_VSQRTSS] = vex_single<Engine, semantics::sqrtss>;
    table[ZYDIS_MNEMONIC_VSQRTSD] = vex_double<Engine, semantics::sqrtsd>;
    table[ZYDIS_MNEMONIC_VRCPPS] = vex_packed<Engine, semantics::rcpps>;
    table[ZYDIS_MNEMONIC_VRCPSS] = vex_single<Engine, semantics::rcpss>;
    table[ZYDIS_MNEMONIC_VRSQRTPS] = vex_packed<Engine, semantics::rsqrtps>;
    table[ZYDIS_MNEMONIC_VRSQRTSS] = vex_single<Engine, semantics::rsqrtss>;
}

template <class Engine>
void register_avx_float_sse4(FormTable<Engine>& table) {
    using Byte = Immediate<std::uint8_t>;
    table[ZYDIS_MNEMONIC_VADDSUBPS] = vex_packed<Engine, semantics::addsubps>;
    table[ZYDIS_MNEMONIC_VADDSUBPD] = vex_packed<Engine, semantics::addsubpd>;
    table[ZYDIS_MNEMONIC_VHADDPS] = vex_packed<Engine, semantics::haddps>;
    table[ZYDIS_MNEMONIC_VHADDPD] = vex_packed<Engine, semantics::haddpd>;
    table[ZYDIS_MNEMONIC_VHSUBPS] = vex_packed<Engine, semantics::hsubps>;
    table[ZYDIS_MNEMONIC_VHSUBPD] = vex_packed<Engine, semantics::hsubpd>;
    table[ZYDIS_MNEMONIC_VROUNDPS] = vex_packed_control<Engine, semantics::roundps>;
    table[ZYDIS_MNEMONIC_VROUNDPD] = vex_packed_control<Engine, semantics::roundpd>;
    table[ZYDIS_MNEMONIC_VROUNDSS] = vex_scalar<Engine, semantics::roundss, std::uint32_t, Byte>;
    table[ZYDIS_MNEMONIC_VROUNDSD] = vex_scalar<Engine, semantics::roundsd, std::uint64_t, Byte>;
    table[ZYDIS_MNEMONIC_VDPPS] = vex_packed_control<Engine, semantics::dpps>;
    table[ZYDIS_MNEMONIC_VDPPD] = vex_xmm<Engine, semantics::dppd, VexMemory<Bits128>, Byte>;
}

template <class Engine>
void register_avx_comparisons(FormTable<Engine>& table) {
    using Byte = Immediate<std::uint8_t>;
    table[ZYDIS_MNEMONIC_VCMPPS] = vex_packed_control<Engine, semantics::vcmpps>;
    table[ZYDIS_MNEMONIC_VCMPPD] = vex_packed_control<Engine, semantics::vcmppd>;
    table[ZYDIS_MNEMONIC_VCMPSS] = vex_scalar<Engine, semantics::vcmpss, std::uint32_t, Byte>;
    table[ZYDIS_MNEMONIC_VCMPSD] = vex_scalar<Engine, semantics::vcmpsd, std::uint64_t, Byte>;
    table[ZYDIS_MNEMONIC_VCOMISS] = vex_single<Engine, semantics::comiss>;
    table[ZYDIS_MNEMONIC_VCOMISD] = vex_double<Engine, semantics::comisd>;
    table[ZYDIS_MNEMONIC_VUCOMISS] = vex_single<Engine, semantics::ucomiss>;
    table[ZYDIS_MNEMONIC_VUCOMISD] = vex_double<Engine, semantics::ucomisd>;
    table[ZYDIS_MNEMONIC_VTESTPS] = vex_packed<Engine, semantics::vtestps>;
    table[ZYDIS_MNEMONIC_VTESTPD] = vex_packed<Engine, semantics::vtestpd>;
    table[ZYDIS_MNEMONIC_VSHUFPS] = vex_packed_control<Engine, semantics::shufps>;
    table[ZYDIS_MNEMONIC_VSHUFPD] = vex_packed_control<Engine, semantics::shufpd>;
}

template <class Engine>
void register_avx_conversions(FormTable<Engine>& table) {
    using Single = std::uint32_t;
    using Double = std::uint64_t;
    table[ZYDIS_MNEMONIC_VCVTPS2PD] =
        vex_widening<Engine, semantics::cvtps2pd, semantics::vcvtps2pd_ymm>;
    table[ZYDIS_MNEMONIC_VCVTDQ2PD] =
        vex_widening<Engine, semantics::cvtdq2pd, semantics::vcvtdq2pd_ymm>;
    table[ZYDIS_MNEMONIC_VCVTPD2PS] =
        vex_narrowing<Engine, semantics::cvtpd2ps, semantics::vcvtpd2ps_ymm>;
    table[ZYDIS_MNEMONIC_VCVTPD2DQ] =
        vex_narrowing<Engine, semantics::cvtpd2dq, semantics::vcvtpd2dq_ymm>;
    table[ZYDIS_MNEMONIC_VCVTTPD2DQ] =
        vex_narrowing<Engine, semantics::cvttpd2dq, semantics::vcvttpd2dq_ymm>;
    table[ZYDIS_MNEMONIC_VCVTDQ2PS] = vex_packed<Engine, semantics::cvtdq2ps>;
    table[ZYDIS_MNEMONIC_VCVTPS2DQ] = vex_packed<Engine, semantics::cvtps2dq>;
    table[ZYDIS_MNEMONIC_VCVTTPS2DQ] = vex_packed<Engine, semantics::cvttps2dq>;
    table[ZYDIS_MNEMONIC_VCVTSS2SD] = vex_single<Engine, semantics::cvtss2sd>;
    table[ZYDIS_MNEMONIC_VCVTSD2SS] = vex_double<Engine, semantics::cvtsd2ss>;
    table[ZYDIS_MNEMONIC_VCVTSI2SS] = vex_from_general<Engine, semantics::cvtsi2ss>;
    table[ZYDIS_MNEMONIC_VCVTSI2SD] = vex_from_general<Engine, semantics::cvtsi2sd>;
    table[ZYDIS_MNEMONIC_VCVTSS2SI] = vex_to_general<Engine, semantics::cvtss2si, Single>;
    table[ZYDIS_MNEMONIC_VCVTTSS2SI] = vex_to_general<Engine, semantics::cvttss2si, Single>;
    table[ZYDIS_MNEMONIC_VCVTSD2SI] = vex_to_general<Engine, semantics::cvtsd2si, Double>;
    table[ZYDIS_MNEMONIC_VCVTTSD2SI] = vex_to_general<Engine, semantics::cvttsd2si, Double>;
}

}  // namespace forms

template <class Engine>
void register_avx_float(FormTable<Engine>& table) {
    forms::register_avx_arithmetic(table);
    forms::register_avx_float_sse4(table);
    forms::register_avx_comparisons(table);
    forms::register_avx_conversions(table);
}

}  // namespace backplane::x86

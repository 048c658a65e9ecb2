// The vector instructions of random sequences.
#include "random_sequence.h"

#include <iterator>

namespace backplane::interp::testing {

using x86::testing::imm;

void RandomSequence::vector_integer() {
    static constexpr ZydisMnemonic binary[] = {
        ZYDIS_MNEMONIC_PADDB,     ZYDIS_MNEMONIC_PADDW,      ZYDIS_MNEMONIC_PADDD,
        ZYDIS_MNEMONIC_PADDQ,     ZYDIS_MNEMONIC_PSUBB,      ZYDIS_MNEMONIC_PSUBW,
        ZYDIS_MNEMONIC_PSUBD,     ZYDIS_MNEMONIC_PSUBQ,      ZYDIS_MNEMONIC_PADDSB,
        ZYDIS_MNEMONIC_PADDUSW,   ZYDIS_MNEMONIC_PSUBSW,     ZYDIS_MNEMONIC_PAND,
        ZYDIS_MNEMONIC_PANDN,     ZYDIS_MNEMONIC_POR,        ZYDIS_MNEMONIC_PXOR,
        ZYDIS_MNEMONIC_PCMPEQB,   ZYDIS_MNEMONIC_PCMPEQW,    ZYDIS_MNEMONIC_PCMPEQD,
        ZYDIS_MNEMONIC_PCMPGTB,   ZYDIS_MNEMONIC_PCMPGTW,    ZYDIS_MNEMONIC_PCMPGTD,
        ZYDIS_MNEMONIC_PMULLW,    ZYDIS_MNEMONIC_PMULHW,     ZYDIS_MNEMONIC_PMULHUW,
        ZYDIS_MNEMONIC_PMULUDQ,   ZYDIS_MNEMONIC_PMADDWD,    ZYDIS_MNEMONIC_PAVGB,
        ZYDIS_MNEMONIC_PAVGW,     ZYDIS_MNEMONIC_PMINUB,     ZYDIS_MNEMONIC_PMAXSW,
        ZYDIS_MNEMONIC_PSADBW,    ZYDIS_MNEMONIC_PUNPCKLBW,  ZYDIS_MNEMONIC_PUNPCKHWD,
        ZYDIS_MNEMONIC_PUNPCKLDQ, ZYDIS_MNEMONIC_PUNPCKHQDQ, ZYDIS_MNEMONIC_PACKSSDW,
        ZYDIS_MNEMONIC_PACKUSWB,  ZYDIS_MNEMONIC_PSLLD,      ZYDIS_MNEMONIC_PSRAW,
        ZYDIS_MNEMONIC_PSRLQ};
    const auto byte = [&] { return imm(static_cast<std::int64_t>(pick(256))); };
    switch (pick(8)) {
    case 0:
        emit(one_of({ZYDIS_MNEMONIC_PSHUFD, ZYDIS_MNEMONIC_PSHUFLW, ZYDIS_MNEMONIC_PSHUFHW}),
             {vector(), chance(50) ? vector() : aligned_memory(), byte()});
        break;
    case 1:
        emit(one_of({ZYDIS_MNEMONIC_PSLLW, ZYDIS_MNEMONIC_PSRLD, ZYDIS_MNEMONIC_PSRAD,
                     ZYDIS_MNEMONIC_PSLLQ, ZYDIS_MNEMONIC_PSLLDQ, ZYDIS_MNEMONIC_PSRLDQ}),
             {vector(), imm(static_cast<std::int64_t>(pick(20)))});
        break;
    case 2:
        emit(one_of({ZYDIS_MNEMONIC_MOVDQU, ZYDIS_MNEMONIC_MOVUPS, ZYDIS_MNEMONIC_MOVUPD}),
             {vector(), memory(128)});
        break;
    case 3:
        emit(one_of({ZYDIS_MNEMONIC_MOVDQU, ZYDIS_MNEMONIC_MOVUPS}), {memory(128), vector()});
        break;
    case 4:
        chance(50) ? emit(ZYDIS_MNEMONIC_MOVQ, {vector(), any(64)})
                   : emit(ZYDIS_MNEMONIC_MOVQ, {any(64), vector()});
        break;
    case 5:
        chance(50) ? emit(ZYDIS_MNEMONIC_PMOVMSKB, {register_of(32), vector()})
                   : emit(ZYDIS_MNEMONIC_PEXTRW, {register_of(32), vector(), byte()});
        break;
    default:
        emit(binary[pick(std::size(binary))], {vector(), chance(70) ? vector() : aligned_memory()});
        break;
    }
}

void RandomSequence::vector_float() {
    static constexpr ZydisMnemonic packed[] = {
        ZYDIS_MNEMONIC_ADDPS, ZYDIS_MNEMONIC_ADDPD,    ZYDIS_MNEMONIC_SUBPS,
        ZYDIS_MNEMONIC_SUBPD, ZYDIS_MNEMONIC_MULPS,    ZYDIS_MNEMONIC_MULPD,
        ZYDIS_MNEMONIC_DIVPS, ZYDIS_MNEMONIC_DIVPD,    ZYDIS_MNEMONIC_MINPS,
        ZYDIS_MNEMONIC_MAXPD, ZYDIS_MNEMONIC_SQRTPS,   ZYDIS_MNEMONIC_SQRTPD,
        ZYDIS_MNEMONIC_ANDPS, ZYDIS_MNEMONIC_ANDNPD,   ZYDIS_MNEMONIC_ORPS,
        ZYDIS_MNEMONIC_XORPD, ZYDIS_MNEMONIC_UNPCKLPS, ZYDIS_MNEMONIC_UNPCKHPD,
        ZYDIS_MNEMONIC_MOVAPS};
    static constexpr ZydisMnemonic single[] = {
        ZYDIS_MNEMONIC_ADDSS, ZYDIS_MNEMONIC_SUBSS, ZYDIS_MNEMONIC_MULSS,  ZYDIS_MNEMONIC_DIVSS,
        ZYDIS_MNEMONIC_MINSS, ZYDIS_MNEMONIC_MAXSS, ZYDIS_MNEMONIC_SQRTSS, ZYDIS_MNEMONIC_MOVSS};
    static constexpr ZydisMnemonic doubles[] = {
        ZYDIS_MNEMONIC_ADDSD, ZYDIS_MNEMONIC_SUBSD, ZYDIS_MNEMONIC_MULSD,  ZYDIS_MNEMONIC_DIVSD,
        ZYDIS_MNEMONIC_MINSD, ZYDIS_MNEMONIC_MAXSD, ZYDIS_MNEMONIC_SQRTSD, ZYDIS_MNEMONIC_MOVSD};
    const FlagUse compares{.defines = x86::rflags::arithmetic};
    switch (pick(5)) {
    case 0:
        emit(single[pick(std::size(single))], {vector(), chance(60) ? vector() : memory(32)});
        break;
    case 1:
        emit(doubles[pick(std::size(doubles))], {vector(), chance(60) ? vector() : memory(64)});
        break;
    case 2:
        if (chance(50))
            emit(one_of({ZYDIS_MNEMONIC_UCOMISD, ZYDIS_MNEMONIC_COMISD}),
                 {vector(), chance(50) ? vector() : memory(64)}, compares);
        else
            emit(one_of({ZYDIS_MNEMONIC_UCOMISS, ZYDIS_MNEMONIC_COMISS}),
                 {vector(), chance(50) ? vector() : memory(32)}, compares);
        break;
    case 3:
        emit(one_of({ZYDIS_MNEMONIC_CMPPS, ZYDIS_MNEMONIC_CMPPD}),
             {vector(), vector(), imm(static_cast<std::int64_t>(pick(8)))});
        emit(one_of({ZYDIS_MNEMONIC_SHUFPS, ZYDIS_MNEMONIC_SHUFPD}),
             {vector(), vector(), imm(static_cast<std::int64_t>(pick(4)))});
        break;
    default:
        emit(packed[pick(std::size(packed))], {vector(), chance(70) ? vector() : aligned_memory()});
        break;
    }
}

void RandomSequence::convert() {
    const unsigned width = one_of({32u, 64u});
    switch (pick(6)) {
    case 0:
        emit(one_of({ZYDIS_MNEMONIC_CVTSI2SD, ZYDIS_MNEMONIC_CVTSI2SS}), {vector(), any(width)});
        break;
    case 1:
        emit(one_of({ZYDIS_MNEMONIC_CVTTSD2SI, ZYDIS_MNEMONIC_CVTSD2SI}),
             {register_of(width), chance(50) ? vector() : memory(64)});
        break;
    case 2:
        emit(one_of({ZYDIS_MNEMONIC_CVTTSS2SI, ZYDIS_MNEMONIC_CVTSS2SI}),
             {register_of(width), chance(50) ? vector() : memory(32)});
        break;
    case 3:
        emit(one_of({ZYDIS_MNEMONIC_CVTDQ2PS, ZYDIS_MNEMONIC_CVTPS2DQ, ZYDIS_MNEMONIC_CVTTPS2DQ,
                     ZYDIS_MNEMONIC_CVTPD2PS, ZYDIS_MNEMONIC_CVTPD2DQ}),
             {vector(), chance(60) ? vector() : aligned_memory()});
        break;
    case 4: emit(ZYDIS_MNEMONIC_CVTSS2SD, {vector(), chance(50) ? vector() : memory(32)}); break;
    case 5: emit(ZYDIS_MNEMONIC_CVTSD2SS, {vector(), chance(50) ? vector() : memory(64)}); break;
    }
}

}  // namespace backplane::interp::testing

// The flags that are not compared behind each instruction: those that the manual leaves undefined
// (SDM 1 appendix A and the instruction pages of SDM 2), unless the processor under the tests is
// the one whose choice the semantics share.
#pragma once

#include "support/followed_processor.h"
#include "x86/flags.h"

#include <Zydis/Zydis.h>

#include <cstdint>

namespace backplane::x86::testing {

// `count` is the unmasked shift count, `width` the operand's in bits; both matter to shifts only.
inline std::uint64_t undefined_flags(ZydisMnemonic mnemonic, unsigned count, unsigned width) {
    using namespace rflags;
    if (is_followed_processor()) {
        // The engines keep what a division has not defined (semantics/multiply.h).
        const bool divides = mnemonic == ZYDIS_MNEMONIC_DIV || mnemonic == ZYDIS_MNEMONIC_IDIV;
        return divides ? arithmetic : 0;
    }
    const unsigned masked = count & (width == 64 ? 63 : 31);
    const std::uint64_t overflow = masked > 1 ? of : 0;
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_OR:
    case ZYDIS_MNEMONIC_XOR:
    case ZYDIS_MNEMONIC_TEST: return af;
    case ZYDIS_MNEMONIC_MUL:
    case ZYDIS_MNEMONIC_IMUL: return sf | zf | af | pf;
    case ZYDIS_MNEMONIC_DIV:
    case ZYDIS_MNEMONIC_IDIV: return arithmetic;
    case ZYDIS_MNEMONIC_SHL:
    case ZYDIS_MNEMONIC_SHR: return masked == 0 ? 0 : af | overflow | (masked >= width ? cf : 0);
    case ZYDIS_MNEMONIC_SAR: return masked == 0 ? 0 : af | overflow;
    case ZYDIS_MNEMONIC_ROL:
    case ZYDIS_MNEMONIC_ROR:
    case ZYDIS_MNEMONIC_RCL:
    case ZYDIS_MNEMONIC_RCR: return overflow;
    case ZYDIS_MNEMONIC_SHLD:
    case ZYDIS_MNEMONIC_SHRD: return masked == 0 ? 0 : masked > width ? arithmetic : af | overflow;
    case ZYDIS_MNEMONIC_BT:
    case ZYDIS_MNEMONIC_BTS:
    case ZYDIS_MNEMONIC_BTR:
    case ZYDIS_MNEMONIC_BTC: return of | sf | af | pf;
    case ZYDIS_MNEMONIC_BSF:
    case ZYDIS_MNEMONIC_BSR: return cf | of | sf | af | pf;
    case ZYDIS_MNEMONIC_LZCNT:
    case ZYDIS_MNEMONIC_TZCNT: return of | sf | af | pf;
    case ZYDIS_MNEMONIC_ANDN:
    case ZYDIS_MNEMONIC_BLSI:
    case ZYDIS_MNEMONIC_BLSMSK:
    case ZYDIS_MNEMONIC_BLSR:
    case ZYDIS_MNEMONIC_BZHI: return af | pf;
    case ZYDIS_MNEMONIC_BEXTR: return sf | af | pf;
    case ZYDIS_MNEMONIC_AAA:
    case ZYDIS_MNEMONIC_AAS: return of | sf | zf | pf;
    case ZYDIS_MNEMONIC_AAM:
    case ZYDIS_MNEMONIC_AAD: return of | af | cf;
    case ZYDIS_MNEMONIC_DAA:
    case ZYDIS_MNEMONIC_DAS: return of;
    default: return 0;
    }
}

}  // namespace backplane::x86::testing

#include "undefined.h"

#include "x86/forms/operands.h"
#include "x86/undefined_flags.h"

namespace backplane::oracle {
namespace {

using namespace x86;

unsigned shift_count(const Case& test, const Instruction& instruction) {
    const unsigned operands = instruction.decoded.operand_count_visible;
    if (operands < 2) return 0;
    const auto& last = instruction.operands[operands - 1];
    return static_cast<unsigned>(
        last.type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? last.imm.value.u : test.before.gpr[RCX] & 0xff);
}

// The decoder's table says C0 to C3 in bits 0 to 3; they are bits 8, 9, 10 and 14 of the status.
std::uint16_t status_bits(ZydisAccessedFlagsMask conditions) {
    return static_cast<std::uint16_t>((conditions & 7) << 8 | (conditions & 8) << 11);
}

}  // namespace

Undefined undefined_results(const Case& test, const Instruction* instruction) {
    Undefined undefined;
    if (!instruction) return undefined;
    const ZydisDecodedInstruction& decoded = instruction->decoded;
    const ZydisMnemonic mnemonic = instruction->mnemonic();
    const unsigned width = instruction->operands[0].size;
    const unsigned count = shift_count(test, *instruction);
    const bool depends_on_count = decoded.meta.category == ZYDIS_CATEGORY_SHIFT ||
                                  decoded.meta.category == ZYDIS_CATEGORY_ROTATE ||
                                  mnemonic == ZYDIS_MNEMONIC_SHLD ||
                                  mnemonic == ZYDIS_MNEMONIC_SHRD;
    const bool is_followed = testing::is_followed_processor();
    undefined.flags = testing::undefined_flags(mnemonic, count, width);
    if (!depends_on_count && decoded.cpu_flags && !is_followed)
        undefined.flags |= decoded.cpu_flags->undefined & rflags::arithmetic;
    // SDM 2, SHLD: for counts beyond the width the destination too.
    const bool is_double_shift = mnemonic == ZYDIS_MNEMONIC_SHLD || mnemonic == ZYDIS_MNEMONIC_SHRD;
    undefined.destination = is_double_shift && (count & 31) > width && !is_followed;
    undefined.mxcsr_mask = decoded.meta.isa_ext == ZYDIS_ISA_EXT_XSAVE ||
                           decoded.meta.isa_set == ZYDIS_ISA_SET_FXSAVE ||
                           decoded.meta.isa_set == ZYDIS_ISA_SET_FXSAVE64 ||
                           decoded.meta.isa_ext == ZYDIS_ISA_EXT_XSAVEC ||
                           decoded.meta.isa_ext == ZYDIS_ISA_EXT_XSAVEOPT;
    if (decoded.fpu_flags) undefined.x87_status = status_bits(decoded.fpu_flags->undefined);
    return undefined;
}

}  // namespace backplane::oracle

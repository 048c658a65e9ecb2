#include "disagreements.h"

#include "x86/forms/operands.h"

#include <algorithm>

namespace backplane::oracle {
namespace {

using namespace x86;

constexpr int page_fault = 14;

bool is_one_of(const Instruction* instruction, std::initializer_list<ZydisMnemonic> mnemonics) {
    return instruction && std::ranges::find(mnemonics, instruction->mnemonic()) != mnemonics.end();
}

bool is_far(const Instruction* instruction) {
    return instruction && instruction->decoded.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
}

bool faults(const Result& native) { return !native.completed(); }

bool narrow_branch(const Case&, const Instruction* instruction, const Result&) {
    return instruction && instruction->is_code64() && !is_far(instruction) &&
           instruction->decoded.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE &&
           instruction->has(ZYDIS_ATTRIB_HAS_OPERANDSIZE);
}

bool wide_far_pointer(const Case&, const Instruction* instruction, const Result&) {
    const bool loads = is_one_of(instruction, {ZYDIS_MNEMONIC_LFS, ZYDIS_MNEMONIC_LGS,
                                               ZYDIS_MNEMONIC_LSS});
    const bool branches = is_far(instruction) &&
                          is_one_of(instruction, {ZYDIS_MNEMONIC_JMP, ZYDIS_MNEMONIC_CALL});
    return (loads || branches) && instruction->decoded.operand_width == 64;
}

bool several_accesses(const Case&, const Instruction* instruction, const Result& native) {
    if (!instruction || !faults(native)) return false;
    return is_far(instruction) ||
           is_one_of(instruction,
                     {ZYDIS_MNEMONIC_IRET,     ZYDIS_MNEMONIC_IRETD,    ZYDIS_MNEMONIC_IRETQ,
                      ZYDIS_MNEMONIC_FNSTENV,  ZYDIS_MNEMONIC_FNSAVE,   ZYDIS_MNEMONIC_FLDENV,
                      ZYDIS_MNEMONIC_FRSTOR,   ZYDIS_MNEMONIC_FXSAVE,   ZYDIS_MNEMONIC_FXSAVE64,
                      ZYDIS_MNEMONIC_FXRSTOR,  ZYDIS_MNEMONIC_FXRSTOR64, ZYDIS_MNEMONIC_POPA,
                      ZYDIS_MNEMONIC_POPAD,    ZYDIS_MNEMONIC_PUSHA,    ZYDIS_MNEMONIC_PUSHAD,
                      ZYDIS_MNEMONIC_XSAVE,    ZYDIS_MNEMONIC_XSAVE64,  ZYDIS_MNEMONIC_XSAVEC,
                      ZYDIS_MNEMONIC_XSAVEC64, ZYDIS_MNEMONIC_XSAVEOPT, ZYDIS_MNEMONIC_XSAVEOPT64,
                      ZYDIS_MNEMONIC_XRSTOR,   ZYDIS_MNEMONIC_XRSTOR64, ZYDIS_MNEMONIC_ENTER,
                      ZYDIS_MNEMONIC_LDS,      ZYDIS_MNEMONIC_LES,      ZYDIS_MNEMONIC_LFS,
                      ZYDIS_MNEMONIC_LGS,      ZYDIS_MNEMONIC_LSS,      ZYDIS_MNEMONIC_BOUND});
}

bool masked_store(const Case&, const Instruction* instruction, const Result&) {
    return is_one_of(instruction, {ZYDIS_MNEMONIC_MASKMOVQ, ZYDIS_MNEMONIC_MASKMOVDQU,
                                   ZYDIS_MNEMONIC_VMASKMOVDQU});
}

bool repeated_comparison(const Case&, const Instruction* instruction, const Result& native) {
    return instruction && faults(native) &&
           instruction->has(ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
}

// IM, the mask of invalid operations.
bool unmasked_comparison(const Case& test, const Instruction* instruction, const Result& native) {
    return !(test.before.vector.control & 1) && (native.after.vector.status & 1) &&
           is_one_of(instruction, {ZYDIS_MNEMONIC_FCOMI, ZYDIS_MNEMONIC_FCOMIP,
                                   ZYDIS_MNEMONIC_FUCOMI, ZYDIS_MNEMONIC_FUCOMIP});
}

bool unmasked_store(const Case& test, const Instruction* instruction, const Result& native) {
    const bool some_unmasked = (test.before.vector.control & 0x3f) != 0x3f;
    return some_unmasked && native.vector == page_fault &&
           is_one_of(instruction,
                     {ZYDIS_MNEMONIC_FST, ZYDIS_MNEMONIC_FSTP, ZYDIS_MNEMONIC_FIST,
                      ZYDIS_MNEMONIC_FISTP, ZYDIS_MNEMONIC_FISTTP, ZYDIS_MNEMONIC_FBSTP});
}

bool prefetch_of_register(const Case&, const Instruction* instruction, const Result&) {
    return instruction && instruction->decoded.opcode_map == ZYDIS_OPCODE_MAP_0F &&
           instruction->decoded.opcode == 0x0d && instruction->decoded.raw.modrm.mod == 3;
}

// LOCK 0F 00 /4 and /5; our decoder does not know them.
bool locked_verification(const Case& test, const Instruction* instruction, const Result&) {
    if (instruction) return false;
    bool locked = false;
    std::size_t at = 0;
    for (; at + 2 < test.length && test.bytes[at] != 0x0f; ++at)
        locked |= test.bytes[at] == 0xf0;
    return locked && test.bytes[at + 1] == 0 && (test.bytes[at + 2] >> 4 & 3) == 2;
}

constexpr Disagreement table[] = {
    {"66 before a 64-bit near branch",
     "AMD processors take it and cut RIP to 16 bits, Intel's ignore it (SDM 2, JMP); the engine "
     "does as Intel for every model",
     part::all, narrow_branch},
    {"far pointers of 80 bits",
     "AMD processors read a 32-bit offset where REX.W asks for 64 (APM 3, JMP Far); the engine does "
     "as Intel for every model",
     part::all, wide_far_pointer},
    {"faults of several accesses",
     "the order of the accesses, and what was done before the one that faults, is the processor's "
     "own",
     part::outcome | part::fault_address | part::registers | part::x87 | part::memory,
     several_accesses},
    {"masked stores", "whether bytes that are masked out fault is left open (SDM 2, MASKMOVDQU)",
     part::outcome | part::fault_address | part::x87 | part::memory, masked_store},
    {"flags of a repeated comparison that faults",
     "AMD processors keep those of the last element, Intel's restore them (SDM 2, REP)",
     part::flags, repeated_comparison},
    {"flags of an unmasked invalid FCOMI", "Intel processors leave them (SDM 2, FCOMI), AMD's do not",
     part::flags, unmasked_comparison},
    {"page fault beside an unmasked x87 exception",
     "the processor judges the address of a store that the exception prevents; the order is not "
     "documented",
     part::all, unmasked_store},
    {"PREFETCH of a register", "#UD on AMD processors, a NOP on Intel's", part::all,
     prefetch_of_register},
    {"LOCK VERR and VERW", "the processor under the tests takes them; the manuals say #UD",
     part::all, locked_verification},
};

}  // namespace

std::span<const Disagreement> disagreements() { return table; }

unsigned excused_parts(const Case& test, const Instruction* instruction, const Result& native) {
    unsigned parts = 0;
    for (const Disagreement& entry : table)
        if (entry.applies(test, instruction, native)) parts |= entry.parts;
    return parts;
}

}  // namespace backplane::oracle

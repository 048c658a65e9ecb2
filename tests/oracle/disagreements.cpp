#include "disagreements.h"

#include "x86/decoder.h"
#include "x86/forms/operands.h"

#include <algorithm>

namespace backplane::oracle {
namespace {

using namespace x86;

constexpr int page_fault = 14, alignment_check = 17;

bool is_one_of(const Instruction* instruction, std::initializer_list<ZydisMnemonic> mnemonics) {
    return instruction && std::ranges::find(mnemonics, instruction->mnemonic()) != mnemonics.end();
}

bool is_far(const Instruction* instruction) {
    return instruction && instruction->decoded.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
}

bool faults(const Result& native) { return !native.completed(); }

bool several_accesses(const Case&, const Instruction* instruction, const Result& native) {
    if (!instruction || !faults(native)) return false;
    return is_far(instruction) ||
           is_one_of(instruction,
                     {ZYDIS_MNEMONIC_IRET,     ZYDIS_MNEMONIC_IRETD,     ZYDIS_MNEMONIC_IRETQ,
                      ZYDIS_MNEMONIC_FNSTENV,  ZYDIS_MNEMONIC_FNSAVE,    ZYDIS_MNEMONIC_FLDENV,
                      ZYDIS_MNEMONIC_FRSTOR,   ZYDIS_MNEMONIC_FXSAVE,    ZYDIS_MNEMONIC_FXSAVE64,
                      ZYDIS_MNEMONIC_FXRSTOR,  ZYDIS_MNEMONIC_FXRSTOR64, ZYDIS_MNEMONIC_POPA,
                      ZYDIS_MNEMONIC_POPAD,    ZYDIS_MNEMONIC_PUSHA,     ZYDIS_MNEMONIC_PUSHAD,
                      ZYDIS_MNEMONIC_XSAVE,    ZYDIS_MNEMONIC_XSAVE64,   ZYDIS_MNEMONIC_XSAVEC,
                      ZYDIS_MNEMONIC_XSAVEC64, ZYDIS_MNEMONIC_XSAVEOPT,  ZYDIS_MNEMONIC_XSAVEOPT64,
                      ZYDIS_MNEMONIC_XRSTOR,   ZYDIS_MNEMONIC_XRSTOR64,  ZYDIS_MNEMONIC_ENTER,
                      ZYDIS_MNEMONIC_LDS,      ZYDIS_MNEMONIC_LES,       ZYDIS_MNEMONIC_LFS,
                      ZYDIS_MNEMONIC_LGS,      ZYDIS_MNEMONIC_LSS,       ZYDIS_MNEMONIC_BOUND});
}

bool masked_store(const Case&, const Instruction* instruction, const Result&) {
    return is_one_of(instruction, {ZYDIS_MNEMONIC_MASKMOVQ, ZYDIS_MNEMONIC_MASKMOVDQU,
                                   ZYDIS_MNEMONIC_VMASKMOVDQU});
}

// The elements of these are in one access on the processor.
bool masked_elements(const Case&, const Instruction* instruction, const Result& native) {
    return native.vector == page_fault &&
           is_one_of(instruction, {ZYDIS_MNEMONIC_VMASKMOVPS, ZYDIS_MNEMONIC_VMASKMOVPD,
                                   ZYDIS_MNEMONIC_VPMASKMOVD, ZYDIS_MNEMONIC_VPMASKMOVQ});
}

bool masked_elements_at_64k(const Case&, const Instruction* instruction, const Result&) {
    return instruction && instruction->decoded.address_width == 16 &&
           is_one_of(instruction, {ZYDIS_MNEMONIC_VMASKMOVPS, ZYDIS_MNEMONIC_VMASKMOVPD,
                                   ZYDIS_MNEMONIC_VPMASKMOVD, ZYDIS_MNEMONIC_VPMASKMOVQ});
}

// CMPSD is the name of a comparison of vectors, too.
bool compared_strings(const Case&, const Instruction* instruction, const Result& native) {
    return faults(native) && instruction &&
           instruction->decoded.meta.category == ZYDIS_CATEGORY_STRINGOP &&
           is_one_of(instruction, {ZYDIS_MNEMONIC_CMPSB, ZYDIS_MNEMONIC_CMPSW, ZYDIS_MNEMONIC_CMPSD,
                                   ZYDIS_MNEMONIC_CMPSQ});
}

bool store_of_conversion(const Case&, const Instruction* instruction, const Result& native) {
    return faults(native) && is_one_of(instruction, {ZYDIS_MNEMONIC_VCVTPS2PH}) &&
           instruction->memory_operand();
}

bool wide_element(const Case&, const Instruction* instruction, const Result&) {
    return instruction && !instruction->is_code64() && instruction->decoded.raw.vex.W &&
           is_one_of(instruction, {ZYDIS_MNEMONIC_VPINSRD, ZYDIS_MNEMONIC_VPEXTRD});
}

// Many prefixes before an opcode that is none and would have been longer than instructions may be.
bool long_and_invalid(const Case& test, const Instruction* instruction, const Result& native) {
    constexpr int general_protection = 13;
    if (instruction || native.vector != general_protection || native.error_code != 0) return false;
    static constexpr std::uint8_t legacy[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                              0x66, 0x67, 0xf0, 0xf2, 0xf3};
    const bool has_rex = test.code_size == CodeSize::Bits64;
    unsigned prefixes = 0;
    while (prefixes < test.length &&
           (std::ranges::find(legacy, test.bytes[prefixes]) != std::end(legacy) ||
            (has_rex && (test.bytes[prefixes] & 0xf0) == 0x40)))
        ++prefixes;
    constexpr unsigned longest_rest = 11;  // opcode, ModRM, SIB, displacement, 32-bit immediate
    return prefixes + longest_rest > x86::Decoder::max_length;
}

bool repeated_comparison(const Case&, const Instruction* instruction, const Result& native) {
    return instruction && faults(native) &&
           instruction->has(ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
}

// IM and DM, the masks of invalid and denormal operands.
bool unmasked_comparison(const Case& test, const Instruction* instruction, const Result& native) {
    return (~test.before.vector.control & native.after.vector.status & 3) &&
           is_one_of(instruction, {ZYDIS_MNEMONIC_FCOMI, ZYDIS_MNEMONIC_FCOMIP,
                                   ZYDIS_MNEMONIC_FUCOMI, ZYDIS_MNEMONIC_FUCOMIP});
}

bool unmasked_store(const Case& test, const Instruction* instruction, const Result& native) {
    const bool some_unmasked = (test.before.vector.control & 0x3f) != 0x3f;
    return some_unmasked && faults(native) &&
           is_one_of(instruction,
                     {ZYDIS_MNEMONIC_FST, ZYDIS_MNEMONIC_FSTP, ZYDIS_MNEMONIC_FIST,
                      ZYDIS_MNEMONIC_FISTP, ZYDIS_MNEMONIC_FISTTP, ZYDIS_MNEMONIC_FBSTP});
}

bool prefetch_of_register(const Case&, const Instruction* instruction, const Result&) {
    return instruction && instruction->decoded.opcode_map == ZYDIS_OPCODE_MAP_0F &&
           instruction->decoded.opcode == 0x0d && instruction->decoded.raw.modrm.mod == 3;
}

// The bytes from 0F on of an instruction that our decoder refuses.
std::span<const std::uint8_t> secondary_opcode(const Case& test) {
    const auto bytes = std::span{test.bytes}.first(test.length);
    const auto escape = std::ranges::find(bytes, std::uint8_t{0x0f});
    return bytes.subspan(static_cast<std::size_t>(escape - bytes.begin()));
}

bool is_locked(const Case& test) {
    const auto bytes = std::span{test.bytes}.first(test.length);
    const auto escape = std::ranges::find(bytes, std::uint8_t{0x0f});
    return std::find(bytes.begin(), escape, std::uint8_t{0xf0}) != escape;
}

// LOCK 0F 00 /4 and /5.
bool locked_verification(const Case& test, const Instruction* instruction, const Result&) {
    if (instruction || !is_locked(test)) return false;
    const auto code = secondary_opcode(test);
    return code.size() > 2 && code[1] == 0 && (code[2] >> 4 & 3) == 2;
}

// 0F 20 to 0F 26.
bool unknown_system_register(const Case& test, const Instruction* instruction,
                             const Result& native) {
    constexpr int general_protection = 13;
    if (instruction || native.vector != general_protection) return false;
    const auto code = secondary_opcode(test);
    return code.size() > 1 && code[1] >= 0x20 && code[1] <= 0x23;
}

// 0F 01 C1, VMCALL, and 0F 01 D9, VMMCALL.
bool hypercall(const Case& test, const Instruction* instruction, const Result&) {
    if (instruction) return false;
    const auto code = secondary_opcode(test);
    return code.size() > 2 && code[1] == 1 && (code[2] == 0xc1 || code[2] == 0xd9);
}

bool prefixed_loop(const Case&, const Instruction* instruction, const Result&) {
    if (!is_one_of(instruction, {ZYDIS_MNEMONIC_LOOPE, ZYDIS_MNEMONIC_LOOPNE})) return false;
    const auto& raw = instruction->decoded.raw;
    for (unsigned i = 0; i < raw.prefix_count; ++i)
        if (raw.prefixes[i].value == 0xf2 || raw.prefixes[i].value == 0xf3) return true;
    return false;
}

bool read_only_selector(const Case& test, const Instruction* instruction, const Result& native) {
    return instruction && instruction->memory_operand() && test.code_size != CodeSize::Bits64 &&
           (native.completed() || native.vector == page_fault ||
            native.vector == alignment_check) &&
           is_one_of(instruction, {ZYDIS_MNEMONIC_ARPL});
}

// MXCSR.MM, which the engines do not have.
bool misaligned_mode(const Case&, const Instruction* instruction, const Result& native) {
    return (native.after.vector.mxcsr >> 17 & 1) &&
           is_one_of(instruction,
                     {ZYDIS_MNEMONIC_FXRSTOR, ZYDIS_MNEMONIC_FXRSTOR64, ZYDIS_MNEMONIC_XRSTOR,
                      ZYDIS_MNEMONIC_XRSTOR64, ZYDIS_MNEMONIC_LDMXCSR, ZYDIS_MNEMONIC_VLDMXCSR});
}

bool restored_pointers(const Case&, const Instruction* instruction, const Result&) {
    return is_one_of(instruction, {ZYDIS_MNEMONIC_FXRSTOR64, ZYDIS_MNEMONIC_XRSTOR64});
}

bool return_to_64bit(const Case& test, const Instruction* instruction, const Result& native) {
    return is_far(instruction) && test.code_size != CodeSize::Bits64 && native.completed() &&
           (native.after.selectors[CS] | 3) == selector::code64;
}

bool misaligned_beyond_limit(const Case& test, const Instruction* instruction,
                             const Result& native) {
    constexpr int stack_fault = 12, general_protection = 13;
    const auto* memory = instruction ? instruction->memory_operand() : nullptr;
    return memory && memory->size >= 128 && test.code_size != CodeSize::Bits64 &&
           native.error_code == 0 &&
           (native.vector == stack_fault || native.vector == general_protection);
}

constexpr Disagreement table[] = {
    {"faults of several accesses",
     "the order of the accesses, and what was done before the one that faults, is the processor's "
     "own",
     part::which_fault | part::fault_address | part::registers | part::x87 | part::memory,
     several_accesses},
    {"masked stores", "whether bytes that are masked out fault is left open (SDM 2, MASKMOVDQU)",
     part::which_fault | part::completion | part::fault_address | part::x87 | part::memory,
     masked_store},
    {"fault address of masked elements",
     "the processor's is that of the page, not of the element (SDM 2, VMASKMOV, leaves it open)",
     part::fault_address, masked_elements},
    {"fault of VCVTPS2PH to memory",
     "which of its store's and its conversion's exceptions comes first is not documented",
     part::which_fault, store_of_conversion},
    {"VEX.W of VPINSRD and VPEXTRD outside 64-bit code",
     "ignored by Intel processors (SDM 2, VPEXTRQ, note 1), #UD on AMD's; the engine does as Intel",
     part::all, wide_element},
    {"too long and no instruction", "#GP or #UD, whichever the processor finds first", part::all,
     long_and_invalid},
    {"flags of a repeated comparison that faults",
     "AMD processors keep those of the last element, Intel's restore them (SDM 2, REP)",
     part::flags, repeated_comparison},
    {"flags of FCOMI with an unmasked exception",
     "Intel processors leave them (SDM 2, FCOMI), AMD's do not", part::flags, unmasked_comparison},
    {"fault of a store beside an unmasked x87 exception",
     "the processor judges the address of a store that the exception prevents; the order is not "
     "documented",
     part::all, unmasked_store},
    {"PREFETCH of a register", "#UD on AMD processors, a NOP on Intel's", part::all,
     prefetch_of_register},
    {"LOOPE and LOOPNE with a repeat prefix",
     "the processor under the tests lets the prefix choose the condition; the manuals do not say "
     "so",
     part::all, prefixed_loop},
    {"ARPL in a read-only segment",
     "whether it may be written is judged although ARPL writes only what it changes",
     part::which_fault | part::completion, read_only_selector},
    {"misaligned SSE mode", "AMD's MXCSR.MM (APM 2 3.1.7) is on the processor under the tests",
     part::all, misaligned_mode},
    {"x87 pointers from FXRSTOR64", "made canonical after the processor's own address width",
     part::x87_pointers, restored_pointers},
    {"far returns into 64-bit code",
     "whether the released arguments are counted in SP or RSP is not documented", part::registers,
     return_to_64bit},
    {"misaligned and beyond the limit",
     "which of #SS(0) and #GP(0) comes first is the processor's own (SDM 3A 6.9)",
     part::which_fault, misaligned_beyond_limit},
    {"unknown control and debug registers",
     "#GP by privilege comes before #UD on the processor under the tests; LOCK reaches CR8 on it",
     part::all, unknown_system_register},
    {"hypercalls", "answered by the hypervisor that the tests run under", part::all, hypercall},
    {"elements of a masked move around 64 KiB",
     "go on behind it on AMD's family 1Ah, and at 0 on 19h", part::all, masked_elements_at_64k},
    {"faults of CMPS",
     "AMD's family 1Ah reads the first operand first, 19h the second; the manuals leave it open",
     part::which_fault | part::fault_address, compared_strings},
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

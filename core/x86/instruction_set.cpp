#include "x86/instruction_set.h"

#include <algorithm>
#include <array>
#include <optional>

namespace backplane::x86 {

namespace {

using enum Feature;

// From the 80386 and 80486 and the numeric coprocessor; every model has them. PAUSE is a NOP to
// processors that do not know it (SDM 2, PAUSE).
constexpr std::array always_there = std::to_array<ZydisISASet>(
    {ZYDIS_ISA_SET_I86, ZYDIS_ISA_SET_I186, ZYDIS_ISA_SET_I286REAL, ZYDIS_ISA_SET_I286PROTECTED,
     ZYDIS_ISA_SET_I386, ZYDIS_ISA_SET_I486, ZYDIS_ISA_SET_I486REAL, ZYDIS_ISA_SET_X87,
     ZYDIS_ISA_SET_PAUSE});

struct Requirement {
    ZydisISASet set;
    Feature feature;
    std::optional<Feature> also = {};
};

// Sets that are in neither table, such as AVX-512 and VMX, no model has.
constexpr std::array requirements = std::to_array<Requirement>({
    {ZYDIS_ISA_SET_PENTIUMMMX, Mmx},
    {ZYDIS_ISA_SET_RDPMC, Mmx},  // came with the Pentium MMX and the Pentium Pro
    {ZYDIS_ISA_SET_CMOV, Cmov},
    {ZYDIS_ISA_SET_FCMOV, Cmov, Fpu},
    {ZYDIS_ISA_SET_FXSAVE, Fxsr},
    {ZYDIS_ISA_SET_FXSAVE64, Fxsr},
    {ZYDIS_ISA_SET_SSE, Sse},
    {ZYDIS_ISA_SET_SSEMXCSR, Sse},
    {ZYDIS_ISA_SET_SSE2, Sse2},
    {ZYDIS_ISA_SET_SSE2MMX, Sse2},
    {ZYDIS_ISA_SET_CLFSH, Clfsh},
    {ZYDIS_ISA_SET_SSE3, Sse3},
    {ZYDIS_ISA_SET_SSE3X87, Sse3},
    {ZYDIS_ISA_SET_MONITOR, Monitor},
    {ZYDIS_ISA_SET_SSSE3, Ssse3},
    {ZYDIS_ISA_SET_SSSE3MMX, Ssse3},
    {ZYDIS_ISA_SET_CMPXCHG16B, Cx16},
    {ZYDIS_ISA_SET_SSE4, Sse41},
    {ZYDIS_ISA_SET_SSE42, Sse42},
    {ZYDIS_ISA_SET_POPCNT, Popcnt},
    {ZYDIS_ISA_SET_LZCNT, Lzcnt},
    {ZYDIS_ISA_SET_SSE4A, Sse4a},
    {ZYDIS_ISA_SET_AMD, Syscall},
    {ZYDIS_ISA_SET_RDTSCP, Rdtscp},
    {ZYDIS_ISA_SET_AES, Aes},
    {ZYDIS_ISA_SET_PCLMULQDQ, Pclmulqdq},
    {ZYDIS_ISA_SET_MOVBE, Movbe},
    {ZYDIS_ISA_SET_RDRAND, Rdrand},
    {ZYDIS_ISA_SET_RDSEED, Rdseed},
    {ZYDIS_ISA_SET_RDWRFSGS, Fsgsbase},
    {ZYDIS_ISA_SET_INVPCID, Invpcid},
    {ZYDIS_ISA_SET_SMAP, Smap},
    {ZYDIS_ISA_SET_BMI1, Bmi1},
    {ZYDIS_ISA_SET_BMI2, Bmi2},
    {ZYDIS_ISA_SET_ADOX_ADCX, Adx},
    {ZYDIS_ISA_SET_SHA, Sha},
    {ZYDIS_ISA_SET_CLFLUSHOPT, Clflushopt},
    {ZYDIS_ISA_SET_CLWB, Clwb},
    {ZYDIS_ISA_SET_RDPID, Rdpid},
    {ZYDIS_ISA_SET_XSAVE, Xsave},
    {ZYDIS_ISA_SET_XSAVEOPT, Xsave, Xsaveopt},
    {ZYDIS_ISA_SET_XSAVEC, Xsave, Xsavec},
    {ZYDIS_ISA_SET_AVX, Avx},
    {ZYDIS_ISA_SET_AVXAES, Avx, Aes},
    {ZYDIS_ISA_SET_F16C, Avx, F16c},
    {ZYDIS_ISA_SET_FMA, Avx, Fma},
    {ZYDIS_ISA_SET_AVX2, Avx2},
    {ZYDIS_ISA_SET_AVX2GATHER, Avx2},
});

// 0F 18 to 0F 1F were set aside for hints with the Pentium Pro: later processors give some of them
// a meaning, earlier ones raise #UD.
bool has_reserved_hints(const CpuModel& model) { return model.family >= 6; }

// APM 3, PREFETCH: any of these is enough. Intel processors with long mode take it for a NOP.
bool has_amd_prefetch(const CpuModel& model) { return model.has(Prefetchw) || model.has(Lm); }

// What SSE added to the MMX instructions, which AMD processors may have alone. Zydis has the MMX
// ones together.
bool is_sse_on_mmx_registers(const Instruction& instruction) {
    switch (instruction.mnemonic()) {
    case ZYDIS_MNEMONIC_MASKMOVQ:
    case ZYDIS_MNEMONIC_MOVNTQ:
    case ZYDIS_MNEMONIC_PAVGB:
    case ZYDIS_MNEMONIC_PAVGW:
    case ZYDIS_MNEMONIC_PEXTRW:
    case ZYDIS_MNEMONIC_PINSRW:
    case ZYDIS_MNEMONIC_PMAXSW:
    case ZYDIS_MNEMONIC_PMAXUB:
    case ZYDIS_MNEMONIC_PMINSW:
    case ZYDIS_MNEMONIC_PMINUB:
    case ZYDIS_MNEMONIC_PMULHUW:
    case ZYDIS_MNEMONIC_PSADBW:
    case ZYDIS_MNEMONIC_PSHUFW: return true;
    default: return false;
    }
}

// The Pentium's and the Pentium Pro's additions have a feature each.
bool has_pentium_instruction(const CpuModel& model, ZydisMnemonic mnemonic) {
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_CMPXCHG8B: return model.has(Cx8);
    case ZYDIS_MNEMONIC_RDTSC: return model.has(Tsc);
    case ZYDIS_MNEMONIC_RDMSR:
    case ZYDIS_MNEMONIC_WRMSR: return model.has(Msr);
    case ZYDIS_MNEMONIC_SYSENTER:
    case ZYDIS_MNEMONIC_SYSEXIT: return model.has(Sep);
    case ZYDIS_MNEMONIC_FCOMI:
    case ZYDIS_MNEMONIC_FCOMIP:
    case ZYDIS_MNEMONIC_FUCOMI:
    case ZYDIS_MNEMONIC_FUCOMIP: return model.has(Cmov) && model.has(Fpu);
    case ZYDIS_MNEMONIC_NOP: return has_reserved_hints(model);
    default: return false;  // UD0, UD1 and UD2, which are undefined by name
    }
}

bool has_long_mode_instruction(const CpuModel& model, ZydisMnemonic mnemonic) {
    const bool is_fast_call = mnemonic == ZYDIS_MNEMONIC_SYSCALL ||
                              mnemonic == ZYDIS_MNEMONIC_SYSRET;
    return model.has(is_fast_call ? Syscall : Lm);
}

}  // namespace

DecoderFeatures decoder_features(const CpuModel& model) {
    return {.lzcnt = model.has(Lzcnt),
            .bmi1 = model.has(Bmi1),
            .amd_operands = model.vendor == Vendor::Amd};
}

bool has_instruction(const CpuModel& model, const Instruction& instruction) {
    const ZydisISASet set = instruction.decoded.meta.isa_set;
    switch (set) {
    case ZYDIS_ISA_SET_PENTIUMREAL:
    case ZYDIS_ISA_SET_PPRO: return has_pentium_instruction(model, instruction.mnemonic());
    case ZYDIS_ISA_SET_LONGMODE: return has_long_mode_instruction(model, instruction.mnemonic());
    case ZYDIS_ISA_SET_FAT_NOP:
    case ZYDIS_ISA_SET_SSE_PREFETCH: return has_reserved_hints(model);
    case ZYDIS_ISA_SET_PREFETCHWT1:
    case ZYDIS_ISA_SET_PREFETCH_NOP: return has_amd_prefetch(model);
    // SDM 2, LAHF: the feature is about 64-bit code; elsewhere the 8086 had them.
    case ZYDIS_ISA_SET_LAHF: return !instruction.is_code64() || model.has(LahfLm);
    default: break;
    }
    if (set == ZYDIS_ISA_SET_PENTIUMMMX && is_sse_on_mmx_registers(instruction))
        return model.has(Sse) || model.has(MmxExt);
    // Of VPCLMULQDQ the 128-bit form has no feature of its own.
    if (instruction.mnemonic() == ZYDIS_MNEMONIC_VPCLMULQDQ && set == ZYDIS_ISA_SET_AVX)
        return model.has(Avx) && model.has(Pclmulqdq);
    if (std::ranges::find(always_there, set) != always_there.end()) return true;
    const auto found = std::ranges::find(requirements, set, &Requirement::set);
    if (found == requirements.end()) return false;
    return model.has(found->feature) && (!found->also || model.has(*found->also));
}

}  // namespace backplane::x86

#include "isa_set.h"

namespace backplane::oracle {

std::string_view feature_of(ZydisISASet set) {
    switch (set) {
    case ZYDIS_ISA_SET_I86:
    case ZYDIS_ISA_SET_I186:
    case ZYDIS_ISA_SET_I286PROTECTED:
    case ZYDIS_ISA_SET_I286REAL:
    case ZYDIS_ISA_SET_I386:
    case ZYDIS_ISA_SET_I486:
    case ZYDIS_ISA_SET_I486REAL:
    case ZYDIS_ISA_SET_PPRO:
    case ZYDIS_ISA_SET_FAT_NOP:
    case ZYDIS_ISA_SET_PREFETCH_NOP:
    case ZYDIS_ISA_SET_PAUSE: return "";
    case ZYDIS_ISA_SET_PENTIUMREAL: return "cx8";
    case ZYDIS_ISA_SET_RDPMC: return "";
    case ZYDIS_ISA_SET_X87: return "fpu";
    case ZYDIS_ISA_SET_CMOV: return "cmov";
    case ZYDIS_ISA_SET_FCMOV: return "cmov";
    case ZYDIS_ISA_SET_PENTIUMMMX: return "mmx";
    case ZYDIS_ISA_SET_FXSAVE: return "fxsr";
    case ZYDIS_ISA_SET_FXSAVE64: return "lm";
    case ZYDIS_ISA_SET_LONGMODE: return "lm";
    case ZYDIS_ISA_SET_LAHF: return "";
    case ZYDIS_ISA_SET_CMPXCHG16B: return "cx16";
    case ZYDIS_ISA_SET_CLFSH: return "clflush";
    case ZYDIS_ISA_SET_SSE:
    case ZYDIS_ISA_SET_SSEMXCSR:
    case ZYDIS_ISA_SET_SSE_PREFETCH: return "sse";
    case ZYDIS_ISA_SET_SSE2:
    case ZYDIS_ISA_SET_SSE2MMX: return "sse2";
    case ZYDIS_ISA_SET_SSE3:
    case ZYDIS_ISA_SET_SSE3X87: return "sse3";
    case ZYDIS_ISA_SET_SSSE3:
    case ZYDIS_ISA_SET_SSSE3MMX: return "ssse3";
    case ZYDIS_ISA_SET_SSE4: return "sse4_1";
    case ZYDIS_ISA_SET_SSE42: return "sse4_2";
    case ZYDIS_ISA_SET_SSE4A: return "sse4a";
    case ZYDIS_ISA_SET_POPCNT: return "popcnt";
    case ZYDIS_ISA_SET_LZCNT: return "abm";
    case ZYDIS_ISA_SET_BMI1: return "bmi1";
    case ZYDIS_ISA_SET_BMI2: return "bmi2";
    case ZYDIS_ISA_SET_ADOX_ADCX: return "adx";
    case ZYDIS_ISA_SET_MOVBE: return "movbe";
    case ZYDIS_ISA_SET_AES: return "aes";
    case ZYDIS_ISA_SET_PCLMULQDQ: return "pclmulqdq";
    case ZYDIS_ISA_SET_SHA: return "sha_ni";
    case ZYDIS_ISA_SET_AVX: return "avx";
    // The VEX encodings of the two need AVX as well.
    case ZYDIS_ISA_SET_AVXAES: return "aes";
    case ZYDIS_ISA_SET_AVX2:
    case ZYDIS_ISA_SET_AVX2GATHER: return "avx2";
    case ZYDIS_ISA_SET_F16C: return "f16c";
    case ZYDIS_ISA_SET_FMA: return "fma";
    case ZYDIS_ISA_SET_XSAVE: return "xsave";
    case ZYDIS_ISA_SET_XSAVEOPT: return "xsaveopt";
    case ZYDIS_ISA_SET_XSAVEC: return "xsavec";
    case ZYDIS_ISA_SET_RDWRFSGS: return "fsgsbase";
    case ZYDIS_ISA_SET_RDRAND: return "rdrand";
    case ZYDIS_ISA_SET_RDSEED: return "rdseed";
    case ZYDIS_ISA_SET_RDTSCP: return "rdtscp";
    case ZYDIS_ISA_SET_RDPID: return "rdpid";
    case ZYDIS_ISA_SET_MONITOR: return "monitor";
    case ZYDIS_ISA_SET_INVPCID: return "invpcid";
    case ZYDIS_ISA_SET_SMAP: return "smap";
    case ZYDIS_ISA_SET_CLFLUSHOPT: return "clflushopt";
    case ZYDIS_ISA_SET_CLWB: return "clwb";
    case ZYDIS_ISA_SET_AMD: return "syscall";
    default: return "-";
    }
}

bool is_advertised(const x86::Instruction& instruction, const x86::FeatureSet& features) {
    const auto has = [&](std::string_view name) {
        const auto feature = x86::feature_named(name);
        return feature && features.has(*feature);
    };
    const std::string_view name = feature_of(instruction.decoded.meta.isa_set);
    if (name == "-") return false;
    const bool is_vector = instruction.decoded.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
    const auto set = instruction.decoded.meta.isa_set;
    const bool is_integer = set == ZYDIS_ISA_SET_BMI1 || set == ZYDIS_ISA_SET_BMI2;
    if (is_vector && !is_integer && !has("avx")) return false;
    return name.empty() || has(name);
}

}  // namespace backplane::oracle

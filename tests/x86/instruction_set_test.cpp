// Which instructions a CPU model has: one of each feature, with it and without it.
#include "x86/disassembler.h"
#include "x86/instruction_set.h"

#include <gtest/gtest.h>

#include <span>
#include <vector>

namespace backplane::x86 {
namespace {

using enum Feature;
using Bytes = std::vector<std::uint8_t>;

Instruction decoded(const CpuModel& model, const Bytes& bytes, CodeSize size = CodeSize::Bits64) {
    Instruction instruction;
    const Decoder decoder{decoder_features(model)};
    EXPECT_EQ(decoder.decode(std::as_bytes(std::span{bytes}), size, 0x1000, instruction),
              DecodeStatus::Complete);
    return instruction;
}

bool has(const CpuModel& model, const Bytes& bytes, CodeSize size = CodeSize::Bits64) {
    return has_instruction(model, decoded(model, bytes, size));
}

CpuModel with(const FeatureSet& features) {
    return {.name = "test", .summary = "", .family = 6, .brand = "", .features = features};
}

struct Case {
    Bytes bytes;
    std::vector<Feature> needs;
};

const Case cases[] = {
    {{0x0f, 0x77}, {Mmx}},                                     // emms
    {{0x0f, 0x33}, {Mmx}},                                     // rdpmc
    {{0x0f, 0x70, 0xc1, 0x00}, {Sse}},                         // pshufw
    {{0x0f, 0x44, 0xc1}, {Cmov}},                              // cmovz
    {{0xda, 0xc1}, {Cmov, Fpu}},                               // fcmovb
    {{0xdb, 0xf1}, {Cmov, Fpu}},                               // fcomi
    {{0x0f, 0xc7, 0x0b}, {Cx8}},                               // cmpxchg8b
    {{0x48, 0x0f, 0xc7, 0x0b}, {Cx16}},                        // cmpxchg16b
    {{0x0f, 0x31}, {Tsc}},                                     // rdtsc
    {{0x0f, 0x01, 0xf9}, {Rdtscp}},                            // rdtscp
    {{0x0f, 0x32}, {Msr}},                                     // rdmsr
    {{0x0f, 0x30}, {Msr}},                                     // wrmsr
    {{0x0f, 0x34}, {Sep}},                                     // sysenter
    {{0x0f, 0x05}, {Syscall}},                                 // syscall
    {{0x0f, 0x01, 0xf8}, {Lm}},                                // swapgs
    {{0x9f}, {LahfLm}},                                        // lahf
    {{0x0f, 0xae, 0x03}, {Fxsr}},                              // fxsave
    {{0x0f, 0xae, 0x3b}, {Clfsh}},                             // clflush
    {{0x0f, 0x58, 0xc1}, {Sse}},                               // addps
    {{0x0f, 0xae, 0x13}, {Sse}},                               // ldmxcsr
    {{0x66, 0x0f, 0x58, 0xc1}, {Sse2}},                        // addpd
    {{0x0f, 0xd4, 0xc1}, {Sse2}},                              // paddq
    {{0x66, 0x0f, 0xd0, 0xc1}, {Sse3}},                        // addsubpd
    {{0xdf, 0x0b}, {Sse3}},                                    // fisttp
    {{0x0f, 0x01, 0xc8}, {Monitor}},                           // monitor
    {{0x0f, 0x38, 0x00, 0xc1}, {Ssse3}},                       // pshufb
    {{0x66, 0x0f, 0x38, 0x10, 0xc1}, {Sse41}},                 // pblendvb
    {{0xf2, 0x0f, 0x38, 0xf1, 0xc1}, {Sse42}},                 // crc32
    {{0xf3, 0x0f, 0xb8, 0xc1}, {Popcnt}},                      // popcnt
    {{0x66, 0x0f, 0x79, 0xc1}, {Sse4a}},                       // extrq
    {{0x66, 0x0f, 0x38, 0xdc, 0xc1}, {Aes}},                   // aesenc
    {{0x66, 0x0f, 0x3a, 0x44, 0xc1, 0x00}, {Pclmulqdq}},       // pclmulqdq
    {{0x0f, 0x38, 0xc8, 0xc1}, {Sha}},                         // sha1nexte
    {{0x0f, 0x38, 0xf0, 0x03}, {Movbe}},                       // movbe
    {{0x0f, 0xc7, 0xf0}, {Rdrand}},                            // rdrand
    {{0x0f, 0xc7, 0xf8}, {Rdseed}},                            // rdseed
    {{0xf3, 0x0f, 0xc7, 0xf8}, {Rdpid}},                       // rdpid
    {{0xf3, 0x0f, 0xae, 0xc0}, {Fsgsbase}},                    // rdfsbase
    {{0x66, 0x0f, 0x38, 0x82, 0x03}, {Invpcid}},               // invpcid
    {{0x0f, 0x01, 0xca}, {Smap}},                              // clac
    {{0x66, 0x0f, 0x38, 0xf6, 0xc1}, {Adx}},                   // adcx
    {{0x66, 0x0f, 0xae, 0x3b}, {Clflushopt}},                  // clflushopt
    {{0x66, 0x0f, 0xae, 0x33}, {Clwb}},                        // clwb
    {{0x0f, 0x0d, 0x0b}, {Prefetchw}},                         // prefetchw
    {{0x0f, 0xae, 0x23}, {Xsave}},                             // xsave
    {{0x0f, 0xae, 0x33}, {Xsave, Xsaveopt}},                   // xsaveopt
    {{0x0f, 0xc7, 0x23}, {Xsave, Xsavec}},                     // xsavec
    {{0x0f, 0x01, 0xd0}, {Xsave}},                             // xgetbv
    {{0xc4, 0xe2, 0x70, 0xf2, 0xc2}, {Bmi1}},                  // andn
    {{0xc4, 0xe2, 0x73, 0xf6, 0xc2}, {Bmi2}},                  // mulx
    {{0xc5, 0xf4, 0x58, 0xc2}, {Avx}},                         // vaddps
    {{0xc4, 0xe2, 0x71, 0xdc, 0xc2}, {Avx, Aes}},              // vaesenc
    {{0xc4, 0xe3, 0x71, 0x44, 0xc2, 0x00}, {Avx, Pclmulqdq}},  // vpclmulqdq
    {{0xc4, 0xe2, 0x7d, 0x13, 0xc1}, {Avx, F16c}},             // vcvtph2ps
    {{0xc4, 0xe2, 0x71, 0x98, 0xc2}, {Avx, Fma}},              // vfmadd132ps
    {{0xc5, 0xf5, 0xfe, 0xc2}, {Avx2}},                        // vpaddd
    {{0xc4, 0xe2, 0x71, 0x90, 0x04, 0x13}, {Avx2}},            // vpgatherdd
};

TEST(InstructionSet, FollowsTheFeatures) {
    for (const Case& one : cases) {
        FeatureSet features;
        for (const Feature feature : one.needs)
            features.add(feature);
        EXPECT_TRUE(has(with(features), one.bytes)) << disassemble(decoded(with({}), one.bytes));
        for (const Feature feature : one.needs) {
            FeatureSet fewer = features;
            fewer.remove(feature);
            EXPECT_FALSE(has(with(fewer), one.bytes)) << disassemble(decoded(with({}), one.bytes));
        }
    }
}

TEST(InstructionSet, HasTheBasicInstructionsAlways) {
    for (const Bytes& bytes : {Bytes{0x90},
                               {0xf3, 0x90},
                               {0x0f, 0xa2},
                               {0xf4},
                               {0x0f, 0xc8},
                               {0x0f, 0x00, 0xc0},
                               {0xd9, 0xe8},
                               {0xcc},
                               {0x0f, 0x01, 0x3b}})
        EXPECT_TRUE(has(with({}), bytes)) << disassemble(decoded(with({}), bytes));
    EXPECT_TRUE(has(with({}), {0x9f}, CodeSize::Bits32)) << "LAHF outside 64-bit code";
}

TEST(InstructionSet, NeverHasWhatNoModelHas) {
    CpuModel all = with(implemented_features());
    for (const Bytes& bytes : {Bytes{0x62, 0xf1, 0x74, 0x48, 0x58, 0xc2},  // vaddps zmm
                               {0x0f, 0x01, 0xc1},                         // vmcall
                               {0x0f, 0x01, 0xd9},                         // vmmcall
                               {0xc7, 0xf8, 0, 0, 0, 0},                   // xbegin
                               {0x0f, 0x01, 0xfc},                         // clzero
                               {0x8f, 0xe9, 0x78, 0x81, 0xc0},             // an XOP instruction
                               {0x0f, 0x0b},
                               {0x0f, 0xb9, 0xc0},
                               {0x0f, 0xff, 0xc0}})  // UD2, UD1, UD0
        EXPECT_FALSE(has(all, bytes)) << disassemble(decoded(all, bytes));
}

TEST(InstructionSet, ReadsBitCountsAsOlderInstructionsWithoutTheirFeatures) {
    const auto mnemonic = [](const FeatureSet& features, const Bytes& bytes) {
        return decoded(with(features), bytes).mnemonic();
    };
    EXPECT_EQ(mnemonic({}, {0xf3, 0x0f, 0xbc, 0xc1}), ZYDIS_MNEMONIC_BSF);
    EXPECT_EQ(mnemonic({}, {0xf3, 0x0f, 0xbd, 0xc1}), ZYDIS_MNEMONIC_BSR);
    EXPECT_EQ(mnemonic(FeatureSet{{Bmi1}}, {0xf3, 0x0f, 0xbc, 0xc1}), ZYDIS_MNEMONIC_TZCNT);
    EXPECT_EQ(mnemonic(FeatureSet{{Lzcnt}}, {0xf3, 0x0f, 0xbd, 0xc1}), ZYDIS_MNEMONIC_LZCNT);
}

TEST(InstructionSet, HasReservedHintsSinceThePentiumPro) {
    CpuModel model = with({});
    const Bytes nop = {0x0f, 0x1f, 0x00}, prefetch = {0x0f, 0x18, 0x0b},
                endbr = {0xf3, 0x0f, 0x1e, 0xfa};
    for (const Bytes& bytes : {nop, prefetch, endbr}) {
        model.family = 6;
        EXPECT_TRUE(has(model, bytes));
        model.family = 4;
        EXPECT_FALSE(has(model, bytes));
    }
}

TEST(InstructionSet, HasPrefetchwAsANopInLongMode) {
    EXPECT_FALSE(has(with({}), {0x0f, 0x0d, 0x0b}));
    EXPECT_TRUE(has(with(FeatureSet{{Lm}}), {0x0f, 0x0d, 0x0b}));
}

}  // namespace
}  // namespace backplane::x86

// Which VEX encodings exist: every opcode of the three maps with each prefix, W and L, with and
// without a first source, against the processor.
#include "x86/avx_comparison.h"
#include "x86/instruction_set.h"
#include "x86/integer_forms.h"

#include <csignal>

namespace backplane::x86::testing {
namespace {

enum class Exists : std::uint8_t { No, Yes, NotOurs };

// NotOurs: an encoding of a feature that the processor may have and no CPU model has. Bytes behind
// the instruction are taken off.
Exists exists_here(Code& code) {
    static const CpuModel model = *make_cpu_model("max");
    Instruction instruction;
    if (Decoder{}.decode(std::as_bytes(std::span{code}), CodeSize::Bits64, 0x1000, instruction) !=
        DecodeStatus::Complete)
        return Exists::No;
    code.resize(instruction.decoded.length);
    if (!has_instruction(model, instruction)) return Exists::NotOurs;
    Op op;
    const bool found = floating_point_forms().bind(instruction, op) ||
                       integer_forms().bind(instruction, op);
    return found ? Exists::Yes : Exists::No;
}

// SDM 2 wants W set for VPERMQ and VPERMPD; AMD's processors do not look at it.
bool processors_differ(const VexOpcode& opcode) {
    return opcode.map == 3 && opcode.prefix == 1 && opcode.byte <= 1 && !opcode.w;
}

bool exists_on_processor(const Code& code) {
    alignas(64) static std::array<std::uint8_t, 128> memory{};
    FpState state;
    return NativeInstruction{code}.execute(state, memory.data()) != SIGILL;
}

class VexEncodings : public ::testing::Test {
protected:
    void compare(Code code) {
        const Exists here = exists_here(code);
        if (here == Exists::NotOurs) return;
        ASSERT_EQ(here == Exists::Yes, exists_on_processor(code)) << hex(code);
        ++(here == Exists::Yes ? existing : missing);
    }

    unsigned existing = 0, missing = 0;
};

TEST_F(VexEncodings, ExistWhereTheProcessorHasThem) {
    BACKPLANE_NEEDS_HOST(Avx2);
    BACKPLANE_NEEDS_HOST(Fma);
    BACKPLANE_NEEDS_HOST(F16c);
    for (unsigned map = 1; map <= 3; ++map)
        for (unsigned prefix = 0; prefix < 4; ++prefix)
            for (unsigned opcode = 0; opcode < 256; ++opcode)
                for (const bool w : {false, true})
                    for (const bool ymm : {false, true})
                        for (const unsigned first_source : {0u, 2u})
                            for (const bool memory : {false, true}) {
                                const VexOpcode bytes{.map = map,
                                                      .prefix = prefix,
                                                      .byte = static_cast<std::uint8_t>(opcode),
                                                      .w = w};
                                // Every opcode with an immediate is in the third map or among
                                // these.
                                const bool control = map == 3 ||
                                                     (map == 1 &&
                                                      (opcode == 0xc2 ||
                                                       (opcode >= 0xc4 && opcode <= 0xc6) ||
                                                       (opcode >= 0x70 && opcode <= 0x73)));
                                if (processors_differ(bytes)) continue;
                                compare(vex_code(bytes, ymm, {0, first_source, 1, memory},
                                                 control ? 0x10 : -1));
                                if (HasFailure()) return;
                            }
    EXPECT_GT(existing, 1500u);
    EXPECT_GT(missing, 10000u);
}

TEST_F(VexEncodings, TakeNoOtherPrefix) {
    BACKPLANE_NEEDS_HOST(Avx2);
    for (const std::uint8_t prefix : {0x66, 0xf2, 0xf3, 0xf0, 0x40, 0x48})
        for (Code code : {Code{0xc5, 0xf5, 0xfe, 0xc2}, Code{0xc4, 0xe2, 0x75, 0x00, 0xc2},
                          Code{0xc5, 0xfc, 0x77}, Code{0xc5, 0xfe, 0x6f, 0x06}}) {
            code.insert(code.begin(), prefix);
            compare(code);
        }
    EXPECT_EQ(existing, 0u);
    EXPECT_EQ(missing, 24u);
    for (const std::uint8_t prefix : {0x2e, 0x36, 0x3e, 0x67})  // segments, address size
        compare({prefix, 0xc5, 0xf5, 0xfe, 0xc2});
    EXPECT_EQ(existing, 4u);
}

}  // namespace
}  // namespace backplane::x86::testing

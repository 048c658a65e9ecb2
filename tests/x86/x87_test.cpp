#include "x86/fp_availability.h"
#include "x86/fp_values.h"

#include <gtest/gtest.h>

namespace backplane::x86::testing {
namespace {

using Masks = FpValues::Masks;
using Tags = FpValues::Tags;

// FCOMI and its kin write the flags under an unmasked exception on some processors, and not as the
// SDM has it.
Ignored differences(const Code& code) {
    const bool sets_flags = (code[0] == 0xdb || code[0] == 0xdf) && code[1] >= 0xe8 &&
                            code[1] <= 0xf7;
    return {.flags_if_unmasked = sets_flags};
}

void check(const Code& code, unsigned executions, Masks masks, Tags tags) {
    FpComparison comparison(code, differences(code));
    FpValues values(code.back() + 256u * code.front());
    for (unsigned i = 0; i < executions; ++i) {
        const auto difference = comparison.difference(values.state(masks, tags), values.memory());
        if (difference.empty()) continue;
        ADD_FAILURE() << difference << " (execution " << i << ")";
        return;
    }
}

// Every ModRM byte of the escape opcodes that is a register instruction of the x87 unit, the
// undocumented ones too.
std::vector<Code> register_instructions() {
    std::vector<Code> list;
    for (unsigned escape = 0xd8; escape <= 0xdf; ++escape)
        for (unsigned modrm = 0xc0; modrm <= 0xff; ++modrm) {
            const Code code{static_cast<std::uint8_t>(escape), static_cast<std::uint8_t>(modrm)};
            ZydisDecodedInstruction decoded;
            ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
            ZydisDecoder decoder;
            ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
            if (!ZYAN_SUCCESS(
                    ZydisDecoderDecodeFull(&decoder, code.data(), code.size(), &decoded, operands)))
                continue;
            list.push_back(code);
        }
    return list;
}

// Memory at RSI. The images of FLDENV and its kin have tests of their own.
std::vector<Code> memory_instructions() {
    std::vector<Code> list;
    for (unsigned escape = 0xd8; escape <= 0xdf; ++escape)
        for (unsigned extension = 0; extension < 8; ++extension) {
            const bool image = (escape == 0xd9 && (extension == 4 || extension == 6)) ||
                               (escape == 0xdd && (extension == 4 || extension == 6));
            const bool later = extension == 1 &&
                               (escape == 0xdb || escape == 0xdd || escape == 0xdf);  // FISTTP
            const bool undefined = (escape == 0xd9 && extension == 1) ||
                                   (escape == 0xdb && extension == 4) ||
                                   (escape == 0xdb && extension == 6) ||
                                   (escape == 0xdd && extension == 5);
            if (image || later || undefined) continue;
            list.push_back(
                {static_cast<std::uint8_t>(escape), static_cast<std::uint8_t>(extension << 3 | 6)});
        }
    return list;
}

TEST(X87, RegisterInstructionsMatchTheProcessor) {
    for (const Code& code : register_instructions())
        check(code, 600, Masks::AllSet, Tags::AllFull);
}

TEST(X87, MemoryInstructionsMatchTheProcessor) {
    for (const Code& code : memory_instructions())
        check(code, 3000, Masks::AllSet, Tags::AllFull);
}

TEST(X87, StackFaultsMatchTheProcessor) {
    for (const Code& code : register_instructions())
        check(code, 300, Masks::AllSet, Tags::Random);
    for (const Code& code : memory_instructions())
        check(code, 1000, Masks::AllSet, Tags::Random);
}

TEST(X87, UnmaskedExceptionsMatchTheProcessor) {
    for (const Code& code : register_instructions())
        check(code, 600, Masks::Random, Tags::Random);
    for (const Code& code : memory_instructions())
        check(code, 2000, Masks::Random, Tags::Random);
}

TEST(X87, PendingExceptionsStopWaitingInstructionsOnly) {
    const auto pending = [](FpValues& values) {
        FpState state = values.state(Masks::AllSet, Tags::AllFull);
        const unsigned flag = 1u << values.below(6);
        state.control = static_cast<std::uint16_t>(state.control & ~flag);
        state.status = static_cast<std::uint16_t>(state.status | flag | 0x8080);
        return state;
    };
    for (const Code& code : {Code{0xd8, 0xc1},
                             Code{0xd9, 0xc9},
                             Code{0xd9, 0x06},
                             Code{0xdd, 0x1e},
                             Code{0x9b},
                             Code{0xd9, 0xd0},
                             Code{0xd9, 0x2e},
                             Code{0xd9, 0x26},
                             Code{0xdd, 0x26},
                             Code{0x0f, 0xfe, 0xc1},
                             Code{0x0f, 0x77},
                             Code{0x0f, 0x6f, 0x06},
                             Code{0x66, 0x0f, 0x2a, 0xc1},
                             Code{0x66, 0x0f, 0x2a, 0x06},
                             Code{0x0f, 0x2d, 0xc1},
                             Code{0xd9, 0x3e},
                             Code{0xdd, 0x3e},
                             Code{0xdf, 0xe0},
                             Code{0xdb, 0xe2},
                             Code{0xdb, 0xe3},
                             Code{0xdd, 0xc1},
                             Code{0xd9, 0xf6},
                             Code{0xd9, 0xe5},
                             Code{0x0f, 0x58, 0xc1}}) {
        FpComparison comparison(code);
        FpValues values(5);
        for (int i = 0; i < 50; ++i)
            ASSERT_EQ(comparison.difference(pending(values), values.memory()), "");
        if (comparison.faults) EXPECT_EQ(comparison.raised()->vector, Vector::FloatingPoint);
    }
}

TEST(X87, EnvironmentAndStateImagesMatchTheProcessor) {
    for (const Code& code : {Code{0xd9, 0x36}, Code{0xd9, 0x26}, Code{0xdd, 0x36}, Code{0xdd, 0x26},
                             Code{0x66, 0xd9, 0x36}, Code{0x66, 0xd9, 0x26}, Code{0x66, 0xdd, 0x36},
                             Code{0x66, 0xdd, 0x26}}) {
        FpComparison comparison(code);
        FpValues values(6);
        for (int i = 0; i < 2000; ++i) {
            auto memory = values.memory();
            for (std::size_t k = 0; k < 112; ++k)
                memory[k] = static_cast<std::uint8_t>(values.bits());
            const auto difference = comparison.difference(values.state(Masks::Random, Tags::Random),
                                                          memory);
            if (difference.empty()) continue;
            ADD_FAILURE() << difference;
            break;
        }
    }
}

TEST(Fxsave, ImagesMatchTheProcessor) {
    for (const Code& code : {Code{0x0f, 0xae, 0x06}, Code{0x48, 0x0f, 0xae, 0x06},
                             Code{0x0f, 0xae, 0x0e}, Code{0x48, 0x0f, 0xae, 0x0e}}) {
        // MXCSR_MASK: some processors have bits beyond those of every SSE2 processor.
        FpComparison comparison(code, {.memory_from = 28, .memory_size = 4});
        FpValues values(7);
        for (int i = 0; i < 2000; ++i) {
            auto memory = values.memory();
            const FpState image = values.state(Masks::Random, Tags::Random);
            std::memcpy(memory.data(), &image, 512);
            if (values.one_in(10)) memory[27] = 1;  // a reserved bit of MXCSR
            if (values.one_in(4))
                memory[2] = static_cast<std::uint8_t>(values.bits());  // flags against ES
            const auto difference = comparison.difference(values.state(Masks::Random, Tags::Random),
                                                          memory);
            if (difference.empty()) continue;
            ADD_FAILURE() << difference;
            break;
        }
    }
}

}  // namespace
}  // namespace backplane::x86::testing

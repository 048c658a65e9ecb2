// REP in the large: the page-wise path against single iterations, interruption and progress.
#include "x86/native_comparison.h"

namespace backplane::x86::testing {
namespace {

constexpr std::uint64_t base = 0x100000;

Instruction decode(const std::vector<std::uint8_t>& bytes, CodeSize size = CodeSize::Bits64) {
    Instruction instruction;
    EXPECT_EQ(Decoder{}.decode(std::as_bytes(std::span{bytes}), size, 0x1000, instruction),
              DecodeStatus::Complete);
    return instruction;
}

struct Result {
    std::vector<std::byte> memory;
    CpuState state;
    std::uint64_t iterations;
};

enum class Path : std::uint8_t { Bulk, Single };

Result run(const Instruction& instruction, std::uint64_t from, std::uint64_t to,
           std::uint64_t count, Path path) {
    std::vector<std::byte> memory(0x8000);
    for (std::size_t i = 0; i < memory.size(); ++i)
        memory[i] = static_cast<std::byte>(i * 7 + i / 251);
    SemanticsMachine m{base, memory};
    m.forbid_spans = path == Path::Single;
    CpuState& state = m.state();
    for (SegmentRegister& segment : state.segments)
        segment = {.limit = 0xffffffff, .attributes = 0xc093};
    state.cr0 = 1;
    state.gpr[RSI] = base + from;
    state.gpr[RDI] = base + to;
    state.gpr[RCX] = count;
    state.gpr[RAX] = 0x1122334455667788;
    EXPECT_EQ(execute(m, testing::integer_forms(), instruction), Outcome::Next);
    return {memory, m.state(), m.rep_iterations};
}

TEST(RepeatedStrings, CopyPageWiseWhatTheyCopySingly) {
    Values values;
    for (const auto& bytes : std::vector<std::vector<std::uint8_t>>{{0xf3, 0xa4},
                                                                    {0x66, 0xf3, 0xa5},
                                                                    {0xf3, 0xa5},
                                                                    {0xf3, 0x48, 0xa5},
                                                                    {0x67, 0xf3, 0xa5},
                                                                    {0xf3, 0xaa},
                                                                    {0xf3, 0xab},
                                                                    {0xf3, 0x48, 0xab}})
        for (const CodeSize size : {CodeSize::Bits64, CodeSize::Bits32})
            for (int i = 0; i < 300; ++i) {
                // REX does not exist there, and 67 means 16-bit addresses.
                if (size == CodeSize::Bits32 && (bytes[1] == 0x48 || bytes[0] == 0x67)) continue;
                // Apart, overlapping by less than an element, by some elements, backwards.
                const std::uint64_t from = 0x2000 + values.below(64);
                const std::uint64_t distance = values.below(3) == 0 ? values.below(0x2000)
                                                                    : values.below(40);
                const std::uint64_t to = values.below(2) ? from + distance : from - distance;
                const std::uint64_t count = values.below(2) ? values.below(20) : values.below(1200);
                const Instruction instruction = decode(bytes, size);
                const Result bulk = run(instruction, from, to, count, Path::Bulk);
                const Result single = run(instruction, from, to, count, Path::Single);
                ASSERT_EQ(bulk.memory, single.memory)
                    << disassemble(instruction) << " " << from << " " << to << " " << count;
                ASSERT_EQ(bulk.state.gpr, single.state.gpr);
                ASSERT_EQ(bulk.iterations, count);
                ASSERT_EQ(single.iterations, count);
            }
}

TEST(RepeatedStrings, YieldWithTheProgressInTheRegistersAndGoOn) {
    const Instruction instruction = decode({0xf3, 0xa4});
    for (const bool forbid_spans : {false, true}) {
        std::vector<std::byte> memory(0x8000, std::byte{0x5a});
        SemanticsMachine m{base, memory};
        m.forbid_spans = forbid_spans;
        m.state().gpr[RSI] = base;
        m.state().gpr[RDI] = base + 0x4000;
        m.state().gpr[RCX] = 0x3000;
        unsigned yields = 0;
        for (;; ++yields) {
            m.yields_after = 1;
            const auto outcome = execute(m, integer_forms(), instruction);
            const std::uint64_t done = 0x3000 - m.state().gpr[RCX];
            ASSERT_EQ(m.state().gpr[RSI], base + done);
            ASSERT_EQ(m.state().gpr[RDI], base + 0x4000 + done);
            ASSERT_EQ(m.rep_iterations, done);
            if (outcome == Outcome::Next) break;
            ASSERT_EQ(outcome, Outcome::Again);
            ASSERT_EQ(m.state().rip, instruction.ip);
        }
        EXPECT_GE(yields, 2u);
        EXPECT_EQ(m.state().gpr[RCX], 0u);
    }
}

TEST(RepeatedStrings, ComparisonsGoOnAfterAYield) {
    const Instruction instruction = decode({0xf3, 0xa6});
    std::vector<std::byte> memory(0x4000, std::byte{0x5a});
    memory[0x2000 + 1000] = std::byte{0x5b};
    SemanticsMachine m{base, memory};
    m.state().gpr[RSI] = base;
    m.state().gpr[RDI] = base + 0x2000;
    m.state().gpr[RCX] = 0x2000;
    Outcome outcome;
    do {
        m.yields_after = 1;
        outcome = *execute(m, integer_forms(), instruction);
    } while (outcome == Outcome::Again);
    EXPECT_EQ(m.state().gpr[RCX], 0x2000u - 1001);
    EXPECT_TRUE(m.state().flags.cf());
    EXPECT_FALSE(m.state().flags.zf());
}

}  // namespace
}  // namespace backplane::x86::testing

// An instruction fused with the branch behind it against the two executed one after the other.
#include "x86/forms/branch.h"
#include "x86/native_comparison.h"

namespace backplane::x86::testing {
namespace {

Instruction decode(std::span<const std::uint8_t> bytes, std::uint64_t ip) {
    Instruction instruction;
    EXPECT_EQ(Decoder{}.decode(std::as_bytes(bytes), CodeSize::Bits64, ip, instruction),
              DecodeStatus::Complete);
    return instruction;
}

struct Step {
    CpuState state;
    Outcome outcome;
};

Step run_apart(const Instruction& first, const Instruction& jump, const CpuState& before,
               std::span<std::byte> memory) {
    SemanticsMachine m{0x2000, memory};
    m.state() = before;
    EXPECT_EQ(execute(m, integer_forms(), first), Outcome::Next);
    const Outcome outcome = *execute(m, integer_forms(), jump);
    return {m.state(), outcome};
}

Instruction jump_behind(const Instruction& first, std::uint8_t condition) {
    const std::uint8_t bytes[] = {static_cast<std::uint8_t>(0x70 + condition), 0x20};
    Instruction jump = decode(bytes, first.next_ip());
    jump.block_ip = first.block_ip;
    return jump;
}

// The pair as one op, many times, with RBX at the memory.
void compare(const Instruction& first, std::uint8_t condition, Values& values) {
    const Instruction jump = jump_behind(first, condition);
    Op op;
    const auto handler = forms::bind_fused<SemanticsEngine>(first, jump, op);
    ASSERT_TRUE(handler) << disassemble(first) << " " << disassemble(jump);
    Instruction jump_alone = jump;
    jump_alone.block_ip = jump.ip;
    for (int i = 0; i < 60; ++i) {
        CpuState before;
        before.gpr[RAX] = values();
        before.gpr[RCX] = values.below(3) ? values() : before.gpr[RAX];
        before.gpr[RBX] = 0x2000;
        before.set_full_rflags(values() & rflags::arithmetic);
        std::vector<std::byte> memory(32);
        const std::uint64_t stored = values.below(3) ? values() : before.gpr[RAX];
        std::memcpy(memory.data() + 8, &stored, 8);
        const Step apart = run_apart(first, jump_alone, before, memory);

        SemanticsMachine m{0x2000, memory};
        m.state() = before;
        m.state().block_ip = 0x1000;
        m.set_op(op);
        ASSERT_EQ(handler(m), apart.outcome) << disassemble(first) << " " << disassemble(jump);
        if (apart.outcome == Outcome::Jump) {
            ASSERT_EQ(m.state().rip, apart.state.rip);
        }
        ASSERT_EQ(m.next_ip(), jump.next_ip());
        ASSERT_EQ(m.state().gpr, apart.state.gpr) << disassemble(first);
        ASSERT_EQ(m.state().full_rflags(), apart.state.full_rflags()) << disassemble(first);
    }
}

TEST(FusedBranches, DecideAndSetFlagsLikeTheTwoInstructions) {
    Values values;
    const auto memory_operand = [](unsigned width) {
        return mem(
            {ZYDIS_REGISTER_RBX, ZYDIS_REGISTER_NONE, 0, 8, static_cast<std::uint16_t>(width / 8)});
    };
    for (const auto mnemonic : {ZYDIS_MNEMONIC_CMP, ZYDIS_MNEMONIC_TEST})
        for (const unsigned width : {8u, 16u, 32u, 64u})
            for (int shape = 0; shape < 5; ++shape) {
                const auto a = reg(general(RAX, width)), c = reg(general(RCX, width));
                const auto number = imm(width == 8 ? -3 : 5);
                const std::vector<ZydisEncoderOperand> operands =
                    shape == 0   ? std::vector{a, c}
                    : shape == 1 ? std::vector{c, number}
                    : shape == 2 ? std::vector{a, memory_operand(width)}
                    : shape == 3 ? std::vector{memory_operand(width), c}
                                 : std::vector{memory_operand(width), number};
                const auto bytes = encode(mnemonic, operands);
                if (bytes.empty()) continue;
                for (std::uint8_t condition = 0; condition < 16; ++condition)
                    compare(decode(bytes, 0x1000), condition, values);
            }
}

TEST(FusedBranches, ComputeLikeTheTwoInstructions) {
    Values values;
    for (const unsigned width : {32u, 64u}) {
        const auto a = reg(general(RAX, width)), c = reg(general(RCX, width));
        std::vector<std::vector<std::uint8_t>> instructions;
        for (const auto mnemonic : {ZYDIS_MNEMONIC_ADD, ZYDIS_MNEMONIC_SUB, ZYDIS_MNEMONIC_AND,
                                    ZYDIS_MNEMONIC_OR, ZYDIS_MNEMONIC_XOR})
            for (const auto& second : {a, c, imm(5)})
                instructions.push_back(encode(mnemonic, {a, second}));
        instructions.push_back(encode(ZYDIS_MNEMONIC_INC, {c}));
        instructions.push_back(encode(ZYDIS_MNEMONIC_DEC, {c}));
        for (const auto& bytes : instructions)
            for (const std::uint8_t condition : {2, 3, 4, 5, 8, 9})
                compare(decode(bytes, 0x1000), condition, values);
    }
}

TEST(FusedBranches, AreNotMadeOfOtherPairs) {
    const auto binds = [](std::initializer_list<std::uint8_t> first,
                          std::initializer_list<std::uint8_t> second) {
        Op op;
        return static_cast<bool>(forms::bind_fused<SemanticsEngine>(
            decode({first.begin(), first.size()}, 0),
            decode({second.begin(), second.size()}, first.size()), op));
    };
    EXPECT_TRUE(binds({0x01, 0xd8}, {0x74, 0}));
    EXPECT_FALSE(binds({0x01, 0xd8}, {0x70, 0})) << "JO is rare";
    EXPECT_FALSE(binds({0x00, 0xd8}, {0x74, 0})) << "8 bits";
    EXPECT_FALSE(binds({0x01, 0x18}, {0x74, 0})) << "memory is the destination";
    EXPECT_FALSE(binds({0x03, 0x18}, {0x74, 0})) << "memory is the source";
    EXPECT_FALSE(binds({0x11, 0xd8}, {0x74, 0})) << "ADC";
    EXPECT_FALSE(binds({0x39, 0xd8}, {0xeb, 0})) << "JMP";
}

}  // namespace
}  // namespace backplane::x86::testing

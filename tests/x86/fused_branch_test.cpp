// A comparison fused with its branch against the two executed one after the other.
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

Step run_apart(const Instruction& comparison, const Instruction& jump, const CpuState& before,
               std::span<std::byte> memory) {
    SemanticsMachine m{0x2000, memory};
    m.state() = before;
    EXPECT_EQ(execute(m, integer_forms(), comparison), Outcome::Next);
    const Outcome outcome = *execute(m, integer_forms(), jump);
    return {m.state(), outcome};
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
                const Instruction comparison = decode(bytes, 0x1000);
                for (std::uint8_t condition = 0; condition < 16; ++condition) {
                    const std::uint8_t jump_bytes[] = {static_cast<std::uint8_t>(0x70 + condition),
                                                       0x20};
                    Instruction jump = decode(jump_bytes, comparison.next_ip());
                    Instruction jump_in_block = jump;
                    jump_in_block.block_ip = 0x1000;
                    Op op;
                    const auto handler = forms::bind_fused<SemanticsEngine>(comparison,
                                                                            jump_in_block, op);
                    ASSERT_TRUE(handler);
                    for (int i = 0; i < 60; ++i) {
                        CpuState before;
                        before.gpr[RAX] = values();
                        before.gpr[RCX] = values.below(3) ? values() : before.gpr[RAX];
                        before.gpr[RBX] = 0x2000;
                        std::vector<std::byte> memory(32);
                        const std::uint64_t stored = values.below(3) ? values() : before.gpr[RAX];
                        std::memcpy(memory.data() + 8, &stored, 8);
                        const Step apart = run_apart(comparison, jump, before, memory);

                        SemanticsMachine m{0x2000, memory};
                        m.state() = before;
                        m.state().block_ip = 0x1000;
                        m.set_op(op);
                        ASSERT_EQ(handler(m), apart.outcome)
                            << disassemble(comparison) << " " << disassemble(jump);
                        if (apart.outcome == Outcome::Jump) {
                            ASSERT_EQ(m.state().rip, apart.state.rip);
                        }
                        ASSERT_EQ(m.next_ip(), jump.next_ip());
                        ASSERT_EQ(m.state().full_rflags(), apart.state.full_rflags());
                    }
                }
            }
}

TEST(FusedBranches, AreNotMadeOfOtherPairs) {
    const std::uint8_t add[] = {0x01, 0xd8}, jump[] = {0x74, 0x00}, jmp[] = {0xeb, 0x00},
                       cmp[] = {0x39, 0xd8};
    Op op;
    EXPECT_FALSE(forms::bind_fused<SemanticsEngine>(decode(add, 0), decode(jump, 2), op));
    EXPECT_FALSE(forms::bind_fused<SemanticsEngine>(decode(cmp, 0), decode(jmp, 2), op));
}

}  // namespace
}  // namespace backplane::x86::testing

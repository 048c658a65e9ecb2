// Stack, branch and string instructions against the processor under the tests.
#include "x86/integer_fixture.h"

namespace backplane::x86::testing {
namespace {

TEST_F(Integer, StackInstructionsMoveTheStackPointerAsTheProcessorDoes) {
    for (const unsigned width : {16u, 64u}) {
        for (unsigned number = 0; number < 16; ++number) {
            run(ZYDIS_MNEMONIC_PUSH, {reg(general(number, width))}, 10);
            if (width == 64 || number != RSP)
                run(ZYDIS_MNEMONIC_POP, {reg(general(number, width))}, 10);
        }
        run(ZYDIS_MNEMONIC_PUSH, {mem(indexed(width))}, 20);
        run(ZYDIS_MNEMONIC_POP, {mem(indexed(width))}, 20);
        run(ZYDIS_MNEMONIC_PUSH,
            {mem({ZYDIS_REGISTER_RSP, ZYDIS_REGISTER_NONE, 0, 24, std::uint16_t(width / 8)})}, 20);
        run(ZYDIS_MNEMONIC_POP,
            {mem({ZYDIS_REGISTER_RSP, ZYDIS_REGISTER_NONE, 0, 24, std::uint16_t(width / 8)})}, 20);
        run(ZYDIS_MNEMONIC_POP,
            {mem({ZYDIS_REGISTER_ESP, ZYDIS_REGISTER_NONE, 0, 24, std::uint16_t(width / 8)})}, 20);
    }
    const std::vector<std::uint8_t> instructions[] = {{0x6a, 0x85},       {0x68, 1, 2, 3, 0x84},
                                                      {0x66, 0x6a, 0x85}, {0x66, 0x68, 0x34, 0x92},
                                                      {0x66, 0x5c},       {0x5c}};
    for (const auto& bytes : instructions)
        comparison.compare(bytes, 20);
    for (const std::uint8_t level : {0, 1, 2, 5, 34}) {
        const auto frame = [&](NativeState& state) { state.gpr[RBP] = comparison.middle() + 64; };
        comparison.compare(std::vector<std::uint8_t>{0xc8, 0x20, 0x00, level}, 20, frame);
        comparison.compare(std::vector<std::uint8_t>{0x66, 0xc8, 0x20, 0x00, level}, 20, frame);
        comparison.compare(std::vector<std::uint8_t>{0xc9}, 20, frame);
        comparison.compare(std::vector<std::uint8_t>{0x66, 0xc9}, 20, frame);
    }
}

TEST_F(Integer, BranchesGoWhereTheProcessorGoes) {
    // Each is followed by MOV DL, imm8, which only the way straight on executes.
    const auto over_two = [&](std::vector<std::uint8_t> bytes) {
        Instruction instruction;
        ASSERT_EQ(Decoder{}.decode(std::as_bytes(std::span{bytes}), CodeSize::Bits64,
                                   comparison.instruction_address(), instruction),
                  DecodeStatus::Complete);
        const std::uint64_t taken = *branch_target(instruction);
        NativeProcessor& native = NativeProcessor::instance();
        bytes.insert(bytes.end(), {0xb2, 0x5a});
        native.set_code(bytes);
        for (int i = 0; i < 200; ++i) {
            NativeState before;
            for (auto& value : before.gpr)
                value = comparison.values();
            before.gpr[RDX] = 0;
            if (comparison.values.below(2))
                before.gpr[RCX] = comparison.values.below(3) |
                                  (before.gpr[RAX] & 0xffffffff00000000);
            before.gpr[RSP] = comparison.middle();
            before.rflags = 0x202 | (comparison.values() & rflags::arithmetic);
            const NativeState after = native.run(before);
            SemanticsMachine m{native.data_address(), native.data()};
            m.state().gpr = before.gpr;
            m.state().set_full_rflags(before.rflags);
            const auto outcome = execute(m, integer_forms(), instruction);
            ASSERT_EQ(*outcome == Outcome::Jump, after.gpr[RDX] == 0);
            ASSERT_EQ(m.state().rip, *outcome == Outcome::Jump ? taken : instruction.next_ip());
            ASSERT_EQ(m.state().gpr[RCX], after.gpr[RCX]);
        }
    };
    for (int i = 0; i < 16; ++i)
        over_two({static_cast<std::uint8_t>(0x70 + i), 0x02});
    for (int i = 0; i < 16; ++i)
        over_two({0x0f, static_cast<std::uint8_t>(0x80 + i), 0x02, 0, 0, 0});
    for (int i = 0; i < 4; ++i)
        over_two({static_cast<std::uint8_t>(0xe0 + i), 0x02});
    for (int i = 0; i < 4; ++i)
        over_two({0x67, static_cast<std::uint8_t>(0xe0 + i), 0x02});
    over_two({0xeb, 0x02});
    over_two({0xe9, 0x02, 0, 0, 0});
}

TEST_F(Integer, StringInstructionsComputeAsTheProcessorDoes) {
    const auto near_middle = [&](NativeState& state) {
        // Close enough to each other to overlap in every way.
        state.gpr[RSI] = comparison.middle() + comparison.values.below(40) - 20;
        state.gpr[RDI] = comparison.middle() + comparison.values.below(40) - 20;
        state.gpr[RCX] = comparison.values.below(20);
        if (comparison.values.below(2)) state.rflags |= rflags::df;
        if (comparison.values.below(4) == 0) state.gpr[RAX] = 0;
    };
    const auto with_stale_halves = [&](NativeState& state) {
        near_middle(state);
        for (const unsigned name : {RSI, RDI})
            state.gpr[name] |= 0xabcd000000000000;
        if (state.gpr[RCX] == 0) state.gpr[RCX] = 1;
    };
    for (const std::uint8_t opcode : {0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf})
        for (const std::uint8_t width : {0x40, 0x66, 0x48}) {
            comparison.compare(std::vector<std::uint8_t>{width, opcode}, 100, near_middle);
            for (const std::uint8_t repeat : {0xf2, 0xf3}) {
                const std::vector<std::uint8_t> bytes = {repeat, width, opcode};
                if (width == 0x66) {
                    comparison.compare(std::vector<std::uint8_t>{0x66, repeat, opcode}, 300,
                                       near_middle);
                    comparison.compare(std::vector<std::uint8_t>{0x67, 0x66, repeat, opcode}, 100,
                                       with_stale_halves);
                } else {
                    comparison.compare(bytes, 300, near_middle);
                    comparison.compare(std::vector<std::uint8_t>{0x67, repeat, width, opcode}, 100,
                                       with_stale_halves);
                }
            }
        }
}

}  // namespace
}  // namespace backplane::x86::testing

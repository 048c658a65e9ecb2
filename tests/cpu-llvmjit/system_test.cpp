// Instructions of operating systems in compiled code, which the oracle cannot execute, and those
// that reach beyond their operand.
#include "compiled_code.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <memory>

namespace backplane::jit::testing {
namespace {

using x86::RAX, x86::RBX, x86::RCX, x86::RDX, x86::RSI;

struct CompiledSystem : ::testing::Test {
    static constexpr std::uint64_t place = TestProcessor::data + 0x800;

    // Until it is compiled; `prepare` each time. Nothing is left to the interpreter but HLT.
    void run(std::initializer_list<int> code, auto prepare) {
        processor->place(TestProcessor::code, code);
        for (int i = 0; i < 4; ++i) {
            const std::uint64_t before = untranslated();
            prepare(*processor);
            ASSERT_TRUE(processor->run_to_halt());
            if (i == 3) {
                EXPECT_LE(untranslated(), before + 1);
            }
        }
    }
    std::uint64_t untranslated() const {
        return processor->cpu.counts[static_cast<std::size_t>(Counter::LeftUntranslated)];
    }

    std::unique_ptr<TestProcessor> processor = make_compiling_processor();
};

TEST_F(CompiledSystem, ControlAndSegmentRegistersAreRead) {
    // mov rax, cr0;  mov rbx, cr2;  mov r9, cr3;  mov rdx, cr4;  mov esi, ds;  mov ecx, cs;  hlt
    run({0x0f, 0x20, 0xc0, 0x0f, 0x20, 0xd3, 0x41, 0x0f, 0x20, 0xd9, 0x0f, 0x20, 0xe2, 0x8c, 0xde,
         0x8c, 0xc9, 0xf4},
        [](TestProcessor& cpu) {
            cpu.cpu.state.cr2 = 0x1234'5678'9abc;
            cpu[RSI] = cpu[RCX] = ~std::uint64_t{0};
        });
    TestProcessor& cpu = *processor;
    EXPECT_EQ(cpu[RAX], cpu.cpu.state.cr0);
    EXPECT_EQ(cpu[RBX], 0x1234'5678'9abcu);
    EXPECT_EQ(cpu[x86::R9], TestProcessor::tables);
    EXPECT_EQ(cpu[RDX], cpu.cpu.state.cr4);
    EXPECT_EQ(cpu[RSI], 0x10u);
    EXPECT_EQ(cpu[RCX], 8u);
}

TEST_F(CompiledSystem, SwapgsExchangesTheBases) {
    // swapgs;  mov rax, gs:[0];  swapgs;  mov rbx, gs:[0];  hlt
    run({0x0f, 0x01, 0xf8, 0x65, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0,   0x0f,
         0x01, 0xf8, 0x65, 0x48, 0x8b, 0x1c, 0x25, 0,    0, 0, 0, 0xf4},
        [](TestProcessor& cpu) {
            cpu.cpu.state.segments[x86::GS].base = place;
            cpu.cpu.state.kernel_gs_base = place + 8;
            cpu.write<std::uint64_t>(place, 11);
            cpu.write<std::uint64_t>(place + 8, 22);
        });
    EXPECT_EQ((*processor)[RAX], 22u);
    EXPECT_EQ((*processor)[RBX], 11u);
    EXPECT_EQ(processor->cpu.state.segments[x86::GS].base, place);
}

TEST_F(CompiledSystem, DirectionIsSetAndCleared) {
    run({0xfd, 0xf4}, [](TestProcessor&) {});  // std
    EXPECT_NE(processor->cpu.state.rflags & x86::rflags::df, 0u);
    processor->place(TestProcessor::code + 0x100, {0xfc, 0xf4});  // cld
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(processor->run_to_halt(TestProcessor::code + 0x100));
    EXPECT_EQ(processor->cpu.state.rflags & x86::rflags::df, 0u);
}

TEST_F(CompiledSystem, BitsAreFoundFarFromTheirAddress) {
    for (const std::int64_t bit : {0, 5, 63, 64, 1000, -1, -64, -1000}) {
        SCOPED_TRACE(bit);
        const std::uint64_t byte = place + static_cast<std::uint64_t>(bit >> 3);
        const auto mask = static_cast<std::uint8_t>(1 << (bit & 7));
        // bts [rbx], rcx;  setc al;  bt [rbx], rcx;  setc dl;  bt [rbx], ecx;  setc sil;  hlt
        run({0x48, 0x0f, 0xab, 0x0b, 0x0f, 0x92, 0xc0, 0x48, 0x0f, 0xa3, 0x0b,
             0x0f, 0x92, 0xc2, 0x0f, 0xa3, 0x0b, 0x40, 0x0f, 0x92, 0xc6, 0xf4},
            [&](TestProcessor& cpu) {
                cpu.write<std::uint8_t>(byte, 0);
                cpu[RBX] = place;
                cpu[RCX] = static_cast<std::uint64_t>(bit);
                cpu[RAX] = cpu[RDX] = cpu[RSI] = 0;
            });
        EXPECT_EQ((*processor)[RAX], 0u);
        EXPECT_EQ((*processor)[RDX], 1u);
        EXPECT_EQ((*processor)[RSI], 1u);
        EXPECT_EQ(processor->read<std::uint8_t>(byte), mask);
    }
}

TEST_F(CompiledSystem, SixteenBytesAreComparedAndExchanged) {
    for (const bool is_equal : {true, false}) {
        // stc;  lock cmpxchg16b [rsi];  setz r8b;  setc r9b;  hlt
        run({0xf9, 0xf0, 0x48, 0x0f, 0xc7, 0x0e, 0x41, 0x0f, 0x94, 0xc0, 0x41, 0x0f, 0x92, 0xc1,
             0xf4},
            [&](TestProcessor& cpu) {
                cpu.write<std::uint64_t>(place, 1);
                cpu.write<std::uint64_t>(place + 8, 2);
                cpu[RSI] = place;
                cpu[RAX] = 1;
                cpu[RDX] = is_equal ? 2 : 3;
                cpu[RBX] = 4;
                cpu[RCX] = 5;
                cpu[x86::R8] = cpu[x86::R9] = 0;
            });
        TestProcessor& cpu = *processor;
        EXPECT_EQ(cpu[x86::R8], is_equal ? 1u : 0u);
        EXPECT_EQ(cpu[x86::R9], 1u) << "CF stays";
        EXPECT_EQ(cpu.read<std::uint64_t>(place), is_equal ? 4u : 1u);
        EXPECT_EQ(cpu.read<std::uint64_t>(place + 8), is_equal ? 5u : 2u);
        EXPECT_EQ(cpu[RAX], 1u);
        EXPECT_EQ(cpu[RDX], 2u);
    }
}

TEST_F(CompiledSystem, SixteenBytesHaveToBeAligned) {
    TestProcessor& cpu = *processor;
    cpu.place(TestProcessor::code, {0x48, 0x0f, 0xc7, 0x0e, 0xf4});
    for (int i = 0; i < 4; ++i) {
        cpu[RSI] = place;
        ASSERT_TRUE(cpu.run_to_halt());
    }
    cpu[RSI] = place + 8;
    EXPECT_FALSE(cpu.run_to_halt());
    EXPECT_EQ(cpu.stopped_in_vector(), 13);
}

}  // namespace
}  // namespace backplane::jit::testing

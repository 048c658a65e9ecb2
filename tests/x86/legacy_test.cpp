// Instructions of 32-bit code against the processor, entered through Linux's compatibility-mode
// segments.
#include "x86/native_comparison.h"

namespace backplane::x86::testing {
namespace {

class Legacy : public ::testing::Test {
protected:
    void SetUp() override {
        if (!NativeProcessor::instance().has_code32())
            GTEST_SKIP() << "this kernel has no 32-bit code segment";
    }

    void run(std::vector<std::uint8_t> bytes, unsigned times,
             const std::function<void(NativeState&)>& prepare = {}) {
        comparison.compare(bytes, times, prepare, NativeComparison::Code::Bits32);
    }

    NativeComparison comparison;
};

TEST_F(Legacy, DecimalAdjustmentsComputeAsTheProcessorDoes) {
    for (const std::uint8_t opcode : {0x27, 0x2f, 0x37, 0x3f})
        run({opcode}, 5000);
    for (const std::uint8_t opcode : {0xd4, 0xd5})
        for (const std::uint8_t with : {10, 16, 7, 255, 1, 0})
            run({opcode, with}, 500);
}

TEST_F(Legacy, ShortIncrementsComputeAsTheProcessorDoes) {
    for (std::uint8_t opcode = 0x40; opcode < 0x50; ++opcode) {
        run({opcode}, 50);
        run({0x66, opcode}, 50);
    }
}

TEST_F(Legacy, StackInstructionsComputeAsTheProcessorDoes) {
    for (std::uint8_t opcode = 0x50; opcode < 0x60; ++opcode) {
        run({opcode}, 20);
        if (opcode != 0x5c) run({0x66, opcode}, 20);
    }
    const std::vector<std::uint8_t> instructions[] = {{0x60},
                                                      {0x61},
                                                      {0x66, 0x60},
                                                      {0x66, 0x61},
                                                      {0x6a, 0x85},
                                                      {0x66, 0x6a, 0x85},
                                                      {0x68, 1, 2, 3, 0x84},
                                                      {0x8f, 0x44, 0x24, 0x08},
                                                      {0xff, 0x74, 0x24, 0x08},
                                                      {0x66, 0x8f, 0x44, 0x24, 0x08}};
    for (const auto& bytes : instructions)
        run(bytes, 50);
    for (const std::uint8_t level : {0, 1, 3}) {
        const auto frame = [&](NativeState& state) { state.gpr[RBP] = comparison.middle() + 64; };
        run({0xc8, 0x20, 0x00, level}, 20, frame);
        run({0x66, 0xc8, 0x20, 0x00, level}, 20, frame);
        run({0xc9}, 20, frame);
    }
}

TEST_F(Legacy, AddressesComputeAsTheProcessorDoes) {
    const auto indexed = [&](NativeState& state) {
        state.gpr[RBX] = comparison.middle() - comparison.values.below(16);
        state.gpr[RSI] = comparison.values.below(16);
    };
    run({0x01, 0x0c, 0xb3}, 50, indexed);  // add [ebx + esi*4], ecx
    run({0x8b, 0x84, 0xb3, 0xf0, 0xff, 0xff, 0xff}, 50, indexed);
    run({0x8d, 0x84, 0xb3, 0x78, 0x56, 0x34, 0x12}, 50);
    run({0x67, 0x8d, 0x40, 0x10}, 50);  // lea eax, [bx + si + 16]
    run({0x66, 0x8d, 0x04, 0xb3}, 50);
    run({0x0f, 0xab, 0x03}, 200, [&](NativeState& state) {  // bts [ebx], eax
        state.gpr[RBX] = comparison.middle();
        state.gpr[RAX] = comparison.values.below(1000) - 500;
    });
}

TEST_F(Legacy, StringInstructionsComputeAsTheProcessorDoes) {
    const auto near_middle = [&](NativeState& state) {
        state.gpr[RSI] = comparison.middle() + comparison.values.below(40) - 20;
        state.gpr[RDI] = comparison.middle() + comparison.values.below(40) - 20;
        state.gpr[RCX] = comparison.values.below(20);
        if (comparison.values.below(2)) state.rflags |= rflags::df;
    };
    for (const std::uint8_t opcode : {0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf})
        for (const std::uint8_t repeat : {0x2e, 0xf2, 0xf3}) {
            run({repeat, opcode}, 100, near_middle);
            run({0x66, repeat, opcode}, 100, near_middle);
        }
}

}  // namespace
}  // namespace backplane::x86::testing

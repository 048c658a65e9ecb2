// What is left of the budget is in a register of compiled code, and goes back to Core on request.
#include "compiled_code.h"
#include "tier1/registers.h"

#include <gtest/gtest.h>

namespace backplane::jit::testing {
namespace {

constexpr std::uint64_t code = TestProcessor::code;

struct BudgetRegister : ::testing::Test {
    void SetUp() override {
        // again: dec rcx;  jnz again;  hlt
        processor.place(code, {0x48, 0xff, 0xc9, 0x75, 0xfb, 0xf4});
        processor[x86::RCX] = 100;
        ASSERT_TRUE(processor.run_to_halt());
        const NativeBlock* native = native_at(processor, code);
        ASSERT_TRUE(native);
        host.pc = reinterpret_cast<std::uint64_t>(compiler_of(processor).address_of(native->start));
        const interp::Core& self = processor.cpu;
        host.general[core] = reinterpret_cast<std::uint64_t>(&self);
        host.general[budget] = 300;
        processor.cpu.budget = 5;
    }

    void expect_unchanged() {
        compiler_of(processor).return_budget(host);
        EXPECT_EQ(processor.cpu.budget, 5);
        EXPECT_EQ(host.general[budget], 300u);
    }

    TestProcessor processor;
    interp::HostRegisters host;
};

TEST_F(BudgetRegister, GoesBackToCore) {
    compiler_of(processor).return_budget(host);
    EXPECT_EQ(processor.cpu.budget, 305);
    EXPECT_EQ(host.general[budget], 0u) << "the next block sees it end";
}

TEST_F(BudgetRegister, IsAnythingElseWhereTheHostExecutesOtherCode) {
    host.pc = reinterpret_cast<std::uint64_t>(&code);
    expect_unchanged();
}

// As in the way in and out of compiled code.
TEST_F(BudgetRegister, IsAnythingElseWhileTheStackIsTheHosts) {
    host.general[core] -= 8;
    expect_unchanged();
}

}  // namespace
}  // namespace backplane::jit::testing

// The PF-008 kernels give their published checksums and retire exactly the published number of
// instructions.
#include "pf008_kernels.h"
#include "test_processor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

namespace backplane::interp::testing {

void PrintTo(const Pf008Kernel& kernel, std::ostream* out) { *out << kernel.name; }

namespace {

using x86::RAX, x86::RCX, x86::RDI, x86::RSP;

class Pf008 : public ::testing::TestWithParam<Pf008Kernel> {
protected:
    static constexpr std::uint64_t back = TestProcessor::code + 0x800;

    Pf008() {
        processor.place(TestProcessor::code, GetParam().code);
        processor.place(back, {0xf4});
        processor[RCX] = 10'000;
        processor[RDI] = TestProcessor::data;
        if (GetParam().code_size == x86::CodeSize::Bits64) {
            processor[RSP] -= 8;
            processor.write<std::uint64_t>(processor[RSP], back);
            return;
        }
        // Compatibility mode: the code segment has D set and L clear (SDM 3A 3.4.5).
        processor.cpu.state.segments[x86::CS].attributes = 0xc09b;
        processor.cpu.state_replaced();
        processor[RSP] -= 4;
        processor.write<std::uint32_t>(processor[RSP], back);
    }

    TestProcessor processor;
};

TEST_P(Pf008, GivesThePublishedChecksumAndCount) {
    EXPECT_EQ(processor.cpu.run(GetParam().instructions), RunResult::Budget);
    EXPECT_EQ(processor[RAX], GetParam().checksum);
    EXPECT_EQ(processor.cpu.state.rip, back);
    EXPECT_EQ(processor.cpu.instructions(), static_cast<std::uint64_t>(GetParam().instructions));
}

TEST_P(Pf008, GivesTheSameHoweverTheBudgetIsSplit) {
    std::int64_t left = GetParam().instructions;
    std::uint64_t retired = 0;
    for (std::int64_t part = 1; left > 0; part = part * 7 % 1009 + 1) {
        const std::int64_t now = std::min(part, left);
        ASSERT_EQ(processor.cpu.run(now), RunResult::Budget);
        retired += static_cast<std::uint64_t>(now);
        ASSERT_EQ(processor.cpu.instructions(), retired);
        left -= now;
    }
    EXPECT_EQ(processor[RAX], GetParam().checksum);
    EXPECT_EQ(processor.cpu.state.rip, back);
}

INSTANTIATE_TEST_SUITE_P(Kernels, Pf008, ::testing::ValuesIn(pf008_kernels),
                         [](const auto& info) { return std::string{info.param.name}; });

}  // namespace
}  // namespace backplane::interp::testing

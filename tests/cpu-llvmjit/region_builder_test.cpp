// Which blocks tier 2 compiles together.
#include "compiled_code.h"
#include "tier2/region_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <vector>

namespace backplane::jit::testing {
namespace {

using ::testing::ElementsAre, ::testing::UnorderedElementsAre;
using tier2::Region, tier2::RegionBuilder, tier2::RegionInstruction, tier2::RegionLimits;
using P = TestProcessor;

constexpr RegionLimits loops{.instructions = 100, .nodes = 16, .loops_only = true};

struct Regions : ::testing::Test {
    // Executes the program, so that its blocks are there.
    void run(std::initializer_list<int> program) {
        processor.place(P::code, program);
        processor[x86::RCX] = 3;
        ASSERT_TRUE(processor.run_to_halt());
    }

    std::optional<Region> region_at(std::uint64_t offset, const RegionLimits& limits = loops) {
        interp::Block* block = block_at(processor, P::code + offset);
        if (!block) return std::nullopt;
        const RegionBuilder builder{interp::testing::test_model(),
                                    compiler_of(processor).decoder()};
        return builder.build(processor.cpu, *block, limits,
                             [](const interp::Block& other) { return other.is_compiled(); });
    }

    static std::vector<std::uint32_t> offsets(const Region& region) {
        std::vector<std::uint32_t> found;
        for (const auto& node : region.nodes)
            found.push_back(node.offset);
        return found;
    }

    P processor;
};

TEST_F(Regions, AreALoopAndWhatLeadsBackToItsStart) {
    // 0: test cl, 1;  3: jz 8;  5: inc rax;  8: dec rcx;  b: jnz 0;  d: hlt
    run({0xf6, 0xc1, 0x01, 0x74, 0x03, 0x48, 0xff, 0xc0, 0x48, 0xff, 0xc9, 0x75, 0xf3, 0xf4});
    const auto region = region_at(0);
    ASSERT_TRUE(region);
    EXPECT_EQ(region->nodes.front().offset, 0u) << "where it is entered";
    EXPECT_THAT(offsets(*region), ::testing::Contains(8u));
    EXPECT_THAT(offsets(*region), ::testing::Not(::testing::Contains(0xdu)));
    using Kind = RegionInstruction::Kind;
    const auto& first = region->nodes.front().instructions;
    EXPECT_EQ(first[0].kind, Kind::Plain);
    EXPECT_EQ(first[1].kind, Kind::Relative);
    EXPECT_EQ(first[1].taken, 8);
}

TEST_F(Regions, AreEnteredAnywhereInTheLoop) {
    run({0xf6, 0xc1, 0x01, 0x74, 0x03, 0x48, 0xff, 0xc0, 0x48, 0xff, 0xc9, 0x75, 0xf3, 0xf4});
    const auto region = region_at(8);
    ASSERT_TRUE(region);
    EXPECT_EQ(region->nodes.front().offset, 8u);
    EXPECT_THAT(offsets(*region), ::testing::Contains(0u));
}

TEST_F(Regions, AreNothingWithoutALoop) {
    run({0x48, 0xff, 0xc0, 0xeb, 0x00, 0x48, 0xff, 0xc0, 0xf4});  // inc rax; jmp; inc rax; hlt
    EXPECT_FALSE(region_at(0));
    const auto region = region_at(0, {.instructions = 100, .nodes = 16, .loops_only = false});
    ASSERT_TRUE(region);
    EXPECT_THAT(offsets(*region), ElementsAre(0u, 5u));
}

TEST_F(Regions, LeaveOutWhatIsNotCovered) {
    // 0: fninit;  2: dec rcx;  5: jnz 0;  7: hlt
    run({0xdb, 0xe3, 0x48, 0xff, 0xc9, 0x75, 0xf9, 0xf4});
    EXPECT_FALSE(region_at(0));
    EXPECT_FALSE(region_at(0, {.instructions = 100, .nodes = 16, .loops_only = false}))
        << "nor can they begin with it";
}

TEST_F(Regions, HaveLimits) {
    run({0xf6, 0xc1, 0x01, 0x74, 0x03, 0x48, 0xff, 0xc0, 0x48, 0xff, 0xc9, 0x75, 0xf3, 0xf4});
    const auto one = region_at(8, {.instructions = 100, .nodes = 1, .loops_only = false});
    ASSERT_TRUE(one);
    EXPECT_EQ(one->nodes.size(), 1u);
    const auto few = region_at(8, {.instructions = 3, .nodes = 16, .loops_only = false});
    ASSERT_TRUE(few);
    EXPECT_LE(few->instruction_count(), 3u);
}

}  // namespace
}  // namespace backplane::jit::testing

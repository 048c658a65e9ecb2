// Two processors on one bus, one after the other on one thread: who may write into pages that the
// other executes, and which locked accesses need the machine for themselves.
#include "test_processor.h"

#include <gtest/gtest.h>

#include <vector>

namespace backplane::interp::testing {
namespace {

using x86::RAX, x86::RDI, x86::RSI;
constexpr std::uint64_t code = TestProcessor::code, data = TestProcessor::data;
constexpr std::uint64_t shared = 0x40'0000, other_code = 0x11'0000;

class TwoProcessors : public ::testing::Test {
protected:
    TwoProcessors() {
        second.state = first.cpu.state;
        second.state_replaced();
        first.bus.on_watch = [this](std::uint64_t page, bool watch) {
            first.cpu.post_code_watched(page, watch);
            second.post_code_watched(page, watch);
        };
        first.bus.on_claim = [this](std::uint64_t page) {
            claims.push_back(page);
            first.cpu.post_code_written(page, 0x1000);
            second.post_code_written(page, 0x1000);
        };
        // mov eax, 1;  hlt
        first.place(shared, {0xb8, 1, 0, 0, 0, 0xf4});
        // mov [rdi], esi;  hlt
        first.place(code, {0x89, 0x37, 0xf4});
    }

    // What the second processor finds in EAX behind the code at `shared`.
    std::uint64_t executed() {
        second.state.rip = shared;
        second.state.halted = false;
        EXPECT_EQ(second.run(1000), RunResult::HaltedForGood);
        return second.state.gpr[RAX];
    }

    void store(std::uint64_t address, std::uint32_t value) {
        first[RDI] = address;
        first[RSI] = value;
        EXPECT_TRUE(first.run_to_halt());
    }

    TestProcessor first;
    TestInterpreter second{first.bus};
    std::vector<std::uint64_t> claims;
};

TEST_F(TwoProcessors, SeeEachOthersModifiedCode) {
    store(shared + 1, 2);  // now the first one has a direct way to write there
    EXPECT_TRUE(claims.empty()) << "nobody executes there";
    EXPECT_EQ(executed(), 2u);
    store(shared + 1, 3);
    EXPECT_EQ(claims, std::vector{shared});
    EXPECT_EQ(executed(), 3u);
    store(shared + 1, 4);
    EXPECT_EQ(claims.size(), 2u);
    EXPECT_EQ(executed(), 4u);
}

TEST_F(TwoProcessors, ClaimAPageOnceUntilItIsExecutedAgain) {
    EXPECT_EQ(executed(), 1u);
    for (std::uint32_t value = 2; value < 10; ++value)
        store(shared + 1, value);
    store(shared + 0x800, 1);
    EXPECT_EQ(claims.size(), 1u);
    EXPECT_EQ(executed(), 9u);
    store(shared + 0x800, 2);
    EXPECT_EQ(claims.size(), 2u) << "also for bytes that are not code";
}

TEST_F(TwoProcessors, LeaveOtherPagesAlone) {
    EXPECT_EQ(executed(), 1u);
    store(shared + 0x1000, 1);
    store(shared - 4, 1);
    EXPECT_TRUE(claims.empty());
}

TEST_F(TwoProcessors, ClaimBothPagesOfAnAccessThatCrosses) {
    // mov eax, 0x11111111, from the last three bytes of the page on;  hlt
    first.place(shared + 0xffd, {0xb8, 0x11, 0x11, 0x11, 0x11, 0xf4});
    const auto across = [&] {
        second.state.rip = shared + 0xffd;
        second.state.halted = false;
        EXPECT_EQ(second.run(1000), RunResult::HaltedForGood);
        return second.state.gpr[RAX];
    };
    EXPECT_EQ(across(), 0x11111111u);
    store(shared + 0xffe, 0x22222222);
    EXPECT_EQ(claims, (std::vector{shared, shared + 0x1000}));
    EXPECT_EQ(across(), 0x22222222u);
}

TEST_F(TwoProcessors, ClaimAPageOnceForARepeatedStore) {
    EXPECT_EQ(executed(), 1u);
    // rep stosb;  hlt
    first.place(other_code, {0xf3, 0xaa, 0xf4});
    first[RDI] = shared;
    first[x86::RCX] = 0x1000;
    first[RAX] = 0xf4;
    EXPECT_TRUE(first.run_to_halt(other_code));
    EXPECT_EQ(claims, std::vector{shared});
    second.state.gpr[RAX] = 77;
    EXPECT_EQ(executed(), 77u) << "HLT at once";
}

// Both execute in the page, and each modifies what the other executes.
TEST_F(TwoProcessors, TakeTurnsInAPageThatBothExecute) {
    first.place(shared + 0x100, {0x89, 0x37, 0xf4});  // mov [rdi], esi;  hlt
    for (std::uint32_t value = 2; value < 6; ++value) {
        first[RDI] = shared + 1;
        first[RSI] = value;
        EXPECT_TRUE(first.run_to_halt(shared + 0x100));
        EXPECT_EQ(executed(), value);
    }
    EXPECT_EQ(claims.size(), 3u) << "the first time nobody else had executed there";
}

// ---- LOCK ----

struct LockCase {
    const char* name;
    std::uint64_t address;
    bool exclusive;
};

class LockedAccess : public ::testing::TestWithParam<LockCase> {};

TEST_P(LockedAccess, IsAloneWhereTheHostHasNoInstructionForIt) {
    TestProcessor processor;
    processor.bus.on_read = [&](std::uint64_t, unsigned) {
        EXPECT_EQ(processor.bus.exclusive, 1);
        return 41;
    };
    std::uint64_t written = 0;
    processor.bus.on_write = [&](std::uint64_t, unsigned, std::uint64_t value) {
        EXPECT_EQ(processor.bus.exclusive, 1);
        written = value;
    };
    processor.map(0x5f'0000, TestBus::device);
    // lock inc dword [rdi];  hlt
    processor.place(code, {0xf0, 0xff, 0x07, 0xf4});
    processor[RDI] = GetParam().address;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor.bus.exclusive_sections, GetParam().exclusive);
    EXPECT_EQ(processor.bus.exclusive, 0);
    if (GetParam().address == 0x5f'0000) EXPECT_EQ(written, 42u);
}

INSTANTIATE_TEST_SUITE_P(Places, LockedAccess,
                         ::testing::Values(LockCase{"Aligned", data, false},
                                           LockCase{"NotAligned", data + 5, false},
                                           LockCase{"AcrossACacheLine", data + 62, false},
                                           LockCase{"AcrossAPage", data + 0xffe, true},
                                           LockCase{"BesideCode", code + 0x800, true},
                                           LockCase{"InADevice", 0x5f'0000, true}),
                         [](const auto& info) { return std::string{info.param.name}; });

TEST(LockedAccessFault, EndsTheSection) {
    TestProcessor processor;
    processor.write<std::uint64_t>(TestProcessor::entry(data + 0x1000), 0);
    processor.place(code, {0xf0, 0xff, 0x07, 0xf4});
    processor[RDI] = data + 0xffe;
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(processor.stopped_in_vector(), 14);
    EXPECT_EQ(processor.cpu.state.cr2, data + 0x1000);
    EXPECT_EQ(processor.bus.exclusive, 0);
    EXPECT_EQ(processor.read<std::uint16_t>(data + 0xffe), 0);
}

}  // namespace
}  // namespace backplane::interp::testing

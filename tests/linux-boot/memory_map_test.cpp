#include "memory_map.h"

#include <gtest/gtest.h>

namespace backplane::linux_boot {
namespace {

constexpr std::uint64_t mebibyte = 1 << 20, gibibyte = 1 << 30;
constexpr Range nothing{0, 0};

TEST(MemoryMap, ReservesWhatThePcHasBelowOneMebibyte) {
    const std::vector<E820Entry> expected{
        {{0, 0x9fc00}, MemoryKind::Usable},
        {{0x9fc00, 0xa0000}, MemoryKind::Reserved},
        {{0xe0000, 0x100000}, MemoryKind::Reserved},
        {{0x100000, 128 * mebibyte}, MemoryKind::Usable},
    };
    EXPECT_EQ(e820_map({{0, 128 * mebibyte}}), expected);
}

TEST(MemoryMap, TellsOfRamBeyondTheHoleBelowFourGibibytes) {
    const auto map = e820_map(
        {{0, 0xa0000}, {0xe0000, 3 * gibibyte}, {4 * gibibyte, 65 * gibibyte}});
    ASSERT_EQ(map.size(), 5u);
    EXPECT_EQ(map[3], (E820Entry{{0x100000, 3 * gibibyte}, MemoryKind::Usable}));
    EXPECT_EQ(map[4], (E820Entry{{4 * gibibyte, 65 * gibibyte}, MemoryKind::Usable}));
}

TEST(MemoryMap, PutsTheInitrdAsHighAsItsLimitAllows) {
    const std::vector<Range> ram{{0, 3 * gibibyte}, {4 * gibibyte, 8 * gibibyte}};
    EXPECT_EQ(highest_place(ram, 5000, 4096, 2 * gibibyte, nothing), 2 * gibibyte - 8192);
    EXPECT_EQ(highest_place(ram, 4096, 4096, 64 * gibibyte, nothing), 8 * gibibyte - 4096);
    EXPECT_EQ(highest_place({{0, 128 * mebibyte}}, 1, 4096, 2 * gibibyte, nothing),
              128 * mebibyte - 4096);
}

TEST(MemoryMap, KeepsTheInitrdClearOfTheKernel) {
    const std::vector<Range> ram{{0, 64 * mebibyte}};
    const Range kernel{16 * mebibyte, 60 * mebibyte};
    EXPECT_EQ(highest_place(ram, 4 * mebibyte, 4096, gibibyte, kernel), 60 * mebibyte);
    EXPECT_EQ(highest_place(ram, 5 * mebibyte, 4096, gibibyte, kernel), 11 * mebibyte);
    EXPECT_EQ(highest_place(ram, 15 * mebibyte, 4096, gibibyte, kernel), mebibyte);
    EXPECT_EQ(highest_place(ram, 16 * mebibyte, 4096, gibibyte, kernel), std::nullopt);
}

TEST(MemoryMap, PutsARelocatedKernelAtItsAlignment) {
    const auto place = [](const std::vector<Range>& ram, std::uint64_t size, std::uint64_t from) {
        return lowest_place(ram, size, 2 * mebibyte, from);
    };
    EXPECT_EQ(place({{0, 8 * mebibyte}}, 6 * mebibyte, mebibyte), 2 * mebibyte);
    EXPECT_EQ(place({{0, 8 * mebibyte}}, 4 * mebibyte, 4 * mebibyte), 4 * mebibyte);
    EXPECT_EQ(place({{0, 8 * mebibyte}}, 7 * mebibyte, mebibyte), std::nullopt);
    EXPECT_EQ(place({{0, mebibyte}, {2 * mebibyte + 1, 16 * mebibyte}}, mebibyte, mebibyte),
              4 * mebibyte);
    EXPECT_EQ(place({}, 1, mebibyte), std::nullopt);
}

TEST(MemoryMap, LeavesTheTablesOfOthersOut) {
    const std::vector<Range> ram{{0, 0xa0000}, {mebibyte, 64 * mebibyte}};
    EXPECT_EQ(without(ram, {}), ram);
    EXPECT_EQ(without(ram, {{2 * mebibyte, 3 * mebibyte}, {63 * mebibyte, 64 * mebibyte}}),
              (std::vector<Range>{
                  {0, 0xa0000}, {mebibyte, 2 * mebibyte}, {3 * mebibyte, 63 * mebibyte}}));
    EXPECT_EQ(without(ram, {{0x90000, 2 * mebibyte}}),
              (std::vector<Range>{{0, 0x90000}, {2 * mebibyte, 64 * mebibyte}}));
    EXPECT_EQ(e820_map({{mebibyte, 2 * mebibyte}}, {{2 * mebibyte, 3 * mebibyte}}).back(),
              (E820Entry{{2 * mebibyte, 3 * mebibyte}, MemoryKind::AcpiNvs}));
}

TEST(MemoryMap, KnowsWhetherRamCoversARangeWhole) {
    const std::vector<Range> ram{{0, 0xa0000}, {0xe0000, 0x200000}};
    EXPECT_TRUE(contains(ram, {0xe0000, 0x100000}));
    EXPECT_FALSE(contains(ram, {0x90000, 0xf0000}));
}

}  // namespace
}  // namespace backplane::linux_boot

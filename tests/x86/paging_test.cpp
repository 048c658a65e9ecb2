// Page walks in every format, against tables built by hand.
#include "x86/paging.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>

namespace backplane::x86 {
namespace {

// Page tables only; what is not there reads as zero. `before_update` runs once in front of the next
// exchange.
class Tables {
public:
    std::optional<std::uint64_t> read_entry(std::uint64_t physical, unsigned bytes) {
        const auto found = entries.find(physical);
        const std::uint64_t value = found == entries.end() ? 0 : found->second;
        return bytes == 4 ? static_cast<std::uint32_t>(value) : value;
    }

    bool update_entry(std::uint64_t physical, unsigned, std::uint64_t expected,
                      std::uint64_t value) {
        if (interfere) {
            entries[physical] |= *interfere;
            interfere.reset();
        }
        if (entries[physical] != expected) return false;
        entries[physical] = value;
        ++updates;
        return true;
    }

    std::map<std::uint64_t, std::uint64_t> entries;
    std::optional<std::uint64_t> interfere;
    unsigned updates = 0;
};

constexpr std::uint64_t p = 1, w = 2, u = 4, a = 0x20, d = 0x40, large = 0x80, g = 0x100,
                        nx = std::uint64_t{1} << 63;

class Paging : public ::testing::Test {
protected:
    Paging() {
        state.cr0 = 0x8001'0001;
        state.cr3 = 0x1000;
        state.cr4 = 0xa0;
        state.efer = 0xd00;
        tables.entries = {{0x1000, 0x2000 | p | w | u},
                          {0x2000, 0x3000 | p | w | u},
                          {0x3000, 0x4000 | p | w | u}};
    }

    std::expected<PageTranslation, Fault> walk(std::uint64_t linear,
                                               AccessKind kind = AccessKind::Read,
                                               Privilege privilege = Privilege::Supervisor) {
        const PagingMode mode = PagingMode::of(state, pdpte, 40);
        return PageWalker{tables, mode}.translate(linear, {kind, privilege});
    }

    std::uint32_t error(std::uint64_t linear, AccessKind kind = AccessKind::Read,
                        Privilege privilege = Privilege::Supervisor) {
        const auto page = walk(linear, kind, privilege);
        if (page) return ~0u;
        EXPECT_EQ(page.error().vector, Vector::PageFault);
        EXPECT_EQ(page.error().address, linear);
        return page.error().error_code;
    }

    CpuState state;
    std::array<std::uint64_t, 4> pdpte{};
    Tables tables;
};

TEST_F(Paging, OffMapsAddressesToThemselves) {
    state.cr0 = 1;
    EXPECT_EQ(walk(0x12345678)->physical, 0x12345000u);
}

TEST_F(Paging, FourLevelsReachFourKibibytePages) {
    tables.entries[0x4008] = 0x7000 | p | w | u | g;
    const auto page = walk(0x1abc);
    ASSERT_TRUE(page);
    EXPECT_EQ(page->physical, 0x7000u);
    EXPECT_EQ(page->shift, 12);
    EXPECT_TRUE(page->writable && page->user && page->executable && page->global);
    EXPECT_FALSE(page->dirty);
}

TEST_F(Paging, LargePagesEndTheWalkEarly) {
    tables.entries[0x3008] = 0x40'0000 | p | w | large;
    tables.entries[0x2008] = 0x8000'0000 | p | w | large;
    EXPECT_EQ(walk(0x20'1234)->physical, 0x40'0000u);
    EXPECT_EQ(walk(0x20'1234)->shift, 21);
    EXPECT_EQ(walk(0x4000'1234)->physical, 0x8000'0000u);
    EXPECT_EQ(walk(0x4000'1234)->shift, 30);
}

TEST_F(Paging, PermissionsAreThoseOfAllLevelsTogether) {
    tables.entries[0x4000] = 0x7000 | p | w | u;
    tables.entries[0x2000] = 0x3000 | p | u;
    EXPECT_EQ(error(0, AccessKind::Write), 3u);
    EXPECT_EQ(error(0, AccessKind::Write, Privilege::User), 7u);
    tables.entries[0x2000] = 0x3000 | p | w;
    EXPECT_EQ(error(0, AccessKind::Read, Privilege::User), 5u);
    tables.entries[0x2000] = 0x3000 | p | w | u | nx;
    EXPECT_EQ(error(0, AccessKind::Execute), 0x11u);
    EXPECT_TRUE(walk(0));
}

TEST_F(Paging, MissingEntriesGiveTheKindOfAccess) {
    EXPECT_EQ(error(0x5000), 0u);
    EXPECT_EQ(error(0x5000, AccessKind::Write), 2u);
    EXPECT_EQ(error(0x5000, AccessKind::Write, Privilege::User), 6u);
    EXPECT_EQ(error(0x5000, AccessKind::Execute, Privilege::User), 0x14u);
    state.efer &= ~control::efer_nxe;
    EXPECT_EQ(error(0x5000, AccessKind::Execute), 0u) << "fetches are not told apart without NX";
}

TEST_F(Paging, SupervisorsWriteAnywhereWithoutWriteProtect) {
    tables.entries[0x4000] = 0x7000 | p;
    EXPECT_EQ(error(0, AccessKind::Write), 3u);
    state.cr0 &= ~control::cr0_wp;
    EXPECT_TRUE(walk(0, AccessKind::Write));
}

TEST_F(Paging, ReservedBitsFaultWhereverTheyAre) {
    for (const std::uint64_t bits : {std::uint64_t{1} << 40, std::uint64_t{1} << 51}) {
        tables.entries[0x4000] = 0x7000 | p | bits;
        EXPECT_EQ(error(0), 9u);
    }
    tables.entries[0x3008] = 0x40'0000 | p | large | 1u << 13;
    EXPECT_EQ(error(0x20'0000), 9u) << "address bit inside a large page";
    tables.entries[0x3008] = 0x40'0000 | p | large | 1u << 12;
    EXPECT_TRUE(walk(0x20'0000)) << "PAT is not reserved";
    tables.entries[0x1008] = 0x9000 | p | large;
    EXPECT_EQ(error(std::uint64_t{1} << 39), 9u) << "PML4 entries have no page size";
    state.efer &= ~control::efer_nxe;
    tables.entries[0x4000] = 0x7000 | p | nx;
    EXPECT_EQ(error(0), 9u) << "NX is reserved while it is off";
}

TEST_F(Paging, AccessedAndDirtyAreSetOnlyWhenTheAccessIsAllowed) {
    tables.entries[0x4000] = 0x7000 | p;
    EXPECT_EQ(error(0, AccessKind::Write), 3u);
    EXPECT_EQ(tables.updates, 0u);
    ASSERT_TRUE(walk(0));
    EXPECT_EQ(tables.entries[0x4000], 0x7000 | p | a);
    EXPECT_EQ(tables.entries[0x1000] & (a | d), a);
    EXPECT_EQ(tables.updates, 4u);
    ASSERT_TRUE(walk(0));
    EXPECT_EQ(tables.updates, 4u) << "nothing to set the second time";
}

TEST_F(Paging, WritesSetDirtyInTheLastEntryOnly) {
    tables.entries[0x4000] = 0x7000 | p | w;
    const auto page = walk(0, AccessKind::Write);
    ASSERT_TRUE(page);
    EXPECT_TRUE(page->dirty);
    EXPECT_EQ(tables.entries[0x4000] & (a | d), a | d);
    EXPECT_EQ(tables.entries[0x3000] & (a | d), a);
}

TEST_F(Paging, WalksAgainWhenAnotherProcessorChangesAnEntry) {
    tables.entries[0x4000] = 0x7000 | p | w | u;
    tables.interfere = g;
    ASSERT_TRUE(walk(0));
    EXPECT_EQ(tables.entries[0x1000], 0x2000 | p | w | u | a | g) << "the change was kept";
}

TEST_F(Paging, PaeStartsFromTheLoadedPointers) {
    state.efer = 0x800;
    pdpte[1] = 0x3000 | p;
    tables.entries[0x4000] = 0x7000 | p | w;
    EXPECT_EQ(walk(0x4000'0123)->physical, 0x7000u);
    EXPECT_EQ(error(0x8000'0000), 0u);
    tables.entries[0x4000] = 0x7000 | p | std::uint64_t{1} << 52;
    EXPECT_EQ(error(0x4000'0000), 9u);
}

TEST_F(Paging, ThirtyTwoBitTablesHaveFourByteEntries) {
    state.efer = 0;
    state.cr4 = 0x10;
    tables.entries = {{0x1004, 0x3000 | p | w},
                      {0x3008, 0x7000 | p | w},
                      {0x1008, 0x0040'0000 | p | large | 1u << 13}};
    EXPECT_EQ(walk(0x0040'2345)->physical, 0x7000u);
    EXPECT_EQ(walk(0x0080'0000)->physical, std::uint64_t{1} << 32 | 0x40'0000) << "PSE-36";
    EXPECT_EQ(walk(0x0080'0000)->shift, 22);
    tables.entries[0x1008] |= 1u << 21;
    EXPECT_EQ(error(0x0080'0000), 9u);
    EXPECT_EQ(error(0x00c0'0000, AccessKind::Execute), 0u);
}

TEST_F(Paging, SmepRefusesToExecuteUserPages) {
    state.cr4 |= control::cr4_smep;
    tables.entries[0x4000] = 0x7000 | p | u;
    EXPECT_EQ(error(0, AccessKind::Execute), 0x11u);
    EXPECT_TRUE(walk(0, AccessKind::Execute, Privilege::User));
}

TEST_F(Paging, ADebuggersLookChangesNothing) {
    tables.entries[0x4000] = 0x7000 | p;
    const PagingMode mode = PagingMode::of(state, pdpte, 40);
    EXPECT_EQ((PageWalker{tables, mode}.look_up(0)->physical), 0x7000u);
    EXPECT_FALSE((PageWalker{tables, mode}.look_up(0x5000)));
    EXPECT_EQ(tables.updates, 0u);
}

}  // namespace
}  // namespace backplane::x86

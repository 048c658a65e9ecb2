// The two levels of the TLB keep what they may keep, and forget what they must.
#include "x86/tlb.h"

#include <gtest/gtest.h>

#include <memory>

namespace backplane::x86 {
namespace {

PageTranslation page(std::uint64_t physical, bool global = false, std::uint8_t shift = 12) {
    return {.physical = physical,
            .shift = shift,
            .writable = true,
            .user = true,
            .executable = true,
            .global = global,
            .dirty = true};
}

TEST(SecondLevelTlb, HoldsFourPagesOfASet) {
    const auto tlb = std::make_unique<SecondLevelTlb>();
    for (std::uint64_t i = 0; i < 4; ++i)
        tlb->insert(i << 23, page(i << 12));
    for (std::uint64_t i = 0; i < 4; ++i) {
        ASSERT_TRUE(tlb->find(i << 23));
        EXPECT_EQ(tlb->find(i << 23)->physical, i << 12);
    }
    tlb->insert(std::uint64_t{4} << 23, page(0));
    unsigned left = 0;
    for (std::uint64_t i = 0; i < 5; ++i)
        left += tlb->find(i << 23) != nullptr;
    EXPECT_EQ(left, 4u);
}

TEST(SecondLevelTlb, NonGlobalFlushesSpareGlobalPages) {
    const auto tlb = std::make_unique<SecondLevelTlb>();
    tlb->insert(0x1000, page(0x1000));
    tlb->insert(0x2000, page(0x2000, true));
    tlb->flush_non_global();
    EXPECT_FALSE(tlb->find(0x1000));
    EXPECT_TRUE(tlb->find(0x2000));
    tlb->flush();
    EXPECT_FALSE(tlb->find(0x2000));
}

TEST(SecondLevelTlb, ContextsKeepTheirOwnEntries) {
    const auto tlb = std::make_unique<SecondLevelTlb>();
    tlb->insert(0x1000, page(0x1000));
    tlb->insert(0x2000, page(0x2000, true));
    tlb->select(7);
    EXPECT_FALSE(tlb->find(0x1000));
    EXPECT_TRUE(tlb->find(0x2000)) << "global";
    tlb->insert(0x1000, page(0x7000));
    tlb->select(0);
    EXPECT_EQ(tlb->find(0x1000)->physical, 0x1000u);
    tlb->flush_non_global();
    EXPECT_FALSE(tlb->find(0x1000));
    tlb->select(7);
    EXPECT_EQ(tlb->find(0x1000)->physical, 0x7000u);
    tlb->flush();
    tlb->select(7);
    EXPECT_FALSE(tlb->find(0x1000));
    EXPECT_FALSE(tlb->find(0x2000));
}

TEST(SecondLevelTlb, LargePagesCoverAllTheirAddresses) {
    const auto tlb = std::make_unique<SecondLevelTlb>();
    tlb->insert(0x20'0000, page(0x40'0000, false, 21));
    tlb->insert(0x4000'0000, page(0x8000'0000, false, 30));
    EXPECT_EQ(tlb->find(0x3f'ffff)->physical, 0x40'0000u);
    EXPECT_FALSE(tlb->find(0x40'0000));
    EXPECT_EQ(tlb->find(0x7fff'ffff)->shift, 30);
    EXPECT_TRUE(tlb->flush_page(0x30'0000));
    EXPECT_FALSE(tlb->find(0x20'0000));
    EXPECT_FALSE(tlb->flush_page(0x1000));
}

TEST(SecondLevelTlb, KeepsThirtyTwoLargePages) {
    const auto tlb = std::make_unique<SecondLevelTlb>();
    for (std::uint64_t i = 0; i < 40; ++i)
        tlb->insert(i << 21, page(i << 21, false, 21));
    unsigned found = 0;
    for (std::uint64_t i = 0; i < 40; ++i)
        found += tlb->find(i << 21) != nullptr;
    EXPECT_EQ(found, 32u);
}

TEST(FastTlb, ForgetsByKindAndByAddress) {
    const auto tlb = std::make_unique<FastTlb>();
    const auto tag = [&](std::uint64_t linear) { return tlb->pages[fast_index(linear)].read_tag; };
    tlb->fill(0x1000, {.read_tag = 0x1000, .write_tag = 0x1000}, false, page_shift);
    tlb->fill(0x2000, {.read_tag = 0x2000, .write_tag = 0x2000}, true, page_shift);
    tlb->fill(0x3000, {.read_tag = 0x3000, .write_tag = 0x3000}, true, page_shift);
    tlb->flush_page(0x3456);
    EXPECT_EQ(tag(0x3000), no_page_tag_for(0x3000));
    tlb->flush_non_global();
    EXPECT_EQ(tag(0x1000), no_page_tag_for(0x1000));
    EXPECT_EQ(tag(0x2000), 0x2000u);
    tlb->flush();
    EXPECT_EQ(tag(0x2000), no_page_tag_for(0x2000));
}

TEST(FastTlb, ProtectingAHostPageStopsDirectWritesThroughEveryAlias) {
    const auto tlb = std::make_unique<FastTlb>();
    tlb->fill(0x1000, {0x1000, 0x1000, 0x9000, 0xa000}, false, page_shift);
    tlb->fill(0x4000, {0x4000, 0x4000, 0x6000, 0xa000}, false, page_shift);
    tlb->protect(0xa000);
    EXPECT_EQ(tlb->pages[fast_index(0x1000)].write_tag, no_page_tag_for(0x1000));
    EXPECT_EQ(tlb->pages[fast_index(0x4000)].write_tag, no_page_tag_for(0x4000));
    EXPECT_EQ(tlb->pages[fast_index(0x4000)].read_tag, 0x4000u);
}

}  // namespace
}  // namespace backplane::x86

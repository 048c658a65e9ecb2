#include "profile/call_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane::profile {
namespace {

using ::testing::ElementsAre;

constexpr std::uint64_t leaf = 0x1000, middle = 0x2000, outer = 0x3000, other = 0x4000,
                        thunk = 0x5000;

Symbolizer symbols() {
    Symbolizer symbolizer;
    symbolizer.add(Space::Kernel, SymbolTable{"k",
                                              {{leaf, 0x100, "leaf"},
                                               {middle, 0x100, "middle"},
                                               {outer, 0x100, "outer"},
                                               {other, 0x100, "other"},
                                               {thunk, 0x10, "__x86_indirect_thunk_rax"}}});
    return symbolizer;
}

Sample sample_in_leaf(std::vector<Caller> callers) {
    Sample sample;
    sample.activity = Activity::CompiledCode;
    sample.pc = leaf + 4;
    sample.callers = std::move(callers);
    return sample;
}

TEST(CallChain, SkipsCallsThatAreOver) {
    const Sample sample = sample_in_leaf({{other + 8, other},
                                          {outer + 0x40, other},
                                          {middle + 0x10, leaf},
                                          {other + 0x20, other},
                                          {outer + 0x20, middle}});
    EXPECT_THAT(call_chain(sample, symbols()), ElementsAre(leaf + 4, middle + 0x10, outer + 0x20));
}

TEST(CallChain, GoesThroughIndirectCallsWhereNoOtherFits) {
    const Sample sample = sample_in_leaf(
        {{middle + 0x10, Caller::indirect}, {outer + 0x20, middle}});
    EXPECT_THAT(call_chain(sample, symbols()), ElementsAre(leaf + 4, middle + 0x10, outer + 0x20));
    const Sample by_thunk = sample_in_leaf({{middle + 0x10, thunk}, {outer + 0x20, middle}});
    EXPECT_THAT(call_chain(by_thunk, symbols()),
                ElementsAre(leaf + 4, middle + 0x10, outer + 0x20));
    const Sample stale = sample_in_leaf(
        {{other + 0x10, Caller::indirect}, {middle + 0x10, leaf}, {outer + 0x20, middle}});
    EXPECT_THAT(call_chain(stale, symbols()), ElementsAre(leaf + 4, middle + 0x10, outer + 0x20));
}

TEST(CallChain, GoesOnBehindAFunctionThatEndedByAJump) {
    // middle called other, which jumped to leaf.
    const Sample sample = sample_in_leaf({{middle + 0x10, other}, {outer + 0x20, middle}});
    EXPECT_THAT(call_chain(sample, symbols()), ElementsAre(leaf + 4, middle + 0x10, outer + 0x20));
}

TEST(CallChain, TrustsFramePointers) {
    const Sample sample = sample_in_leaf(
        {{other + 8, Caller::by_frame}, {outer + 8, Caller::by_frame}});
    EXPECT_THAT(call_chain(sample, symbols()), ElementsAre(leaf + 4, other + 8, outer + 8));
}

TEST(CallChain, TellsByDistanceWhereThereAreNoNames) {
    const Sample sample = sample_in_leaf(
        {{other + 8, other}, {middle + 0x10, leaf}, {outer + 0x20, middle}});
    EXPECT_THAT(call_chain(sample, Symbolizer{}),
                ElementsAre(leaf + 4, middle + 0x10, outer + 0x20));
}

}  // namespace
}  // namespace backplane::profile

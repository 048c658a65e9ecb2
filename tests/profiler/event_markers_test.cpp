#include "event_markers.h"
#include "event_texts.h"
#include "published.h"

#include <backplane/abi/block.h>
#include <backplane/testing/fake_host.h>

#include <gtest/gtest.h>

namespace backplane::profiler {
namespace {

using namespace testing;
using backplane::testing::FakeClock;
using backplane::testing::FakeHost;
using profile::Marker;

class EventMarkersTest : public ::testing::Test {
protected:
    template <class Payload>
    void publish(const Payload& event) {
        Topic<Payload>{*host.functions()}.publish(event);
    }
    void start(EventMarkerOptions options = {.most = 100}) {
        markers.start(*host.functions(), {"cpu0", "cpu1"}, options);
    }

    FakeClock clock;
    FakeHost host{clock};
    EventMarkers markers;
};

TEST_F(EventMarkersTest, AnInterruptLastsUntilItReturnsToWhereItCameIn) {
    start();
    publish(interrupt_at(1000, 0xec, 0x7000, 0, "cpu1"));
    EXPECT_TRUE(markers.take().empty()) << "it has not ended";
    publish(return_at(1200, 0x6f00, 0, "cpu1"));
    EXPECT_TRUE(markers.take().empty()) << "an exception within the handler has";
    publish(return_at(1300, 0x7000, 0, "cpu0"));
    EXPECT_TRUE(markers.take().empty()) << "that was another processor";
    publish(return_at(1500, 0x7000, 0, "cpu1"));
    const auto found = markers.take();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].name, "Interrupt");
    EXPECT_EQ(found[0].text, "vector 0xec, at 0xffffffff81000000");
    EXPECT_EQ(found[0].host_time, 1000u);
    EXPECT_EQ(found[0].duration, 500u);
    EXPECT_EQ(found[0].cpu, 1);
}

TEST_F(EventMarkersTest, AHandlerThatLeavesToAnotherThreadEndsWithUserCodeOrHlt) {
    start();
    publish(interrupt_at(1000, 0x20, 0x7000));
    publish(return_at(1100, 0x1234, 3));
    EXPECT_EQ(markers.take().at(0).duration, 100u);
    publish(interrupt_at(2000, 0x20, 0x7000));
    publish(halt_at(2200, true));
    EXPECT_EQ(markers.take().at(0).duration, 200u);
    publish(interrupt_at(3000, 0x20, 0x7000));
    publish(interrupt_at(3300, 0x21, 0x9000, 3));
    EXPECT_EQ(markers.take().at(0).duration, 300u) << "an interrupt of user code";
}

TEST_F(EventMarkersTest, InterruptsWithinOthersEndFirst) {
    start();
    publish(interrupt_at(1000, 0x20, 0x7000));
    publish(interrupt_at(1100, 0x21, 0x6f00));
    publish(return_at(1200, 0x6f00));
    publish(return_at(1300, 0x7000));
    const auto found = markers.take();
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].host_time, 1100u);
    EXPECT_EQ(found[0].duration, 100u);
    EXPECT_EQ(found[1].duration, 300u);
}

TEST_F(EventMarkersTest, WhatIsOpenAtTheEndEndsThere) {
    start();
    publish(interrupt_at(1000, 2, 0x7000));
    markers.stop(1700);
    EXPECT_EQ(markers.take().at(0).duration, 700u);
    EXPECT_FALSE(Topic<CpuInterrupt>{*host.functions()}.wanted());
    EXPECT_FALSE(Topic<BlockCompleted>{*host.functions()}.wanted());
}

TEST_F(EventMarkersTest, OfExceptionsPageFaultsAreMarked) {
    start();
    publish(exception_at(1000, 14, 0x7fff'0000, 6));
    publish(exception_at(1100, 13, 0, 0));
    const auto found = markers.take();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].name, "Page fault");
    EXPECT_EQ(found[0].text, "0x7fff0000: write to a page that is not there, at 0x401000");
    EXPECT_EQ(found[0].duration, 0u);
}

TEST_F(EventMarkersTest, DiskRequestsAreOfNoProcessor) {
    start();
    publish(end_of(request_at(1000, 1, BACKPLANE_BLOCK_WRITE), 4000));
    publish(end_of(request_at(1000, 2, BACKPLANE_BLOCK_FLUSH), 5000, BACKPLANE_BLOCK_NO_SPACE));
    const auto found = markers.take();
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].cpu, Marker::of_no_cpu);
    EXPECT_EQ(found[0].text, "disk0-image: write of 512 bytes at 0x1000");
    EXPECT_EQ(found[0].host_time, 1000u);
    EXPECT_EQ(found[0].duration, 3000u);
    EXPECT_EQ(found[1].text, "disk0-image: flush: no space");
}

TEST_F(EventMarkersTest, OthersThanTheProfiledProcessorsAreLeftOut) {
    start();
    publish(interrupt_at(1000, 0x20, 0x7000, 0, "cpu7"));
    publish(return_at(1100, 0x7000, 0, "cpu7"));
    EXPECT_TRUE(markers.take().empty());
    EXPECT_EQ(markers.lost(), 0u);
}

TEST_F(EventMarkersTest, WhatIsNotWantedIsNotAskedFor) {
    start({.interrupts = false, .page_faults = false, .disks = false, .most = 100});
    EXPECT_FALSE(Topic<CpuInterrupt>{*host.functions()}.wanted());
    EXPECT_FALSE(Topic<CpuInterruptReturn>{*host.functions()}.wanted());
    EXPECT_FALSE(Topic<CpuHalt>{*host.functions()}.wanted());
    EXPECT_FALSE(Topic<CpuException>{*host.functions()}.wanted());
    EXPECT_FALSE(Topic<BlockCompleted>{*host.functions()}.wanted());
}

TEST_F(EventMarkersTest, ThereAreSoManyAtMostAndTheOthersAreCounted) {
    start({.most = 3});
    for (std::uint64_t i = 0; i < 5; ++i)
        publish(exception_at(1000 + i, 14, 0x1000, 0));
    markers.add({.host_time = 1, .duration = 2, .cpu = 0, .name = "Compile", .text = ""});
    EXPECT_EQ(markers.take().size(), 3u);
    EXPECT_EQ(markers.lost(), 3u);
}

// SDM 3A figure 4-12.
TEST(EventTexts, TellWhatAPageFaultIs) {
    EXPECT_EQ(page_fault_text(0), "read of a page that is not there");
    EXPECT_EQ(page_fault_text(2), "write to a page that is not there");
    EXPECT_EQ(page_fault_text(7), "write to a page that may not be written");
    EXPECT_EQ(page_fault_text(5), "read of a page that may not be read");
    EXPECT_EQ(page_fault_text(0x11), "fetch from a page of data");
    EXPECT_EQ(page_fault_text(0x9), "access through a reserved bit");
}

}  // namespace
}  // namespace backplane::profiler

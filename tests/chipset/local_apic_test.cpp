#include "local_apic_bench.h"

namespace backplane::chipset {
namespace {

TEST_F(LocalApicTest, PowersUpAsTheManualSays) {
    start({{"id", 3}, {"virtual-wire", false}});
    EXPECT_EQ(read(id), 0x03000000u);
    EXPECT_EQ(read(version), 0x00050014u);
    EXPECT_EQ(read(svr), 0xffu);
    EXPECT_EQ(read(dfr), 0xffffffffu);
    EXPECT_EQ(read(ldr), 0u);
    for (std::uint64_t lvt = lvt_timer; lvt <= lvt_error; lvt += 0x10)
        EXPECT_EQ(read(lvt), masked);
    EXPECT_EQ(read_base(), 0xfee00900u);
}

TEST_F(LocalApicTest, StartsAsAVirtualWireWhenAsked) {
    start();
    EXPECT_EQ(read(lvt_lint0), 0x700u);
    EXPECT_EQ(read(lvt_lint1), 0x400u);
    bench->set_line("lint0", true);
    ASSERT_TRUE(requested()) << "the 8259 works before any software enabled the APIC";
    pic.vectors = {0x30};
    EXPECT_EQ(acknowledge(), 0x30);
    bench->set_line("lint1", true);
    EXPECT_EQ(bench->rises("nmi"), 1u);
}

TEST_F(LocalApicTest, AMessageGoesThroughIrrAndIsr) {
    EXPECT_TRUE(send(0x41));
    EXPECT_TRUE(is_set(irr, 0x41));
    ASSERT_TRUE(requested());
    EXPECT_EQ(acknowledge(), 0x41);
    EXPECT_FALSE(is_set(irr, 0x41));
    EXPECT_TRUE(is_set(isr, 0x41));
    EXPECT_FALSE(requested());
    EXPECT_EQ(read(ppr), 0x40u);
    write(eoi, 0);
    EXPECT_FALSE(is_set(isr, 0x41));
    EXPECT_EQ(read(ppr), 0u);
}

TEST_F(LocalApicTest, HigherClassesInterruptLowerOnes) {
    send(0x45);
    acknowledge();
    send(0x4f);
    EXPECT_FALSE(requested()) << "same class";
    send(0x31);
    EXPECT_FALSE(requested());
    send(0x50);
    ASSERT_TRUE(requested());
    EXPECT_EQ(acknowledge(), 0x50);
    write(eoi, 0);
    EXPECT_FALSE(requested());
    write(eoi, 0);
    EXPECT_EQ(acknowledge(), 0x4f);
    write(eoi, 0);
    EXPECT_EQ(acknowledge(), 0x31);
}

TEST_F(LocalApicTest, TheTaskPriorityHoldsBackItsClassAndLower) {
    write(tpr, 0x40);
    send(0x4f);
    EXPECT_FALSE(requested());
    EXPECT_EQ(acknowledge(), -1);
    write(tpr, 0x3f);
    EXPECT_TRUE(requested());
    EXPECT_EQ(read(ppr), 0x3fu);
}

TEST_F(LocalApicTest, Cr8IsTheTaskPrioritysClass) {
    controller.call<&backplane_interrupt_controller::set_task_priority>(std::uint8_t{5});
    EXPECT_EQ(read(tpr), 0x50u);
    write(tpr, 0x7a);
    EXPECT_EQ(controller.call<&backplane_interrupt_controller::task_priority>(), 7);
    EXPECT_EQ(read(apr), 0x7au);
}

TEST_F(LocalApicTest, OnlyLevelTriggeredInterruptsAreEndedOnTheBus) {
    send(0x41);
    acknowledge();
    write(eoi, 0);
    EXPECT_TRUE(ends.vectors.empty());
    send(0x51, true);
    EXPECT_TRUE(is_set(tmr, 0x51));
    acknowledge();
    write(eoi, 0);
    EXPECT_EQ(ends.vectors, std::vector<int>{0x51});
    write(eoi, 0);
    EXPECT_EQ(ends.vectors.size(), 1u);
}

TEST_F(LocalApicTest, DisabledBySoftwareItTakesNoFixedInterruptsAndMasksItsLvt) {
    write(lvt_timer, 0x20);
    write(svr, 0xff);
    EXPECT_FALSE(send(0x41));
    EXPECT_EQ(read(lvt_timer), masked | 0x20);
    write(lvt_timer, 0x20);
    EXPECT_EQ(read(lvt_timer), masked | 0x20);
    EXPECT_TRUE(send({.mode = DeliveryMode::Nmi}));
    EXPECT_EQ(bench->rises("nmi"), 1u);
}

TEST_F(LocalApicTest, MatchesPhysicalDestinations) {
    EXPECT_TRUE(send({.destination = 0, .vector = 0x40}));
    EXPECT_FALSE(send({.destination = 1, .vector = 0x40}));
    EXPECT_TRUE(send({.destination = 0xff, .vector = 0x40}));
    write(id, 0x07000000);
    EXPECT_TRUE(send({.destination = 7, .vector = 0x40}));
}

TEST_F(LocalApicTest, MatchesLogicalDestinationsInTheFlatModel) {
    write(ldr, 0x12000000);
    EXPECT_TRUE(send({.destination = 0x02, .logical = true, .vector = 0x40}));
    EXPECT_TRUE(send({.destination = 0xf0, .logical = true, .vector = 0x40}));
    EXPECT_FALSE(send({.destination = 0x01, .logical = true, .vector = 0x40}));
}

TEST_F(LocalApicTest, MatchesLogicalDestinationsInTheClusterModel) {
    write(dfr, 0);
    EXPECT_EQ(read(dfr), 0x0fffffffu);
    write(ldr, 0x34000000);
    EXPECT_TRUE(send({.destination = 0x34, .logical = true, .vector = 0x40}));
    EXPECT_TRUE(send({.destination = 0x3c, .logical = true, .vector = 0x40}));
    EXPECT_FALSE(send({.destination = 0x33, .logical = true, .vector = 0x40}));
    EXPECT_FALSE(send({.destination = 0x24, .logical = true, .vector = 0x40}));
}

TEST_F(LocalApicTest, OnlyItsOwnAddressesAreMessages) {
    const auto messages = bench->service<backplane_message_interrupt>("messages");
    EXPECT_EQ(messages.call<&backplane_message_interrupt::send>(std::uint64_t{0xfed00000}, 0x40u),
              0);
}

TEST_F(LocalApicTest, LowVectorsAreErrors) {
    write(lvt_error, 0xfe);
    EXPECT_TRUE(send(0x0f));
    EXPECT_EQ(acknowledge(), 0xfe);
    EXPECT_EQ(read(esr), 0u) << "a write makes errors readable";
    write(esr, 0);
    EXPECT_EQ(read(esr), 0x40u);
    write(icr_low, 0x4000c);
    write(esr, 0);
    EXPECT_EQ(read(esr), 0x20u);
    read(0x40);
    write(0x3f0, 0);
    write(esr, 0);
    EXPECT_EQ(read(esr), 0x80u);
    write(esr, 0);
    EXPECT_EQ(read(esr), 0u);
}

TEST_F(LocalApicTest, TheOneShotTimerInterruptsOnce) {
    write(lvt_timer, 0x20);
    write(divide, 0x3);  // by 16: 16 ns a tick at 1 GHz
    write(initial_count, 1000);
    EXPECT_EQ(read(current_count), 1000u);
    bench->advance(8us);
    EXPECT_EQ(read(current_count), 500u);
    bench->advance(8us - 1ns);
    EXPECT_FALSE(requested());
    bench->advance(1ns);
    EXPECT_EQ(acknowledge(), 0x20);
    EXPECT_EQ(read(current_count), 0u);
    write(eoi, 0);
    bench->advance(1s);
    EXPECT_FALSE(requested());
}

TEST_F(LocalApicTest, ThePeriodicTimerDoesNotDrift) {
    start({{"frequency", Hertz{333'333'333}}});
    write(svr, 0x1ff);
    write(lvt_timer, 0x20020);
    write(divide, 0xb);
    write(initial_count, 333'333);  // nearly 1 kHz
    int interrupts = 0;
    for (int step = 0; step < 100'000; ++step) {
        bench->advance(100us);
        if (!requested()) continue;
        ++interrupts;
        EXPECT_EQ(acknowledge(), 0x20);
        write(eoi, 0);
    }
    EXPECT_EQ(interrupts, 10'000);
    EXPECT_EQ(bench->statistic("timer.interrupts"), 10'000u);
}

TEST_F(LocalApicTest, AllDivisorsDivide) {
    const std::vector<std::pair<std::uint32_t, unsigned>> codes{
        {0x0, 2}, {0x1, 4}, {0x2, 8}, {0x3, 16}, {0x8, 32}, {0x9, 64}, {0xa, 128}, {0xb, 1}};
    for (const auto& [code, divisor] : codes) {
        write(divide, code);
        write(initial_count, 1'000'000);
        bench->advance(128us);
        EXPECT_EQ(read(current_count), 1'000'000 - 128'000 / divisor) << divisor;
    }
}

TEST_F(LocalApicTest, ChangingTheDividerGoesOnFromTheCount) {
    write(lvt_timer, 0x20);
    write(divide, 0xb);
    write(initial_count, 1000);
    bench->advance(400ns);
    write(divide, 0x0);
    EXPECT_EQ(read(current_count), 600u);
    bench->advance(1199ns);
    EXPECT_FALSE(requested());
    bench->advance(1ns);
    EXPECT_TRUE(requested());
}

TEST_F(LocalApicTest, AMaskedTimerCountsSilently) {
    write(lvt_timer, masked | 0x20020);
    write(divide, 0xb);
    write(initial_count, 1000);
    bench->advance(1500ns);
    EXPECT_FALSE(requested());
    EXPECT_EQ(read(current_count), 500u);
    write(lvt_timer, 0x20020);
    bench->advance(500ns);
    EXPECT_TRUE(requested());
}

TEST_F(LocalApicTest, AnInitialCountOfZeroStopsTheTimer) {
    write(lvt_timer, 0x20020);
    write(initial_count, 1000);
    write(initial_count, 0);
    bench->advance(1s);
    EXPECT_FALSE(requested());
    EXPECT_TRUE(bench->clock().is_idle());
}

TEST_F(LocalApicTest, TinyPeriodsDoNotStallTheHost) {
    write(lvt_timer, 0x20020);
    write(divide, 0xb);
    write(initial_count, 1);
    bench->advance(10ms);
    EXPECT_TRUE(requested());
    EXPECT_LE(bench->statistic("timer.interrupts"), 10'001u);
}

TEST_F(LocalApicTest, ExternalInterruptsAreAcknowledgedAtThe8259) {
    write(lvt_lint0, 0x700);
    bench->set_line("lint0", true);
    send(0x41);
    EXPECT_EQ(acknowledge(), 0x41);
    ASSERT_TRUE(requested()) << "ExtINT knows no priority";
    pic.vectors = {0x38};
    EXPECT_EQ(acknowledge(), 0x38);
    EXPECT_FALSE(is_set(isr, 0x38));
    bench->set_line("lint0", false);
    EXPECT_FALSE(requested());
    write(lvt_lint0, masked | 0x700);
    bench->set_line("lint0", true);
    EXPECT_FALSE(requested());
}

TEST_F(LocalApicTest, AnExternalMessageWaitsForItsAcknowledge) {
    EXPECT_TRUE(send({.mode = DeliveryMode::External}));
    ASSERT_TRUE(requested());
    pic.vectors = {0x33};
    EXPECT_EQ(acknowledge(), 0x33);
    EXPECT_FALSE(requested());
}

TEST_F(LocalApicTest, AnEdgeOnAFixedPinIsOneInterrupt) {
    write(lvt_lint0, 0x61);
    bench->set_line("lint0", true);
    EXPECT_EQ(acknowledge(), 0x61);
    write(eoi, 0);
    EXPECT_FALSE(requested());
    EXPECT_TRUE(ends.vectors.empty());
}

TEST_F(LocalApicTest, ALevelOnAFixedPinRepeatsUntilItFalls) {
    write(lvt_lint0, level | 0x61);
    bench->set_line("lint0", true);
    EXPECT_EQ(read(lvt_lint0) & 0x4000, 0x4000u);
    EXPECT_EQ(acknowledge(), 0x61);
    write(eoi, 0);
    ASSERT_TRUE(requested());
    EXPECT_EQ(acknowledge(), 0x61);
    bench->set_line("lint0", false);
    write(eoi, 0);
    EXPECT_FALSE(requested());
    EXPECT_EQ(read(lvt_lint0) & 0x4000, 0u);
}

TEST_F(LocalApicTest, DisabledInItsMsrThePinsAreThoseOfTheProcessor) {
    send(0x41);
    EXPECT_TRUE(write_base(0xfee00100));
    EXPECT_FALSE(requested());
    EXPECT_FALSE(send(0x41));
    bench->set_line("lint0", true);
    ASSERT_TRUE(requested());
    pic.vectors = {0x08};
    EXPECT_EQ(acknowledge(), 0x08);
    bench->set_line("lint1", true);
    EXPECT_EQ(bench->rises("nmi"), 1u);
}

TEST_F(LocalApicTest, TheBaseMovesButItsReservedBitsAreFaults) {
    EXPECT_TRUE(write_base(0xfed00900));
    EXPECT_EQ(read_base(), 0xfed00900u);
    EXPECT_FALSE(write_base(0xfee00901));
    EXPECT_FALSE(write_base(std::uint64_t{1} << 52 | 0x900));
    EXPECT_EQ(read_base(), 0xfed00900u);
}

TEST_F(LocalApicTest, SelfIpisStayHere) {
    write(icr_low, 0x40041);
    EXPECT_EQ(acknowledge(), 0x41);
    EXPECT_TRUE(other.messages.empty());
    write(icr_low, 0x00000042);  // physical destination 0: itself
    EXPECT_EQ(acknowledge(), -1) << "lower than what is in service";
    EXPECT_TRUE(is_set(irr, 0x42));
}

TEST_F(LocalApicTest, IpisReachTheOthers) {
    write(icr_high, 0x05000000);
    write(icr_low, 0x4061);
    ASSERT_EQ(other.messages.size(), 1u);
    EXPECT_EQ(other.messages[0].address, 0xfee05000u);
    EXPECT_EQ(other.messages[0].data, 0x4061u);
    EXPECT_FALSE(requested());
    write(icr_low, 0xc4061);  // all but self
    EXPECT_EQ(other.messages[1].address, 0xfeeff000u);
    EXPECT_FALSE(requested());
    write(icr_low, 0x84061);  // all
    EXPECT_EQ(other.messages.size(), 3u);
    EXPECT_EQ(acknowledge(), 0x61);
}

TEST_F(LocalApicTest, InitAndStartupGoOutAsTheyAre) {
    write(icr_high, 0x01000000);
    write(icr_low, 0xc500);  // INIT, level, assert
    write(icr_low, 0x8500);  // INIT, level, de-assert: nothing
    write(icr_low, 0x4608);
    ASSERT_EQ(other.messages.size(), 2u);
    EXPECT_EQ(other.messages[0].data, 0xc500u);
    EXPECT_EQ(other.messages[1].data, 0x4608u);
}

TEST_F(LocalApicTest, AStartupWaitsForTheProcessorUntilAnInit) {
    EXPECT_EQ(take_startup(), -1);
    EXPECT_TRUE(send({.mode = DeliveryMode::Startup, .vector = 0x08}));
    EXPECT_TRUE(send({.mode = DeliveryMode::Startup, .vector = 0x9a}));
    EXPECT_EQ(bench->rises("startup"), 2u);
    EXPECT_EQ(take_startup(), 0x9a);
    EXPECT_EQ(take_startup(), -1);
    EXPECT_TRUE(send({.mode = DeliveryMode::Startup, .vector = 0x08}));
    EXPECT_TRUE(send({.mode = DeliveryMode::Init}));
    EXPECT_EQ(take_startup(), -1);
    EXPECT_FALSE(send({.destination = 1, .mode = DeliveryMode::Startup, .vector = 0x08}));
}

TEST_F(LocalApicTest, AnNmiReachesTheProcessorAndASystemManagementInterruptDoesNothing) {
    EXPECT_TRUE(send({.mode = DeliveryMode::Nmi}));
    EXPECT_EQ(bench->rises("nmi"), 1u);
    EXPECT_TRUE(send({.mode = DeliveryMode::Smi}));
    EXPECT_FALSE(requested());
    EXPECT_EQ(bench->rises("nmi") + bench->rises("init") + bench->rises("startup"), 0u);
}

TEST_F(LocalApicTest, LowestPriorityGoesToOne) {
    write(icr_low, 0x84161);
    EXPECT_EQ(other.messages.size(), 1u);
    EXPECT_FALSE(requested());
    other.accepts = false;
    write(icr_low, 0x84161);
    EXPECT_TRUE(requested());
}

TEST_F(LocalApicTest, AnInitResetsAllButTheId) {
    write(id, 0x09000000);
    write(lvt_timer, 0x20);
    send({.destination = 9, .vector = 0x41});
    EXPECT_TRUE(send({.destination = 9, .mode = DeliveryMode::Init}));
    EXPECT_EQ(bench->rises("init"), 1u);
    EXPECT_EQ(read(id), 0x09000000u);
    EXPECT_EQ(read(svr), 0xffu);
    EXPECT_EQ(read(lvt_timer), masked);
    EXPECT_FALSE(requested());
}

TEST_F(LocalApicTest, MergedInterruptsAreCounted) {
    send(0x41);
    send(0x41);
    EXPECT_EQ(bench->statistic("interrupts.accepted"), 1u);
    EXPECT_EQ(bench->statistic("interrupts.merged"), 1u);
}

TEST_F(LocalApicTest, SurvivesASnapshotInTheMiddleOfEverything) {
    write(lvt_timer, 0x20020);
    write(initial_count, 12'345);
    write(lvt_lint0, level | 0x61);
    bench->set_line("lint0", true);
    send(0x71, true);
    acknowledge();
    send(0x81);
    bench->advance(3us);
    EXPECT_EQ(testing::round_trip(*bench), "");
}

TEST_F(LocalApicTest, BearsRandomAccesses) {
    play_random_script(*bench, 11);
    EXPECT_EQ(testing::round_trip(*bench, 1ms), "");
}

}  // namespace
}  // namespace backplane::chipset

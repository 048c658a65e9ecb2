#include "chip_bench.h"
#include "pic8259.h"

namespace backplane::chipset {
namespace {

class Pic8259Test : public ::testing::Test {
protected:
    Pic8259Test() {
        bench.power_on();
        initialize(master, 0x20, 0x04);
        initialize(slave, 0x28, 0x02);
    }

    void initialize(const testing::WindowProbe& chip, std::uint8_t vectors, std::uint8_t icw3,
                    std::uint8_t icw4 = 0x01) {
        chip.write8(0, 0x11);
        chip.write8(1, vectors);
        chip.write8(1, icw3);
        chip.write8(1, icw4);
    }

    void raise(int irq) { bench.set_line("inputs." + std::to_string(irq), true); }
    void lower(int irq) { bench.set_line("inputs." + std::to_string(irq), false); }
    void pulse(int irq) {
        raise(irq);
        lower(irq);
    }
    int acknowledge() { return controller.call<&backplane_interrupt_controller::acknowledge>(); }
    bool requested() { return bench.level("intr"); }
    int in_service(const testing::WindowProbe& chip) {
        chip.write8(0, 0x0b);
        return chip.read8(0);
    }
    int requests(const testing::WindowProbe& chip) {
        chip.write8(0, 0x0a);
        return chip.read8(0);
    }

    DeviceBench bench{type_of<Pic8259>()};
    testing::WindowProbe master = bench.window("master");
    testing::WindowProbe slave = bench.window("slave");
    testing::WindowProbe elcr = bench.window("elcr");
    Connection<backplane_interrupt_controller> controller =
        bench.service<backplane_interrupt_controller>("interrupt-controller");
};

TEST_F(Pic8259Test, AnUninitializedPairRequestsNothing) {
    DeviceBench fresh{type_of<Pic8259>()};
    fresh.power_on();
    for (int irq = 0; irq < 16; ++irq)
        fresh.set_line("inputs." + std::to_string(irq), true);
    EXPECT_FALSE(fresh.level("intr"));
}

TEST_F(Pic8259Test, ARisingEdgeRequestsAnInterruptWithItsVector) {
    raise(4);
    ASSERT_TRUE(requested());
    EXPECT_EQ(acknowledge(), 0x24);
    EXPECT_FALSE(requested());
    EXPECT_EQ(in_service(master), 0x10);
    EXPECT_EQ(requests(master), 0x00);
}

TEST_F(Pic8259Test, AnEdgeIsNotRepeatedWhileTheLineStaysHigh) {
    raise(4);
    acknowledge();
    master.write8(0, 0x20);
    EXPECT_FALSE(requested());
    lower(4);
    raise(4);
    EXPECT_TRUE(requested());
}

TEST_F(Pic8259Test, ARequestThatGoesAwayBeforeTheAcknowledgeIsSpuriousIrq7) {
    pulse(4);
    EXPECT_FALSE(requested());
    EXPECT_EQ(acknowledge(), 0x27);
    EXPECT_EQ(in_service(master), 0x00) << "a spurious interrupt is not in service";
    EXPECT_EQ(bench.statistic("spurious"), 1u);
}

TEST_F(Pic8259Test, TheSlaveAnswersForItsInputs) {
    raise(12);
    ASSERT_TRUE(requested());
    EXPECT_EQ(acknowledge(), 0x2c);
    EXPECT_EQ(in_service(master), 0x04);
    EXPECT_EQ(in_service(slave), 0x10);
}

TEST_F(Pic8259Test, TheCascadeInputIsNoInterrupt) {
    raise(2);
    EXPECT_FALSE(requested());
    EXPECT_EQ(requests(master), 0);
}

TEST_F(Pic8259Test, LowerPriorityWaitsUntilTheHigherIsEnded) {
    raise(3);
    acknowledge();
    raise(5);
    EXPECT_FALSE(requested());
    raise(1);
    EXPECT_TRUE(requested());
    EXPECT_EQ(acknowledge(), 0x21);
    master.write8(0, 0x20);
    EXPECT_FALSE(requested()) << "IRQ3 is still in service";
    master.write8(0, 0x20);
    EXPECT_EQ(acknowledge(), 0x25);
}

TEST_F(Pic8259Test, SlaveInputsRankBetweenIrq1AndIrq3) {
    raise(3);
    raise(9);
    raise(1);
    EXPECT_EQ(acknowledge(), 0x21);
    master.write8(0, 0x20);
    EXPECT_EQ(acknowledge(), 0x29);
    slave.write8(0, 0x20);
    master.write8(0, 0x20);
    EXPECT_EQ(acknowledge(), 0x23);
}

TEST_F(Pic8259Test, MaskedRequestsWaitInIrr) {
    master.write8(1, 0x10);
    raise(4);
    EXPECT_FALSE(requested());
    EXPECT_EQ(requests(master), 0x10);
    EXPECT_EQ(master.read8(1), 0x10);
    master.write8(1, 0x00);
    EXPECT_TRUE(requested());
}

TEST_F(Pic8259Test, LevelTriggeredInputsRequestAgainUntilTheLineFalls) {
    elcr.write8(1, 0x0c);
    raise(10);
    EXPECT_EQ(acknowledge(), 0x2a);
    slave.write8(0, 0x20);
    master.write8(0, 0x20);
    EXPECT_TRUE(requested());
    EXPECT_EQ(acknowledge(), 0x2a);
    lower(10);
    slave.write8(0, 0x20);
    master.write8(0, 0x20);
    EXPECT_FALSE(requested());
}

TEST_F(Pic8259Test, ElcrLeavesTheMainboardsOwnInputsEdgeTriggered) {
    elcr.write8(0, 0xff);
    elcr.write8(1, 0xff);
    EXPECT_EQ(elcr.read8(0), 0xf8);
    EXPECT_EQ(elcr.read8(1), 0xde);
    EXPECT_EQ(elcr.read16(0), 0xdef8);
}

TEST_F(Pic8259Test, ASpecificEndOfInterruptEndsThatLevel) {
    raise(5);
    acknowledge();
    raise(3);
    acknowledge();
    master.write8(0, 0x65);
    EXPECT_EQ(in_service(master), 0x08);
}

TEST_F(Pic8259Test, ANonSpecificEndWithoutServiceDoesNothing) {
    master.write8(0, 0x20);
    master.write8(0, 0xa0);
    raise(0);
    raise(7);
    EXPECT_EQ(acknowledge(), 0x20);
}

TEST_F(Pic8259Test, RotationMakesTheEndedLevelTheLowest) {
    raise(4);
    acknowledge();
    lower(4);
    master.write8(0, 0xa0);
    raise(4);
    raise(5);
    raise(3);
    EXPECT_EQ(acknowledge(), 0x25);
    master.write8(0, 0xe5);  // rotate on specific EOI
    EXPECT_EQ(acknowledge(), 0x23);
    master.write8(0, 0x20);
    EXPECT_EQ(acknowledge(), 0x24);
}

TEST_F(Pic8259Test, SetPriorityChoosesTheLowestLevel) {
    master.write8(0, 0xc0 | 5);
    raise(0);
    raise(6);
    EXPECT_EQ(acknowledge(), 0x26);
}

TEST_F(Pic8259Test, AutomaticEndOfInterruptKeepsNothingInService) {
    initialize(master, 0x20, 0x04, 0x03);
    raise(4);
    EXPECT_EQ(acknowledge(), 0x24);
    EXPECT_EQ(in_service(master), 0);
    raise(6);
    EXPECT_EQ(acknowledge(), 0x26);
}

TEST_F(Pic8259Test, RotationInAutomaticEndOfInterruptMode) {
    initialize(master, 0x20, 0x04, 0x03);
    master.write8(0, 0x80);
    raise(1);
    acknowledge();
    lower(1);
    raise(1);
    raise(3);
    EXPECT_EQ(acknowledge(), 0x23);
    EXPECT_EQ(acknowledge(), 0x21);
}

TEST_F(Pic8259Test, WithAutomaticEndsTheSlaveRequestsOneAfterTheOther) {
    initialize(master, 0x20, 0x04, 0x03);
    initialize(slave, 0x28, 0x02, 0x03);
    raise(8);
    raise(15);
    EXPECT_EQ(acknowledge(), 0x28);
    ASSERT_TRUE(requested());
    EXPECT_EQ(acknowledge(), 0x2f);
    EXPECT_FALSE(requested());
}

TEST_F(Pic8259Test, SpecialMaskModeLetsLowerLevelsInterruptAMaskedOneInService) {
    raise(3);
    acknowledge();
    raise(5);
    EXPECT_FALSE(requested());
    master.write8(1, 0x08);
    EXPECT_FALSE(requested());
    master.write8(0, 0x68);
    EXPECT_TRUE(requested());
    EXPECT_EQ(acknowledge(), 0x25);
    master.write8(0, 0x48);
    EXPECT_EQ(in_service(master), 0x28);
}

TEST_F(Pic8259Test, InSpecialFullyNestedModeTheSlaveInterruptsItself) {
    raise(12);
    acknowledge();
    raise(8);
    EXPECT_FALSE(requested()) << "fully nested: the cascade input is in service";
    lower(8);
    lower(12);
    initialize(master, 0x20, 0x04, 0x11);
    initialize(slave, 0x28, 0x02);
    raise(12);
    EXPECT_EQ(acknowledge(), 0x2c);
    raise(8);
    ASSERT_TRUE(requested());
    EXPECT_EQ(acknowledge(), 0x28);
}

TEST_F(Pic8259Test, PollingAcknowledges) {
    master.write8(0, 0x0c);
    EXPECT_EQ(master.read8(0) & 0x80, 0);
    raise(6);
    master.write8(0, 0x0c);
    EXPECT_EQ(master.read8(0), 0x86);
    EXPECT_FALSE(requested());
    EXPECT_EQ(in_service(master), 0x40);
}

TEST_F(Pic8259Test, InitializationForgetsRequestsAndMasks) {
    master.write8(1, 0xff);
    raise(4);
    initialize(master, 0x40, 0x04);
    EXPECT_EQ(master.read8(1), 0);
    EXPECT_FALSE(requested()) << "the input must fall first";
    lower(4);
    raise(4);
    EXPECT_EQ(acknowledge(), 0x44);
}

TEST_F(Pic8259Test, ASingleControllerExpectsNoIcw3AndIcw4OnlyWhenAsked) {
    master.write8(0, 0x12);
    master.write8(1, 0x50);
    master.write8(1, 0xfe);  // already the mask
    EXPECT_EQ(master.read8(1), 0xfe);
    raise(0);
    EXPECT_EQ(acknowledge(), 0x50);
}

TEST_F(Pic8259Test, SurvivesASnapshotInTheMiddleOfInitialization) {
    raise(4);
    raise(11);
    acknowledge();
    master.write8(0, 0x11);
    master.write8(1, 0x60);
    EXPECT_EQ(testing::round_trip(bench), "");
}

TEST_F(Pic8259Test, BearsRandomAccesses) {
    play_random_script(bench, 8259);
    EXPECT_EQ(testing::round_trip(bench, 1ms), "");
}

}  // namespace
}  // namespace backplane::chipset

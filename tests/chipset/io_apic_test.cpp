#include "chip_bench.h"
#include "io_apic.h"
#include "local_apic.h"

namespace backplane::chipset {
namespace {

constexpr std::uint32_t masked = 0x10000, level = 0x8000;

class IoApicTest : public ::testing::Test {
protected:
    IoApicTest() {
        bench.connect("messages", cpu);
        bench.power_on();
    }

    std::uint32_t read(std::uint8_t index) {
        registers.write32(0, index);
        return registers.read32(0x10);
    }
    void write(std::uint8_t index, std::uint32_t value) {
        registers.write32(0, index);
        registers.write32(0x10, value);
    }
    void redirect(unsigned input, std::uint32_t low, std::uint8_t destination = 0) {
        write(static_cast<std::uint8_t>(0x11 + 2 * input), std::uint32_t{destination} << 24);
        write(static_cast<std::uint8_t>(0x10 + 2 * input), low);
    }
    std::uint32_t entry(unsigned input) {
        return read(static_cast<std::uint8_t>(0x10 + 2 * input));
    }
    void set(unsigned input, bool high) { bench.set_line("inputs." + std::to_string(input), high); }
    void end(std::uint8_t vector) {
        bench.service<backplane_end_of_interrupt>("end-of-interrupt")
            .call<&backplane_end_of_interrupt::end>(vector);
    }

    testing::RecordedMessages cpu;
    DeviceBench bench{type_of<IoApic>(), {{"id", 2}}};
    testing::WindowProbe registers = bench.window("registers");
};

TEST_F(IoApicTest, TellsItsIdVersionAndMaskedTable) {
    EXPECT_EQ(read(0), 0x02000000u);
    EXPECT_EQ(read(1), 0x00170011u);
    EXPECT_EQ(read(2), 0x02000000u);
    for (unsigned input = 0; input < 24; ++input)
        EXPECT_EQ(entry(input), masked);
    write(0, 0xff000000);
    EXPECT_EQ(read(0), 0x0f000000u);
    EXPECT_EQ(read(0x40), 0u);
    EXPECT_EQ(registers.read32(0), 0x40u);
    EXPECT_EQ(registers.read32(0x20), 0u);
}

TEST_F(IoApicTest, ReadOnlyBitsStay) {
    redirect(5, 0xffffffff, 0xff);
    EXPECT_EQ(entry(5), 0x0001afffu);
    EXPECT_EQ(read(0x1b), 0xff000000u);
}

TEST_F(IoApicTest, AnEdgeIsOneMessage) {
    redirect(4, 0x34, 7);
    set(4, true);
    set(4, false);
    ASSERT_EQ(cpu.messages.size(), 1u);
    EXPECT_EQ(cpu.messages[0].address, 0xfee07000u);
    EXPECT_EQ(cpu.messages[0].data, 0x4034u);
    EXPECT_EQ(bench.statistic("messages"), 1u);
}

TEST_F(IoApicTest, LogicalAndLowestPriorityAreInTheMessage) {
    redirect(4, 0x0934, 0x03);
    set(4, true);
    EXPECT_EQ(cpu.messages.at(0).address, 0xfee0300cu);
    EXPECT_EQ(cpu.messages.at(0).data, 0x4134u);
}

TEST_F(IoApicTest, EdgesOnMaskedInputsAreLost) {
    redirect(4, masked | 0x34);
    set(4, true);
    redirect(4, 0x34);
    EXPECT_TRUE(cpu.messages.empty());
}

TEST_F(IoApicTest, ALevelIsSentAgainAfterItsEndWhileItLasts) {
    redirect(10, level | 0x5a);
    set(10, true);
    ASSERT_EQ(cpu.messages.size(), 1u);
    EXPECT_EQ(cpu.messages[0].data, 0xc05au);
    EXPECT_EQ(entry(10), 0x4000u | level | 0x5a);
    set(10, false);
    set(10, true);
    EXPECT_EQ(cpu.messages.size(), 1u) << "remote IRR is set";
    end(0x5b);
    EXPECT_EQ(cpu.messages.size(), 1u);
    end(0x5a);
    EXPECT_EQ(cpu.messages.size(), 2u);
    set(10, false);
    end(0x5a);
    EXPECT_EQ(cpu.messages.size(), 2u);
    EXPECT_EQ(entry(10), level | 0x5a);
}

TEST_F(IoApicTest, ALevelWaitsBehindItsMask) {
    redirect(10, masked | level | 0x5a);
    set(10, true);
    EXPECT_TRUE(cpu.messages.empty());
    redirect(10, level | 0x5a);
    EXPECT_EQ(cpu.messages.size(), 1u);
}

TEST_F(IoApicTest, ALevelNobodyTakesIsNotRemembered) {
    cpu.accepts = false;
    redirect(10, level | 0x5a);
    set(10, true);
    EXPECT_EQ(entry(10), level | 0x5a);
    cpu.accepts = true;
    redirect(10, level | 0x5a);
    EXPECT_EQ(cpu.messages.size(), 1u);
}

TEST_F(IoApicTest, SwitchingToEdgeClearsRemoteIrr) {
    redirect(10, level | 0x5a);
    set(10, true);
    redirect(10, masked | 0x5a);
    redirect(10, level | 0x5a);
    EXPECT_EQ(cpu.messages.size(), 2u) << "the way Linux ends interrupts of old I/O APICs";
}

TEST_F(IoApicTest, NonMaskableInterruptsAreEdgesWhateverTheirEntrySays) {
    redirect(3, level | 0x0400);
    set(3, true);
    EXPECT_EQ(entry(3) & 0x4000, 0u);
    EXPECT_EQ(cpu.messages.at(0).data, 0x4400u);
}

TEST_F(IoApicTest, WorksWithALocalApic) {
    testing::FakeClock clock;
    DeviceBench lapic{type_of<LocalApic>(), {}, &clock};
    DeviceBench ioapic{type_of<IoApic>(), {}, &clock};
    lapic.connect("end-of-interrupt", ioapic, "end-of-interrupt").power_on();
    ioapic.connect("messages", lapic, "messages").power_on();
    const auto controller = lapic.service<backplane_interrupt_controller>("controller");
    controller.call<&backplane_interrupt_controller::write>(std::uint64_t{0xf0}, 4u,
                                                            std::uint64_t{0x1ff});
    const auto window = ioapic.window("registers");
    window.write32(0, 0x10 + 2 * 9);
    window.write32(0x10, level | 0x59);
    ioapic.set_line("inputs.9", true);
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE(lapic.level("intr"));
        EXPECT_EQ(controller.call<&backplane_interrupt_controller::acknowledge>(), 0x59);
        EXPECT_FALSE(lapic.level("intr"));
        if (round == 2) ioapic.set_line("inputs.9", false);
        controller.call<&backplane_interrupt_controller::write>(std::uint64_t{0xb0}, 4u,
                                                                std::uint64_t{0});
    }
    EXPECT_FALSE(lapic.level("intr"));
}

TEST_F(IoApicTest, SurvivesASnapshotWithALevelInService) {
    redirect(10, level | 0x5a, 3);
    set(10, true);
    EXPECT_EQ(testing::round_trip(bench), "");
}

TEST_F(IoApicTest, BearsRandomAccesses) {
    play_random_script(bench, 82093);
    EXPECT_EQ(testing::round_trip(bench, 1ms), "");
}

}  // namespace
}  // namespace backplane::chipset

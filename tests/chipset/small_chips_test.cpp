// The chips of one or two registers.
#include "acpi_pm.h"
#include "chip_bench.h"
#include "debug_console.h"
#include "i8042.h"
#include "isa_debug_exit.h"
#include "port92.h"
#include "reset_control.h"

namespace backplane::chipset {
namespace {

TEST(Port92Test, ResetsOnARisingEdgeOfBit0Only) {
    DeviceBench bench{type_of<Port92>()};
    bench.power_on();
    const auto control = bench.window("control");
    EXPECT_EQ(control.read8(0), 0x02);
    control.write8(0, 0x03);
    control.write8(0, 0x03);
    EXPECT_EQ(bench.reset_requests(), std::vector<std::string>{"port 0x92"});
    bench.reset();
    EXPECT_EQ(control.read8(0), 0x02);
}

TEST(Port92Test, Bit1IsTheA20Gate) {
    DeviceBench bench{type_of<Port92>()};
    bench.power_on();
    EXPECT_TRUE(bench.level("a20"));
    bench.window("control").write8(0, 0x00);
    EXPECT_FALSE(bench.level("a20"));
    EXPECT_TRUE(bench.reset_requests().empty());
}

TEST(ResetControlTest, ResetsWhenBit2Rises) {
    DeviceBench bench{type_of<ResetControl>()};
    bench.power_on();
    const auto control = bench.window("control");
    control.write8(1, 0x02);
    EXPECT_TRUE(bench.reset_requests().empty());
    control.write8(1, 0x06);
    EXPECT_EQ(bench.reset_requests().size(), 1u);
    EXPECT_EQ(control.read8(1), 0x06);
    control.write8(1, 0xff);
    EXPECT_EQ(bench.reset_requests().size(), 1u);
    EXPECT_EQ(control.read8(1), 0x0e);
}

TEST(ResetControlTest, APciConfigurationAddressIsNotForIt) {
    DeviceBench bench{type_of<ResetControl>()};
    bench.power_on();
    const auto control = bench.window("control");
    control.write32(0, 0x80000600);
    control.write16(0, 0x0600);
    control.write16(1, 0x0006);
    EXPECT_TRUE(bench.reset_requests().empty());
    EXPECT_EQ(control.read32(0), 0xffffffffu) << "there is no PCI";
    EXPECT_EQ(control.read8(1), 0);
}

TEST(IsaDebugExitTest, EndsWithAnOddCodeOfAllThatWasWritten) {
    DeviceBench bench{type_of<IsaDebugExit>()};
    bench.power_on();
    bench.window("exit").write8(0, 0x10);
    EXPECT_EQ(bench.host().power_off->exit_code, 0x21);
    bench.window("exit").write32(0, 0);
    EXPECT_EQ(bench.host().power_off->exit_code, 1);
    EXPECT_NE(bench.host().power_off->why.find("isa-debug-exit"), std::string::npos);
}

TEST(DebugConsoleTest, PrintsToItsStream) {
    testing::FakeCharacter stream;
    DeviceBench bench{type_of<DebugConsole>()};
    bench.connect("stream", stream).power_on();
    for (const char byte : std::string{"hi\n"})
        bench.window("port").write8(0, static_cast<std::uint8_t>(byte));
    EXPECT_EQ(stream.sent, "hi\n");
    EXPECT_EQ(bench.window("port").read8(0), 0xe9);
    EXPECT_EQ(bench.statistic("bytes"), 3u);
}

TEST(DebugConsoleTest, WithoutAStreamLinesGoToTheLog) {
    DeviceBench bench{type_of<DebugConsole>(), {{"readback", 0x12}}};
    bench.power_on();
    for (const char byte : std::string{"one\r\n\ntwo\n"})
        bench.window("port").write8(0, static_cast<std::uint8_t>(byte));
    for (int i = 0; i < 2000; ++i)
        bench.window("port").write8(0, 'x');
    ASSERT_EQ(bench.host().log_lines.size(), 5u);
    EXPECT_EQ(bench.host().log_lines[0].text, "one");
    EXPECT_EQ(bench.host().log_lines[1].text, "two");
    EXPECT_EQ(bench.host().log_lines[2].text, std::string(512, 'x'));
    EXPECT_EQ(bench.window("port").read8(0), 0x12);
}

class I8042Test : public ::testing::Test {
protected:
    I8042Test() { bench.power_on(); }

    int command(std::uint8_t value) {
        control.write8(0, value);
        return (control.read8(0) & 1) != 0 ? data.read8(0) : -1;
    }

    DeviceBench bench{type_of<I8042>()};
    testing::WindowProbe data = bench.window("data");
    testing::WindowProbe control = bench.window("command");
};

TEST_F(I8042Test, PassesItsSelfTestAndSetsTheSystemFlag) {
    EXPECT_EQ(control.read8(0) & 0x05, 0);
    EXPECT_EQ(command(0xaa), 0x55);
    EXPECT_EQ(control.read8(0) & 0x05, 0x04);
    EXPECT_EQ(command(0xab), 0x00);
    EXPECT_EQ(command(0xa9), 0x00);
    EXPECT_EQ(command(0xa4), 0xf1);
}

TEST_F(I8042Test, TheCommandByteIsReadBack) {
    control.write8(0, 0x60);
    EXPECT_EQ(control.read8(0) & 0x08, 0x08);
    data.write8(0, 0x47);
    EXPECT_EQ(control.read8(0) & 0x0c, 0x04);
    EXPECT_EQ(command(0x20), 0x47);
    command(0xad);
    command(0xa7);
    EXPECT_EQ(command(0x20), 0x77);
    command(0xae);
    command(0xa8);
    EXPECT_EQ(command(0x20), 0x47);
    control.write8(0, 0x65);
    data.write8(0, 0x99);
    EXPECT_EQ(command(0x25), 0x99);
}

TEST_F(I8042Test, TheAuxiliaryLoopReturnsItsByteAsTheMouses) {
    control.write8(0, 0x60);
    data.write8(0, 0x03);
    control.write8(0, 0xd3);
    data.write8(0, 0x5a);
    EXPECT_EQ(control.read8(0) & 0x21, 0x21);
    EXPECT_TRUE(bench.level("mouse-irq"));
    EXPECT_FALSE(bench.level("keyboard-irq"));
    EXPECT_EQ(data.read8(0), 0x5a);
    EXPECT_EQ(control.read8(0) & 0x21, 0);
    EXPECT_FALSE(bench.level("mouse-irq"));
    control.write8(0, 0xd2);
    data.write8(0, 0x1c);
    EXPECT_TRUE(bench.level("keyboard-irq"));
}

TEST_F(I8042Test, NobodyAnswersOnEmptyPorts) {
    data.write8(0, 0xff);
    EXPECT_EQ(control.read8(0) & 0x61, 0x41) << "timeout";
    EXPECT_EQ(data.read8(0), 0xfe);
    control.write8(0, 0xd4);
    data.write8(0, 0xff);
    EXPECT_EQ(control.read8(0) & 0x61, 0x61);
    EXPECT_EQ(data.read8(0), 0xfe);
}

TEST_F(I8042Test, PulsingBit0OfTheOutputPortResets) {
    control.write8(0, 0xf1);
    EXPECT_TRUE(bench.reset_requests().empty());
    control.write8(0, 0xfe);
    EXPECT_EQ(bench.reset_requests().size(), 1u);
    control.write8(0, 0xd1);
    data.write8(0, 0xfe);
    EXPECT_EQ(bench.reset_requests().size(), 2u);
}

TEST_F(I8042Test, TheOutputPortHoldsTheA20Gate) {
    EXPECT_EQ(command(0xd0) & 0x03, 0x03);
    control.write8(0, 0xd1);
    data.write8(0, 0xdd);
    EXPECT_FALSE(bench.level("a20"));
    command(0xdf);
    EXPECT_TRUE(bench.level("a20"));
    EXPECT_EQ(command(0xd0) & 0x02, 0x02);
}

template <class T>
class AnySmallChip : public ::testing::Test {};
using SmallChips =
    ::testing::Types<Port92, ResetControl, IsaDebugExit, DebugConsole, I8042, AcpiPm>;
TYPED_TEST_SUITE(AnySmallChip, SmallChips);

TYPED_TEST(AnySmallChip, BearsRandomAccessesAndSurvivesASnapshot) {
    DeviceBench bench{type_of<TypeParam>()};
    ASSERT_TRUE(bench.power_on());
    play_random_script(bench, 92);
    EXPECT_EQ(testing::round_trip(bench), "");
}

}  // namespace
}  // namespace backplane::chipset

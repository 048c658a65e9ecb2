// The chips of one or two registers.
#include "acpi_pm.h"
#include "chip_bench.h"
#include "debug_console.h"
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

template <class T>
class AnySmallChip : public ::testing::Test {};
using SmallChips = ::testing::Types<Port92, ResetControl, IsaDebugExit, DebugConsole, AcpiPm>;
TYPED_TEST_SUITE(AnySmallChip, SmallChips);

TYPED_TEST(AnySmallChip, BearsRandomAccessesAndSurvivesASnapshot) {
    DeviceBench bench{type_of<TypeParam>()};
    ASSERT_TRUE(bench.power_on());
    play_random_script(bench, 92);
    EXPECT_EQ(testing::round_trip(bench), "");
}

}  // namespace
}  // namespace backplane::chipset

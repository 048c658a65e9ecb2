#include "chip_bench.h"
#include "parallel.h"

namespace backplane::chipset {
namespace {

constexpr unsigned data = 0, status = 1, control = 2;

class ParallelTest : public ::testing::Test {
protected:
    ParallelTest() { bench.connect("stream", printer).power_on(); }

    // As a BIOS prints a character.
    void print(char character) {
        port.write8(data, static_cast<std::uint8_t>(character));
        port.write8(control, port.read8(control) | 0x01);
        port.write8(control, port.read8(control) & ~0x01u);
    }

    testing::FakeCharacter printer;
    DeviceBench bench{type_of<Parallel>()};
    testing::WindowProbe port = bench.window("registers");
};

TEST_F(ParallelTest, RegistersAreReadBack) {
    port.write8(data, 0x5a);
    EXPECT_EQ(port.read8(data), 0x5a);
    port.write8(control, 0x0e);
    EXPECT_EQ(port.read8(control), 0xce) << "the upper bits are ones";
    port.write8(control, 0x2e);
    EXPECT_EQ(port.read8(data), 0xff) << "inputs that nobody drives";
    port.write8(status, 0x00);
    EXPECT_EQ(port.read8(status), 0xdf);
    bench.reset();
    EXPECT_EQ(port.read8(control), 0xc0);
}

TEST_F(ParallelTest, PrintsEachByteOnce) {
    port.write8(control, 0x0c);
    for (const char character : std::string{"hello"}) {
        EXPECT_EQ(port.read8(status) & 0xc0, 0xc0) << "not busy";
        print(character);
        EXPECT_EQ(port.read8(status) & 0xc0, 0x40) << "busy";
        bench.advance(10us);
        EXPECT_EQ(port.read8(status) & 0xc0, 0x00) << "acknowledging";
        bench.advance(5us);
    }
    EXPECT_EQ(printer.sent, "hello");
    EXPECT_EQ(bench.statistic("bytes"), 5u);
    port.write8(data, 'x');
    bench.advance(1s);
    EXPECT_EQ(printer.sent, "hello") << "without a strobe nothing is printed";
}

TEST_F(ParallelTest, AStrobeWhileBusyIsLost) {
    port.write8(control, 0x0c);
    print('a');
    print('b');
    bench.advance(1ms);
    EXPECT_EQ(printer.sent, "a");
}

TEST_F(ParallelTest, TheAcknowledgeInterrupts) {
    port.write8(control, 0x1c);
    EXPECT_FALSE(bench.level("irq"));
    print('a');
    bench.advance(15us - 1ns);
    EXPECT_FALSE(bench.level("irq"));
    bench.advance(1ns);
    EXPECT_TRUE(bench.level("irq"));
    EXPECT_EQ(port.read8(status) & 0x04, 0x00);
    EXPECT_FALSE(bench.level("irq")) << "reading the status clears it";
    EXPECT_EQ(port.read8(status) & 0x04, 0x04);
    print('b');
    bench.advance(1ms);
    print('c');
    bench.advance(1ms);
    EXPECT_EQ(bench.rises("irq"), 3u) << "an edge for each";
    port.write8(control, 0x0c);
    EXPECT_FALSE(bench.level("irq"));
}

TEST_F(ParallelTest, InitializingResetsThePrinter) {
    port.write8(control, 0x0c);
    print('a');
    port.write8(control, 0x08);
    EXPECT_EQ(port.read8(status) & 0x80, 0x00) << "busy meanwhile";
    bench.advance(1s);
    port.write8(control, 0x0c);
    EXPECT_EQ(port.read8(status) & 0xc0, 0xc0);
    EXPECT_EQ(printer.sent, "");
}

TEST_F(ParallelTest, AFullFarEndKeepsThePrinterBusy) {
    printer.capacity = 0;
    port.write8(control, 0x0c);
    print('a');
    bench.advance(50ms);
    EXPECT_EQ(port.read8(status) & 0x80, 0x00);
    printer.capacity = 10;
    bench.advance(1ms + 5us);
    EXPECT_EQ(port.read8(status) & 0x80, 0x80);
    EXPECT_EQ(printer.sent, "a");
}

TEST_F(ParallelTest, WithoutAPrinterTheLinesFloat) {
    DeviceBench empty{type_of<Parallel>()};
    empty.power_on();
    const auto registers = empty.window("registers");
    registers.write8(control, 0x1d);
    empty.advance(1s);
    EXPECT_EQ(registers.read8(status), 0x7f);
    EXPECT_FALSE(empty.level("irq"));
}

TEST_F(ParallelTest, SurvivesASnapshotWhilePrinting) {
    port.write8(control, 0x1c);
    print('a');
    testing::FakeCharacter other_printer;
    DeviceBench second{type_of<Parallel>()};
    second.connect("stream", other_printer).power_on();
    EXPECT_EQ(testing::round_trip(bench, second), "");
    EXPECT_EQ(other_printer.sent, "a");
}

TEST_F(ParallelTest, BearsRandomAccesses) {
    play_random_script(bench, 378);
    testing::FakeCharacter other_printer;
    DeviceBench second{type_of<Parallel>()};
    second.connect("stream", other_printer).power_on();
    EXPECT_EQ(testing::round_trip(bench, second), "");
}

}  // namespace
}  // namespace backplane::chipset

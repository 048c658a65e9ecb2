#include "chip_bench.h"
#include "uart16550.h"

namespace backplane::chipset {
namespace {

using testing::FakeCharacter;

constexpr unsigned rbr = 0, thr = 0, ier = 1, iir = 2, fcr = 2, lcr = 3, mcr = 4, lsr = 5, msr = 6,
                   scr = 7;

class Uart16550Test : public ::testing::Test {
protected:
    void start(std::vector<Setting> settings = {}) {
        bench.emplace(type_of<Uart16550>(), std::move(settings));
        bench->connect("stream", stream);
        ASSERT_TRUE(bench->power_on());
        registers.emplace(bench->window("registers"));
        write(lcr, 0x03);
        write(mcr, 0x0b);  // DTR, RTS, OUT2
    }
    void SetUp() override { start(); }

    std::uint8_t read(unsigned offset) { return registers->read8(offset); }
    void write(unsigned offset, std::uint8_t value) { registers->write8(offset, value); }
    bool irq() { return bench->level("irq"); }
    std::string receive_all() {
        std::string text;
        while ((read(lsr) & 0x01) != 0)
            text.push_back(static_cast<char>(read(rbr)));
        return text;
    }
    void set_divisor(std::uint16_t divisor) {
        write(lcr, 0x83);
        write(0, static_cast<std::uint8_t>(divisor));
        write(1, static_cast<std::uint8_t>(divisor >> 8));
        write(lcr, 0x03);
    }

    FakeCharacter stream;
    std::optional<DeviceBench> bench;
    std::optional<testing::WindowProbe> registers;
};

TEST_F(Uart16550Test, SendsAtOnceAndStaysReady) {
    for (const char byte : std::string{"hello\xff"})
        write(thr, static_cast<std::uint8_t>(byte));
    EXPECT_EQ(stream.sent, "hello\xff");
    EXPECT_EQ(read(lsr), 0x60);
    EXPECT_EQ(bench->statistic("bytes.sent"), 6u);
}

TEST_F(Uart16550Test, WithoutAStreamBytesVanishAndModemLinesAreLow) {
    DeviceBench lone{type_of<Uart16550>()};
    ASSERT_TRUE(lone.power_on());
    lone.window("registers").write8(thr, 'x');
    EXPECT_EQ(lone.window("registers").read8(lsr), 0x60);
    EXPECT_EQ(lone.window("registers").read8(msr), 0x00);
}

TEST_F(Uart16550Test, AFullFarEndHoldsBackTheTransmitterWithoutLoss) {
    write(fcr, 0x01);
    stream.capacity = 2;
    for (const char byte : std::string{"abcdefgh"})
        write(thr, static_cast<std::uint8_t>(byte));
    EXPECT_EQ(stream.sent, "ab");
    EXPECT_EQ(read(lsr) & 0x60, 0);
    stream.capacity = 5;
    bench->advance(2ms);
    EXPECT_EQ(stream.sent, "abcde");
    stream.capacity = 100;
    bench->advance(2ms);
    EXPECT_EQ(stream.sent, "abcdefgh");
    EXPECT_EQ(read(lsr) & 0x60, 0x60);
}

TEST_F(Uart16550Test, WithoutFifosOneByteIsReceivedAtATime) {
    stream.type("abc");
    EXPECT_EQ(stream.waiting, "bc");
    EXPECT_EQ(receive_all(), "abc");
    EXPECT_EQ(read(rbr), 0);
}

TEST_F(Uart16550Test, WithFifosNothingIsLostHoweverMuchIsTyped) {
    write(fcr, 0xc1);
    std::string text;
    for (int i = 0; i < 1000; ++i)
        text += static_cast<char>('a' + i % 26);
    stream.type(text);
    EXPECT_EQ(stream.waiting.size(), 1000u - 16);
    EXPECT_EQ(receive_all(), text);
    EXPECT_EQ(read(lsr) & 0x02, 0) << "no overrun";
}

TEST_F(Uart16550Test, RtsFlowControlKeepsInputUntilThePortIsOpen) {
    start({{"flow-control", "rts"}});
    write(mcr, 0x08);
    stream.type("early");
    write(fcr, 0x07);  // a driver's start-up clears the FIFOs
    EXPECT_EQ(read(lsr) & 0x01, 0);
    write(mcr, 0x0b);
    EXPECT_EQ(receive_all(), "early");
}

TEST_F(Uart16550Test, BytesTypedBeforeTheResetAreNotLost) {
    FakeCharacter eager;
    eager.type("x");
    DeviceBench other{type_of<Uart16550>()};
    other.connect("stream", eager);
    other.power_on();
    EXPECT_EQ(other.window("registers").read8(rbr), 'x');
}

TEST_F(Uart16550Test, IirNamesTheFifos) {
    EXPECT_EQ(read(iir), 0x01);
    write(fcr, 0x01);
    EXPECT_EQ(read(iir), 0xc1);
    write(fcr, 0xc0);  // without bit 0 the rest is not programmed
    EXPECT_EQ(read(iir), 0x01);
}

TEST_F(Uart16550Test, EnablingTheTransmitterInterruptRaisesItEachTime) {
    write(ier, 0x02);
    EXPECT_TRUE(irq());
    EXPECT_EQ(read(iir), 0x02);
    EXPECT_FALSE(irq()) << "reading IIR took it";
    EXPECT_EQ(read(iir), 0x01);
    write(ier, 0x00);
    write(ier, 0x02);
    EXPECT_TRUE(irq());
    EXPECT_EQ(read(iir), 0x02);
}

TEST_F(Uart16550Test, EachSentByteMakesANewEdge) {
    write(ier, 0x02);
    read(iir);
    bench->rises("irq");
    write(thr, 'a');
    EXPECT_EQ(bench->rises("irq"), 1u);
    write(thr, 'b');
    EXPECT_EQ(bench->rises("irq"), 1u);
    EXPECT_TRUE(irq());
}

TEST_F(Uart16550Test, ReadingIirForAnotherReasonKeepsTheTransmitterInterrupt) {
    write(ier, 0x03);
    stream.type("x");
    EXPECT_EQ(read(iir), 0x04);
    read(rbr);
    EXPECT_EQ(read(iir), 0x02);
}

TEST_F(Uart16550Test, ReceiveInterruptComesAtTheTriggerLevel) {
    write(fcr, 0x81);  // 8 characters
    write(ier, 0x01);
    stream.type("1234567");
    EXPECT_FALSE(irq());
    stream.type("8");
    EXPECT_TRUE(irq());
    EXPECT_EQ(read(iir), 0xc4);
    read(rbr);
    EXPECT_FALSE(irq());
}

TEST_F(Uart16550Test, FewerCharactersTimeOutAfterFourCharacterTimes) {
    set_divisor(1);  // 115200 baud: 86.8 us for a character
    write(fcr, 0x81);
    write(ier, 0x01);
    stream.type("12");
    bench->advance(347us);
    EXPECT_FALSE(irq());
    bench->advance(1us);
    EXPECT_TRUE(irq());
    EXPECT_EQ(read(iir), 0xcc);
    EXPECT_EQ(read(iir), 0xcc) << "only reading the FIFO ends it";
    read(rbr);
    EXPECT_FALSE(irq());
    bench->advance(348us);
    EXPECT_EQ(read(iir), 0xcc);
    read(rbr);
    bench->advance(1s);
    EXPECT_FALSE(irq());
}

TEST_F(Uart16550Test, ClearingTheReceiverFifoForgetsItsInterrupt) {
    write(fcr, 0x01);
    write(ier, 0x01);
    stream.type("abc");
    EXPECT_TRUE(irq());
    write(fcr, 0x03);
    EXPECT_FALSE(irq());
    EXPECT_EQ(read(lsr), 0x60);
}

TEST_F(Uart16550Test, ABreakIsANulWithItsErrorAndALineStatusInterrupt) {
    write(fcr, 0x01);
    write(ier, 0x05);
    stream.send_break();
    EXPECT_EQ(read(iir), 0xc6);
    EXPECT_EQ(read(lsr), 0xf1) << "BI, FIFO error, data ready";
    EXPECT_EQ(read(lsr), 0x61);
    EXPECT_EQ(read(iir), 0xc4);
    EXPECT_EQ(read(rbr), 0);
}

TEST_F(Uart16550Test, ErrorsShowWhenTheirCharacterIsAtTheTop) {
    write(fcr, 0x01);
    stream.type("a");
    stream.send_break();
    EXPECT_EQ(read(lsr) & 0x9e, 0x80);
    read(rbr);
    EXPECT_EQ(read(lsr) & 0x9e, 0x90);
    EXPECT_EQ(read(lsr) & 0x9e, 0x00);
}

TEST_F(Uart16550Test, LoopbackReturnsWhatIsSent) {
    write(mcr, 0x1b);
    write(thr, 0xa5);
    EXPECT_EQ(stream.sent, "");
    EXPECT_EQ(read(lsr) & 0x01, 0x01);
    EXPECT_EQ(read(rbr), 0xa5);
    stream.type("kept");
    EXPECT_EQ(read(lsr) & 0x01, 0);
    write(mcr, 0x0b);
    EXPECT_EQ(receive_all(), "kept");
}

TEST_F(Uart16550Test, LoopbackMasksToTheWordLength) {
    write(lcr, 0x00);  // 5 bits
    write(mcr, 0x10);
    write(thr, 0xff);
    EXPECT_EQ(read(rbr), 0x1f);
}

TEST_F(Uart16550Test, OverrunIsReportedInLoopback) {
    write(mcr, 0x18);
    write(thr, 'a');
    write(thr, 'b');
    EXPECT_EQ(read(lsr) & 0x03, 0x03);
    EXPECT_EQ(read(lsr) & 0x02, 0);
    EXPECT_EQ(read(rbr), 'b') << "without FIFOs the new character replaces the old";
    write(fcr, 0x01);
    for (int i = 0; i < 17; ++i)
        write(thr, static_cast<std::uint8_t>('0' + i));
    EXPECT_EQ(read(lsr) & 0x03, 0x03);
    EXPECT_EQ(read(rbr), '0');
}

TEST_F(Uart16550Test, LoopbackConnectsTheModemLines) {
    read(msr);
    write(mcr, 0x1a);  // RTS and OUT2: what Linux probes with
    EXPECT_EQ(read(msr) & 0xf0, 0x90);
    write(mcr, 0x15);
    EXPECT_EQ(read(msr) & 0xf0, 0x60);
}

TEST_F(Uart16550Test, ModemStatusChangesAreDeltasUntilRead) {
    EXPECT_EQ(read(msr), 0xb0);
    write(ier, 0x08);
    stream.set_connected(false);
    EXPECT_TRUE(irq());
    EXPECT_EQ(read(iir), 0x00);
    EXPECT_EQ(read(msr), 0x0b);
    EXPECT_FALSE(irq());
    stream.set_connected(true);
    EXPECT_EQ(read(msr), 0xbb);
}

TEST_F(Uart16550Test, OfTheRingIndicatorOnlyTheTrailingEdgeCounts) {
    write(mcr, 0x10);
    read(msr);
    write(mcr, 0x14);
    EXPECT_EQ(read(msr), 0x40);
    write(mcr, 0x10);
    EXPECT_EQ(read(msr), 0x04);
}

TEST_F(Uart16550Test, InterruptsNeedOut2) {
    write(mcr, 0x03);
    write(ier, 0x02);
    EXPECT_FALSE(irq());
    write(mcr, 0x0b);
    EXPECT_TRUE(irq());
}

TEST_F(Uart16550Test, TheDivisorLatchHidesBehindDlab) {
    set_divisor(0x1234);
    EXPECT_EQ(read(ier), 0);
    write(lcr, 0x83);
    EXPECT_EQ(read(0), 0x34);
    EXPECT_EQ(read(1), 0x12);
    write(thr, 0x55);
    EXPECT_EQ(stream.sent, "");
}

TEST_F(Uart16550Test, UnusedBitsReadAsZeroAndScratchKeepsItsByte) {
    write(ier, 0xff);
    EXPECT_EQ(read(ier), 0x0f);
    write(mcr, 0xef);
    EXPECT_EQ(read(mcr), 0x0f);
    write(scr, 0xa5);
    EXPECT_EQ(read(scr), 0xa5);
}

TEST_F(Uart16550Test, PacedTransmissionTakesACharacterTimeEach) {
    start({{"paced", true}});
    set_divisor(12);  // 9600 baud: 1.0417 ms for a character
    write(fcr, 0x01);
    write(ier, 0x02);
    read(iir);
    write(thr, 'a');
    EXPECT_EQ(read(lsr) & 0x60, 0x20) << "THR is empty, the shift register is not";
    EXPECT_EQ(read(iir), 0xc2);
    write(thr, 'b');
    EXPECT_EQ(read(lsr) & 0x60, 0x00);
    bench->advance(1042us);
    EXPECT_EQ(stream.sent, "a");
    EXPECT_EQ(read(lsr) & 0x60, 0x20);
    bench->advance(1042us);
    EXPECT_EQ(stream.sent, "ab");
    EXPECT_EQ(read(lsr) & 0x60, 0x60);
}

TEST_F(Uart16550Test, PacedReceptionTakesACharacterTimeEach) {
    start({{"paced", true}});
    set_divisor(12);
    write(fcr, 0x01);
    stream.type("abc");
    EXPECT_EQ(receive_all(), "a");
    bench->advance(1ms);
    EXPECT_EQ(receive_all(), "");
    bench->advance(100us);
    EXPECT_EQ(receive_all(), "b");
    bench->advance(10ms);
    EXPECT_EQ(receive_all(), "c");
}

TEST_F(Uart16550Test, AResetKeepsDivisorAndScratch) {
    set_divisor(3);
    write(scr, 0x77);
    write(ier, 0x0f);
    bench->reset();
    EXPECT_EQ(read(ier), 0);
    EXPECT_EQ(read(scr), 0x77);
    write(lcr, 0x80);
    EXPECT_EQ(read(0), 3);
}

TEST_F(Uart16550Test, SurvivesASnapshotWithFullFifos) {
    write(fcr, 0x81);
    write(ier, 0x0f);
    stream.type("received");
    stream.capacity = 0;
    for (const char byte : std::string{"sent"})
        write(thr, static_cast<std::uint8_t>(byte));
    FakeCharacter far_end;
    far_end.capacity = 0;
    DeviceBench second{type_of<Uart16550>()};
    second.connect("stream", far_end);
    second.power_on();
    EXPECT_EQ(testing::round_trip(*bench, second), "");
    far_end.capacity = 100;
    second.advance(2ms);
    EXPECT_EQ(far_end.sent, "sent");
}

TEST_F(Uart16550Test, BearsRandomAccesses) {
    for (const bool paced : {false, true}) {
        start({{"paced", paced}});
        std::string text(50'000, 'x');
        stream.type(text);
        play_random_script(*bench, 16550);
        FakeCharacter far_end;
        DeviceBench second{type_of<Uart16550>(), {{"paced", paced}}};
        second.connect("stream", far_end);
        second.power_on();
        stream.waiting.clear();
        EXPECT_EQ(testing::round_trip(*bench, second, 1ms), "");
    }
}

}  // namespace
}  // namespace backplane::chipset

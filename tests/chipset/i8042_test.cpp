#include "i8042.h"
#include "ps2_bench.h"
#include "ps2_keyboard.h"
#include "ps2_mouse.h"

namespace backplane::chipset {
namespace {

constexpr Duration byte_time = 100us;

class I8042Test : public ::testing::Test {
protected:
    int command(std::uint8_t value) {
        control.write8(0, value);
        return (control.read8(0) & 1) != 0 ? data.read8(0) : -1;
    }
    void command(std::uint8_t value, std::uint8_t parameter) {
        control.write8(0, value);
        data.write8(0, parameter);
    }
    int status() { return control.read8(0); }
    // What comes in from the devices within some time, those of the mouse + 0x100.
    std::vector<int> receive() {
        std::vector<int> bytes;
        for (int step = 0; step < 200; ++step) {
            if ((status() & 1) != 0) {
                const int mouse = (status() & 0x20) != 0 ? 0x100 : 0;
                bytes.push_back(mouse | data.read8(0));
            }
            bench.advance(byte_time);
        }
        return bytes;
    }

    DeviceBench bench{type_of<I8042>()};
    testing::WindowProbe data = bench.window("data");
    testing::WindowProbe control = bench.window("command");
};

class EmptyPorts : public I8042Test {
protected:
    EmptyPorts() { bench.power_on(); }
};

TEST_F(EmptyPorts, SelfTestPassesAndSetsTheSystemFlag) {
    EXPECT_EQ(status() & 0x05, 0);
    EXPECT_EQ(command(0xaa), 0x55);
    EXPECT_EQ(status() & 0x05, 0x04);
    EXPECT_EQ(command(0xab), 0x00);
    EXPECT_EQ(command(0xa9), 0x00);
    EXPECT_EQ(command(0xa4), 0xf1);
}

TEST_F(EmptyPorts, TheCommandByteIsReadBack) {
    control.write8(0, 0x60);
    EXPECT_EQ(status() & 0x08, 0x08);
    data.write8(0, 0x47);
    EXPECT_EQ(status() & 0x0c, 0x04);
    EXPECT_EQ(command(0x20), 0x47);
    command(0xad);
    command(0xa7);
    EXPECT_EQ(command(0x20), 0x77);
    command(0xae);
    command(0xa8);
    EXPECT_EQ(command(0x20), 0x47);
    command(0x65, 0x99);
    EXPECT_EQ(command(0x25), 0x99);
}

TEST_F(EmptyPorts, TheAuxiliaryLoopReturnsItsByteAsTheMouses) {
    command(0x60, 0x03);
    command(0xd3, 0x5a);
    EXPECT_EQ(status() & 0x21, 0x21);
    EXPECT_TRUE(bench.level("mouse-irq"));
    EXPECT_FALSE(bench.level("keyboard-irq"));
    EXPECT_EQ(data.read8(0), 0x5a);
    EXPECT_EQ(status() & 0x21, 0);
    EXPECT_FALSE(bench.level("mouse-irq"));
    command(0xd2, 0x1c);
    EXPECT_TRUE(bench.level("keyboard-irq"));
}

TEST_F(EmptyPorts, NobodyAnswers) {
    data.write8(0, 0xff);
    EXPECT_EQ(status() & 0x61, 0x41) << "timeout";
    EXPECT_EQ(data.read8(0), 0xfe);
    command(0xd4, 0xff);
    EXPECT_EQ(status() & 0x61, 0x61);
    EXPECT_EQ(data.read8(0), 0xfe);
    EXPECT_EQ(status() & 0x61, 0);
}

TEST_F(EmptyPorts, AnAnswerWaitsForTheByteBeforeIt) {
    command(0xd3, 0x11);
    command(0x60, 0x03);
    control.write8(0, 0xaa);
    EXPECT_EQ(status() & 0x21, 0x21);
    EXPECT_EQ(data.read8(0), 0x11);
    EXPECT_EQ(status() & 0x21, 0x01);
    EXPECT_EQ(data.read8(0), 0x55);
    EXPECT_EQ(status() & 0x21, 0x00);
    EXPECT_EQ(data.read8(0), 0x55) << "an empty buffer keeps its byte";
}

TEST_F(EmptyPorts, TheInputPortIsReadAndPolled) {
    EXPECT_EQ(command(0xc0), 0xb0);
    EXPECT_EQ(command(0xc2), -1);
    EXPECT_EQ(status() & 0xf0, 0xb0);
    EXPECT_EQ(command(0xc1), -1);
    EXPECT_EQ(status() & 0xf0, 0x00);
    EXPECT_EQ(command(0xe0), 0x00) << "both clocks are held low";
    EXPECT_EQ(status() & 0xf0, 0x10);
    command(0xae);
    EXPECT_EQ(command(0xe0), 0x01);
    command(0xa8);
    EXPECT_EQ(command(0xe0), 0x03);
}

TEST_F(EmptyPorts, APasswordIsSwallowedUpToItsZero) {
    command(0xa5, 0x1c);
    data.write8(0, 0x32);
    data.write8(0, 0x00);
    EXPECT_EQ(status() & 0x01, 0) << "nothing went to the keyboard port";
    EXPECT_EQ(command(0xa4), 0xf1);
}

TEST_F(EmptyPorts, PulsingBit0OfTheOutputPortResets) {
    control.write8(0, 0xf1);
    EXPECT_TRUE(bench.reset_requests().empty());
    control.write8(0, 0xfe);
    EXPECT_EQ(bench.reset_requests().size(), 1u);
    command(0xd1, 0xfe);
    EXPECT_EQ(bench.reset_requests().size(), 2u);
}

TEST_F(EmptyPorts, TheOutputPortHoldsTheA20GateAndTheInterrupts) {
    EXPECT_EQ(command(0xd0) & 0x33, 0x03);
    command(0xd1, 0xdd);
    EXPECT_FALSE(bench.level("a20"));
    EXPECT_EQ(command(0xd0) & 0x33, 0x01) << "bits 4 and 5 are not written";
    command(0xdf);
    EXPECT_TRUE(bench.level("a20"));
    EXPECT_EQ(command(0xd0) & 0x02, 0x02);
    command(0xdd);
    EXPECT_FALSE(bench.level("a20"));
    bench.reset();
    EXPECT_TRUE(bench.level("a20"));
}

TEST_F(EmptyPorts, UnknownCommandsAreIgnored) {
    for (const std::uint8_t value : {0x00, 0x80, 0xa0, 0xb0, 0xca, 0xef}) {
        EXPECT_EQ(command(value), -1);
        EXPECT_EQ(status() & 0x09, 0x08);
    }
}

class FakeDevices : public I8042Test {
protected:
    FakeDevices() { bench.connect("keyboard", keyboard).connect("mouse", mouse).power_on(); }
    FakePs2Device keyboard, mouse;
};

TEST_F(FakeDevices, ADisabledPortHoldsItsBytesBack) {
    keyboard.send({0x1c});
    mouse.send({0x08});
    EXPECT_EQ(receive(), std::vector<int>{});
    command(0xa8);
    EXPECT_EQ(receive(), std::vector<int>{0x108});
    command(0xae);
    EXPECT_EQ(receive(), std::vector<int>{0x1c});
}

TEST_F(FakeDevices, AByteTakesItsTimeOnTheWire) {
    command(0x60, 0x01);
    keyboard.send({0x1c, 0x32});
    EXPECT_FALSE(bench.level("keyboard-irq"));
    bench.advance(byte_time);
    EXPECT_TRUE(bench.level("keyboard-irq"));
    EXPECT_EQ(data.read8(0), 0x1c);
    EXPECT_FALSE(bench.level("keyboard-irq"));
    EXPECT_EQ(data.read8(0), 0x1c) << "a second handler sees the same byte";
    bench.advance(byte_time - 1ns);
    EXPECT_FALSE(bench.level("keyboard-irq"));
    bench.advance(1ns);
    EXPECT_EQ(data.read8(0), 0x32);
    bench.advance(1s);
    EXPECT_EQ(bench.rises("keyboard-irq"), 2u);
    EXPECT_EQ(bench.statistic("bytes.keyboard"), 2u);
    EXPECT_EQ(bench.statistic("bytes.mouse"), 0u);
}

TEST_F(FakeDevices, InterruptsAreAskedForInTheCommandByte) {
    command(0x60, 0x02);
    keyboard.send({0x1c});
    bench.advance(1ms);
    EXPECT_EQ(status() & 0x21, 0x01);
    EXPECT_FALSE(bench.level("keyboard-irq"));
    control.write8(0, 0xd0);
    EXPECT_EQ(data.read8(0), 0x1c);
    EXPECT_EQ(data.read8(0) & 0x30, 0x10);
    mouse.send({0x08});
    bench.advance(1ms);
    EXPECT_TRUE(bench.level("mouse-irq"));
    command(0x60, 0x00);
    EXPECT_FALSE(bench.level("mouse-irq"));
}

TEST_F(FakeDevices, TheKeyboardGoesFirst) {
    command(0x60, 0x00);
    mouse.send({1, 2, 3});
    bench.advance(byte_time);
    keyboard.send({4, 5});
    EXPECT_EQ(receive(), (std::vector<int>{0x101, 4, 5, 0x102, 0x103}));
}

TEST_F(FakeDevices, AnswersOfTheControllerGoBeforeBytesOfTheDevices) {
    command(0x60, 0x00);
    keyboard.send({0x1c});
    bench.advance(byte_time / 2);
    control.write8(0, 0x20);
    bench.advance(1ms);
    EXPECT_EQ(data.read8(0), 0x00);
    EXPECT_EQ(data.read8(0), 0x1c) << "it had arrived, and waited";
}

TEST_F(FakeDevices, Set2IsTranslatedToSet1) {
    command(0x60, 0x40);
    keyboard.send({0x1c, 0xf0, 0x1c, 0xe0, 0x75, 0xe0, 0xf0, 0x75, 0x83, 0xf0, 0x83, 0xfa, 0xaa});
    EXPECT_EQ(receive(),
              (std::vector<int>{0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8, 0x41, 0xc1, 0xfa, 0xaa}));
    mouse.send({0x1c, 0xf0});
    EXPECT_EQ(receive(), (std::vector<int>{0x11c, 0x1f0}));
    command(0xd2, 0x1c);
    EXPECT_EQ(receive(), std::vector<int>{0x1c}) << "what the guest put there is not translated";
}

TEST_F(FakeDevices, BytesForDevicesReachThem) {
    data.write8(0, 0xf4);
    EXPECT_EQ(keyboard.written, std::vector<int>{0xf4});
    EXPECT_EQ(command(0x20) & 0x10, 0) << "which enables the keyboard";
    command(0xd4, 0xf4);
    EXPECT_EQ(mouse.written, std::vector<int>{0xf4});
    data.write8(0, 0xed);
    EXPECT_EQ(keyboard.written, (std::vector<int>{0xf4, 0xed}));
    EXPECT_EQ(status() & 0x01, 0);
}

TEST_F(FakeDevices, AResetForgetsWhatWasUnderWay) {
    command(0x60, 0x43);
    keyboard.send({0xf0, 0x1c});
    bench.advance(byte_time + byte_time / 2);
    bench.reset();
    EXPECT_EQ(command(0x20), 0x30);
    keyboard.send({0x1c});
    command(0x60, 0x40);
    EXPECT_EQ(receive(), std::vector<int>{0x1e}) << "no break code is remembered";
}

TEST_F(FakeDevices, SurviveASnapshotWithAByteUnderWay) {
    command(0x60, 0x43);
    keyboard.send({0xf0, 0x1c});
    bench.advance(byte_time + byte_time / 2);
    command(0xd3, 0x77);
    control.write8(0, 0x20);
    FakePs2Device other_keyboard, other_mouse;
    DeviceBench second{type_of<I8042>()};
    second.connect("keyboard", other_keyboard).connect("mouse", other_mouse).power_on();
    EXPECT_EQ(testing::round_trip(bench, second), "");
    const auto other = second.window("data");
    for (const int expected : {0x77, 0x43, 0x9e}) {
        EXPECT_EQ(data.read8(0), expected);
        EXPECT_EQ(other.read8(0), expected);
    }
}

TEST_F(FakeDevices, BearRandomAccesses) {
    play_random_script(bench, 8042);
    DeviceBench second{type_of<I8042>()};
    second.power_on();
    EXPECT_EQ(testing::round_trip(bench, second), "");
}

class RealDevices : public I8042Test {
protected:
    RealDevices() {
        bench.connect("keyboard", keyboard, "plug").connect("mouse", mouse, "plug").power_on();
        keyboard.power_on();
        mouse.power_on();
        command(0x60, 0x47);
        EXPECT_EQ(receive(), std::vector<int>{}) << "nothing comes unasked for";
    }

    testing::FakeClock& clock = bench.clock();
    DeviceBench keyboard{type_of<Ps2Keyboard>(), {}, &clock};
    DeviceBench mouse{type_of<Ps2Mouse>(), {}, &clock};
};

TEST_F(RealDevices, KeysAndMovementReachTheGuest) {
    data.write8(0, 0xff);
    EXPECT_EQ(receive(), (std::vector<int>{0xfa, 0xaa}));
    command(0xd4, 0xf4);
    EXPECT_EQ(receive(), std::vector<int>{0x1fa});
    const backplane_input_event key{BACKPLANE_INPUT_KEY, BACKPLANE_KEY_A, 1};
    keyboard.service<backplane_input>("input").call<&backplane_input::send>(&key, 1u);
    const backplane_input_event move{BACKPLANE_INPUT_RELATIVE, BACKPLANE_RELATIVE_X, 5};
    mouse.service<backplane_input>("input").call<&backplane_input::send>(&move, 1u);
    EXPECT_EQ(receive(), (std::vector<int>{0x1e, 0x108, 0x105, 0x100}));
}

TEST_F(RealDevices, TheKeyboardTellsItsIdTranslated) {
    data.write8(0, 0xf2);
    EXPECT_EQ(receive(), (std::vector<int>{0xfa, 0xab, 0x41}));
    data.write8(0, 0xf0);
    EXPECT_EQ(receive(), std::vector<int>{0xfa});
    data.write8(0, 0x00);
    EXPECT_EQ(receive(), (std::vector<int>{0xfa, 0x41}));
}

}  // namespace
}  // namespace backplane::chipset

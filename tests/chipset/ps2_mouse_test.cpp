#include "ps2_bench.h"
#include "ps2_mouse.h"

namespace backplane::chipset {
namespace {

using Bytes = std::vector<int>;

class Ps2MouseTest : public ::testing::Test, protected Ps2DeviceBench {
protected:
    explicit Ps2MouseTest(const char* model = "explorer")
        : Ps2DeviceBench{type_of<Ps2Mouse>(), {{"model", std::string{model}}}} {
        EXPECT_EQ(read(), Bytes{}) << "its self-test is long over";
    }

    void move(int x, int y, int wheel = 0) {
        send({{BACKPLANE_INPUT_RELATIVE, BACKPLANE_RELATIVE_X, x},
              {BACKPLANE_INPUT_RELATIVE, BACKPLANE_RELATIVE_Y, y},
              {BACKPLANE_INPUT_RELATIVE, BACKPLANE_RELATIVE_WHEEL, wheel}});
    }
    Bytes moved(int x, int y, int wheel = 0) {
        move(x, y, wheel);
        const Bytes packet = read();
        bench.advance(1s);
        return packet;
    }
    void enable() { EXPECT_EQ(write({0xf4}), Bytes{0xfa}); }
    int id() { return write({0xf2}).at(1); }
    void set_rates(std::initializer_list<std::uint8_t> rates) {
        for (const std::uint8_t rate : rates)
            EXPECT_EQ(write({0xf3, rate}), (Bytes{0xfa, 0xfa}));
    }
};

TEST_F(Ps2MouseTest, IsSilentUntilEnabled) {
    EXPECT_EQ(moved(1, 1), Bytes{});
    enable();
    EXPECT_EQ(read(), Bytes{}) << "what came before is forgotten";
    EXPECT_EQ(moved(3, 2), (Bytes{0x28, 0x03, 0xfe})) << "down is negative";
    EXPECT_EQ(moved(-3, -2), (Bytes{0x18, 0xfd, 0x02}));
    EXPECT_EQ(write({0xf5}), Bytes{0xfa});
    EXPECT_EQ(moved(1, 1), Bytes{});
    EXPECT_EQ(input.call<&backplane_input::accepts>(), BACKPLANE_INPUT_ACCEPTS_RELATIVE);
}

TEST_F(Ps2MouseTest, ButtonsAreReportedWhenTheyChange) {
    enable();
    press(BACKPLANE_BUTTON_LEFT);
    EXPECT_EQ(read(), (Bytes{0x09, 0, 0}));
    bench.advance(10ms);
    press(BACKPLANE_BUTTON_RIGHT);
    EXPECT_EQ(read(), (Bytes{0x0b, 0, 0}));
    bench.advance(10ms);
    send({{BACKPLANE_INPUT_KEY, BACKPLANE_BUTTON_MIDDLE, 1},
          {BACKPLANE_INPUT_RELATIVE, BACKPLANE_RELATIVE_X, 1}});
    EXPECT_EQ(read(), (Bytes{0x0f, 1, 0})) << "together in one packet";
    bench.advance(10ms);
    press(BACKPLANE_BUTTON_LEFT);
    EXPECT_EQ(read(), Bytes{}) << "it was down already";
    press(BACKPLANE_KEY_A);
    EXPECT_EQ(read(), Bytes{});
}

TEST_F(Ps2MouseTest, AClickBetweenTwoSamplesIsNotLost) {
    enable();
    move(1, 0);
    EXPECT_EQ(read(), (Bytes{0x08, 1, 0}));
    press(BACKPLANE_BUTTON_LEFT);
    release(BACKPLANE_BUTTON_LEFT);
    move(2, 0);
    EXPECT_EQ(read(), Bytes{});
    bench.advance(10ms);
    EXPECT_EQ(read(), (Bytes{0x09, 0, 0}));
    bench.advance(10ms);
    EXPECT_EQ(read(), (Bytes{0x08, 2, 0}));
    bench.advance(1s);
    EXPECT_EQ(read(), Bytes{});
}

TEST_F(Ps2MouseTest, LongWaysTakeSeveralPackets) {
    enable();
    move(600, -256);
    EXPECT_EQ(read(), (Bytes{0x08, 255, 255}));
    bench.advance(10ms);
    EXPECT_EQ(read(), (Bytes{0x08, 255, 1}));
    bench.advance(10ms);
    EXPECT_EQ(read(), (Bytes{0x08, 90, 0}));
    move(-256, 0);
    bench.advance(10ms);
    EXPECT_EQ(read(), (Bytes{0x18, 0x01, 0}));
    bench.advance(10ms);
    EXPECT_EQ(read(), (Bytes{0x18, 0xff, 0}));
}

TEST_F(Ps2MouseTest, EndlessMovementHasAnEnd) {
    enable();
    for (int i = 0; i < 10; ++i)
        move(INT32_MAX, INT32_MIN, INT32_MIN);
    int packets = 0;
    for (; !read().empty(); bench.advance(10ms))
        ++packets;
    EXPECT_EQ(packets, 1 + (0x7fff + 254) / 255) << "one went at once";
}

TEST_F(Ps2MouseTest, SamplesAtItsRate) {
    set_rates({20});
    enable();
    int packets = 0;
    for (int step = 0; step < 1000; ++step) {
        move(1, 0);
        packets += !read().empty();
        bench.advance(1ms);
    }
    EXPECT_EQ(packets, 20);
    EXPECT_EQ(bench.statistic("packets"), 21u) << "one more at the end of the second";
}

TEST_F(Ps2MouseTest, APacketWaitsForTheOneBefore) {
    enable();
    move(1, 0);
    bench.advance(100ms);
    move(2, 0);
    move(3, 0);
    bench.advance(100ms);
    EXPECT_EQ(read(), (Bytes{0x08, 1, 0}));
    bench.advance(10ms);
    EXPECT_EQ(read(), (Bytes{0x08, 5, 0}));
}

TEST_F(Ps2MouseTest, StatusTellsEverything) {
    EXPECT_EQ(write({0xe9}), (Bytes{0xfa, 0x00, 0x02, 100}));
    enable();
    write({0xe8, 0x03, 0xe7});
    set_rates({60});
    press(BACKPLANE_BUTTON_LEFT);
    EXPECT_EQ(write({0xe9}), (Bytes{0xfa, 0x34, 0x03, 60}));
    release(BACKPLANE_BUTTON_LEFT);
    press(BACKPLANE_BUTTON_RIGHT);
    EXPECT_EQ(write({0xf0, 0xe6, 0xe9}), (Bytes{0xfa, 0xfa, 0xfa, 0x61, 0x03, 60}));
    EXPECT_EQ(write({0xf6, 0xe9}), (Bytes{0xfa, 0xfa, 0x01, 0x02, 100}));
}

TEST_F(Ps2MouseTest, WrongParametersAreRefused) {
    EXPECT_EQ(write({0xe8, 0x04}), (Bytes{0xfa, 0xfe}));
    EXPECT_EQ(write({0x05}), Bytes{0xfc}) << "twice in a row is an error";
    EXPECT_EQ(write({0xf3, 0x05}), (Bytes{0xfa, 0xfe}));
    EXPECT_EQ(write({0xe1}), Bytes{0xfc});
    EXPECT_EQ(write({0xe9}), (Bytes{0xfa, 0x00, 0x02, 100})) << "and nothing has changed";
    EXPECT_EQ(write({0xf1}), Bytes{0xfe});
}

TEST_F(Ps2MouseTest, RemoteModeAnswersWhenAsked) {
    EXPECT_EQ(write({0xf0}), Bytes{0xfa});
    enable();
    EXPECT_EQ(moved(3, 0), Bytes{});
    move(2, 0);
    EXPECT_EQ(write({0xeb}), (Bytes{0xfa, 0x08, 5, 0}));
    EXPECT_EQ(write({0xeb}), (Bytes{0xfa, 0x08, 0, 0}));
    EXPECT_EQ(write({0xea}), Bytes{0xfa});
    EXPECT_EQ(moved(1, 0), (Bytes{0x08, 1, 0}));
    EXPECT_EQ(write({0xfe}), (Bytes{0x08, 1, 0})) << "the last packet again";
}

TEST_F(Ps2MouseTest, WrapModeEchoes) {
    enable();
    EXPECT_EQ(write({0xee}), Bytes{0xfa});
    EXPECT_EQ(write({0x55, 0xf2, 0xe9}), (Bytes{0x55, 0xf2, 0xe9}));
    EXPECT_EQ(moved(1, 0), Bytes{});
    EXPECT_EQ(write({0xec}), Bytes{0xfa});
    EXPECT_EQ(moved(2, 0), (Bytes{0x08, 2, 0}));
    write({0xee});
    EXPECT_EQ(write({0xff}), Bytes{0xfa});
    bench.advance(1s);
    EXPECT_EQ(read(), (Bytes{0xaa, 0x00}));
}

TEST_F(Ps2MouseTest, ScalingDoublesWhatIsMovedByItself) {
    enable();
    write({0xe7});
    const std::vector<std::pair<int, int>> table{{1, 1}, {2, 1},  {3, 3},    {4, 6},
                                                 {5, 9}, {6, 12}, {100, 200}};
    for (const auto& [counts, reported] : table) {
        EXPECT_EQ(moved(counts, 0), (Bytes{0x08, reported, 0})) << counts;
        EXPECT_EQ(moved(-counts, 0), (Bytes{0x18, 0x100 - reported, 0})) << counts;
    }
    move(4, 0);
    read();
    write({0xf0});
    move(4, 0);
    EXPECT_EQ(write({0xeb}), (Bytes{0xfa, 0x08, 4, 0})) << "not what is asked for";
}

TEST_F(Ps2MouseTest, TheWheelComesOutWithTheRightKnock) {
    EXPECT_EQ(id(), 0);
    set_rates({200, 100, 80});
    EXPECT_EQ(id(), 3);
    enable();
    EXPECT_EQ(moved(1, 0, -2), (Bytes{0x08, 1, 0, 2})) << "towards the user is positive";
    EXPECT_EQ(moved(0, 0, 1), (Bytes{0x08, 0, 0, 0xff}));
    press(BACKPLANE_BUTTON_SIDE);
    EXPECT_EQ(read(), (Bytes{0x08, 0, 0, 0})) << "there are only three buttons";
}

TEST_F(Ps2MouseTest, FiveButtonsComeOutWithAnother) {
    set_rates({200, 100, 80, 200, 200, 80});
    EXPECT_EQ(id(), 4);
    set_rates({200, 100, 80});
    EXPECT_EQ(id(), 4);
    enable();
    EXPECT_EQ(moved(0, 0, 1), (Bytes{0x08, 0, 0, 0x0f}));
    move(0, 0, -10);
    EXPECT_EQ(read(), (Bytes{0x08, 0, 0, 0x07}));
    bench.advance(13ms);
    EXPECT_EQ(read(), (Bytes{0x08, 0, 0, 0x03}));
    bench.advance(13ms);
    press(BACKPLANE_BUTTON_SIDE);
    EXPECT_EQ(read(), (Bytes{0x08, 0, 0, 0x10}));
    bench.advance(13ms);
    press(BACKPLANE_BUTTON_EXTRA);
    EXPECT_EQ(read(), (Bytes{0x08, 0, 0, 0x30}));
    write({0xf6});
    EXPECT_EQ(id(), 4);
    write({0xff});
    bench.advance(1s);
    read();
    EXPECT_EQ(id(), 0);
}

class OlderMouse : public Ps2MouseTest, public ::testing::WithParamInterface<const char*> {
protected:
    OlderMouse() : Ps2MouseTest{GetParam()} {}
};

TEST_P(OlderMouse, DoesNotBecomeWhatItIsNot) {
    set_rates({200, 100, 80, 200, 200, 80});
    EXPECT_EQ(id(), std::string_view{GetParam()} == "ps2" ? 0 : 3);
}

INSTANTIATE_TEST_SUITE_P(Models, OlderMouse, ::testing::Values("ps2", "intellimouse"));

TEST_F(Ps2MouseTest, WithoutAWheelNobodyHearsIt) {
    enable();
    EXPECT_EQ(moved(0, 0, 3), Bytes{});
}

TEST_F(Ps2MouseTest, MovementDuringACommandIsReportedAfterIt) {
    enable();
    EXPECT_EQ(write({0xe8}), Bytes{0xfa});
    move(7, 0);
    EXPECT_EQ(read(), Bytes{});
    EXPECT_EQ(write({0x01}), Bytes{0xfa});
    bench.advance(10ms);
    EXPECT_EQ(read(), (Bytes{0x08, 7, 0}));
}

TEST_F(Ps2MouseTest, TheMachinesResetDoesNotReachIt) {
    enable();
    bench.reset();
    EXPECT_EQ(moved(1, 0), (Bytes{0x08, 1, 0}));
    bench.reset(BACKPLANE_RESET_POWER_ON);
    EXPECT_EQ(moved(1, 0), Bytes{});
}

TEST_F(Ps2MouseTest, SurvivesASnapshotWithMovementToReport) {
    enable();
    move(1000, 20);
    press(BACKPLANE_BUTTON_LEFT);
    release(BACKPLANE_BUTTON_LEFT);
    bench.advance(5ms);
    EXPECT_EQ(testing::round_trip(bench), "");
    plug.call<&backplane_ps2::write>(std::uint8_t{0xff});
    EXPECT_EQ(testing::round_trip(bench), "");
}

TEST_F(Ps2MouseTest, BearsRandomAccesses) {
    play_random_script(bench, 200);
    EXPECT_EQ(testing::round_trip(bench), "");
}

}  // namespace
}  // namespace backplane::chipset

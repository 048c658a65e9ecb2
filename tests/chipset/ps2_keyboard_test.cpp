#include "ps2_bench.h"
#include "ps2_keyboard.h"
#include "ps2_translation.h"

#include <map>

namespace backplane::chipset {
namespace {

using Bytes = std::vector<int>;

class Ps2KeyboardTest : public ::testing::Test, protected Ps2DeviceBench {
protected:
    Ps2KeyboardTest() : Ps2DeviceBench{type_of<Ps2Keyboard>()} {
        EXPECT_EQ(read(), Bytes{}) << "its self-test is long over";
    }

    Bytes pressed(std::uint16_t code) {
        press(code);
        return read();
    }
    Bytes released(std::uint16_t code) {
        release(code);
        return read();
    }
    void use_set(std::uint8_t set) { EXPECT_EQ(write({0xf0, set}), (Bytes{0xfa, 0xfa})); }
    void set_num_lock() { EXPECT_EQ(write({0xed, 0x02}), (Bytes{0xfa, 0xfa})); }
};

TEST_F(Ps2KeyboardTest, SendsSet2WhenKeysMove) {
    EXPECT_EQ(pressed(BACKPLANE_KEY_A), Bytes{0x1c});
    EXPECT_EQ(released(BACKPLANE_KEY_A), (Bytes{0xf0, 0x1c}));
    EXPECT_EQ(pressed(BACKPLANE_KEY_RIGHT_CTRL), (Bytes{0xe0, 0x14}));
    EXPECT_EQ(released(BACKPLANE_KEY_RIGHT_CTRL), (Bytes{0xe0, 0xf0, 0x14}));
    EXPECT_EQ(pressed(BACKPLANE_KEY_F7), Bytes{0x83});
    EXPECT_EQ(bench.statistic("presses"), 3u);
}

TEST_F(Ps2KeyboardTest, AKeyThatIsDownIsNotPressedAgain) {
    EXPECT_EQ(pressed(BACKPLANE_KEY_A), Bytes{0x1c});
    EXPECT_EQ(pressed(BACKPLANE_KEY_A), Bytes{});
    EXPECT_EQ(released(BACKPLANE_KEY_B), Bytes{});
    EXPECT_EQ(released(BACKPLANE_KEY_A), (Bytes{0xf0, 0x1c}));
    EXPECT_EQ(released(BACKPLANE_KEY_A), Bytes{});
}

TEST_F(Ps2KeyboardTest, WhatItDoesNotHaveIsIgnored) {
    send({{BACKPLANE_INPUT_RELATIVE, BACKPLANE_RELATIVE_X, 1},
          {BACKPLANE_INPUT_ABSOLUTE, BACKPLANE_ABSOLUTE_X, 1},
          {BACKPLANE_INPUT_KEY, 0, 1},
          {BACKPLANE_INPUT_KEY, BACKPLANE_BUTTON_LEFT, 1},
          {BACKPLANE_INPUT_KEY, 0xffff, 1},
          {0xffff, BACKPLANE_KEY_A, 1}});
    EXPECT_EQ(read(), Bytes{});
    EXPECT_EQ(input.call<&backplane_input::accepts>(), BACKPLANE_INPUT_ACCEPTS_KEYS);
}

TEST_F(Ps2KeyboardTest, TheHostIsToldOfBytesOnce) {
    const int before = announced;
    press(BACKPLANE_KEY_A);
    EXPECT_GT(announced, before);
}

// Linux' and every BIOS' table of set 1, so that translation and set 2 are checked by each other.
TEST_F(Ps2KeyboardTest, Set1IsThatOfTheXtKeyboard) {
    use_set(1);
    // Up to F10 and the number pad, the input codes are those of set 1.
    for (std::uint16_t code = BACKPLANE_KEY_ESC; code <= BACKPLANE_KEY_KEYPAD_DOT; ++code) {
        EXPECT_EQ(pressed(code), Bytes{code}) << code;
        EXPECT_EQ(released(code), Bytes{code | 0x80}) << code;
    }
    const std::map<int, int> others{
        {BACKPLANE_KEY_102ND, 0x56},        {BACKPLANE_KEY_F11, 0x57},
        {BACKPLANE_KEY_F12, 0x58},          {BACKPLANE_KEY_RO, 0x73},
        {BACKPLANE_KEY_YEN, 0x7d},          {BACKPLANE_KEY_HENKAN, 0x79},
        {BACKPLANE_KEY_MUHENKAN, 0x7b},     {BACKPLANE_KEY_KATAKANA_HIRAGANA, 0x70},
        {BACKPLANE_KEY_KEYPAD_COMMA, 0x7e}, {BACKPLANE_KEY_F13, 0x64},
        {BACKPLANE_KEY_F24, 0x76}};
    for (const auto& [code, set1] : others)
        EXPECT_EQ(pressed(static_cast<std::uint16_t>(code)), Bytes{set1}) << code;
    const std::map<int, int> extended{
        {BACKPLANE_KEY_KEYPAD_ENTER, 0x1c},  {BACKPLANE_KEY_RIGHT_CTRL, 0x1d},
        {BACKPLANE_KEY_KEYPAD_SLASH, 0x35},  {BACKPLANE_KEY_RIGHT_ALT, 0x38},
        {BACKPLANE_KEY_HOME, 0x47},          {BACKPLANE_KEY_UP, 0x48},
        {BACKPLANE_KEY_PAGE_UP, 0x49},       {BACKPLANE_KEY_LEFT, 0x4b},
        {BACKPLANE_KEY_RIGHT, 0x4d},         {BACKPLANE_KEY_END, 0x4f},
        {BACKPLANE_KEY_DOWN, 0x50},          {BACKPLANE_KEY_PAGE_DOWN, 0x51},
        {BACKPLANE_KEY_INSERT, 0x52},        {BACKPLANE_KEY_DELETE, 0x53},
        {BACKPLANE_KEY_LEFT_META, 0x5b},     {BACKPLANE_KEY_RIGHT_META, 0x5c},
        {BACKPLANE_KEY_MENU, 0x5d},          {BACKPLANE_KEY_POWER, 0x5e},
        {BACKPLANE_KEY_SLEEP, 0x5f},         {BACKPLANE_KEY_WAKE, 0x63},
        {BACKPLANE_KEY_MUTE, 0x20},          {BACKPLANE_KEY_VOLUME_DOWN, 0x2e},
        {BACKPLANE_KEY_VOLUME_UP, 0x30},     {BACKPLANE_KEY_NEXT_SONG, 0x19},
        {BACKPLANE_KEY_PREVIOUS_SONG, 0x10}, {BACKPLANE_KEY_PLAY_PAUSE, 0x22},
        {BACKPLANE_KEY_STOP_CD, 0x24},       {BACKPLANE_KEY_CALCULATOR, 0x21},
        {BACKPLANE_KEY_MAIL, 0x6c},          {BACKPLANE_KEY_MEDIA, 0x6d},
        {BACKPLANE_KEY_COMPUTER, 0x6b},      {BACKPLANE_KEY_SEARCH, 0x65},
        {BACKPLANE_KEY_BOOKMARKS, 0x66},     {BACKPLANE_KEY_REFRESH, 0x67},
        {BACKPLANE_KEY_STOP, 0x68},          {BACKPLANE_KEY_FORWARD, 0x69},
        {BACKPLANE_KEY_BACK, 0x6a},          {BACKPLANE_KEY_HOME_PAGE, 0x32}};
    for (const auto& [code, set1] : extended) {
        release(BACKPLANE_KEY_LEFT_SHIFT);
        EXPECT_EQ(pressed(static_cast<std::uint16_t>(code)), (Bytes{0xe0, set1})) << code;
        EXPECT_EQ(released(static_cast<std::uint16_t>(code)), (Bytes{0xe0, set1 | 0x80})) << code;
    }
}

TEST_F(Ps2KeyboardTest, NoTwoKeysSendTheSame) {
    for (const std::uint8_t set : {1, 2, 3}) {
        use_set(set);
        std::map<Bytes, int> seen;
        for (const Ps2Key& key : ps2_keys()) {
            const Bytes codes = pressed(key.code);
            release(key.code);
            read();
            if (codes.empty()) continue;
            EXPECT_FALSE(seen.contains(codes)) << key.code << " and " << seen[codes];
            seen[codes] = key.code;
        }
        EXPECT_GE(seen.size(), 104u) << "in set " << int{set};
    }
}

TEST_F(Ps2KeyboardTest, PauseSendsAllAtOnceAndBreakWithControl) {
    EXPECT_EQ(pressed(BACKPLANE_KEY_PAUSE),
              (Bytes{0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77}));
    bench.advance(2s);
    EXPECT_EQ(released(BACKPLANE_KEY_PAUSE), Bytes{});
    press(BACKPLANE_KEY_LEFT_CTRL);
    read();
    EXPECT_EQ(pressed(BACKPLANE_KEY_PAUSE), (Bytes{0xe0, 0x7e, 0xe0, 0xf0, 0x7e}));
    release(BACKPLANE_KEY_LEFT_CTRL);
    release(BACKPLANE_KEY_PAUSE);
    use_set(1);
    EXPECT_EQ(pressed(BACKPLANE_KEY_PAUSE), (Bytes{0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5}));
}

TEST_F(Ps2KeyboardTest, PrintScreenDependsOnTheKeysHeldWithIt) {
    EXPECT_EQ(pressed(BACKPLANE_KEY_PRINT_SCREEN), (Bytes{0xe0, 0x12, 0xe0, 0x7c}));
    EXPECT_EQ(released(BACKPLANE_KEY_PRINT_SCREEN), (Bytes{0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12}));
    press(BACKPLANE_KEY_RIGHT_CTRL);
    read();
    EXPECT_EQ(pressed(BACKPLANE_KEY_PRINT_SCREEN), (Bytes{0xe0, 0x7c}));
    EXPECT_EQ(released(BACKPLANE_KEY_PRINT_SCREEN), (Bytes{0xe0, 0xf0, 0x7c}));
    press(BACKPLANE_KEY_LEFT_ALT);
    read();
    EXPECT_EQ(pressed(BACKPLANE_KEY_PRINT_SCREEN), Bytes{0x84});
    release(BACKPLANE_KEY_LEFT_ALT);
    read();
    EXPECT_EQ(released(BACKPLANE_KEY_PRINT_SCREEN), (Bytes{0xf0, 0x84}))
        << "released as it was pressed";
}

TEST_F(Ps2KeyboardTest, NumLockAndShiftAreHiddenFromTheNavigationKeys) {
    set_num_lock();
    EXPECT_EQ(pressed(BACKPLANE_KEY_LEFT), (Bytes{0xe0, 0x12, 0xe0, 0x6b}));
    EXPECT_EQ(released(BACKPLANE_KEY_LEFT), (Bytes{0xe0, 0xf0, 0x6b, 0xe0, 0xf0, 0x12}));
    press(BACKPLANE_KEY_RIGHT_SHIFT);
    read();
    EXPECT_EQ(pressed(BACKPLANE_KEY_LEFT), (Bytes{0xe0, 0x6b})) << "they make up for each other";
    EXPECT_EQ(released(BACKPLANE_KEY_LEFT), (Bytes{0xe0, 0xf0, 0x6b}));
    write({0xed, 0x00});
    EXPECT_EQ(pressed(BACKPLANE_KEY_LEFT), (Bytes{0xe0, 0xf0, 0x59, 0xe0, 0x6b}));
    EXPECT_EQ(released(BACKPLANE_KEY_LEFT), (Bytes{0xe0, 0xf0, 0x6b, 0xe0, 0x59}));
    EXPECT_EQ(pressed(BACKPLANE_KEY_KEYPAD_SLASH), (Bytes{0xe0, 0xf0, 0x59, 0xe0, 0x4a}));
    release(BACKPLANE_KEY_KEYPAD_SLASH);
    release(BACKPLANE_KEY_RIGHT_SHIFT);
    use_set(1);
    press(BACKPLANE_KEY_LEFT_SHIFT);
    read();
    EXPECT_EQ(pressed(BACKPLANE_KEY_DELETE), (Bytes{0xe0, 0xaa, 0xe0, 0x53}));
    EXPECT_EQ(released(BACKPLANE_KEY_DELETE), (Bytes{0xe0, 0xd3, 0xe0, 0x2a}));
}

TEST_F(Ps2KeyboardTest, AHeldKeyRepeatsInGuestTime) {
    press(BACKPLANE_KEY_A);
    read();
    bench.advance(500ms - 1ns);
    EXPECT_EQ(read(), Bytes{});
    bench.advance(1ns);
    EXPECT_EQ(read(), Bytes{0x1c});
    Bytes repeats;
    for (int step = 0; step < 1000; ++step) {
        bench.advance(1ms);
        for (const int byte : read())
            repeats.push_back(byte);
    }
    EXPECT_EQ(repeats.size(), 10u) << "10.9 characters a second";
    release(BACKPLANE_KEY_A);
    read();
    bench.advance(1s);
    EXPECT_EQ(read(), Bytes{});
}

TEST_F(Ps2KeyboardTest, TheRateAndDelayOfRepeatingAreSet) {
    EXPECT_EQ(write({0xf3, 0x00}), (Bytes{0xfa, 0xfa}));  // 250 ms, 30 a second
    press(BACKPLANE_KEY_UP);
    read();
    bench.advance(250ms);
    EXPECT_EQ(read(), (Bytes{0xe0, 0x75}));
    bench.advance(33ms);
    EXPECT_EQ(read(), Bytes{});
    bench.advance(1ms);
    EXPECT_EQ(read(), (Bytes{0xe0, 0x75})) << "without fake shifts";
    write({0xf3, 0x7f});  // 1 s, 2 a second
    bench.advance(34ms);
    read();
    press(BACKPLANE_KEY_B);
    read();
    bench.advance(999ms);
    EXPECT_EQ(read(), Bytes{}) << "only the last key repeats";
    bench.advance(1ms);
    EXPECT_EQ(read(), Bytes{0x32});
    bench.advance(499ms);
    EXPECT_EQ(read(), Bytes{});
    bench.advance(1ms);
    EXPECT_EQ(read(), Bytes{0x32});
    release(BACKPLANE_KEY_UP);
    read();
    bench.advance(500ms);
    EXPECT_EQ(read(), Bytes{0x32});
}

TEST_F(Ps2KeyboardTest, SixteenCodesAreKeptAndThenAnOverrun) {
    for (std::uint16_t code = BACKPLANE_KEY_1; code <= BACKPLANE_KEY_0; ++code)
        press(code);
    for (std::uint16_t code = BACKPLANE_KEY_1; code <= BACKPLANE_KEY_4; ++code)
        release(code);
    EXPECT_EQ(bench.statistic("overruns"), 1u);
    const Bytes codes = read();
    EXPECT_EQ(codes.size(), 17u);
    EXPECT_EQ(codes.back(), 0x00);
    EXPECT_EQ(codes[15], 0x26) << "the third release is the last that fits";
    EXPECT_EQ(released(BACKPLANE_KEY_5), (Bytes{0xf0, 0x2e}));
}

TEST_F(Ps2KeyboardTest, RoomTellsWhatFits) {
    const auto room = [this] { return input.call<&backplane_input::room>(); };
    EXPECT_EQ(room(), 16u);
    write({0xf5});
    EXPECT_EQ(room(), 0u) << "keys would go unheard";
    write({0xf4});
    while (room() >= 2) {
        press(BACKPLANE_KEY_RIGHT_CTRL);
        release(BACKPLANE_KEY_RIGHT_CTRL);
    }
    EXPECT_EQ(bench.statistic("overruns"), 0u);
    EXPECT_EQ(read().size(), 15u);
    EXPECT_EQ(room(), 16u);
}

TEST_F(Ps2KeyboardTest, ACombinationOfFourKeysFitsIntoAnEmptyBuffer) {
    const auto keys = {BACKPLANE_KEY_LEFT_CTRL, BACKPLANE_KEY_LEFT_ALT, BACKPLANE_KEY_LEFT_SHIFT,
                       BACKPLANE_KEY_ESC};
    ASSERT_GE(input.call<&backplane_input::room>(), 2 * keys.size());
    for (const auto key : keys)
        press(key);
    for (const auto key : keys)
        release(key);
    EXPECT_EQ(read().size(), 12u);
    EXPECT_EQ(bench.statistic("overruns"), 0u);
}

TEST_F(Ps2KeyboardTest, TheLampsAreSet) {
    EXPECT_EQ(write({0xed, 0x06}), (Bytes{0xfa, 0xfa}));
    EXPECT_EQ(input.call<&backplane_input::leds>(),
              1u << BACKPLANE_LED_CAPS_LOCK | 1u << BACKPLANE_LED_NUM_LOCK);
    EXPECT_EQ(write({0xed, 0x01}), (Bytes{0xfa, 0xfa}));
    EXPECT_EQ(input.call<&backplane_input::leds>(), 1u << BACKPLANE_LED_SCROLL_LOCK);
    EXPECT_EQ(write({0xed, 0xf4}), (Bytes{0xfa, 0xfa})) << "a command instead of the parameter";
    EXPECT_EQ(write({0x02}), Bytes{0xfe}) << "which is no command";
    EXPECT_EQ(input.call<&backplane_input::leds>(), 1u << BACKPLANE_LED_SCROLL_LOCK);
}

TEST_F(Ps2KeyboardTest, ScanCodesWaitForAParameterAndAnswersDoNotWaitForScanCodes) {
    press(BACKPLANE_KEY_A);
    EXPECT_EQ(write({0xed}), Bytes{0xfa});
    release(BACKPLANE_KEY_A);
    EXPECT_EQ(read(), Bytes{});
    EXPECT_EQ(write({0x00}), (Bytes{0xfa, 0x1c, 0xf0, 0x1c}));
}

TEST_F(Ps2KeyboardTest, AnswersTheShortCommands) {
    EXPECT_EQ(write({0xee}), Bytes{0xee});
    EXPECT_EQ(write({0xf2}), (Bytes{0xfa, 0xab, 0x83}));
    EXPECT_EQ(write({0xfe}), Bytes{0x83}) << "the last byte again";
    EXPECT_EQ(write({0xfe}), Bytes{0x83});
    EXPECT_EQ(write({0xef}), Bytes{0xfe});
    EXPECT_EQ(write({0xf1}), Bytes{0xfe});
    EXPECT_EQ(write({0x12}), Bytes{0xfe});
    EXPECT_EQ(write({0xf0, 0x00}), (Bytes{0xfa, 0xfa, 0x02}));
    EXPECT_EQ(write({0xf0, 0x04}), (Bytes{0xfa, 0xfe}));
    EXPECT_EQ(write({0xf0, 0x00}), (Bytes{0xfa, 0xfa, 0x02}));
}

TEST_F(Ps2KeyboardTest, AResendComesBeforeTheRestOfAnAnswer) {
    plug.call<&backplane_ps2::write>(std::uint8_t{0xf2});
    EXPECT_EQ(plug.call<&backplane_ps2::read>(), 0xfa);
    EXPECT_EQ(plug.call<&backplane_ps2::read>(), 0xab);
    EXPECT_EQ(write({0xfe}), (Bytes{0xab, 0x83}));
}

TEST_F(Ps2KeyboardTest, DisabledItIsSilent) {
    press(BACKPLANE_KEY_A);
    EXPECT_EQ(write({0xf5}), Bytes{0xfa}) << "and its buffer is empty";
    press(BACKPLANE_KEY_B);
    EXPECT_EQ(read(), Bytes{});
    EXPECT_EQ(write({0xf6}), Bytes{0xfa});
    EXPECT_EQ(released(BACKPLANE_KEY_A), Bytes{}) << "F6 leaves it disabled";
    EXPECT_EQ(write({0xf4}), Bytes{0xfa});
    EXPECT_EQ(released(BACKPLANE_KEY_B), (Bytes{0xf0, 0x32}));
}

TEST_F(Ps2KeyboardTest, ResetRestoresTheDefaultsAndTestsItself) {
    use_set(1);
    write({0xed, 0x07, 0xf3, 0x00});
    EXPECT_EQ(write({0xff}), Bytes{0xfa});
    EXPECT_EQ(pressed(BACKPLANE_KEY_A), Bytes{}) << "while it tests itself";
    bench.advance(1s);
    EXPECT_EQ(read(), Bytes{0xaa});
    EXPECT_EQ(input.call<&backplane_input::leds>(), 0u);
    EXPECT_EQ(released(BACKPLANE_KEY_A), (Bytes{0xf0, 0x1c}));
}

TEST_F(Ps2KeyboardTest, TheMachinesResetDoesNotReachIt) {
    use_set(1);
    press(BACKPLANE_KEY_A);
    bench.reset();
    EXPECT_EQ(read(), Bytes{0x1e});
    bench.reset(BACKPLANE_RESET_POWER_ON);
    EXPECT_EQ(read(), Bytes{});
    EXPECT_EQ(pressed(BACKPLANE_KEY_A), Bytes{0x1c});
}

TEST_F(Ps2KeyboardTest, Set3GivesEachKeyItsOwnBehaviour) {
    use_set(3);
    EXPECT_EQ(pressed(BACKPLANE_KEY_A), Bytes{0x1c});
    EXPECT_EQ(released(BACKPLANE_KEY_A), Bytes{}) << "typematic, no break code";
    EXPECT_EQ(pressed(BACKPLANE_KEY_LEFT_SHIFT), Bytes{0x12});
    EXPECT_EQ(pressed(BACKPLANE_KEY_UP), Bytes{0x63}) << "no fake shifts";
    EXPECT_EQ(released(BACKPLANE_KEY_LEFT_SHIFT), (Bytes{0xf0, 0x12})) << "make and break";
    release(BACKPLANE_KEY_UP);
    EXPECT_EQ(pressed(BACKPLANE_KEY_ESC), Bytes{0x08});
    bench.advance(2s);
    EXPECT_EQ(read(), Bytes{}) << "make only";
    EXPECT_EQ(released(BACKPLANE_KEY_ESC), Bytes{});
    EXPECT_EQ(pressed(BACKPLANE_KEY_PAUSE), Bytes{0x62});
    release(BACKPLANE_KEY_PAUSE);
    EXPECT_EQ(pressed(BACKPLANE_KEY_MUTE), Bytes{}) << "not in this set";
    // A: make and break; B and C: make only.
    EXPECT_EQ(write({0xfc, 0x1c, 0xfd, 0x32, 0x21, 0xf4}),
              (Bytes{0xfa, 0xfa, 0xfa, 0xfa, 0xfa, 0xfa}));
    press(BACKPLANE_KEY_A);
    bench.advance(2s);
    release(BACKPLANE_KEY_A);
    EXPECT_EQ(read(), (Bytes{0x1c, 0xf0, 0x1c}));
    press(BACKPLANE_KEY_C);
    bench.advance(2s);
    release(BACKPLANE_KEY_C);
    EXPECT_EQ(read(), Bytes{0x21});
    EXPECT_EQ(write({0xfa}), Bytes{0xfa});
    press(BACKPLANE_KEY_C);
    bench.advance(500ms);
    release(BACKPLANE_KEY_C);
    EXPECT_EQ(read(), (Bytes{0x21, 0x21, 0xf0, 0x21}));
}

TEST_F(Ps2KeyboardTest, SurvivesASnapshotWithAKeyHeld) {
    write({0xed, 0x02});
    press(BACKPLANE_KEY_LEFT_SHIFT);
    press(BACKPLANE_KEY_A);
    bench.advance(700ms);
    EXPECT_EQ(testing::round_trip(bench, 2s), "");
    plug.call<&backplane_ps2::write>(std::uint8_t{0xff});
    EXPECT_EQ(testing::round_trip(bench), "");
}

TEST_F(Ps2KeyboardTest, BearsRandomAccesses) {
    play_random_script(bench, 101);
    EXPECT_EQ(testing::round_trip(bench), "");
}

}  // namespace
}  // namespace backplane::chipset

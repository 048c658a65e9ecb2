// How a run ends: what the program says, its exit code, and the terminal that it leaves behind.
#include "guests.h"
#include "support/guest_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Ending {
    const char* name;
    std::span<const std::uint8_t> guest;
    int exit_code;
    const char* says;

    friend void PrintTo(const Ending& ending, std::ostream* out) { *out << ending.name; }
};

class Endings : public ::testing::TestWithParam<Ending> {};

TEST_P(Endings, HaveACodeAndALineThatSaysWhy) {
    GuestSession session{"linux-serial",
                         flat_guest(GetParam().guest, {"--no-reboot", "--timeout", "200"})};
    EXPECT_EQ(session.exit_code(), GetParam().exit_code);
    EXPECT_THAT(session.unread(), HasSubstr(std::string{"backplane: "} + GetParam().says));
    EXPECT_TRUE(session.terminal_is_as_before());
}

INSTANTIATE_TEST_SUITE_P(
    Guests, Endings,
    ::testing::Values(Ending{"Halt", halt_for_good, 0, "cpu0: halted with interrupts off"},
                      Ending{"DebugExit", exit_with_21, 43,
                             "debug-exit: the guest wrote 21 to isa-debug-exit"},
                      Ending{"ResetControl", reset_by_cf9, 0, "reset0: port 0xCF9 (--no-reboot)"},
                      Ending{"KeyboardController", reset_by_keyboard_controller, 0,
                             "i8042: the keyboard controller's reset line (--no-reboot)"},
                      Ending{"Port92", reset_by_port_92, 0, "port92: port 0x92 (--no-reboot)"},
                      Ending{"TripleFault", triple_fault, 4, "cpu0: shutdown (triple fault)"}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(Endings, OfATripleFaultShowTheProcessorAndItsLastInstruction) {
    GuestSession session{"minimal", flat_guest(triple_fault), Input::Null};
    EXPECT_EQ(session.exit_code(), 4);
    EXPECT_THAT(session.unread(),
                AllOf(HasSubstr("rbx=1122334455667788"), HasSubstr("idtr.limit=0000"),
                      HasSubstr("rip=0000000001000212"), HasSubstr("int3")));
}

TEST(Endings, ByTheTimeLimitHaveTheirOwnCode) {
    GuestSession session{"linux-serial", flat_guest(spin_for_ever, {"--timeout", "1"})};
    EXPECT_EQ(session.exit_code(), 5);
    EXPECT_THAT(session.unread(), HasSubstr("backplane: the time limit passed"));
    EXPECT_TRUE(session.terminal_is_as_before());
}

class Signals : public ::testing::TestWithParam<int> {};

TEST_P(Signals, EndARunWithTheShellsCodeAndTheTerminalAsItWas) {
    GuestSession session{"linux-serial", flat_guest(echo_serial)};
    ASSERT_TRUE(session.expect("R"));
    EXPECT_TRUE(session.is_raw());
    session.send_signal(GetParam());
    EXPECT_EQ(session.exit_code(), 128 + GetParam());
    EXPECT_TRUE(session.terminal_is_as_before());
}

INSTANTIATE_TEST_SUITE_P(Polite, Signals, ::testing::Values(SIGTERM, SIGINT, SIGHUP),
                         [](const auto& info) { return std::string{sigabbrev_np(info.param)}; });

// As when the program crashes.
TEST(Endings, ByAFatalSignalLeaveTheTerminalAsItWas) {
    GuestSession session{"linux-serial", flat_guest(echo_serial)};
    ASSERT_TRUE(session.expect("R"));
    session.send_signal(SIGSEGV);
    EXPECT_EQ(session.exit_code(), -SIGSEGV);
    EXPECT_TRUE(session.terminal_is_as_before());
}

TEST(Endings, ByTheTerminalMenuAreGoodOnes) {
    GuestSession session{"linux-serial", flat_guest(echo_serial)};
    ASSERT_TRUE(session.expect("R"));
    session.type("\x01h");
    EXPECT_TRUE(session.expect("Ctrl-A X       quit")) << session.unread();
    session.type("abc\x01\x01z");  // the guest gets these, and one Ctrl-A
    EXPECT_TRUE(session.expect("abc\x01z")) << session.unread();
    session.type("\x01x");
    EXPECT_EQ(session.exit_code(), 0);
    EXPECT_THAT(session.unread(), HasSubstr("backplane: console: quit from the terminal"));
    EXPECT_TRUE(session.terminal_is_as_before());
}

}  // namespace
}  // namespace backplane::test

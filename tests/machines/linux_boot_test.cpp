// Debian's kernel on other machines, with other parameters, and with much or little memory.
#include "guests.h"
#include "support/guest_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace backplane::test {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Lt;
using ::testing::Not;

TEST(LinuxBoot, RunsOnTheOldInterruptControllerAndTimerAlone) {
    GuestSession session{"linux-serial", linux_guest("noapic nolapic acpi=off", {"-m", "128M"})};
    ASSERT_TRUE(session.expect(GuestSession::prompt)) << session.unread();
    EXPECT_THAT(session.shell("cat /proc/interrupts"),
                AllOf(HasSubstr("XT-PIC      timer"), Not(HasSubstr("IO-APIC"))));
    EXPECT_THAT(measured_sleep(session, 1).seconds, AllOf(Ge(1.0), Lt(1.1)));

    // A reset starts it over again.
    ASSERT_TRUE(session.type("reboot -f\r"));
    ASSERT_TRUE(session.expect("Linux version ")) << session.unread();
    ASSERT_TRUE(session.expect("Command line: console=ttyS0 noapic")) << session.unread();
    session.send_signal(SIGTERM);
    EXPECT_EQ(session.exit_code(), 128 + SIGTERM);
    EXPECT_TRUE(session.terminal_is_as_before());
}

TEST(LinuxBoot, RunsOnTheMinimalMachineWithCommandsTypedAheadThroughAPipe) {
    GuestSession session{"minimal", linux_guest("noapic nolapic"), Input::Pipe};
    std::string commands;
    for (int line = 0; line < 200; ++line)
        commands += "echo typed ahead, line number " + std::to_string(line) + " >>typed\n";
    ASSERT_TRUE(session.type(commands + "wc -l typed; md5sum typed; halt -f\n"));
    session.end_input();
    EXPECT_TRUE(session.expect("\n200 typed\r\n")) << session.unread();
    EXPECT_TRUE(session.expect("44e77bf448aba54af8d6787ca0a77083  typed")) << session.unread();
    EXPECT_EQ(session.exit_code(), 0);
    EXPECT_THAT(session.unread(), HasSubstr("backplane: cpu0: halted with interrupts off"));
}

TEST(LinuxBoot, StartsAtOnceWithMoreMemoryThanTheHostHas) {
    const std::string counters = temp_path("counters");
    GuestSession session{"linux-serial", linux_guest("", {"-m", "64G", "--stats", counters})};
    EXPECT_TRUE(session.expect("[mem 0x0000000100000000-0x000000103fffffff] usable"))
        << session.unread();
    session.type("\x01x");
    EXPECT_EQ(session.exit_code(), 0);
    EXPECT_LT(nlohmann::json::parse(std::ifstream{counters})["guest_memory_committed_bytes"],
              2'000'000'000);
}

}  // namespace
}  // namespace backplane::test

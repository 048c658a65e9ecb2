// Debian's kernel up to a shell, and what a user does there.
#include "guests.h"
#include "support/guest_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>

namespace backplane::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Lt;
using ::testing::MatchesRegex;
using ::testing::Not;

// One boot serves all of these, one after another at the same prompt.
class Shell : public ::testing::Test {
protected:
    std::string shell(const std::string& command) { return session_.shell(command); }

    void says_what_it_runs_on();
    void booted_without_complaints();
    void computes_and_compresses_through_pipes();
    void shows_its_processes();
    void keeps_the_hosts_time_and_sleeps_when_it_does();
    void interrupts_a_command_by_control_c();
    void edits_a_file_in_vi();
    void takes_a_long_paste_without_loss();
    void powers_the_machine_off_when_it_exits();
    void has_plausible_counters();

    const std::string counters_ = temp_path("counters");
    GuestSession session_{"linux-serial", linux_guest("", {"--stats", counters_})};
};

void Shell::says_what_it_runs_on() {
    EXPECT_THAT(shell("uname -a"), AllOf(HasSubstr("Linux backplane 6."), HasSubstr("x86_64")));
    EXPECT_THAT(shell("cat /proc/cpuinfo"),
                AllOf(HasSubstr("Backplane x86-64-v1 processor"), HasSubstr(" sse2 ")));
    EXPECT_THAT(shell("cat /proc/interrupts"),
                AllOf(HasSubstr("IO-APIC"), HasSubstr("ERR:          0")));
}

void Shell::booted_without_complaints() {
    for (const char* word :
         {"BUG:", "WARNING:", "Oops", "Call Trace", "invalid opcode", "general protection",
          "unchecked MSR", "spurious", "nobody cared", "soft lockup", "rcu_.*stall"}) {
        EXPECT_EQ(shell(std::string{"dmesg | grep -i '"} + word + "'"), "") << word;
    }
}

void Shell::computes_and_compresses_through_pipes() {
    EXPECT_EQ(shell("seq 20000 | md5sum"), "e071f707df7bbeee2a6a1eb48011ddd0  -\n");
    EXPECT_EQ(shell("seq 20000 | gzip | gunzip | md5sum"), "e071f707df7bbeee2a6a1eb48011ddd0  -\n");
    EXPECT_EQ(shell("seq 100 | awk '{s += $1 / 8} END {print s, 1 / 3, 1e300 * 1e10}'"),
              "631.25 0.333333 inf\n");
    EXPECT_THAT(shell("dd if=/dev/zero bs=64k count=64 2>/dev/null | md5sum"),
                "b5cfa9d6c8febd618f91ac2843d50a1c  -\n");
}

void Shell::shows_its_processes() {
    EXPECT_THAT(shell("ps"), HasSubstr("[kthreadd]"));
    EXPECT_THAT(shell("top -bn1 | head -3"), HasSubstr("Load average"));
    EXPECT_THAT(shell("(sleep 1; echo from behind) & sleep 2; wait"), HasSubstr("from behind\n"));
}

void Shell::keeps_the_hosts_time_and_sleeps_when_it_does() {
    const Sleep sleep = measured_sleep(session_, 3);
    EXPECT_THAT(sleep.seconds, AllOf(Ge(3.0), Lt(3.1)));
    EXPECT_GE(sleep.on_host, milliseconds{2900});
    EXPECT_LT(sleep.on_host, seconds{10});
    EXPECT_LT(sleep.cpu_time, milliseconds{1000}) << "an idle guest keeps the host busy";
    // The CMOS clock has whole seconds.
    const auto before = std::time(nullptr);
    const auto date = std::atoll(shell("date +%s").c_str());
    EXPECT_GE(date, before - 5);
    EXPECT_LE(date, std::time(nullptr) + 5);
}

void Shell::interrupts_a_command_by_control_c() {
    // A shell of its own, which has the terminal by the time that it says so.
    ASSERT_TRUE(session_.type("sh -c 'echo asleep; exec sleep 1000'\r"));
    ASSERT_TRUE(session_.expect("\nasleep\r"));
    std::this_thread::sleep_for(milliseconds{500});
    ASSERT_TRUE(session_.type("\x03"));
    EXPECT_TRUE(session_.expect(GuestSession::prompt));
    EXPECT_EQ(shell("echo $?"), "130\n");
}

void Shell::edits_a_file_in_vi() {
    ASSERT_TRUE(session_.type("vi poem\r"));
    ASSERT_TRUE(session_.expect("poem"));
    ASSERT_TRUE(session_.expect("1/1"));  // its status line
    // It says that it awaits a command again, or the escape is taken for the start of a key.
    ASSERT_TRUE(session_.type("ifirst\rthird\x1b"));
    ASSERT_TRUE(session_.expect("- poem"));
    ASSERT_TRUE(session_.type("Osecond\x1b"));
    ASSERT_TRUE(session_.expect("- poem"));
    ASSERT_TRUE(session_.type(":wq\r"));
    ASSERT_TRUE(session_.expect(GuestSession::prompt));
    EXPECT_EQ(shell("cat poem"), "first\nsecond\nthird\n");
}

void Shell::takes_a_long_paste_without_loss() {
    std::string text;
    for (int line = 0; text.size() < 4096; ++line)
        text += "line " + std::to_string(line) + " of a text that somebody pastes\n";
    ASSERT_TRUE(session_.type("stty -echo; echo go; cat >pasted; stty echo\r"));
    ASSERT_TRUE(session_.expect("\ngo\r"));
    ASSERT_TRUE(session_.type(text + "\x04"));
    ASSERT_TRUE(session_.expect(GuestSession::prompt));
    EXPECT_EQ(shell("cat pasted"), text);
}

void Shell::powers_the_machine_off_when_it_exits() {
    ASSERT_TRUE(session_.type("exit\r"));
    EXPECT_EQ(session_.exit_code(), 0);
    EXPECT_THAT(session_.unread(), HasSubstr("backplane: acpi0: guest powered off (ACPI S5)"));
    EXPECT_TRUE(session_.terminal_is_as_before());
}

void Shell::has_plausible_counters() {
    const auto counters = nlohmann::json::parse(std::ifstream{counters_});
    const auto number = [&](const char* path) {
        return counters.at(nlohmann::json::json_pointer{path}).get<double>();
    };
    EXPECT_EQ(number("/ending/exit_code"), 0);
    EXPECT_GT(number("/instructions"), 5e8);
    EXPECT_LT(number("/instructions"), 1e11);
    EXPECT_GT(number("/rep_iterations"), 1e6);
    EXPECT_GT(number("/mips/average"), 1);
    EXPECT_LT(number("/mips/average"), 1e5);
    EXPECT_GE(number("/mips/p95"), number("/mips/average"));
    EXPECT_GT(number("/components/cpu0/statistics/interrupts"), 100);
    EXPECT_GT(number("/components/cpu0/statistics/exits_leave"), 100);
    EXPECT_GT(number("/components/serial0/statistics/bytes.received"), 4096);
    for (const auto& window : counters["accesses"]["io"])
        if (window["window"] == "serial0.registers") EXPECT_GT(window["writes"], 10'000);
    EXPECT_LT(number("/guest_memory_committed_bytes"), 400e6);
}

TEST_F(Shell, IsWhatADebianUserKnows) {
    ASSERT_TRUE(session_.expect("Backplane guest ready")) << session_.unread();
    ASSERT_TRUE(session_.expect(GuestSession::prompt)) << session_.unread();
    says_what_it_runs_on();
    booted_without_complaints();
    computes_and_compresses_through_pipes();
    shows_its_processes();
    keeps_the_hosts_time_and_sleeps_when_it_does();
    interrupts_a_command_by_control_c();
    edits_a_file_in_vi();
    takes_a_long_paste_without_loss();
    powers_the_machine_off_when_it_exits();
    has_plausible_counters();
}

}  // namespace
}  // namespace backplane::test

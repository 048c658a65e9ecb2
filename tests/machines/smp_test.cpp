// Four CPUs: what tests/smp-guest finds, and Linux, in real time and with all taking turns.
#include "guests.h"
#include "run_counters.h"
#include "support/guest_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>

namespace backplane::test {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Lt;
using ::testing::Not;

std::vector<std::uint8_t> bytes_of(const char* path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

struct Outcome {
    int exit_code = 0;
    std::string output;
    nlohmann::json counters;
};

// `repetitions` of each step (tests/smp-guest/machine.h).
Outcome run_smp_guest(const std::string& run, const std::string& clock, int repetitions) {
    constexpr std::uint32_t memory = 4 << 20;
    const std::string counters = temp_path(run + "_counters");
    GuestSession session{
        "linux-serial-smp",
        {"--kernel", write_flat_kernel(temp_path("kernel"), bytes_of(paths::smp_guest), memory),
         "--append", "repetitions=" + std::to_string(repetitions), "--no-reboot", "-p",
         "machine.clock=" + clock, "--stats", counters},
        Input::Null};
    Outcome outcome;
    outcome.exit_code = session.exit_code(seconds{300}).value_or(-1);
    outcome.output = session.unread();
    std::ifstream file{counters};
    outcome.counters = nlohmann::json::parse(file, nullptr, false);
    erase_what_the_host_decides(outcome.counters);
    return outcome;
}

TEST(FourCpus, KeepTheRulesInRealTime) {
    const Outcome outcome = run_smp_guest("realtime", "realtime", 200);
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.output, AllOf(HasSubstr("restart: done"), HasSubstr("all passed"),
                                      Not(HasSubstr("FAILED"))));
}

TEST(FourCpus, KeepTheRulesInTurnsAndDoExactlyTheSameAgain) {
    const Outcome first = run_smp_guest("first", "deterministic", 2000);
    EXPECT_EQ(first.exit_code, 0);
    EXPECT_THAT(first.output, HasSubstr("all passed"));
    const Outcome second = run_smp_guest("second", "deterministic", 2000);
    EXPECT_EQ(first.output, second.output);
    EXPECT_EQ(nlohmann::json::diff(first.counters, second.counters), nlohmann::json::array());
}

TEST(FourCpus, RunLinux) {
    GuestSession session{"linux-serial-smp", linux_guest("")};
    ASSERT_TRUE(session.expect(GuestSession::prompt)) << session.unread();
    EXPECT_EQ(session.shell("nproc"), "4\n");
    EXPECT_THAT(session.shell("dmesg | grep 'smp: Brought up'"), HasSubstr("1 node, 4 CPUs"));
    const std::string sums = session.shell(
        "for cpu in 1 2 4 8; do taskset $cpu seq 3000 | taskset $cpu md5sum >$cpu & done; wait; "
        "cat 1 2 4 8 | uniq -c");
    EXPECT_THAT(sums, HasSubstr("4 ee9762749fc5338b6c9b0948d14219c7  -\n"));
    EXPECT_THAT(measured_sleep(session, 1).seconds, AllOf(Ge(1.0), Lt(1.1)));
    session.type("exit\r");
    EXPECT_EQ(session.exit_code(), 0);
    EXPECT_THAT(session.unread(), HasSubstr("guest powered off"));
}

TEST(FourCpus, BootLinuxTwiceInExactlyTheSameWay) {
    const auto boot = [](const std::string& run) {
        const std::string serial = temp_path(run + "_serial"),
                          counters = temp_path(run + "_counters");
        GuestSession session{
            "linux-serial-smp",
            linux_guest("backplane_run=\"nproc; seq 1000 | md5sum; cat /proc/interrupts\"",
                        {"-p", "machine.clock=deterministic", "--serial", "file:" + serial,
                         "--stats", counters}),
            Input::Null};
        EXPECT_EQ(session.exit_code(seconds{200}), 0) << session.unread();
        Outcome outcome;
        std::ifstream output{serial, std::ios::binary}, file{counters};
        outcome.output.assign(std::istreambuf_iterator<char>{output}, {});
        outcome.counters = nlohmann::json::parse(file, nullptr, false);
        erase_what_the_host_decides(outcome.counters);
        return outcome;
    };
    const Outcome first = boot("first"), second = boot("second");
    EXPECT_THAT(first.output, HasSubstr("\n4\r\n"));
    EXPECT_THAT(first.output, HasSubstr("command exited with 0"));
    EXPECT_TRUE(first.output == second.output);
    EXPECT_EQ(nlohmann::json::diff(first.counters, second.counters), nlohmann::json::array());
}

}  // namespace
}  // namespace backplane::test

// A deterministic machine does the same again: every byte it prints, every instruction and access
// it counts.
#include "guests.h"
#include "run_counters.h"
#include "support/guest_session.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>

namespace backplane::test {
namespace {

struct Outcome {
    std::string output;
    nlohmann::json counters;
};

Outcome boot(const std::string& run) {
    const std::string serial = temp_path(run + "_serial"), counters = temp_path(run + "_counters");
    GuestSession session{"linux-serial",
                         linux_guest("backplane_run=\"date; seq 1000 | md5sum\"",
                                     {"-p", "machine.clock=deterministic", "--serial",
                                      "file:" + serial, "--stats", counters}),
                         Input::Null};
    EXPECT_EQ(session.exit_code(std::chrono::seconds{200}), 0) << session.unread();
    std::ifstream output{serial, std::ios::binary};
    Outcome outcome{{std::istreambuf_iterator<char>{output}, {}},
                    nlohmann::json::parse(std::ifstream{counters})};
    erase_what_the_host_decides(outcome.counters);
    return outcome;
}

TEST(DeterministicMachine, BootsLinuxTwiceInExactlyTheSameWay) {
    const Outcome first = boot("first"), second = boot("second");
    EXPECT_NE(first.output.find("Backplane guest command exited with 0"), std::string::npos)
        << first.output;
    EXPECT_NE(first.output.find("Wed Jan  1 00:00:0"), std::string::npos)
        << "the date is the host's";
    EXPECT_TRUE(first.output == second.output);
    EXPECT_EQ(nlohmann::json::diff(first.counters, second.counters), nlohmann::json::array());
}

}  // namespace
}  // namespace backplane::test

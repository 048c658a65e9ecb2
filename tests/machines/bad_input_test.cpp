// What `backplane run` says about a command line that it cannot carry out.
#include "guests.h"
#include "support/guest_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace backplane::test {
namespace {

using ::testing::HasSubstr;

struct BadInput {
    const char* name;
    std::vector<std::string> arguments;
    const char* says;

    friend void PrintTo(const BadInput& input, std::ostream* out) { *out << input.name; }
};

class RunRefuses : public ::testing::TestWithParam<BadInput> {};

TEST_P(RunRefuses, WithCodeTwoAndTheReason) {
    GuestSession session{"linux-serial", GetParam().arguments, Input::Null};
    EXPECT_EQ(session.exit_code(), 2);
    EXPECT_THAT(session.unread(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    CommandLines, RunRefuses,
    ::testing::Values(
        BadInput{"NoKernel", {}, "there is no kernel to boot: give one with --kernel FILE"},
        BadInput{"EmptyKernel", {"--kernel", ""}, "there is no kernel to boot"},
        BadInput{"MissingKernel",
                 {"--kernel", "/no/such"},
                 "kernel \"/no/such\" cannot be read: No such file"},
        BadInput{"TooLittleMemory",
                 {"--kernel", paths::guest_kernel, "-m", "32M"},
                 "MiB of RAM between 16 MiB and 4 GiB; RAM is at"},
        BadInput{"MemoryUnit", {"-m", "12Q"}, "-m 12Q: expected a size such as 512M or 4G"},
        BadInput{"NoMemory", {"-m", "0"}, "expected 1 MiB to 64 TiB"},
        BadInput{"Serial",
                 {"--serial", "com1"},
                 "expected stdio, file:FILE, pty, unix:PATH, tcp:PORT or none"},
        BadInput{"TcpPort", {"--serial", "tcp:99999"}, "expected 0 to 65535"},
        BadInput{"Timeout", {"--timeout", "-1"}, "--timeout -1: expected 1 to"},
        BadInput{"Statistics",
                 {"--kernel", paths::guest_kernel, "--stats", "/no/such/file"},
                 "--stats /no/such/file: cannot be written"},
        BadInput{"Setting", {"-p", "cpu0.type=cpu.nope"}, "no loaded plugin offers 'cpu.nope'"},
        BadInput{"Option", {"--krenel", "x"}, "unknown option '--krenel'"}),
    [](const auto& info) { return std::string{info.param.name}; });

}  // namespace
}  // namespace backplane::test

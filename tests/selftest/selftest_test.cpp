// Runs the self-test programs of this folder from their reset vector, on every model they are for.
#include "support/guest_session.h"
#include "support/paths.h"

#include <gtest/gtest.h>

#include <string>

namespace backplane::test {
namespace {

class SelfTest : public ::testing::TestWithParam<const char*> {};

// The program says which step failed: post.inc.
TEST_P(SelfTest, Passes) {
    constexpr unsigned passed = 0x7f;
    const std::string image = std::string{paths::self_tests} + "/" + GetParam() + ".bin";
    GuestSession session{"../tests/selftest/machine",
                         {"--no-reboot", "--timeout", "60", "-p", "rom0.image=" + image},
                         Input::Null};
    EXPECT_EQ(session.exit_code(std::chrono::seconds{90}), static_cast<int>((passed << 1) | 1))
        << session.unread();
}

INSTANTIATE_TEST_SUITE_P(Programs, SelfTest,
                         ::testing::Values("real_mode", "protected_mode", "tasks", "virtual8086",
                                           "debug", "paging", "long_mode"),
                         [](const auto& info) { return std::string{info.param}; });

}  // namespace
}  // namespace backplane::test

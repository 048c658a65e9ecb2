// Debian's 32-bit kernel and user space on the processor models that can run them.
#include "support/guest_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace backplane::test {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

class Kernel32 : public ::testing::TestWithParam<const char*> {};

TEST_P(Kernel32, BootsToAShellAndPowersOff) {
    GuestSession session{"linux-serial",
                         {"--kernel", paths::guest32_kernel, "--initrd", paths::guest32_initrd,
                          "--append", "console=ttyS0", "-p",
                          std::string{"cpu0.model="} + GetParam()}};
    ASSERT_TRUE(session.expect(GuestSession::prompt, seconds{200})) << session.unread();
    EXPECT_THAT(session.shell("uname -m"), HasSubstr("i686"));
    EXPECT_THAT(session.shell("seq 2000 | md5sum"), HasSubstr("ea4d0a24dabcaa11f9aa979b872d162b"));
    EXPECT_THAT(session.shell("awk 'BEGIN { for (i = 0; i < 500; i++) s += i / 7; print s }'"),
                HasSubstr("17821.4"));
    session.type("poweroff -f\r");
    EXPECT_EQ(session.exit_code(), 0) << session.unread();
}

INSTANTIATE_TEST_SUITE_P(Models, Kernel32, ::testing::Values("pentium3"), [](const auto& model) {
    std::string name = model.param;
    std::ranges::replace(name, '-', '_');
    return name;
});

}  // namespace
}  // namespace backplane::test

// Linux on the 486, with a kernel of its own (tools/guest-486).
#include "support/guest_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace backplane::test {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

TEST(Kernel486, RunsProcessesAndFloatingPoint) {
    if (!std::filesystem::exists(paths::guest486_kernel))
        GTEST_SKIP() << "tools/guest-486 builds the kernel";
    GuestSession session{"linux-serial",
                         {"--kernel", paths::guest486_kernel, "--initrd", paths::guest486_initrd,
                          "--append", "console=ttyS0", "-p", "cpu0.model=486"},
                         Input::Null};
    ASSERT_TRUE(session.expect("Backplane guest ready\r\n", seconds{200})) << session.unread();
    ASSERT_TRUE(session.expect("Backplane guest done")) << session.unread();
    EXPECT_THAT(session.before, HasSubstr("Linux i486\r\n"));
    EXPECT_THAT(session.before, HasSubstr("child exited with 7\r\n"));
    EXPECT_THAT(session.before, HasSubstr("sum 7484470\r\n"));
    EXPECT_THAT(session.before, ::testing::ContainsRegex("cpu family\t: 4"));
    EXPECT_EQ(session.exit_code(), 0) << session.unread();
}

}  // namespace
}  // namespace backplane::test

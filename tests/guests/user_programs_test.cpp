// Programs of Debian packages print the same in a guest as on the host, on every 64-bit processor
// model.
#include "support/guest_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>

namespace backplane::test {
namespace {

using std::chrono::seconds;

struct Model {
    const char* name;
    // What keeps the host's C library from instructions that the model lacks: fused multiply-add
    // rounds some mathematical functions differently.
    const char* host_tunables;
};

std::ostream& operator<<(std::ostream& out, const Model& model) { return out << model.name; }

std::string run_on_host(const Model& model) {
    const std::string command = std::string{paths::source} + "/tests/guests/on_host.sh " +
                                paths::programs_initrd + " " + ::testing::TempDir() +
                                "backplane_user_programs_" + model.name + " '" +
                                model.host_tunables + "'";
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe{popen(command.c_str(), "r"), pclose};
    std::string output;
    std::array<char, 4096> part;
    while (const std::size_t count = fread(part.data(), 1, part.size(), pipe.get()))
        output.append(part.data(), count);
    return output;
}

class UserPrograms : public ::testing::TestWithParam<Model> {};

TEST_P(UserPrograms, PrintTheSameAsOnTheHost) {
    const std::string wanted = run_on_host(GetParam());
    ASSERT_TRUE(wanted.starts_with("== data\n") && wanted.ends_with("== end\n")) << wanted;

    GuestSession session{"linux-serial",
                         {"--kernel", paths::guest_kernel, "--initrd", paths::programs_initrd,
                          "--append", "console=ttyS0 quiet backplane_run=/root/user-programs", "-m",
                          "1G", "-p", std::string{"cpu0.model="} + GetParam().name},
                         Input::Null};
    ASSERT_TRUE(session.expect("Backplane guest ready\r\n")) << session.unread();
    ASSERT_TRUE(session.expect("Backplane guest command exited with 0", seconds{500}))
        << session.unread();
    std::string output = session.before;
    std::erase(output, '\r');
    EXPECT_EQ(output, wanted);
    EXPECT_EQ(session.exit_code(), 0);
}

constexpr const char* without_fma = "glibc.cpu.hwcaps=-AVX2,-AVX,-FMA,-FMA4";

INSTANTIATE_TEST_SUITE_P(Models, UserPrograms,
                         ::testing::Values(Model{"x86-64-v1", without_fma},
                                           Model{"x86-64-v2", without_fma}, Model{"x86-64-v3", ""}),
                         [](const auto& model) {
                             std::string name = model.param.name;
                             std::ranges::replace(name, '-', '_');
                             return name;
                         });

}  // namespace
}  // namespace backplane::test

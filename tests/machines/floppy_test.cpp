// SeaBIOS and GRUB from floppy disks.
#include "guests.h"
#include "support/guest_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace backplane::test {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

struct FloppyBoot {
    const char* name;
    const char* kilobytes;
    const char* capacity;  // of the drive
    const char* speed;
};

class FloppyBoots : public ::testing::TestWithParam<FloppyBoot> {};

INSTANTIATE_TEST_SUITE_P(, FloppyBoots,
                         ::testing::Values(FloppyBoot{"D720", "720", "720k", "100"},
                                           FloppyBoot{"D1200", "1200", "1.2m", "100"},
                                           FloppyBoot{"D1440", "1440", "1.44m", "100"},
                                           FloppyBoot{"D1440Slower", "1440", "1.44m", "10"},
                                           FloppyBoot{"D2880", "2880", "2.88m", "100"}),
                         [](const auto& info) { return std::string{info.param.name}; });

TEST_P(FloppyBoots, StartGrubWhichReadsTheRest) {
    const FloppyBoot& boot = GetParam();
    const std::string image = temp_path("floppy.img"), data = temp_path("data");
    {
        std::ofstream file{data, std::ios::binary};
        for (int line = 0; line < 30'000; ++line)
            file << "line " << 100'000 + line << '\n';
    }
    const std::string make = std::string{paths::source} + "/tests/machines/make_grub_floppy.sh " +
                             image + " " + boot.kilobytes + " " + data;
    ASSERT_EQ(std::system(make.c_str()), 0);
    // However slow the drive is, a machine with time of its own need not wait for it.
    GuestSession session{"pc",
                         {"--floppy", image, "-p", std::string{"floppy0.capacity="} + boot.capacity,
                          "-p", std::string{"rtc0.floppy0="} + boot.capacity, "-p",
                          std::string{"fdc0.speed="} + boot.speed, "-p",
                          "machine.clock=deterministic"}};
    ASSERT_TRUE(session.expect("read by GRUB", seconds{600})) << session.unread();
    ASSERT_TRUE(session.expect("/data", seconds{600})) << session.unread();
    EXPECT_THAT(session.before, HasSubstr("974d6020f8d5acf1d8f2e9fa6eea7c6e"));
    EXPECT_EQ(session.exit_code(), 15);
    for (const std::string& file : {image, data})
        std::filesystem::remove(file);
}

TEST(Floppy, SaysWhichDiskItCannotTake) {
    const std::string image = temp_path("floppy.img");
    std::ofstream{image} << std::string(1'000'000, '\0');
    GuestSession session{"pc", {"--floppy", image}, Input::Null};
    EXPECT_EQ(session.exit_code(), 2);
    EXPECT_THAT(session.unread(),
                ::testing::AllOf(HasSubstr("floppy.yaml:16:"),
                                 HasSubstr("the image has 1000448 bytes; a drive of 1.44m takes "
                                           "737280 (720K), 1474560 (1.44M)")));
    std::filesystem::remove(image);
}

}  // namespace
}  // namespace backplane::test
